"""Estimators for tables: a preprocessor, one network or several, and what makes predictions of their outputs."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.model_selection import check_cv, train_test_split
from sklearn.utils import check_array, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp import losses
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.parameters import extends
from pyrelu._mlp.persistence import Persistent
from pyrelu._mlp.transaction import Transactional
from pyrelu.exceptions import InvalidParameterError
from pyrelu.neural_network import check_objects
from pyrelu.tabular import _calibration
from pyrelu.tabular._allowed import CONSTRAINTS, FROM_PRESET
from pyrelu.tabular._ensemble import fit_members
from pyrelu.tabular._networks import NetworkClassifier, NetworkRegressor
from pyrelu.tabular._preprocessing import TablePreprocessor
from pyrelu.tabular._presets import parameters_of


class BaseTabularMLP(Transactional, Persistent, BaseEstimator):
    """What the classifier and the regressor share.

    A subclass has `_network_class`, and implements `_targets(y)`, which returns y as its networks take it and sets what
    predictions need, and `_strata(y)`.
    """

    def __init__(
        self,
        preset="auto",
        *,
        n_members=1,
        cv=None,
        refit=False,
        categorical_features="from_dtype",
        max_one_hot=8,
        numeric="robust",
        hidden_layer_sizes=None,
        activation=None,
        learning_rate_init=None,
        max_iter=None,
        batch_size=None,
        dropout=None,
        alpha=None,
        early_stopping=None,
        validation_fraction=None,
        n_iter_no_change=None,
        loss=None,
        scoring=None,
        network_params=None,
        random_state=None,
        verbose=False,
        n_threads=None,
    ):
        self.preset = preset
        self.n_members = n_members
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

    def fit(self, X, y, sample_weight=None, *, eval_set=None):
        """Train on a table.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            Numbers, booleans, categories, texts and dates, with missing values anywhere.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or an indicator matrix of them; or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.
        eval_set : tuple of (X, y) or (X, y, sample_weight), default=None
            Rows that decide which epoch is best, in place of rows held out.

        Returns
        -------
        The estimator itself. If fitting fails, it stays unchanged.

        Raises
        ------
        ValueError
            If a column, y or a parameter is invalid, or training diverges.
        """
        with self._transaction() as training:
            training._fit(X, y, sample_weight, eval_set)
        return self

    def _fit(self, X, y, sample_weight, eval_set):
        check_parameters(self, CONSTRAINTS)
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)
        random_state = check_random_state(self.random_state)
        self.preprocessor_ = TablePreprocessor(
            categorical_features=self.categorical_features, max_one_hot=self.max_one_hot, numeric=self.numeric
        ).fit(X)
        Z = self.preprocessor_.transform(X)
        self.n_features_in_ = self.preprocessor_.n_features_in_
        if hasattr(self.preprocessor_, "feature_names_in_"):
            self.feature_names_in_ = self.preprocessor_.feature_names_in_
        targets = self._targets(y, first=True)
        check_consistent_length(Z, targets, sample_weight)
        if eval_set is not None:
            eval_set = self._transform_eval_set(eval_set)
        parameters = self._network_parameters(len(Z))
        splits = self._splits(Z, targets, parameters, eval_set, random_state)
        members = [
            self._network_class(**parameters, random_state=int(seed))
            for seed in random_state.randint(2**31, size=len(splits))
        ]
        fit_members(self, members, splits, Z, targets, sample_weight, eval_set)

    def _network_parameters(self, n_samples):
        """Return the parameters of each network: the preset's, with what the user has set in their place."""
        parameters = parameters_of(self.preset, is_classifier(self))
        parameters |= {name: value for name in FROM_PRESET if (value := getattr(self, name, None)) is not None}
        parameters |= self.network_params or {}
        if unknown := parameters.keys() - set(self._network_class().get_params()):
            raise InvalidParameterError(
                f"network_params has {min(unknown)!r}, which is no parameter of {self._network_class.__base__.__name__}"
            )
        n_columns = self.preprocessor_.n_numeric_ + self.preprocessor_.n_one_hot_
        n_codes = len(self.preprocessor_.cardinalities_)
        dropout = parameters.get("dropout", 0.0)
        if np.ndim(dropout) == 0:  # of units, not of columns
            n_hidden = np.size(parameters.get("hidden_layer_sizes", 1))
            parameters["dropout"] = (0.0, *[dropout] * n_hidden)
        return {
            **parameters,
            "loss": self._loss(),
            "scoring": self.scoring,
            "numeric_features": list(range(self.preprocessor_.n_numeric_)),
            "categorical_features": list(range(n_columns, n_columns + n_codes)) or None,
            "batch_size": parameters.get("batch_size", "auto"),
            "verbose": self.verbose,
            "n_threads": self.n_threads,
        }

    def _splits(self, Z, targets, parameters, eval_set, random_state):
        """Return for each network the rows that it holds out, or None."""
        if self.cv is not None:
            if eval_set is not None:
                raise ValueError("eval_set cannot be combined with cv, which holds out other rows for each network")
            cv = check_cv(self.cv, self._strata(targets), classifier=is_classifier(self))
            if isinstance(self.cv, int | np.integer):
                cv.shuffle, cv.random_state = True, random_state.randint(2**31)
            splits = [np.sort(held_out).astype(np.intp) for _, held_out in cv.split(Z, self._strata(targets))]
            if self.n_members not in (1, len(splits)):
                raise ValueError(f"n_members={self.n_members} must be 1 or the number of splits of cv, {len(splits)}")
            return splits
        if eval_set is not None or not parameters.get("early_stopping"):
            return [None] * self.n_members
        fraction = parameters["validation_fraction"]
        if len(Z) < 5:
            raise ValueError(
                f"{len(Z)} rows are too few to hold out some (validation_fraction={fraction}); set early_stopping=False"
            )
        return [self._held_out(Z, targets, fraction, random_state) for _ in range(self.n_members)]

    def _held_out(self, Z, targets, fraction, random_state):
        strata = self._strata(targets)
        if strata is not None:
            counts = np.unique(strata, return_counts=True)[1]
            n_held_out = int(np.ceil(fraction * len(Z)))
            if counts.min() < 2 or min(n_held_out, len(Z) - n_held_out) < len(counts):
                strata = None  # some class cannot be in both parts
        held_out = train_test_split(np.arange(len(Z)), test_size=fraction, stratify=strata, random_state=random_state)[
            1
        ]
        return np.sort(held_out).astype(np.intp)

    def _transform_eval_set(self, eval_set):
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError(f"eval_set must be a tuple of (X, y) or (X, y, sample_weight). Got {eval_set!r}.")
        try:
            return self.preprocessor_.transform(eval_set[0]), self._targets(eval_set[1], first=False), *eval_set[2:]
        except (TypeError, ValueError) as error:
            raise ValueError(f"eval_set: {error}") from error

    def _loss(self):
        return self.loss

    # ---- predictions ----

    def _mean_prediction(self, X):
        """Return the mean of what the networks predict."""
        check_is_fitted(self)
        Z = self.preprocessor_.transform(X)
        total = self._member_prediction(0, Z).astype(np.float64)
        for i in range(1, len(self.estimators_)):
            total += self._member_prediction(i, Z)
        return total / len(self.estimators_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimators_")

    # ---- files ----

    def _check_fitted(self):
        if not hasattr(self, "estimators_"):
            return
        members, preprocessor = self.estimators_, self.preprocessor_
        if type(members) is not list or not members or not isinstance(preprocessor, TablePreprocessor):
            raise ValueError("estimators_ and preprocessor_ are not as a fit leaves them")
        width = preprocessor.n_numeric_ + preprocessor.n_one_hot_ + len(preprocessor.cardinalities_)
        for member in members:
            if not isinstance(member, self._network_class) or member.n_features_in_ != width:
                raise ValueError(f"a network does not fit the {width} columns of the preprocessor")
        self._check_outputs()


def _resolved_loss(estimator):
    return losses.resolve(estimator._loss(), estimator._loss_kind)


def _has_probabilities(estimator):
    if not _resolved_loss(estimator).gives_probabilities:
        raise AttributeError(f"there are no probabilities with loss={estimator.loss!r}")
    return True


class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """A classifier for tables as they are.

    {CLASSIFIER}
    """

    _network_class = NetworkClassifier
    _loss_kind = losses.CLASSIFIER

    @extends(BaseTabularMLP)
    def __init__(self, *, calibrate=True, class_weight=None, label_smoothing=None):
        self.calibrate = calibrate
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def _loss(self):
        return "log_loss" if self.loss is None else self.loss

    def _network_parameters(self, n_samples):
        return super()._network_parameters(n_samples) | {"class_weight": self.class_weight}

    def _targets(self, y, first):
        check_objects(y)
        if issparse(y):
            y = y.toarray()
        check_classification_targets(y)
        y = np.asarray(y)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _strata(self, y):
        return y if y.ndim == 1 else None

    def _conclude_member(self, member, Z, y, sample_weight):
        """Set the temperature of a network, from rows that it was not trained on; None: there are none."""
        member.temperature_ = 1.0
        if not self.calibrate or Z is None or not _resolved_loss(self).gives_probabilities:
            return
        probabilities = member.predict_proba(Z)
        each_label = y.ndim == 2
        targets = y if each_label else np.searchsorted(member.classes_, y)[:, np.newaxis]
        member.temperature_ = _calibration.fit_temperature(probabilities, targets, sample_weight, each_label)

    def _set_outputs(self, y):
        self.classes_ = self.estimators_[0].classes_

    def _check_outputs(self):
        for member in self.estimators_:
            if not np.array_equal(member.classes_, self.classes_):
                raise ValueError("classes_ are not those of the networks")
            if not (isinstance(member.temperature_, float) and 0 < member.temperature_ < np.inf):
                raise ValueError("temperature_ is not as a fit leaves it")

    def _member_prediction(self, i, Z):
        member = self.estimators_[i]
        if not _resolved_loss(self).gives_probabilities:
            return member.decision_function(Z)
        each_label = member.out_activation_ == "logistic"
        return _calibration.apply(member.predict_proba(Z), self.estimators_[i].temperature_, each_label)

    def predict(self, X):
        """Return the label of each row.

        Parameters
        ----------
        X : table
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or an indicator matrix of them.
        """
        outputs = self._mean_prediction(X)
        if self.estimators_[0]._is_multiclass():
            return self.classes_[outputs.argmax(axis=1)]
        return (outputs > self.estimators_[0]._threshold()).astype(int)

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class: the mean over the networks, each with its temperature.

        Parameters
        ----------
        X : table
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The columns are in the order of `classes_`.
        """
        return self._mean_prediction(X)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : table
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """A regressor for tables as they are.

    {REGRESSOR}
    """

    _network_class = NetworkRegressor
    _loss_kind = losses.REGRESSOR

    @extends(BaseTabularMLP)
    def __init__(self):
        pass

    def _loss(self):
        return "squared_error" if self.loss is None else self.loss

    def _targets(self, y, first):
        """Return y as the networks take it: with mean 0 and variance 1, if the loss allows that."""
        check_objects(y)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if first:
            scales = _resolved_loss(self).scales_with_target
            deviation = y.std(axis=0) if scales else np.ones(y.shape[1:])
            self.target_mean_ = y.mean(axis=0) if scales else np.zeros(y.shape[1:])
            self.target_scale_ = np.where(deviation > 0, deviation, 1.0)
            self.target_range_ = np.array([y.min(axis=0), y.max(axis=0)])
        if y.shape[1:] != self.target_mean_.shape:
            raise ValueError(f"y has the shape {y.shape}, but X and y of the fit have {self.target_mean_.shape}")
        return ((y - self.target_mean_) / self.target_scale_).astype(np.float32)

    def _strata(self, y):
        return None

    def _conclude_member(self, member, Z, y, sample_weight):
        pass

    def _set_outputs(self, y):
        pass

    def _check_outputs(self):
        n_outputs = self.estimators_[0].n_outputs_
        levels = _resolved_loss(self).levels
        shape = () if n_outputs == 1 or levels else (n_outputs,)
        right = (
            np.shape(self.target_mean_) == shape
            and np.shape(self.target_scale_) == shape
            and np.shape(self.target_range_) == (2, *shape)
            and np.isfinite(self.target_mean_).all()
            and (np.asarray(self.target_scale_) > 0).all()
        )
        if not right or any(member.n_outputs_ != n_outputs for member in self.estimators_):
            raise ValueError("the target's mean and scale are not as a fit leaves them")

    def _member_prediction(self, i, Z):
        low, high = self.target_range_
        outputs = self.estimators_[i].predict(Z).astype(np.float64)
        return np.clip(outputs * self.target_scale_ + self.target_mean_, low, high)

    def predict(self, X):
        """Return the prediction for each row, in y's units: the mean over the networks.

        Parameters
        ----------
        X : table
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Within the range of y in the fit.
        """
        return self._mean_prediction(X)
