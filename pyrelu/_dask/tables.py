"""What the tabular estimators of pyrelu.dask have workers do: learn a preprocessor, transform, draw weights, calibrate."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pyrelu._dask import tasks
from pyrelu._mlp.initializers import MAX_ROWS
from pyrelu._mlp.objective import Objective, begin
from pyrelu._mlp.persistence import OF_THE_PROCESS
from pyrelu._typing import Floats
from pyrelu.tabular import TablePreprocessor, _calibration, _merging
from pyrelu.tabular._networks import Target, Task

if TYPE_CHECKING:
    from distributed import Client, Future

    from pyrelu._dask.collections import Futures
    from pyrelu._dask.rows import PartitionedValidation

    Numbered = tuple[int, Future[Any], Future[Any], Future[Any] | None]  # the number of a partition, X, y and weights

R = TypeVar("R")
T = TypeVar("T")
Predicted = tuple[Floats, NDArray[Any], Floats]  # probabilities, targets and weights


class Prepared(NamedTuple):
    """A table in partitions, as networks take it; the lists have an entry for each partition that has rows.

    Attributes
    ----------
    X, y : list of Future
    sample_weight : list of Future or None
    n_rows : int
    """

    X: list[Future[Any]]
    y: list[Future[Any]]
    sample_weight: list[Future[Any] | None] | None
    n_rows: int


def n_rows(X: Any) -> int:
    n: int = X.shape[0]
    return n


def of_part(function: Callable[..., R], number: int, X: Any, *arguments: Any) -> R:
    """Call a function of a partition; errors say which one it is."""
    try:
        return function(X, *arguments)
    except (TypeError, ValueError) as error:
        raise type(error)(f"partition {number}: {error}") from error


def with_rows(client: Client, triples: Sequence[Futures]) -> tuple[list[Numbered], int]:
    """Return (number, X, y, sample_weight) of the partitions that have rows, and how many rows there are in all."""
    sizes = client.gather([client.submit(n_rows, X, pure=False) for X, _, _ in triples])
    return [(i, *triple) for i, (triple, n) in enumerate(zip(triples, sizes, strict=True)) if n], sum(sizes)


def fit_preprocessor(client: Client, preprocessor: TablePreprocessor, numbered: Sequence[Numbered]) -> None:
    """Fit a TablePreprocessor where the rows are."""

    def over_parts(reduce: Callable[[list[R]], T], function: Callable[..., R], *arguments: Any) -> T:
        given = client.submit(pickle.loads, pickle.dumps(arguments), pure=False)
        results = [client.submit(_on, function, i, X, given, pure=False) for i, X, _, _ in numbered]
        return client.submit(reduce, results, pure=False).result()

    _merging.fit(preprocessor, over_parts)


def _on(function: Callable[..., R], number: int, X: Any, arguments: tuple[Any, ...]) -> R:
    return of_part(function, number, X, *arguments)


def prepared(
    client: Client, estimator: Any, preprocessor: TablePreprocessor, numbered: Sequence[Numbered], n: int
) -> Prepared:
    """Return the partitions as networks take them; those of X and y that are given are released.

    Parameters
    ----------
    client : Client
    estimator : TabularMLPClassifier or TabularMLPRegressor
        Checks targets.
    preprocessor : TablePreprocessor
    numbered : list of (int, Future, Future, Future or None)
    n : int
    """
    encoder, checker = (
        client.submit(pickle.loads, pickle.dumps(one), pure=False) for one in (preprocessor, _bare(estimator))
    )
    X = [client.submit(_matrix, encoder, i, part, pure=False) for i, part, _, _ in numbered]
    y = [client.submit(_targets, checker, i, part, pure=False) for i, _, part, _ in numbered]
    weights = [part for *_, part in numbered]
    for _, *parts, _ in numbered:
        for part in parts:
            part.release()
    return Prepared(X, y, None if any(part is None for part in weights) else weights, n)


def _matrix(preprocessor: TablePreprocessor, number: int, X: Any) -> Floats:
    return of_part(preprocessor._matrix, number, X)


def _targets(estimator: Any, number: int, y: Any) -> NDArray[Any]:
    return of_part(estimator._validate_y, number, y)


# ---- targets of regressors ----


@dataclass(frozen=True)
class Extent:
    """Number, sum, least and largest of targets; `+` adds those of other rows."""

    n: int
    total: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __add__(self, other: Extent) -> Extent:
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Extent(self.n + other.n, self.total + other.total, low, high)


def extent(y: NDArray[np.float64]) -> Extent:
    return Extent(len(y), y.sum(axis=0), y.min(axis=0), y.max(axis=0))


def squares(y: NDArray[np.float64], mean: Any) -> Any:
    return ((y - mean) ** 2).sum(axis=0)


def standards(client: Client, network: Any, y: Sequence[Future[Any]]) -> Target:
    """Return what a NetworkRegressor standardises targets by, and their range."""

    def total(function: Callable[..., R], *arguments: Any) -> R:
        results = [client.submit(function, part, *arguments, pure=False) for part in y]
        found: R = client.submit(tasks.add, results, pure=False).result()
        return found

    of_y = total(extent)
    mean = of_y.total / of_y.n
    found: Target = network._standards(mean, np.sqrt(total(squares, mean) / of_y.n), of_y.low, of_y.high)
    return found


# ---- the first weights ----


def sample(X: Floats, y: NDArray[Any], number: int, seed: int, share: float) -> tuple[Floats, NDArray[Any]]:
    """Return some rows, chosen at random."""
    rows = np.random.default_rng([seed, number]).random(len(X)) < share
    return X[rows], y[rows]


def first_weights(
    client: Client,
    network: Any,
    triples: Sequence[Futures],
    classes: Sequence[Any] | None,
    class_weight: dict[Any, float] | None,
    n: int,
) -> np.random.RandomState:
    """Draw the first weights on a worker, by a sample of the rows; set the network's attributes. Return RandomState.

    The sample, of `initializers.MAX_ROWS` rows or so, is all that a worker sees beside its own partitions.
    """
    share = min(1.0, MAX_ROWS / n)
    seed = network.random_state
    samples = [client.submit(sample, X, y, i, seed, share, pure=False) for i, (X, y, _) in enumerate(triples)]
    for name in set(vars(network)) - {*network._get_param_names(), *OF_THE_PROCESS, "_n_rows"}:
        delattr(network, name)  # of the fit before
    blob = pickle.dumps((_bare(network), classes, class_weight, network._task.cardinalities, network._task.target))
    attributes, random_state = client.submit(_drawn, blob, samples, pure=False).result()
    vars(network).update(attributes)
    return random_state


def _bare(estimator: Any) -> Any:
    """Return the plain estimator without callbacks, which need not be for other processes."""
    copy = estimator.to_local()
    for name in OF_THE_PROCESS:
        vars(copy).pop(name, None)
    return copy


def _drawn(blob: bytes, samples: Sequence[tuple[Floats, NDArray[Any]]]) -> tuple[dict[str, Any], np.random.RandomState]:
    mlp, classes, class_weight, cardinalities, target = pickle.loads(blob)
    mlp._task = Task(None, threading.Event(), cardinalities=cardinalities, target=target)
    X, y = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    _, random_state = begin(mlp, X, y, classes, class_weight, sampled=True)
    parameters = {*mlp._get_param_names(), "_task"}
    return {name: value for name, value in vars(mlp).items() if name not in parameters}, random_state


# ---- temperatures ----


@dataclass(frozen=True)
class LogLoss:
    """A sum over rows, and their weight; `+` adds those of other rows."""

    loss: float
    weight: float

    def __add__(self, other: LogLoss) -> LogLoss:
        return LogLoss(self.loss + other.loss, self.weight + other.weight)


def probabilities(objective: Objective, parameters: Floats, part: tasks.Part) -> Predicted | None:
    """Return the probabilities of the rows to score, their targets and weights."""
    _, targets, weights = part.partition.data
    rows = part.held_out
    if not len(rows):
        return None
    weights = np.ones(len(rows)) if weights is None else weights[rows].astype(float)
    return objective.outputs(parameters, part.partition, rows), targets[rows], weights


def log_loss(predicted: Predicted | None, n: int, temperature: float, each_label: bool) -> LogLoss:
    """Return the LogLoss of what `probabilities` returns, where n rows are scored in all."""
    if predicted is None:
        return LogLoss(0.0, 0.0)
    p, targets, weights = predicted
    shares = _calibration.smoothed(p, targets, n, each_label)
    loss = weights @ _calibration.losses(p, shares, temperature, each_label)
    return LogLoss(float(loss), float(weights.sum()))


def fit_temperature(network: Any, validation: PartitionedValidation) -> float:
    """Return the temperature that is best for the rows that a `PartitionedValidation` scores."""
    graphs, each_label = validation.graphs, network.out_activation_ == "logistic"
    arrays = [array.ravel() for group in network._arrays() for array in group if array is not None]
    parameters = graphs.client.submit(pickle.loads, pickle.dumps(np.concatenate(arrays)), pure=False)
    predicted = [
        graphs.client.submit(probabilities, graphs.objective, parameters, part, pure=False) for part in graphs.parts
    ]

    def mean(temperature: float) -> float:
        of_part = partial(log_loss, n=len(validation.targets), temperature=temperature, each_label=each_label)
        losses = [graphs.client.submit(of_part, part, pure=False) for part in predicted]
        total: LogLoss = graphs.client.submit(tasks.add, losses, pure=False).result()
        return total.loss / total.weight

    return _calibration.best_temperature(mean)
