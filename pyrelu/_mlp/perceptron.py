"""The base class of the estimators: parameters and fitting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from pyrelu._mlp import activation as activations
from pyrelu._mlp import embedding as embeddings
from pyrelu._mlp import initializers, members, param_groups, schedules
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.callback_support import NO_CALLBACKS, CallbackSupportMixin, NoCallbacks, callbacks_of, with_callbacks
from pyrelu._mlp.conversion import Convertible
from pyrelu._mlp.display import choose as choose_display
from pyrelu._mlp.documentation import Documented
from pyrelu._mlp.fit_state import FitState, Record
from pyrelu._mlp.lbfgs import fit_lbfgs, start_lbfgs
from pyrelu._mlp.members import SharesWeights
from pyrelu._mlp.network import HasNetwork
from pyrelu._mlp.persistence import Persistent
from pyrelu._mlp.rows import InMemory
from pyrelu._mlp.sample_weight import check_sample_weight
from pyrelu._mlp.training import BEST_SCORE, NOT_FINITE, fit_stochastic, start_stochastic
from pyrelu._mlp.transaction import Transactional
from pyrelu._mlp.validation import Validation
from pyrelu._mlp.warn import warn
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu._typing import Data, Floats, Indices, Rows
from pyrelu.exceptions import DeadUnitWarning, InvalidParameterError

MANY_DEAD = 0.4  # the share of dead units in a layer above which a fit warns


class BasePerceptron(
    Transactional, Convertible, SharesWeights, Documented, Persistent, HasNetwork, CallbackSupportMixin, BaseEstimator
):
    """A multilayer perceptron; subclasses define its targets.

    A subclass implements what raises NotImplementedError here and in `HasNetwork`, and may override `_weigh`.
    """

    label_smoothing: float = 0.0  # for subclasses without the parameter
    _cardinalities: Sequence[int] | None = None  # of the categorical columns, where a fit knows them without counting
    keeps_latest_of_best = False  # of several epochs with the best validation score, early stopping keeps the first

    loss_: float
    history_: list[Record]
    dead_units_: list[NDArray[np.bool_]]

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: activations.Given = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: schedules.Given = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        init: initializers.Given = "auto",
        l1: float = 0.0,
        clip_norm: float | None = None,
        scoring: str | Callable[..., float] | None = None,
        n_threads: int | None = None,
        numeric_embedding: embeddings.Given | None = None,
        numeric_features: Sequence[int] | Sequence[bool] | None = None,
        categorical_features: Sequence[int] | Sequence[bool] | None = None,
        embedding_size: int = 8,
        scale_inputs: bool = False,
        parametric_activation: bool = False,
        param_groups: Mapping[str, Any] | None = None,
        alpha_schedule: schedules.Given = "constant",
        dropout_schedule: schedules.Given = "constant",
        drop_last: bool = False,
        ensemble_size: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.init = init
        self.l1 = l1
        self.clip_norm = clip_norm
        self.scoring = scoring
        self.n_threads = n_threads
        self.numeric_embedding = numeric_embedding
        self.numeric_features = numeric_features
        self.categorical_features = categorical_features
        self.embedding_size = embedding_size
        self.scale_inputs = scale_inputs
        self.parametric_activation = parametric_activation
        self.param_groups = param_groups
        self.alpha_schedule = alpha_schedule
        self.dropout_schedule = dropout_schedule
        self.drop_last = drop_last
        self.ensemble_size = ensemble_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- fitting ----

    def fit(
        self,
        X: Rows,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        eval_set: tuple[Any, ...] | None = None,
    ) -> Self:
        """Train on X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features. Sparse rows are made dense batch by batch.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            A classifier's labels, or for multilabel targets an indicator matrix; a regressor's numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.
        eval_set : tuple of (X, y) or (X, y, sample_weight), default=None
            Validation data, scored after each epoch and weighted only by its own sample weights. With `early_stopping`,
            which then holds out no rows, its score decides when to stop.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself. If fitting fails, it stays unchanged.

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or training diverges.

        Examples
        --------
        Stop on your own validation data, by a score of your choice:

        >>> from pyrelu import MLPClassifier
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> X, y, X_val, y_val = X[:1400] / 16, y[:1400], X[1400:] / 16, y[1400:]
        >>> mlp = MLPClassifier(early_stopping=True, scoring="neg_log_loss", max_iter=500, random_state=0)
        >>> mlp = mlp.fit(X, y, eval_set=(X_val, y_val))
        >>> mlp.n_iter_ < 150, mlp.score(X_val, y_val) > 0.9
        (True, True)
        >>> list(mlp.history_[-1])
        ['epoch', 'loss', 'validation_score', 'learning_rate', 'gradient_norm', 'dead_units']
        """
        with self._transaction() as training:
            training._fit_with_callbacks(X, y, sample_weight, eval_set)
        return self

    @with_callbacks
    def _fit_with_callbacks(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None, eval_set: tuple[Any, ...] | None
    ) -> None:
        self._fit(X, y, sample_weight, eval_set, callbacks_of(self, X, y, sample_weight))

    def _fit(
        self,
        X: Rows,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        eval_set: tuple[Any, ...] | None = None,
        callbacks: NoCallbacks = NO_CALLBACKS,
        incremental: bool = False,
    ) -> None:
        if incremental and self.early_stopping:
            check_parameters(self)
            raise ValueError("partial_fit does not support early_stopping=True")
        data, network, random_state = self._begin(X, y, sample_weight, incremental)
        samples = Samples(*data)
        order, validation = self._hold_out(data, samples, eval_set, random_state)
        # A progress bar for each call of partial_fit would fill the screen with bars.
        display = choose_display(bool(self.verbose) if incremental else self.verbose, self.max_iter)
        state = FitState(self, network, samples, data, order, validation, callbacks, display, random_state, InMemory())
        self._train(state, incremental)

    def _begin(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None, incremental: bool
    ) -> tuple[Data, Network, np.random.RandomState]:
        """Check parameters and data, and set the first weights.

        Returns
        -------
        data : tuple of (X, targets, weights)
        network : Network
            Its parameters are in the precision of X; `coefs_` and the other arrays are views of them.
        random_state : RandomState
        """
        check_parameters(self)
        schedules.resolve(self)  # these raise their errors early
        param_groups.resolve(self)
        embeddings.resolve(self.numeric_embedding)
        members.check(self)
        self._output_loss()
        first = not (hasattr(self, "coefs_") and (self.warm_start or incremental))
        n_hidden = len(self._hidden_units()) if first else len(self.coefs_) - 1
        of_layers = activations.resolve_of(self, n_hidden or 1)
        dropout = self._dropout(n_hidden)
        checked, targets = self._validate(X, y, incremental, first)
        weights = None if sample_weight is None else check_sample_weight(sample_weight, checked)
        weights = self._weigh(weights, targets, incremental)
        if weights is not None and not weights.any():
            raise ValueError(f"class_weight={self.class_weight!r} leaves no row of y with a weight greater than 0")
        random_state = check_random_state(self.random_state)
        if first:
            self._initialize(checked, self._hidden_units(), of_layers, random_state)
        return (checked, targets, weights), self._network_to_train(checked.dtype, dropout), random_state

    def _train(self, state: FitState, incremental: bool = False) -> None:
        """Run a fit to its end, and set the fitted attributes."""
        self._fit_state = state  # for our callbacks; copies and pickles leave it out
        try:
            with closing(state.display):
                finished = self._run(state, incremental)
        finally:
            del self._fit_state
        if state.alive is not None:
            self._set_dead_units(state.alive)
        if finished and not incremental:
            self._warn_of_dead_units()

    def _run(self, state: FitState, incremental: bool) -> bool:
        """Train; return False if Ctrl-C interrupted the fit."""
        finished = True
        if self.solver == "lbfgs":
            start_lbfgs(state)
        else:
            start_stochastic(state, incremental)
        state.write_attributes()
        state.callbacks.begin_fit()  # a checkpoint may move the state to a later epoch here
        state.take_snapshot()
        try:
            if self.solver == "lbfgs":
                fit_lbfgs(state)
            else:
                fit_stochastic(state, incremental)
            self._conclude(state)
        except KeyboardInterrupt:
            finished = False
            assert state.last_epoch is not None
            state.restore(state.last_epoch)
            self._conclude(state)
        if finished:
            self._check_outcome(state)
        try:
            state.callbacks.end_fit()
            if finished and not incremental:
                state.alive = state.rows.find_alive(state)
        except KeyboardInterrupt:  # training is complete; keep its result
            finished = False
        if not finished:
            self._warn_of_interrupt()
        return finished

    def _end_epoch(self) -> None:
        """Do nothing. A subclass may raise KeyboardInterrupt here, when all of an epoch is recorded."""

    def _warn_of_interrupt(self) -> None:
        warn("Training interrupted by user.")

    def _conclude(self, state: FitState) -> None:
        """With early stopping, return to the best epoch; write the attributes."""
        if BEST_SCORE in state.best_parameters:
            state.parameters[:] = state.best_parameters[BEST_SCORE]
        state.write_attributes()

    def _check_outcome(self, state: FitState) -> None:
        """Raise ValueError if the fit has no usable result."""
        if not np.isfinite(state.parameters).all():
            raise ValueError(NOT_FINITE.format(self.learning_rate_init))
        if not state.validation:
            return
        scores = [record["validation_score"] for record in state.history[len(state.history) - state.n_iter :]]
        if scores and not np.isfinite(scores).any():
            if not np.isfinite(state.loss):
                raise ValueError(NOT_FINITE.format(self.learning_rate_init))
            values = sorted({"NaN" if np.isnan(score) else f"{score:g}" for score in scores})
            raise ValueError(
                f"the validation score was {' or '.join(values)} after each of the {len(scores)} epochs, with "
                f"scoring={self.scoring!r}: this score is undefined for the "
                f"{len(state.validation.targets)} rows "
                f"{'of eval_set' if state.validation.rows is None else 'held out by validation_fraction'}"
            )

    def _hold_out(
        self, data: Data, samples: Samples, eval_set: tuple[Any, ...] | None, random_state: np.random.RandomState
    ) -> tuple[Indices, Validation | None]:
        """Return the indices of the samples to train on, and the `Validation` that scores after each epoch, or None."""
        everything = np.arange(samples.n_samples, dtype=np.intp)
        if eval_set is not None:
            data = self._validate_eval_set(eval_set, samples.dtype)
            return everything, Validation(self, Samples(*data), data)
        if not self._holds_out():
            return everything, None
        if self.validation_fraction == 0:
            raise InvalidParameterError(
                f"validation_fraction={self.validation_fraction!r} leaves early_stopping no rows to score; it must be in "
                "the range (0, 1), unless you pass an eval_set to fit"
            )
        try:
            training, held_out = self._split(everything, data[1], random_state)
        except ValueError as error:
            raise ValueError(f"{error} (validation_fraction={self.validation_fraction!r})") from error
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        for rows, purpose in ((training, "train on"), (held_out, "score")):
            if data[2] is not None and not data[2][rows].any():
                raise ValueError(
                    f"the weights, sample_weight times class_weight, are 0 for all of the {len(rows)} rows to {purpose}, "
                    f"with validation_fraction={self.validation_fraction!r} and this random_state"
                )
        return training, Validation(self, samples, data, held_out)

    def _holds_out(self) -> bool:
        """Return whether the fit scores some of its rows rather than train on them."""
        return self.early_stopping and self.solver != "lbfgs"

    def _split(self, rows: Indices, targets: Floats, random_state: np.random.RandomState) -> tuple[Indices, Indices]:
        """Return the rows to train on and those to hold out."""
        training, held_out = train_test_split(
            rows, random_state=random_state, test_size=self.validation_fraction, stratify=self._strata(targets)
        )
        return training, held_out

    def _should_stop(self, n_iter: int) -> bool:
        """Return whether training is to end after this many epochs, whatever the stopping rules say."""
        return False

    def _validate_eval_set(self, eval_set: tuple[Any, ...], dtype: DTypeLike) -> Data:
        """Return X, targets and weights of the user's validation data."""
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError(f"eval_set must be a tuple of (X, y) or (X, y, sample_weight). Got {eval_set!r}.")
        X, y, weights = (*eval_set, None)[:3]
        probe = self._shallow_copy()  # validation sets attributes
        probe.warm_start = False  # with warm_start, y would have to contain all classes
        try:
            X, targets = probe._validate(X, y, incremental=True, first=False)
            weights = None if weights is None else check_sample_weight(weights, X).astype(dtype, copy=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"eval_set: {error}") from error
        return X.astype(dtype, copy=False), targets.astype(dtype, copy=False), weights

    def _set_dead_units(self, alive: NDArray[np.bool_]) -> None:
        ends = np.cumsum([len(coef) for coef in self.coefs_[1:]])
        self.dead_units_ = np.split(~alive, ends)[:-1]

    def _warn_of_dead_units(self) -> None:
        for i, dead in enumerate(self.dead_units_):
            if dead.mean() > MANY_DEAD:
                warn(
                    f"{dead.sum()} of the {len(dead)} units of hidden layer {i} are 0 for every training row and no "
                    "longer learn. Lower learning_rate_init, scale the data, or use an activation without a flat side, "
                    "such as leaky_relu or elu.",
                    DeadUnitWarning,
                )

    # ---- what a subclass defines, or may override ----

    def _validate(self, X: Rows, y: ArrayLike, incremental: bool, first: bool) -> tuple[Any, Floats]:
        """Return X and the targets as `Samples` takes them; set `n_outputs_` and `out_activation_`."""
        raise NotImplementedError

    def _strata(self, targets: Floats) -> Any:
        """Return what stratifies the split of early stopping, an array, or None."""
        raise NotImplementedError

    def _score_outputs(self, outputs: Floats, targets: Floats, weights: Floats | None) -> float:
        """Return the score of outputs where `scoring` is None."""
        raise NotImplementedError

    def _weigh(self, weights: Floats | None, targets: Floats, incremental: bool) -> Floats | None:
        """Return the weights of the rows in the loss, given the user's sample weights."""
        return weights

    def _lacks_classes(self, targets: Floats) -> bool:
        """Return whether these targets lack a class."""
        return False

    def _decode(self, targets: Floats) -> Any:
        """Return y for these targets; the reverse of `_validate`."""
        return targets.ravel() if targets.shape[1] == 1 else targets
