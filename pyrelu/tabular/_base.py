"""What estimators for tables share: a preprocessor, one network or several, and the mean of their outputs."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import check_cv, train_test_split
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp import losses
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.callback_support import CallbackSupportMixin
from pyrelu._mlp.documentation import Documented
from pyrelu._mlp.persistence import Persistent
from pyrelu._mlp.transaction import Transactional
from pyrelu._typing import Floats
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular._allowed import CONSTRAINTS, FROM_PRESET, NETWORK_CONSTRAINTS
from pyrelu.tabular._documentation import RECORDS
from pyrelu.tabular._ensemble import Data, Job, Scored, out_of_fold, train
from pyrelu.tabular._fitted import check_estimator
from pyrelu.tabular._networks import Split, TabularNetwork
from pyrelu.tabular._preprocessing import Chosen, TablePreprocessor
from pyrelu.tabular._presets import batch_size, parameters_of


class BaseTabularMLP(Transactional, Documented, Persistent, CallbackSupportMixin, BaseEstimator):
    """What the classifier and the regressor share.

    A subclass has `_network_class`, `_loss_kind` and `_default_loss`, and implements `_validate_y(y)`, which returns y as
    its networks take it, and `_outputs_of(network, Z)`, what one network predicts.
    """

    def __init__(
        self,
        preset: str = "auto",
        *,
        n_members: int = 1,
        ensemble_size: int | None = None,
        cv: Any = None,
        refit: bool | None = None,
        categorical_features: Chosen = "from_dtype",
        max_one_hot: int = 8,
        numeric: str = "robust",
        hidden_layer_sizes: int | Sequence[int] | None = None,
        activation: Any = None,
        learning_rate_init: float | None = None,
        max_iter: int | None = None,
        batch_size: int | Literal["auto"] | None = None,
        dropout: float | Sequence[float] | None = None,
        alpha: float | None = None,
        early_stopping: bool | None = None,
        validation_fraction: float | None = None,
        n_iter_no_change: float | None = None,
        loss: losses.Given | None = None,
        scoring: str | Callable[..., float] | None = None,
        network_params: dict[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = False,
        n_threads: int | None = None,
    ) -> None:
        self.preset = preset
        self.n_members = n_members
        self.ensemble_size = ensemble_size
        self.cv = cv
        self.refit = refit
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.numeric = numeric
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.dropout = dropout
        self.alpha = alpha
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.loss = loss
        self.scoring = scoring
        self.network_params = network_params
        self.random_state = random_state
        self.verbose = verbose
        self.n_threads = n_threads

    # ---- fitting ----

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *, eval_set: tuple[Any, ...] | None = None
    ) -> Self:
        """Train on a table.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            Numbers, booleans, categories, texts and dates, with missing values anywhere.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            A classifier's labels, or an indicator matrix of them; a regressor's numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1. Medians, scales and the choice of held-out rows do not depend
            on them.
        eval_set : tuple of (X, y) or (X, y, sample_weight), default=None
            Rows that decide which epoch is best, in place of rows held out.

        Returns
        -------
        TabularMLPClassifier or TabularMLPRegressor
            The estimator itself. If fitting fails, it stays unchanged.

        Raises
        ------
        ValueError
            If a column, y or a parameter is invalid, or training diverges.
        """
        with self._transaction() as training:
            training._fit(X, y, sample_weight, eval_set)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, eval_set: tuple[Any, ...] | None) -> None:
        check_parameters(self, CONSTRAINTS)
        parameters, refit = self._network_parameters()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)
        random_state = check_random_state(self.random_state)
        preprocessor = TablePreprocessor(
            categorical_features=self.categorical_features, max_one_hot=self.max_one_hot, numeric=self.numeric
        ).fit(X)
        Z, y = preprocessor._matrix(X), self._validate_y(y)
        check_consistent_length(Z, y, sample_weight)
        self.preprocessor_ = preprocessor
        if eval_set is not None:
            eval_set = self._transform_eval_set(eval_set)
            if self.early_stopping is None:
                parameters["early_stopping"] = True
        n_columns, n_codes = preprocessor.n_numeric_ + preprocessor.n_one_hot_, len(preprocessor.cardinalities_)
        parameters["numeric_features"] = list(range(preprocessor.n_numeric_))
        parameters["categorical_features"] = list(range(n_columns, n_columns + n_codes)) or None
        splits = self._splits(Z, y, parameters, eval_set, random_state)
        seeds = random_state.randint(2**31, size=len(splits)).tolist()
        jobs = []
        for i, (seed, rows) in enumerate(zip(seeds, splits, strict=True)):
            network = self._network_class(**parameters, random_state=seed)
            network.batch_size = self._batch_size(len(Z) if rows is None else len(rows[0]))
            of_refit = self._batch_size(len(Z)) if refit else None
            jobs.append(Job(network, rows, i if len(splits) > 1 else None, of_refit))
        jobs = train(self, jobs, Data(Z, y, sample_weight, eval_set))
        self.n_features_in_ = preprocessor.n_features_in_
        if hasattr(preprocessor, "feature_names_in_"):
            self.feature_names_in_ = preprocessor.feature_names_in_
        self.estimators_ = [job.network for job in jobs]
        if is_classifier(self):
            self.classes_ = self.estimators_[0].classes_
        if self.cv is not None:
            self.oof_ = out_of_fold(jobs, len(Z))

    def _batch_size(self, n_rows: int) -> int | str:
        """Return the rows in a batch of a network that is trained on so many."""
        if self.batch_size is None:
            return batch_size(self.preset, is_classifier(self), n_rows)
        return self.batch_size if self.batch_size == "auto" else min(self.batch_size, n_rows)

    def _network_parameters(self) -> tuple[dict[str, Any], bool]:
        """Return the parameters of each network, the preset's if the user has set no others, and whether to refit."""
        loss = losses.resolve(self._loss(), self._loss_kind)
        given = {name: value for name in FROM_PRESET if (value := getattr(self, name, None)) is not None}
        parameters, refit = parameters_of(self.preset, is_classifier(self))
        parameters |= given | self._further_parameters()
        if is_classifier(self) and not loss.gives_probabilities and "label_smoothing" not in given:
            parameters["label_smoothing"] = 0.0  # such a loss allows none
        dropout = parameters.get("dropout", 0.0)
        if np.ndim(dropout) == 0:  # of units, not of columns
            n_hidden = np.size(parameters.get("hidden_layer_sizes", 1))
            parameters["dropout"] = (0.0, *[dropout] * n_hidden)
        own = {"loss": self._loss(), "scoring": self.scoring, "verbose": self.verbose, "n_threads": self.n_threads}
        if self.cv is not None and self.early_stopping is None:
            parameters["early_stopping"] = True  # on the rows that each network holds out
        return parameters | own, (refit and self.cv is None) if self.refit is None else self.refit

    def _further_parameters(self) -> dict[str, Any]:
        """Return `network_params`; InvalidParameterError where one is not allowed."""
        given = self.network_params or {}
        known = self._network_class().get_params()
        theirs = self._network_class.__bases__[1].__name__
        for name, value in given.items():
            if name not in known:
                raise InvalidParameterError(f"network_params has {name!r}, which is no parameter of {theirs}")
            if name in self.get_params(deep=False):
                raise InvalidParameterError(
                    f"network_params has {name!r}, which is a parameter of {type(self).__name__} itself"
                )
            constraint = NETWORK_CONSTRAINTS[name]
            if not constraint.test(value):
                raise InvalidParameterError(f"network_params: {name} must be {constraint.description}. Got {value!r}.")
        return given

    def _splits(
        self,
        Z: Floats,
        y: NDArray[Any],
        parameters: dict[str, Any],
        eval_set: tuple[Any, ...] | None,
        random_state: np.random.RandomState,
    ) -> list[Split | None]:
        """Return for each network the rows to train on and those that it holds out, or None."""
        if self.cv is not None:
            if eval_set is not None:
                raise ValueError("eval_set cannot be combined with cv, which holds out other rows for each network")
            strata = self._strata(y)
            cv = check_cv(self.cv, strata, classifier=is_classifier(self))
            if isinstance(self.cv, Integral):
                cv.shuffle, cv.random_state = True, random_state.randint(2**31)
            splits: list[Split | None] = [
                (_positions(training, len(Z)), _positions(held_out, len(Z)))
                for training, held_out in cv.split(Z, strata)
            ]
            if self.n_members not in (1, len(splits)):
                raise InvalidParameterError(
                    f"n_members={self.n_members} must be 1 or the number of splits of cv, which is {len(splits)}"
                )
            return splits
        if eval_set is not None or not parameters.get("early_stopping"):
            return [None] * self.n_members
        return [
            self._held_out(y, parameters.get("validation_fraction", 0.1), random_state) for _ in range(self.n_members)
        ]

    def _held_out(self, y: NDArray[Any], fraction: float, random_state: np.random.RandomState) -> Split:
        """Return the rows to train on and those held out, which have all classes in proportion, if rows are enough."""
        n, rows, strata = len(y), np.arange(len(y)), self._strata(y)
        if fraction == 0:
            raise InvalidParameterError(
                "validation_fraction=0 leaves early_stopping no rows to score; it must be in the range (0, 1), unless you "
                "pass an eval_set to fit"
            )
        n_held_out = max(2, int(np.ceil(fraction * n)))
        if n_held_out >= n:
            raise ValueError(
                f"n_samples={n} is too few to hold out some of the rows (validation_fraction={fraction}); set "
                "early_stopping=False"
            )
        if strata is not None:
            _, which, counts = np.unique(strata, return_inverse=True, return_counts=True)
            common = counts[which] > 1  # a class of one row is trained on
            n_common = int(np.count_nonzero(common))
            if min(n_held_out, n_common - n_held_out) >= int(np.count_nonzero(counts > 1)):
                rows, strata = rows[common], which[common]
            else:
                strata = None
        _, held_out = train_test_split(rows, test_size=n_held_out, stratify=strata, random_state=random_state)
        return np.setdiff1d(np.arange(n), held_out), np.sort(held_out).astype(np.intp)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        return y if is_classifier(self) and y.ndim == 1 else None

    def _transform_eval_set(self, eval_set: object) -> tuple[Any, ...]:
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError(f"eval_set must be a tuple of (X, y) or (X, y, sample_weight). Got {eval_set!r}.")
        try:
            return self.preprocessor_._matrix(eval_set[0]), self._validate_y(eval_set[1]), *eval_set[2:]
        except (TypeError, ValueError) as error:
            raise ValueError(f"eval_set: {error}") from error

    def _loss(self) -> losses.Given:
        return self._default_loss if self.loss is None else self.loss

    def _conclude(self, network: TabularNetwork, scored: Scored | None, of_fit: bool) -> Floats | None:
        """Do what is left to do with a network; return what it predicts for the rows that it was scored on, if any.

        Parameters
        ----------
        network : TabularNetwork
        scored : tuple of (X, y, sample_weight), or None
        of_fit : bool
            Whether these are rows of the fit, and not of `eval_set`.
        """
        return None if scored is None else self._outputs_of(network, scored[0])

    # ---- predictions ----

    def _mean_outputs(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of what the networks predict, computed in blocks of rows."""
        check_is_fitted(self)
        networks = self.estimators_
        n_rows, blocks = self.preprocessor_._blocks(X)
        start, outputs = 0, np.empty(0)
        for Z in blocks:
            total = sum((self._outputs_of(network, Z) for network in networks[1:]), self._outputs_of(networks[0], Z))
            if start == 0:
                outputs = np.empty((n_rows, *total.shape[1:]))
            outputs[start : start + len(Z)] = total / len(networks)
            start += len(Z)
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    # ---- files ----

    def _check_fitted(self) -> None:
        check_estimator(self)


def _positions(rows: ArrayLike, n: int) -> NDArray[np.intp]:
    """Return rows of a split as positions."""
    rows = np.asarray(rows)
    return np.sort(np.flatnonzero(rows) if rows.dtype == bool and len(rows) == n else rows).astype(np.intp)


def _of_first(name: str) -> property:
    def get(self: BaseTabularMLP) -> Any:
        networks = vars(self).get("estimators_")
        if networks is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(networks[0], name)

    return property(get, doc=f"Of the first network; see `{name}` of MLPClassifier.")


for _name in RECORDS:
    setattr(BaseTabularMLP, _name, _of_first(_name))
