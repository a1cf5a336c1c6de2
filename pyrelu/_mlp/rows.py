"""Where the rows of a fit are: what the training loops ask of them. Here all are in memory."""

import hashlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyrelu._mlp.alive import Bounds, find_alive, pays_to_watch
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.validation import Validation
from pyrelu._mlp.warn import warn
from pyrelu._network import Epoch
from pyrelu._samples import Samples
from pyrelu._typing import Floats, Indices


def size_of_batch(batch_size: int | Literal["auto"], n_samples: int) -> int:
    """Return the rows in a batch where there are so many: scikit-learn's "auto" is 200."""
    return min(200 if batch_size == "auto" else batch_size, n_samples)


def to_train(order: Indices, batch_size: int, drop_last: bool) -> Indices:
    """Return the rows of an epoch: with `drop_last`, those of whole batches."""
    return order[: len(order) // batch_size * batch_size] if drop_last else order


class InMemory:
    """Rows in the memory of this process: `state.samples`, in `state.order`."""

    bounds: Bounds | None = None  # found in the last epoch

    def begin(self, state: FitState) -> None:
        """Check the size of batches before the first epoch."""
        mlp, n_samples = state.estimator, len(state.order)
        if mlp.batch_size != "auto" and mlp.batch_size > n_samples:
            warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
        self.batch_size = size_of_batch(mlp.batch_size, n_samples)

    def train(self, state: FitState) -> tuple[Epoch, int]:
        """Train for one epoch.

        Returns
        -------
        Epoch
        n_rows : int
            The rows seen.
        """
        if state.estimator.shuffle:
            state.order = state.order[state.random_state.permutation(len(state.order))]
        order = to_train(state.order, self.batch_size, state.estimator.drop_last)
        ranges = self._ranges_to_watch(state) if len(order) == len(state.order) else None
        trained = state.network.train(_samples(state), order, self.batch_size, state.optimizer, ranges)
        self.bounds = None if trained.bounds is None else Bounds.after(state.network, trained.bounds)
        return trained, len(order)

    def _ranges_to_watch(self, state: FitState) -> Floats | None:
        """Return the ranges of the columns if this is the last epoch and to watch it pays, as it spares `find_alive`."""
        if state.n_iter + 1 != state.estimator.max_iter or not pays_to_watch(
            state.network, state.alive, self.batch_size
        ):
            return None
        return _samples(state).ranges()

    def evaluate(self, state: FitState) -> tuple[Epoch, NDArray[np.float64]]:
        """Evaluate the loss of all rows.

        Returns
        -------
        Epoch
        gradient : ndarray of float64
        """
        samples = _samples(state)
        trained = state.network.train(samples, None, samples.n_samples, state.optimizer)
        return trained, state.optimizer.state[0].astype(np.float64)

    def find_alive(self, state: FitState) -> NDArray[np.bool_]:
        """Return for each hidden unit whether it is not 0 for every row."""
        return find_alive(state.network, _samples(state), state.order, self.bounds)

    def n_rows(self, state: FitState) -> int:
        """Return the number of rows that `state.order` and the held-out rows number."""
        return _samples(state).n_samples

    def fingerprint(self, state: FitState) -> str:
        """Return a digest of the data of the fit."""
        validation = state.validation
        own = validation.data if isinstance(validation, Validation) and validation.rows is None else ()
        return fingerprint(*(state.data or ()), *own)


def _samples(state: FitState) -> Samples:
    """Return the rows of a fit that has them all in memory."""
    assert state.samples is not None
    return state.samples


def fingerprint(*parts: Any) -> str:
    """Return a digest of arrays, CSR matrices and None."""
    digest = hashlib.sha256()
    for part in parts:
        arrays = [part] if part is None or isinstance(part, np.ndarray) else [part.data, part.indices, part.indptr]
        for array in arrays:
            digest.update(b"None" if array is None else f"{array.dtype} {array.shape} ".encode())
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()
