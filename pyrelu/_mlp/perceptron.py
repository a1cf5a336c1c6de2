"""The base class of the estimators: parameters, fitting, and the network's outputs."""

from contextlib import closing
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from pyrelu import registry
from pyrelu._mlp import embedding as embeddings
from pyrelu._mlp import members, param_groups, schedules
from pyrelu._mlp.activation import output_name, resolve_of
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.callback_support import NO_CALLBACKS, CallbackSupportMixin, callbacks_of, with_callbacks
from pyrelu._mlp.conversion import Convertible
from pyrelu._mlp.display import choose as choose_display
from pyrelu._mlp.documentation import Documented
from pyrelu._mlp.fit_state import ATTRIBUTES, FitState
from pyrelu._mlp.initializers import draw_network
from pyrelu._mlp.lbfgs import fit_lbfgs, start_lbfgs
from pyrelu._mlp.members import SharesWeights
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.param_groups import rate_factors
from pyrelu._mlp.persistence import Persistent
from pyrelu._mlp.sample_weight import check_sample_weight
from pyrelu._mlp.training import BEST_SCORE, NOT_FINITE, fit_stochastic, pack, start_stochastic
from pyrelu._mlp.transaction import Transactional
from pyrelu._mlp.validation import Validation
from pyrelu._mlp.warn import warn
from pyrelu._network import DefaultFloatingPoint, Network
from pyrelu._samples import Samples, is_finite_matrix
from pyrelu.exceptions import DeadUnitWarning, InvalidParameterError

MANY_DEAD = 0.4  # the share of dead units in a layer above which a fit warns


