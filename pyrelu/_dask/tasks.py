"""The tasks that workers run. Each is a pure function: run again, on whatever worker, it gives the same bits."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add as plus
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrelu import _ufuncs
from pyrelu._mlp.objective import Objective, Partition, Sums
from pyrelu._mlp.optimizers import Optimizer
from pyrelu._mlp.rows import fingerprint, size_of_batch, to_train
from pyrelu._mlp.sample_weight import count_labels
from pyrelu._typing import Floats

T = TypeVar("T")

STREAM = 0x9E3779B97F4A7C15  # between the seeds of partitions


class Part(NamedTuple):
    """A partition in the memory of a worker.

    Attributes
    ----------
    partition : Partition
    training, held_out : ndarray of intp
        Its rows to train on, and those to score.
    number : int
    """

    partition: Partition
    training: NDArray[np.intp]
    held_out: NDArray[np.intp]
    number: int


class State(NamedTuple):
    """What a step leads to, and sums over the steps of this epoch so far, each weighted by its number of rows."""

    parameters: Floats
    optimizer: Optimizer
    loss: float
    gradient_norm: float
    n_rows: int
    alive: NDArray[np.bool_] | bool


@dataclass(frozen=True)
class Trained:
    """What an epoch over one partition leads to, each times its number of rows; `+` adds another partition's."""

    parameters: NDArray[np.float64]
    states: list[NDArray[np.float64]]
    loss: float
    gradient_norm: float
    n_rows: int
    alive: NDArray[np.bool_]
    t: int

    def __add__(self, other: Trained) -> Trained:
        return Trained(
            self.parameters + other.parameters,
            [a + b for a, b in zip(self.states, other.states, strict=True)],
            self.loss + other.loss,
            self.gradient_norm + other.gradient_norm,
            self.n_rows + other.n_rows,
            self.alive | other.alive,
            max(self.t, other.t),
        )


def instruction_set() -> str:
    return _ufuncs.isa()


def labels(y: ArrayLike) -> dict[Any, int] | None:
    """Return how many rows each label has; None for an indicator matrix."""
    y = np.asarray(y)
    return None if y.ndim == 2 and y.shape[1] > 1 else count_labels(y)


def head(X: Any, y: Any) -> tuple[Any, ...]:
    """Return the first rows, which may be none."""
    return tuple(part.iloc[:1] if hasattr(part, "iloc") else part[:1] for part in (X, y))


def prepare(
    objective: Objective, X: Any, y: Any, sample_weight: ArrayLike | None, number: int, fraction: float, seed: int
) -> Part:
    """Return the Part, of which that fraction is held out."""
    objective.check_isa()
    n = X.shape[0]
    if n == 0:
        dtype, n_features = objective.parameters.dtype, objective._mlp.n_features_in_
        nothing: Any = None  # as there are no rows to have targets
        empty = Partition(np.empty((0, n_features), dtype), nothing, None)
        return Part(empty, np.arange(0), np.arange(0), number)
    try:
        partition = objective.prepare(X, y, sample_weight)
    except (TypeError, ValueError) as error:
        raise type(error)(f"partition {number}: {error}") from error
    if not fraction:
        return Part(partition, np.arange(n), np.arange(0), number)
    generator = np.random.default_rng([seed, number])
    order, n_held_out = generator.permutation(n), int(n * fraction + generator.random())
    return Part(partition, order[n_held_out:], order[:n_held_out], number)


def sizes(part: Part) -> tuple[int, int]:
    """Return how many rows there are to train on and to score."""
    return len(part.training), len(part.held_out)


def digest(part: Part) -> str:
    found: str = fingerprint(*part.partition.data)
    return found


def order(part: Part, seed: int, shuffle: bool) -> NDArray[np.intp]:
    """Return the order of the rows in an epoch."""
    if not shuffle:
        return part.training
    return part.training[np.random.default_rng([seed, part.number]).permutation(len(part.training))]


def _nothing(objective: Objective) -> Sums:
    n_hidden = sum(len(coef) for coef in objective._mlp.coefs_[1:])
    return Sums(0.0, np.zeros(len(objective.parameters)), 0.0, np.zeros(n_hidden, bool))


def sums(objective: Objective, parameters: Floats, part: Part) -> Sums:
    """Return the Sums over all rows of a partition."""
    objective.check_isa()
    if not len(part.training):
        return _nothing(objective)
    found: Sums = objective.sums(parameters, part.partition, part.training)
    return found


def add(parts: Sequence[T]) -> T:
    """Return the sum, taken in order."""
    return reduce(plus, parts)


