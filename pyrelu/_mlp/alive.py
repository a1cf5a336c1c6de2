"""Which hidden units are alive: not 0 for every row. Those still in doubt alone are computed, in as many rows as it takes."""

import numpy as np
from numpy.typing import NDArray

from pyrelu._network import Network
from pyrelu._samples import Samples

Numbers = NDArray[np.intp]  # of samples, or of units

# Rows at a time: few at first, since most units are alive, and then eight times as many each time.
FIRST_ROWS, MORE, MOST_ROWS = 64, 8, 8192

# Copying the weights of the units in doubt takes as long as their products with about so many rows, new memory included.
# It pays where the other units would take longer in the rows to come.
ROWS_OF_A_COPY = 100


def find_alive(network: Network, samples: Samples, order: Numbers | None = None) -> NDArray[np.bool_]:
    """Return for each hidden unit, counted through all layers, whether it is not 0 for every sample.

    Parameters
    ----------
    network : Network
    samples : Samples
    order : ndarray of intp, default=None
        The samples to evaluate; None: all.
    """
    order = np.arange(samples.n_samples) if order is None else order
    alive = np.zeros(network.n_hidden_units, bool)
    part, units = network, np.arange(len(alive))  # what computes the units in doubt, and the numbers of its units
    start, rows = 0, FIRST_ROWS
    while start < len(order) and not alive.all():
        alive[units[part.find_alive(samples, order[start : start + rows])]] = True
        start += rows
        rows = min(MORE * rows, MOST_ROWS, len(order) - start)
        n_doubtful = len(alive) - np.count_nonzero(alive)
        if not n_doubtful or rows <= 0 or network.n_members > 1:  # an ensemble is not taken apart
            continue
        if (len(units) - n_doubtful) * rows > n_doubtful * ROWS_OF_A_COPY:
            part, units = _part_with(~alive, network)
    return alive


def _part_with(doubtful: NDArray[np.bool_], network: Network) -> tuple[Network, Numbers]:
    """Return a network that computes these hidden units, and the number of each of its hidden units in the whole one.

    It ends at the deepest layer that has one of them, and has no others there unless they depend on each other.
    """
    sizes = [len(coef) for coef in network.weights[1:]]
    ends = np.cumsum(sizes)
    last = int(np.searchsorted(ends, np.flatnonzero(doubtful)[-1], side="right"))
    first = ends[last] - sizes[last]
    activation = network.activations[last]
    here = np.flatnonzero(doubtful[first : ends[last]])
    if activation.transform in ("rowwise", "called"):  # of the whole row, as a user's function may be
        here = np.arange(sizes[last])
    weights, biases = network.weights[: last + 1], network.biases[: last + 1]
    slopes = network.slopes[: last + 1]
    columns = activation.columns(here, sizes[last])
    weights[last], biases[last] = weights[last].take(columns, axis=1), biases[last].take(columns)
    learned = slopes[last]
    slopes[last] = None if learned is None else learned.take(here)
    nothing = np.zeros((len(here), 1), network.dtype)  # a network has an output layer
    part = Network(
        [*weights, nothing],
        [*biases, nothing[0]],
        network.activations[: last + 1],
        0,
        None,
        slopes,
        n_threads=network.n_threads,
        embedding=network.embedding_of_inputs,
    )
    return part, np.concatenate([np.arange(first), first + here])