class BasePerceptron(
    Transactional, Convertible, SharesWeights, Documented, Persistent, CallbackSupportMixin, BaseEstimator
):
    """A multilayer perceptron; subclasses define its targets.

    A subclass implements `_validate(X, y, incremental, first)`, which returns X and the targets as `Samples` takes them
    and sets `n_outputs_` and `out_activation_`; `_output_loss()`, which resolves `loss`; and, for early stopping,
    `_strata(targets)`, which stratifies the split, and `_score_outputs(outputs, targets, weights)`. It may override
    `_weigh`.
    """

    label_smoothing = 0.0  # for subclasses without the parameter
    _cardinalities = None  # of the categorical columns, where a fit knows them without counting
    keeps_latest_of_best = False  # of several epochs with the best validation score, early stopping keeps the first

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dropout=0.0,
        init="auto",
        l1=0.0,
        clip_norm=None,
        scoring=None,
        n_threads=None,
        numeric_embedding=None,
        numeric_features=None,
        categorical_features=None,
        embedding_size=8,
        scale_inputs=False,
        parametric_activation=False,
        param_groups=None,
        alpha_schedule="constant",
        dropout_schedule="constant",
        drop_last=False,
        ensemble_size=1,
    ):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- fitting ----

    def fit(self, X, y, sample_weight=None, *, eval_set=None):
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
    def _fit_with_callbacks(self, X, y, sample_weight, eval_set):
        self._fit(X, y, sample_weight, eval_set, callbacks_of(self, X, y, sample_weight))

    def _fit(self, X, y, sample_weight, eval_set=None, callbacks=NO_CALLBACKS, incremental=False):
        if incremental and self.early_stopping:
            check_parameters(self)
            raise ValueError("partial_fit does not support early_stopping=True")
        data, network, random_state = self._begin(X, y, sample_weight, incremental)
        samples = Samples(*data)
        order, validation = self._hold_out(data, samples, eval_set, random_state)
        # A progress bar for each call of partial_fit would fill the screen with bars.
        display = choose_display(bool(self.verbose) if incremental else self.verbose, self.max_iter)
        self._train(
            FitState(self, network, samples, data, order, validation, callbacks, display, random_state), incremental
        )

    def _begin(self, X, y, sample_weight, incremental):
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
        activations = resolve_of(self, n_hidden or 1)
        dropout = self._dropout(n_hidden)
        X, targets = self._validate(X, y, incremental, first)
        weights = None if sample_weight is None else check_sample_weight(sample_weight, X)
        weights = self._weigh(weights, targets, incremental)
        if weights is not None and not weights.any():
            raise ValueError(f"class_weight={self.class_weight!r} leaves no row of y with a weight greater than 0")
        random_state = check_random_state(self.random_state)
        if first:
            self._initialize(X, self._hidden_units(), activations, random_state)
        return (X, targets, weights), self._network_to_train(X.dtype, dropout), random_state

    def _network_to_train(self, dtype, dropout):
        """Return a Network at these weights, of which `coefs_` and the other arrays become views."""
        parameters, arrays = pack(self._arrays(), dtype)
        self._set_arrays(arrays, dtype)
        return self._network(self._arrays(), parameters, dropout, self._output_loss())

    def _train(self, state, incremental=False):
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

    def _run(self, state, incremental):
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

    def _end_epoch(self):
        """Do nothing. A subclass may raise KeyboardInterrupt here, when all of an epoch is recorded."""

    def _warn_of_interrupt(self):
        warn("Training interrupted by user.")

    def _conclude(self, state):
        """With early stopping, return to the best epoch; write the attributes."""
        if BEST_SCORE in state.best_parameters:
            state.parameters[:] = state.best_parameters[BEST_SCORE]
        state.write_attributes()

    def _check_outcome(self, state):
        """Raise ValueError if the fit has no usable result."""
        if not np.isfinite(state.parameters).all():
            raise ValueError(NOT_FINITE.format(self.learning_rate_init))
        records = state.history[len(state.history) - state.n_iter :] if state.validation else []
        scores = [record["validation_score"] for record in records]
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

    def _hidden_units(self):
        sizes = self.hidden_layer_sizes
        return [sizes] if isinstance(sizes, Integral) else list(sizes)

    def _dropout(self, n_hidden):
        """Return the probabilities of dropping an input, and a unit of each hidden layer."""
        per_layer = [0.0, *[self.dropout] * n_hidden] if isinstance(self.dropout, Real) else list(self.dropout)
        if len(per_layer) != n_hidden + 1:
            raise ValueError(
                f"dropout={self.dropout!r} has {len(per_layer)} entries; the input and {n_hidden} hidden layers take "
                f"{n_hidden + 1}"
            )
        if any(per_layer) and self.solver not in STOCHASTIC:
            raise ValueError(
                f"dropout={self.dropout!r} cannot be combined with solver={self.solver!r}, which is deterministic"
            )
        return per_layer

    def _initialize(self, X, hidden, activations, random_state):
        """Draw the initial weights, and remove the attributes of the fit before."""
        for name in (*ATTRIBUTES.values(), "dead_units_", "embedding_", "adapters_"):
            vars(self).pop(name, None)
        self.n_layers_ = len(hidden) + 2
        embedding = embeddings.draw(self, X, random_state)
        if embedding is not None:
            self.embedding_ = embedding
        n_inputs = X.shape[1] if embedding is None else embedding.n_outputs
        widths = [*(activation.width(n) for activation, n in zip(activations, hidden)), self.n_outputs_]
        shapes = list(zip([n_inputs, *hidden], widths, strict=True))
        self.activation_weights_ = [
            None if activation.initial_slope is None else np.full(n, activation.initial_slope)
            for activation, n in zip(activations, hidden)
        ]
        adapters = []
        if self.ensemble_size > 1:
            adapters = self.adapters_ = members.draw(self.ensemble_size, shapes[:-1], embedding, random_state)
        self.coefs_, self.intercepts_ = draw_network(
            self.init, X, embedding, shapes, activations, self.activation_weights_, adapters, random_state
        )

    def _hold_out(self, data, samples, eval_set, random_state):
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

    def _holds_out(self):
        """Return whether the fit scores some of its rows rather than train on them."""
        return self.early_stopping and self.solver != "lbfgs"

    def _split(self, rows, targets, random_state):
        """Return the rows to train on and those to hold out."""
        return train_test_split(
            rows, random_state=random_state, test_size=self.validation_fraction, stratify=self._strata(targets)
        )

    def _should_stop(self, n_iter):
        """Return whether training is to end after this many epochs, whatever the stopping rules say."""
        return False

    def _validate_eval_set(self, eval_set, dtype):
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

    def _set_dead_units(self, alive):
        ends = np.cumsum([len(coef) for coef in self.coefs_[1:]])
        self.dead_units_ = np.split(~alive, ends)[:-1]

    def _warn_of_dead_units(self):
        for i, dead in enumerate(self.dead_units_):
            if dead.mean() > MANY_DEAD:
                warn(
                    f"{dead.sum()} of the {len(dead)} units of hidden layer {i} are 0 for every training row and no "
                    "longer learn. Lower learning_rate_init, scale the data, or use an activation without a flat side, "
                    "such as leaky_relu or elu.",
                    DeadUnitWarning,
                )

    def _weigh(self, weights, targets, incremental):
        """Return the weights of the rows in the loss, given the user's sample weights."""
        return weights

    def _lacks_classes(self, targets):
        """Return whether these targets lack a class."""
        return False

    def _decode(self, targets):
        """Return y for these targets; the reverse of `_validate`."""
        return targets.ravel() if targets.shape[1] == 1 else targets

    # ---- the network ----

    def _arrays(self):
        """Return the weights, biases, slopes, adapters and the embedding's arrays. Slopes may be missing if set by hand."""
        slopes = getattr(self, "activation_weights_", [None] * (len(self.coefs_) - 1))
        adapters, embedding = getattr(self, "adapters_", []), getattr(self, "embedding_", None)
        of_embedding = [] if embedding is None else list(embedding.learned.values())
        return self.coefs_, self.intercepts_, slopes, adapters, of_embedding

    def _set_arrays(self, arrays, dtype):
        self.coefs_, self.intercepts_, self.activation_weights_, adapters, of_embedding = arrays
        if hasattr(self, "adapters_"):
            self.adapters_ = adapters
        if hasattr(self, "embedding_"):
            self.embedding_ = self.embedding_.replace(of_embedding, dtype)

    def _network(self, arrays, parameters=None, dropout=(), loss=None):
        """Return the network of these arrays. For training, they must be views of `parameters`, and it needs a loss."""
        coefs, intercepts, slopes, adapters, of_embedding = arrays
        embedding = getattr(self, "embedding_", None)
        activations = resolve_of(self, len(coefs) - 1)
        if self.solver not in STOCHASTIC:
            activations = [activation.deterministic() for activation in activations]
        name = output_name(self.out_activation_)
        output = None if name == "softmax" else registry.find(name).index
        return Network(
            coefs,
            intercepts,
            activations,
            output,
            loss and loss.of(self.n_outputs_),
            slopes,
            parameters,
            dropout,
            self.label_smoothing,
            self.n_threads,
            embedding and embedding.replace(of_embedding, coefs[0].dtype),
            () if parameters is None else rate_factors(self, [len(coef) for coef in coefs]),
            adapters,
        )

    def _outputs(self, X):
        """Return the outputs of the output layer, one row per sample."""
        if "coefs_" not in vars(self) or hasattr(self, "__sklearn_is_fitted__"):
            check_is_fitted(self)
        with DefaultFloatingPoint():
            X = self._validate_X(X)
            dtype = np.float32 if np.result_type(X.dtype, self.coefs_[0]) == np.float32 else np.float64
            arrays = [
                [array if array is None else np.ascontiguousarray(array, dtype) for array in group]
                for group in self._arrays()
            ]
            return self._network(arrays).predict(Samples(X.astype(dtype, copy=False)))

    def _validate_X(self, X):
        """Return X to predict, after scikit-learn's checks: by a look at it where they would find nothing.

        A look at one row takes 1 us, their checks 60 to 100. They say all that is to say about any X but the one here.
        """
        unnamed = getattr(self, "feature_names_in_", None) is None  # else they warn of an X without names
        if unnamed and is_finite_matrix(X, getattr(self, "n_features_in_", None)):
            return X
        return validate_data(self, X, accept_sparse="csr", order="C", reset=False)
