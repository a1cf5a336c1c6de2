"""The loss of a network as a sum over rows that may be anywhere: what distributed and out-of-core fits are written on."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.multiclass import unique_labels

from pyrelu import _ufuncs
from pyrelu._mlp import embedding
from pyrelu._mlp.alive import find_alive
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.fit_state import ATTRIBUTES
from pyrelu._mlp.initializers import UNIT_VARIANCE
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient, Optimizer
from pyrelu._mlp.perceptron import BasePerceptron
from pyrelu._mlp.sample_weight import check_row_weights
from pyrelu._network import DefaultFloatingPoint, Epoch, Network
from pyrelu._samples import Samples
from pyrelu._typing import Data, Floats, Indices, Rows
from pyrelu.exceptions import InvalidParameterError

AnyOptimizer = TypeVar("AnyOptimizer", bound=Optimizer)

_NO_CALLBACKS = ("_skl_callbacks", "_fit_state")


class Sums(NamedTuple):
    """What rows contribute to the loss; `+` adds those of other rows.

    Attributes
    ----------
    loss : float
    gradient : ndarray of shape (n_parameters,), of float64
    weight : float
    alive : ndarray of bool
        For each hidden unit, whether it was not 0 for every row.
    """

    loss: float
    gradient: NDArray[np.float64]
    weight: float
    alive: NDArray[np.bool_]

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]  # not what it is for tuples
        return Sums(
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.weight + other.weight,
            self.alive | other.alive,
        )


def _aligned(array: Indices | None) -> Indices | None:
    """Return an array as C reads it: what came over a network may lie at any address."""
    return np.require(array, None, ["C", "A"]) if isinstance(array, np.ndarray) else array


class Partition:
    """Some of the rows, checked, and as the network takes them.

    Attributes
    ----------
    data : tuple of (X, targets, weights)
    samples : Samples
    """

    def __init__(self, X: Any, targets: Floats, weights: Floats | None) -> None:
        self.data: Data = X, targets, weights
        self.samples = Samples(X, targets, weights)

    def __reduce__(self) -> tuple[type[Partition], Data]:
        return Partition, self.data

    def __len__(self) -> int:
        return self.samples.n_samples

    @property
    def nbytes(self) -> int:
        """Their size in memory."""
        X, *others = self.data
        parts = [X] if isinstance(X, np.ndarray) else [X.data, X.indices, X.indptr]
        return sum(part.nbytes for part in (*parts, *others) if part is not None)

    def __sizeof__(self) -> int:
        return self.nbytes

    def weight(self, order: Indices | None = None) -> float:
        """Return the total weight of the rows, or of those in `order`."""
        weights = self.data[2]
        if weights is None:
            return float(len(self) if order is None else len(order))
        return float((weights if order is None else weights[order]).sum(dtype=np.float64))


class Objective:
    """The loss of an estimator's network as a function of its parameters and of some rows.

    A worker needs no more than this, which pickles to little more than the weights, and rows of its own. The sums over
    disjoint sets of rows add up to those over all rows.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Its parameters set the network, the loss and the solver. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Some rows, of which only the number of features, their names and the precision matter.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets, of which only the kind matters, and where `classes` is None the labels.
    classes : array-like of shape (n_classes,), default=None
        All labels that occur anywhere; None: those in `y`.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
        The first weights, biases and slopes: those that `fit` begins with, given the same `random_state`.

    Raises
    ------
    ValueError
        If a parameter, X or y is invalid.

    Examples
    --------
    Gradient descent with Adam over partitions, with nothing but the standard library between them:

    >>> import functools
    >>> import numpy as np
    >>> from pyrelu import MLPRegressor
    >>> from pyrelu.distributed import Objective
    >>> X = np.linspace(-1, 1, 300)[:, np.newaxis]
    >>> y = X[:, 0] ** 2
    >>> mlp = MLPRegressor(hidden_layer_sizes=20, activation="tanh", learning_rate_init=0.05, random_state=0)
    >>> objective = Objective(mlp, X[:1], y[:1])
    >>> partitions = [(X[i::3], y[i::3]) for i in range(3)]
    >>> def add(sums, others):
    ...     return tuple(a + b for a, b in zip(sums, others))
    >>> parameters, optimizer = objective.parameters, None
    >>> for step in range(300):
    ...     of_each = (objective.loss_and_gradient(parameters, *rows) for rows in partitions)  # map this over workers
    ...     loss, gradient, weight = functools.reduce(add, of_each)
    ...     parameters, optimizer = objective.apply_step(parameters, gradient, weight, optimizer)
    >>> loss / weight < 0.001
    True
    >>> objective.to_estimator(parameters).score(X, y) > 0.98
    True
    """

    def __init__(self, estimator: BasePerceptron, X: Rows, y: ArrayLike, *, classes: ArrayLike | None = None) -> None:
        if not isinstance(estimator, BasePerceptron):
            raise TypeError(f"estimator must be an MLPClassifier or MLPRegressor, got {estimator!r}")
        mlp = estimator._shallow_copy()
        if not mlp.warm_start:
            for name in set(vars(mlp)) - set(mlp._get_param_names()) - {"_skl_callbacks"}:
                delattr(mlp, name)
        with DefaultFloatingPoint():
            network, random_state = begin(mlp, X, y, classes)
        self._take(mlp, network, int(random_state.randint(2**63, dtype=np.uint64)) if network.draws else 0)

    @classmethod
    def of_fit(cls, mlp: BasePerceptron, network: Network, class_weight: Mapping[Any, float] | None = None) -> Self:
        """Return that of an estimator whose fit has begun, with these class weights in place of "balanced"."""
        self = object.__new__(cls)
        mlp = mlp._shallow_copy()
        if class_weight is not None:
            mlp.class_weight = class_weight
        self._take(mlp, network, 0)
        return self

    def _take(self, mlp: Any, network: Network, seed: int) -> None:
        for name in (*ATTRIBUTES.values(), *_NO_CALLBACKS):
            vars(mlp).pop(name, None)
        self.parameters, arrays = pack(mlp._arrays(), network.parameters.dtype)
        self.parameters.setflags(write=False)
        mlp._set_arrays(arrays, network.parameters.dtype)
        self._mlp = mlp
        self._seed = seed
        self._isa = _ufuncs.isa()
        self._local = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        state = vars(self).copy()
        del state["_local"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._local = threading.local()

    def check_isa(self) -> None:
        """Raise RuntimeError where this process computes with another instruction set, and so to other bits."""
        if _ufuncs.isa() != self._isa:
            raise RuntimeError(
                f"this process computes with the instruction set {_ufuncs.isa()!r}, and the one that began the fit with "
                f"{self._isa!r}: their results differ in the last bits. Start all of them with one that all can run, as "
                f"in PYRELU_ISA={_ufuncs.isa_names()[-1]}"
            )

    # ---- rows ----

    def prepare(self, X: Rows, y: Any, sample_weight: ArrayLike | None = None) -> Partition:
        """Return rows after checking them, as a `Partition`.

        What takes rows also takes a partition in place of ``X, y``: worth it where the same rows are used again.
        """
        mlp = self._mlp._shallow_copy()
        mlp.warm_start = False  # these rows need not have all classes
        X, targets = mlp._validate(X, y, incremental=True, first=False)
        dtype = self.parameters.dtype
        X, targets = X.astype(dtype, copy=False), targets.astype(dtype, copy=False)
        weights = None if sample_weight is None else check_row_weights(sample_weight, X)
        weights = mlp._weigh(weights, targets, incremental=True)
        return Partition(X, targets, weights)

    def _rows(self, X: Rows | Partition, y: ArrayLike | None, sample_weight: ArrayLike | None) -> Partition:
        if isinstance(X, Partition):
            return X
        with DefaultFloatingPoint():
            return self.prepare(X, y, sample_weight)

    # ---- the network ----

    def _network(self, parameters: ArrayLike) -> Network:
        """Return this thread's network, at these parameters."""
        network: Network | None = getattr(self._local, "network", None)
        if network is None:
            own, arrays = pack(self._mlp._arrays(), self.parameters.dtype)
            mlp = self._mlp
            dropout = mlp._dropout(len(mlp.coefs_) - 1)
            network = self._local.network = mlp._network(arrays, own, dropout, mlp._output_loss())
        parameters = np.asarray(parameters)
        if parameters.shape != self.parameters.shape:
            raise ValueError(f"parameters has the shape {parameters.shape}; the network takes {self.parameters.shape}")
        network.parameters[:] = parameters
        return network

    def loss_and_gradient(
        self,
        parameters: ArrayLike,
        X: Rows | Partition,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> tuple[float, NDArray[np.float64], float]:
        """Return the loss of some rows and its gradient: sums, without penalties.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)
            All weights, biases and slopes, in the order of `parameters`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features; or the rows as `prepare` returns them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; None: all 1. They are multiplied with class weights.

        Returns
        -------
        loss_sum : float
            The sum of the losses, each times the weight of its row.
        gradient_sum : ndarray of shape (n_parameters,)
            Its derivative with respect to the parameters, in float64. For the squared error of several outputs the loss
            is the mean over them and the gradient that of their sum, as in scikit-learn.
        weight_sum : float
            The sum of the weights.
        """
        loss, gradient, weight, _ = self.sums(parameters, self._rows(X, y, sample_weight))
        return loss, gradient, weight

    def sums(
        self, parameters: ArrayLike, partition: Partition, order: Indices | None = None, seed: int = 0, t: int = 0
    ) -> Sums:
        """Return the Sums over rows of a partition.

        Parameters
        ----------
        parameters : ndarray
        partition : Partition
        order : ndarray of intp, default=None
            The rows to take; None: all.
        seed, t : int
            What random numbers depend on, beside the row's place in `order`: t is the number of steps before.
        """
        network = self._network(parameters)
        n_rows = len(partition) if order is None else len(order)
        weight = partition.weight(order)
        if weight == 0:
            return Sums(0.0, np.zeros(len(self.parameters)), 0.0, np.zeros(network.n_hidden_units, bool))
        optimizer = self._gradient_alone()
        optimizer.seed, optimizer.t = seed, t
        trained = network.train(partition.samples, _aligned(order), n_rows, optimizer)
        return Sums(trained.loss * weight, optimizer.state[0].astype(np.float64) * weight, weight, trained.alive)

    def _gradient_alone(self) -> Gradient:
        optimizer: Gradient | None = getattr(self._local, "optimizer", None)
        if optimizer is None:
            optimizer = self._local.optimizer = Gradient(self.parameters, self._mlp)
            optimizer.alpha = optimizer.l1 = 0.0
            optimizer.clip_norm = np.inf
        return optimizer

    def penalised(
        self, parameters: ArrayLike, gradient_sum: Floats, weight_sum: float
    ) -> tuple[float, NDArray[np.float64]]:
        """Return the penalties, alpha's and l1's, and the gradient of the mean loss with them.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)
            Where the sums were taken.
        gradient_sum : ndarray of shape (n_parameters,)
            The sum over all rows.
        weight_sum : float
            The sum of the weights of all rows.

        Returns
        -------
        penalties : float
            To be added to ``loss_sum / weight_sum``.
        gradient : ndarray of shape (n_parameters,)
            In float64.
        """
        optimizer = Gradient(self.parameters, self._mlp)
        optimizer.clip_norm = np.inf
        penalties, _ = self._network(parameters).step(gradient_sum, weight_sum, optimizer)
        return penalties, optimizer.state[0].astype(np.float64)

    def mean(self, parameters: ArrayLike, sums: Sums) -> tuple[Epoch, NDArray[np.float64]]:
        """Return the `Epoch` that Sums over all rows make, with penalties, and the gradient of its loss."""
        if sums.weight == 0:
            raise ValueError("the weights, sample_weight times class_weight, are 0 for all rows")
        penalties, gradient = self.penalised(parameters, sums.gradient, sums.weight)
        loss = sums.loss / sums.weight + penalties
        return Epoch(loss, float(np.sqrt(gradient @ gradient)), sums.alive), gradient

    def optimizer(self) -> Optimizer:
        """Return the optimizer before the first step."""
        if self._mlp.solver not in STOCHASTIC:
            raise InvalidParameterError(
                f"solver={self._mlp.solver!r} takes no steps of its own; it must be one of "
                f"{', '.join(map(repr, STOCHASTIC))}"
            )
        optimizer = STOCHASTIC[self._mlp.solver](self.parameters, self._mlp)
        optimizer.seed = self._seed
        return optimizer

    def apply_step(
        self, parameters: ArrayLike, gradient_sum: Floats, weight_sum: float, optimizer: Optimizer | None = None
    ) -> tuple[Floats, Optimizer]:
        """Take a step of the estimator's solver; return what it leads to, and change nothing in place.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)
            Where the gradient was taken.
        gradient_sum : ndarray of shape (n_parameters,)
            The sum over the rows of the batch. Penalties, which are added here, and `clip_norm` are as in `fit`.
        weight_sum : float
            The sum of the weights of these rows. Where it is 0, there is no step.
        optimizer : Optimizer, default=None
            What the step before returned; None: this is the first. Its `learning_rate` may be set.

        Returns
        -------
        parameters : ndarray of shape (n_parameters,)
        optimizer : Optimizer
        """
        return self.step(parameters, gradient_sum, weight_sum, optimizer)[:2]

    def step(
        self, parameters: ArrayLike, gradient_sum: Floats, weight_sum: float, optimizer: Optimizer | None = None
    ) -> tuple[Floats, Optimizer, float, float]:
        """Return what `apply_step` returns, and the penalties and the norm of the gradient as `Network.step` does."""
        optimizer = self.optimizer() if optimizer is None else _twin(optimizer)
        after: Floats = np.array(parameters, self.parameters.dtype)
        if weight_sum == 0:
            return after, optimizer, 0.0, 0.0
        network = self._network(after)
        penalties, norm = network.step(gradient_sum, weight_sum, optimizer)
        after[:] = network.parameters
        return after, optimizer, penalties, norm

    def epoch(
        self,
        parameters: ArrayLike,
        optimizer: AnyOptimizer,
        partition: Partition,
        order: Indices | None,
        batch_size: int,
    ) -> tuple[Floats, AnyOptimizer, Epoch]:
        """Train on rows of one partition; return the parameters, the optimizer and the `Epoch`, and change nothing."""
        optimizer = _twin(optimizer)
        network = self._network(parameters)
        trained = network.train(partition.samples, _aligned(order), batch_size, optimizer)
        return network.parameters.copy(), optimizer, trained

    def find_alive(
        self, parameters: ArrayLike, partition: Partition, order: Indices | None = None
    ) -> NDArray[np.bool_]:
        """Return for each hidden unit whether it is not 0 for every row."""
        return find_alive(self._network(parameters), partition.samples, _aligned(order))

    def outputs(self, parameters: ArrayLike, partition: Partition, order: Indices | None = None) -> Floats:
        """Return the outputs of the output layer."""
        return self._network(parameters).predict(partition.samples, _aligned(order))

    def to_estimator(self, parameters: ArrayLike) -> Any:
        """Return an estimator that predicts with these parameters.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)

        Returns
        -------
        MLPClassifier or MLPRegressor
        """
        mlp = self._mlp._shallow_copy()
        buffer, arrays = pack(mlp._arrays(), self.parameters.dtype)
        buffer[:] = parameters
        mlp._set_arrays(arrays, self.parameters.dtype)
        return mlp


def _twin(optimizer: AnyOptimizer) -> AnyOptimizer:
    twin = copy.copy(optimizer)
    twin.state = [array.copy() for array in optimizer.state]
    return twin


def begin(
    mlp: Any,
    X: Rows,
    y: ArrayLike,
    classes: ArrayLike | None,
    class_weight: Mapping[Any, float] | None = None,
    sampled: bool = False,
) -> tuple[Network, np.random.RandomState]:
    """Begin the fit of an estimator of which these are some rows.

    Parameters
    ----------
    mlp : estimator
    X, y : array-like
    classes : array-like or None
    class_weight : dict, default=None
        What "balanced" amounts to.
    sampled : bool, default=False
        Whether these rows stand for all, and `mlp` knows how many categories there are.

    Returns
    -------
    network : Network
    random_state : RandomState
    """
    check_parameters(mlp)
    for name, uses_rows in (
        ("init", not sampled and isinstance(mlp.init, str) and mlp.init == UNIT_VARIANCE),
        ("categorical_features", not sampled and mlp.categorical_features is not None),
        ("numeric_embedding", embedding.resolve(mlp.numeric_embedding)[0] == embedding.PIECEWISE_LINEAR),
    ):
        if uses_rows:
            raise ValueError(f"{name}={getattr(mlp, name)!r} is set from all rows, and these are some of them only")
    if is_classifier(mlp):
        if isinstance(mlp.class_weight, str) and class_weight is None:
            raise ValueError(
                f"class_weight={mlp.class_weight!r} needs the frequencies of all classes, which some rows do not have; "
                "it must be a dict of label: weight or None"
            )
        if not (mlp.warm_start and hasattr(mlp, "classes_")):
            for name in ("classes_", "_label_binarizer"):
                vars(mlp).pop(name, None)
            mlp._set_classes(y, unique_labels(y) if classes is None else classes)
    if not mlp.warm_start:
        vars(mlp).pop("coefs_", None)
    warm, weights = mlp.warm_start, getattr(mlp, "class_weight", None)
    mlp.warm_start = False
    if weights is not None:
        mlp.class_weight = None  # of these rows it may leave none
    try:
        _, network, random_state = mlp._begin(X, y, None, incremental=True)
    finally:
        mlp.warm_start = warm
        if weights is not None:
            mlp.class_weight = weights
    return network, random_state
