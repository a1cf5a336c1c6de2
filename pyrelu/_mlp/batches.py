"""Fits to rows that come in batches, of which a window is in memory at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse, vstack
from sklearn.base import is_classifier

from pyrelu._mlp.alive import find_alive
from pyrelu._mlp.callback_support import callbacks_of, with_callbacks
from pyrelu._mlp.display import choose as choose_display
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.objective import Objective, Partition, Sums, begin
from pyrelu._mlp.rows import fingerprint, size_of_batch, to_train
from pyrelu._mlp.sample_weight import balanced, count_labels
from pyrelu._mlp.validation import Validation
from pyrelu._network import Epoch
from pyrelu._samples import Samples
from pyrelu._typing import Data
from pyrelu.exceptions import InvalidParameterError

Batch = tuple[Any, Any] | tuple[Any, Any, Any]  # X and y, or X, y and sample_weight
Batches = Iterable[Batch] | Callable[[], Iterable[Batch]]


class OutOfCore:
    """An estimator that can be fitted to more rows than memory holds."""

    _transaction: Any  # methods of BasePerceptron
    _validate_eval_set: Any
    _train: Any
    early_stopping: bool  # its parameters
    solver: str
    class_weight: Any
    verbose: bool | int
    max_iter: int

    def fit_batches(
        self,
        batches: Batches,
        *,
        classes: ArrayLike | None = None,
        eval_set: Batch | None = None,
        window: int = 100_000,
    ) -> Self:
        """Train on rows that come in batches, of which `window` rows are in memory at a time.

        It trains as `fit` does, epoch by epoch and with its stopping rules, but shuffles rows only within windows: where
        their order means something, such as files sorted by label, shuffle the files first.

        Parameters
        ----------
        batches : iterable or callable
            What gives ``(X, y)`` or ``(X, y, sample_weight)`` one after the other, and starts anew for each epoch: a list,
            an object with `__iter__`, or a function without parameters that returns an iterator. Their sizes need not be
            `batch_size`. The first one sets the number of features, their names and the precision.
        classes : array-like of shape (n_classes,), default=None
            All labels of a classifier. None: they are looked up first, in an epoch of its own.
        eval_set : tuple of (X, y) or (X, y, sample_weight), default=None
            Validation data, in memory, scored after each epoch. `early_stopping` needs it.
        window : int, default=100_000
            The rows to shuffle at a time, rounded down to whole batches of `batch_size`. Beside them, memory holds one of
            `batches`. At least so many rows as there are: the same as `fit` without shuffling, and in the first epoch.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself. If fitting fails, it stays unchanged.

        Raises
        ------
        TypeError
            If `batches` cannot start anew.
        ValueError
            If a batch or a parameter is invalid, or training diverges.

        Examples
        --------
        >>> from pyrelu import MLPClassifier
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> def batches():  # each from a file of its own, for example
        ...     for start in range(0, 1400, 100):
        ...         yield X[start : start + 100] / 16, y[start : start + 100]
        >>> mlp = MLPClassifier(early_stopping=True, max_iter=500, learning_rate_init=0.01, random_state=0)
        >>> mlp = mlp.fit_batches(batches, classes=range(10), eval_set=(X[1400:] / 16, y[1400:]), window=600)
        >>> mlp.n_iter_ < 100, mlp.score(X[1400:] / 16, y[1400:]) > 0.9
        (True, True)
        """
        with self._transaction() as training:
            training._fit_batches(batches, classes, eval_set, window)
        return self

    @with_callbacks
    def _fit_batches(self, batches: Batches, classes: ArrayLike | None, eval_set: Batch | None, window: int) -> None:
        if not isinstance(window, Integral) or isinstance(window, bool) or window < 1:
            raise InvalidParameterError(f"window={window!r} must be an int in the range [1, inf)")
        if self.early_stopping and eval_set is None and self.solver != "lbfgs":
            raise ValueError("early_stopping=True holds out no rows of batches; give fit_batches an eval_set")
        source = _Source(batches)
        counts = None
        if is_classifier(self) and (self.class_weight == "balanced" or classes is None):
            counts = source.count_labels(needed=self.class_weight == "balanced")
            classes = sorted(counts) if classes is None and counts else classes
        class_weight = balanced(counts) if counts and self.class_weight == "balanced" else None
        X, y, _ = next(iter(source))
        network, random_state = begin(self, X, y, classes, class_weight)
        objective = Objective.of_fit(self, network, class_weight)
        validation = None
        if eval_set is not None:
            data = self._validate_eval_set(eval_set, network.parameters.dtype)
            validation = Validation(self, Samples(*data), data)
        nothing = np.empty(0, np.intp)
        state = FitState(
            self,
            network,
            None,
            None,
            nothing,
            validation,
            callbacks_of(self, batches, None, None),
            choose_display(self.verbose, self.max_iter),
            random_state,
            rows=Windows(source, objective, window),
        )
        self._train(state)


class _Source:
    """Batches that can be gone through again and again."""

    def __init__(self, batches: Batches) -> None:
        if not callable(batches) and iter(batches) is batches:
            raise TypeError(
                f"batches must start anew for each epoch, and a {type(batches).__name__} cannot: pass the function that "
                "makes it, or a list"
            )
        self.batches = batches

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield (X, y, sample_weight or None)."""
        number = -1
        for number, batch in enumerate(self.batches() if callable(self.batches) else self.batches):
            if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
                raise ValueError(
                    f"batch {number} must be (X, y) or (X, y, sample_weight), got {type(batch).__name__}"
                    f"{f' of {len(batch)}' if isinstance(batch, tuple | list) else ''}"
                )
            X, y, *weights = batch
            yield X, y, weights[0] if weights else None
        if number < 0:
            raise ValueError("batches gave none; it must give the same batches for each epoch")

    def count_labels(self, needed: bool) -> dict[Any, int] | None:
        """Return how many rows each label has, or None for an indicator matrix unless that is needed."""
        counts: dict[Any, int] = {}
        for _, y, _ in self:
            y = np.asarray(y)
            if y.ndim == 2 and y.shape[1] > 1 and not needed:
                return None
            for label, count in count_labels(y).items():
                counts[label] = counts.get(label, 0) + count
        return counts