def gradient(objective: Objective, state: State, part: Part, rows: NDArray[np.intp], step: int, n_steps: int) -> _Batch:
    """Return the Sums over a partition's share of the batch of a step, and how many rows that has."""
    objective.check_isa()
    n, optimizer = len(rows), state.optimizer
    batch = rows[step * n // n_steps : (step + 1) * n // n_steps]
    if not len(batch):
        return _Batch(_nothing(objective), 0)
    seed = (optimizer.seed + STREAM * (part.number + 1)) % 2**64
    return _Batch(objective.sums(state.parameters, part.partition, batch, seed, optimizer.t), len(batch))


@dataclass(frozen=True)
class _Batch:
    sums: Sums
    n_rows: int

    def __add__(self, other: _Batch) -> _Batch:
        return _Batch(self.sums + other.sums, self.n_rows + other.n_rows)


def step(objective: Objective, state: State, batch: _Batch) -> State:
    """Return the State after a step."""
    objective.check_isa()
    of_rows, n_rows = batch.sums, batch.n_rows
    parameters, optimizer, penalties, norm = objective.step(
        state.parameters, of_rows.gradient, of_rows.weight, state.optimizer
    )
    loss = of_rows.loss / of_rows.weight + penalties if of_rows.weight else 0.0
    return State(
        parameters,
        optimizer,
        state.loss + loss * n_rows,
        state.gradient_norm + norm * n_rows,
        state.n_rows + n_rows,
        state.alive | of_rows.alive,
    )


def local_epoch(
    objective: Objective,
    state: State,
    part: Part,
    rows: NDArray[np.intp],
    batch_size: int | Literal["auto"],
    drop_last: bool,
) -> Trained:
    """Return what an epoch over the rows of one partition leads to."""
    objective.check_isa()
    optimizer, n = copy.copy(state.optimizer), len(rows)
    optimizer.seed = (optimizer.seed + STREAM * (part.number + 1)) % 2**64
    if not n:
        zeros = np.zeros(len(objective.parameters))
        states = [np.zeros(len(zeros)) for _ in optimizer.state]
        return Trained(zeros, states, 0.0, 0.0, 0, _nothing(objective).alive, optimizer.t)
    batch_size = size_of_batch(batch_size, n)
    rows = to_train(rows, batch_size, drop_last)
    n = len(rows)
    parameters, optimizer, trained = objective.epoch(state.parameters, optimizer, part.partition, rows, batch_size)
    return Trained(
        parameters.astype(np.float64) * n,
        [array.astype(np.float64) * n for array in optimizer.state],
        trained.loss * n,
        trained.gradient_norm * n,
        n,
        trained.alive,
        optimizer.t,
    )


def average(objective: Objective, state: State, total: Trained) -> State:
    """Return the State with the averages of parameters and of the optimizers' states over partitions."""
    dtype, optimizer, n = objective.parameters.dtype, copy.copy(state.optimizer), total.n_rows
    optimizer.t = total.t
    optimizer.state = [(array / n).astype(dtype) for array in total.states]
    parameters = (total.parameters / n).astype(dtype)
    return State(parameters, optimizer, total.loss, total.gradient_norm, n, total.alive)


def find_alive(objective: Objective, parameters: Floats, part: Part) -> NDArray[np.bool_]:
    alive: NDArray[np.bool_] = _nothing(objective).alive
    if len(part.training):
        alive = objective.find_alive(parameters, part.partition, part.training)
    return alive


def any_alive(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    alive: NDArray[np.bool_] = np.logical_or.reduce(parts)
    return alive


# ---- scores ----


@dataclass(frozen=True)
class Score:
    """Sums over rows; `+` adds those of other rows. Arrays have an entry for each output."""

    right: float | NDArray[np.float64]  # of a classifier: the rows predicted right; of a regressor: the squared errors
    total: float | NDArray[np.float64]  # the weights; or the squared deviations from the mean
    weight: float
    finite: bool

    def __add__(self, other: Score) -> Score:
        return Score(
            self.right + other.right,
            self.total + other.total,
            self.weight + other.weight,
            self.finite and other.finite,
        )


def _scored(part: Part) -> tuple[Floats, NDArray[np.float64]]:
    """Return the targets and weights of the rows to score."""
    _, targets, weights = part.partition.data
    rows = part.held_out
    targets = targets[rows]
    return targets, np.ones(len(rows)) if weights is None else weights[rows].astype(np.float64)


def moments(part: Part) -> Score:
    """Return the sum of the weights and of the weighted targets, as a Score."""
    if not len(part.held_out):
        return Score(0.0, 0.0, 0.0, True)
    targets, weights = _scored(part)
    return Score(0.0, weights @ targets.astype(np.float64), float(weights.sum()), True)


def accuracy(objective: Objective, parameters: Floats, part: Part, mean: object = None) -> Score:
    if not len(part.held_out):
        return Score(0.0, 0.0, 0.0, True)
    targets, weights = _scored(part)
    outputs = objective.outputs(parameters, part.partition, part.held_out)
    total = float(weights.sum())
    right = objective._mlp._score_outputs(outputs, targets, weights) * total if total else 0.0
    return Score(right, total, total, True)


def squared_errors(objective: Objective, parameters: Floats, part: Part, mean: float | NDArray[np.float64]) -> Score:
    if not len(part.held_out):
        return Score(0.0, 0.0, 0.0, True)
    targets, weights = _scored(part)
    outputs = objective.outputs(parameters, part.partition, part.held_out).astype(np.float64)
    if not np.isfinite(outputs).all():
        return Score(0.0, 0.0, 0.0, False)
    if (bounds := objective._mlp._bounds()) is not None:
        outputs = np.clip(outputs, *bounds)
    targets = targets.astype(np.float64)
    return Score(weights @ (targets - outputs) ** 2, weights @ (targets - mean) ** 2, float(weights.sum()), True)


def score_of(score: Score, classifies: bool) -> float:
    """Return accuracy or R2."""
    if not score.finite or score.weight == 0:
        return np.nan
    if classifies:
        return float(score.right / score.total)
    right, total = np.atleast_1d(score.right), np.atleast_1d(score.total)
    unexplained = np.divide(right, total, out=np.where(right == 0, 0.0, 1.0), where=total != 0)
    return float(np.mean(1 - unexplained))
