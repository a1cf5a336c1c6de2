"""Where the rows of a fit are: what the training loops ask of them. Here all are in memory."""

import hashlib

import numpy as np

from pyrelu._mlp.alive import find_alive
from pyrelu._mlp.warn import warn


def size_of_batch(batch_size, n_samples):
    """Return the rows in a batch where there are so many: scikit-learn's "auto" is 200."""
    return min(200 if batch_size == "auto" else batch_size, n_samples)


def to_train(order, batch_size, drop_last):
    """Return the rows of an epoch: with `drop_last`, those of whole batches."""
    return order[: len(order) // batch_size * batch_size] if drop_last else order


class InMemory:
    """Rows in the memory of this process: `state.samples`, in `state.order`."""

    def begin(self, state):
        """Check the size of batches before the first epoch."""
        mlp, n_samples = state.estimator, len(state.order)
        if mlp.batch_size != "auto" and mlp.batch_size > n_samples:
            warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
        self.batch_size = size_of_batch(mlp.batch_size, n_samples)

    def train(self, state):
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
        return state.network.train(state.samples, order, self.batch_size, state.optimizer), len(order)

    def evaluate(self, state):
        """Evaluate the loss of all rows.

        Returns
        -------
        Epoch
        gradient : ndarray of float64
        """
        trained = state.network.train(state.samples, None, state.samples.n_samples, state.optimizer)
        return trained, state.optimizer.state[0].astype(np.float64)

    def find_alive(self, state):
        """Return for each hidden unit whether it is not 0 for every row."""
        return find_alive(state.network, state.samples, state.order)

    def n_rows(self, state):
        """Return the number of rows that `state.order` and the held-out rows number."""
        return state.samples.n_samples

    def fingerprint(self, state):
        """Return a digest of the data of the fit."""
        own = () if state.validation is None or state.validation.rows is not None else state.validation.data
        return fingerprint(*state.data, *own)


def fingerprint(*parts):
    """Return a digest of arrays, CSR matrices and None."""
    digest = hashlib.sha256()
    for part in parts:
        arrays = [part] if part is None or isinstance(part, np.ndarray) else [part.data, part.indices, part.indptr]
        for array in arrays:
            digest.update(b"None" if array is None else f"{array.dtype} {array.shape} ".encode())
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()