class Windows:
    """The rows of batches, a window at a time, for the training loops: see `rows.InMemory`."""

    def __init__(self, source: _Source, objective: Objective, window: int) -> None:
        self.source = source
        self.objective = objective
        self.window = window

    def begin(self, state: FitState) -> None:
        self.batch_size = size_of_batch(state.estimator.batch_size, sys.maxsize)

    def train(self, state: FitState) -> tuple[Epoch, int]:
        loss, norm, n_rows = 0.0, 0.0, 0
        alive: NDArray[np.bool_] = np.zeros(state.network.n_hidden_units, bool)
        window = max(1, self.window // self.batch_size) * self.batch_size  # of whole batches, but for the last one
        for rows in self._windows(window):
            order = np.arange(len(rows), dtype=np.intp)
            if state.estimator.shuffle:
                order = state.random_state.permutation(order)
            # A window holds a batch at least: if the first one has fewer rows, it has all, and they are the batch, as in `fit`.
            batch_size = self.batch_size if n_rows else min(self.batch_size, len(order))
            order = to_train(order, batch_size, state.estimator.drop_last)
            n = len(order)
            if n == 0:  # less than a batch, at the end
                continue
            trained = state.network.train(rows.samples, order, min(self.batch_size, n), state.optimizer)
            loss, norm, n_rows = loss + trained.loss * n, norm + trained.gradient_norm * n, n_rows + n
            alive |= trained.alive
        return Epoch(loss / n_rows, norm / n_rows, alive), n_rows

    def evaluate(self, state: FitState) -> tuple[Epoch, NDArray[np.float64]]:
        parameters = state.network.parameters
        sums: Sums | None = None
        for rows in self._windows(self.window):
            of_rows = self.objective.sums(parameters, rows)
            sums = of_rows if sums is None else sums + of_rows
        assert sums is not None  # there is a batch, and no batch without rows
        return self.objective.mean(parameters, sums)

    def find_alive(self, state: FitState) -> NDArray[np.bool_]:
        alive = np.zeros(state.network.n_hidden_units, bool)
        for rows in self._windows(self.window):
            alive |= find_alive(state.network, rows.samples)
            if alive.all():
                break
        return alive

    def n_rows(self, state: FitState) -> int:
        return 0  # none that `state.order` numbers

    def fingerprint(self, state: FitState) -> str:
        digests = [fingerprint(*self.objective.prepare(*batch).data) for batch in self.source]
        own = state.validation.data if isinstance(state.validation, Validation) else ()
        return fingerprint(np.frombuffer("".join(digests).encode(), np.uint8), *own)

    def _windows(self, size: int) -> Iterator[Partition]:
        """Yield the rows as `Partition`s of so many rows each, but for the last one."""
        pieces: list[Data] = []
        n = 0
        for batch in self.source:
            rows = self.objective.prepare(*batch).data
            start, end = 0, rows[0].shape[0]
            while n + end - start >= size:
                stop = start + size - n
                yield _joined([*pieces, _cut(rows, start, stop)])
                pieces, n, start = [], 0, stop
            if start < end:
                pieces.append(_cut(rows, start, end))
                n += end - start
        if pieces:
            yield _joined(pieces)


def _cut(rows: Data, start: int, stop: int) -> Data:
    X, targets, weights = rows
    return X[start:stop], targets[start:stop], None if weights is None else weights[start:stop]


def _joined(pieces: Sequence[Data]) -> Partition:
    """Return one Partition; rows without weights have weight 1 where others have some."""
    if any(weights is not None for _, _, weights in pieces):
        pieces = [(X, t, np.ones(len(t), t.dtype) if weights is None else weights) for X, t, weights in pieces]
    if len(pieces) == 1:
        return Partition(*pieces[0])
    X, targets, weights = zip(*pieces, strict=True)
    if issparse(X[0]) != any(map(issparse, X)) or issparse(X[0]) != all(map(issparse, X)):
        raise ValueError("X is sparse in some batches and dense in others")
    return Partition(
        vstack(X, format="csr") if issparse(X[0]) else np.concatenate(X),
        np.concatenate(targets),
        None if weights[0] is None else np.concatenate(weights),
    )
