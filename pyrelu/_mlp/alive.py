"""Which hidden units are alive: not 0 for every row. Those still in doubt alone are computed, in as many rows as it takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyrelu._network import WHOLE_SUM, Network
from pyrelu._samples import Samples
from pyrelu._typing import Floats

Numbers = NDArray[np.intp]  # of samples, or of units
Flags = NDArray[np.bool_]  # of hidden units, counted through all layers

# Rows at a time: few at first, since most units are alive, and then eight times as many each time.
FIRST_ROWS, MORE, MOST_ROWS = 64, 8, 8192

# Copying the weights of the units in doubt takes as long as their products with about so many rows, new memory included.
# It pays where the other units would take longer in the rows to come.
ROWS_OF_A_COPY = 100

# To watch a step of training takes as long as the products of its units with about so many rows.
ROWS_OF_A_WATCH = 24


@dataclass(frozen=True)
class Bounds:
    """Upper bounds of the first layer's pre-activations of all rows, for the parameters that it had."""

    tops: Floats
    weights: Floats
    bias: Floats

    @classmethod
    def after(cls, network: Network, tops: NDArray[np.float64]) -> "Bounds":
        """Return those of a network that has just been trained."""
        return cls(tops, network.weights[0].copy(), network.biases[0].copy())

    def dead(self, network: Network) -> Flags:
        """Return which hidden units are 0 for every row for certain."""
        found = np.zeros(network.n_hidden_units, bool)
        if np.array_equal(self.weights, network.weights[0]) and np.array_equal(self.bias, network.biases[0]):
            found[: len(self.tops)] = self.tops < network.activations[0].zero_below
        return found


def pays_to_watch(network: Network, alive: Flags | None, batch_size: int) -> bool:
    """Return whether bounds of the first layer, found while an epoch is trained, would save more than they cost.

    Parameters
    ----------
    network : Network
    alive : ndarray of bool or None
        For each hidden unit, whether it was not 0 for all rows of the epoch before.
    batch_size : int
    """
    if alive is None or network.n_members > 1 or network.embedding_of_inputs is not None or not network.activations:
        return False
    n_units = network.activations[0].n_units(len(network.biases[0]))
    n_dead = n_units - np.count_nonzero(alive[:n_units])
    return network.activations[0].zero_below > -np.inf and bool(n_dead * batch_size > n_units * ROWS_OF_A_WATCH)


def find_alive(network: Network, samples: Samples, order: Numbers | None = None, bounds: Bounds | None = None) -> Flags:
    """Return for each hidden unit, counted through all layers, whether it is not 0 for every sample.

    Parameters
    ----------
    network : Network
    samples : Samples
    order : ndarray of intp, default=None
        The samples to evaluate; None: all.
    bounds : Bounds, default=None
        Found when the network was trained on these samples.
    """
    order = np.arange(samples.n_samples) if order is None else order
    alive = np.zeros(network.n_hidden_units, bool)
    dead = np.zeros_like(alive) if bounds is None else bounds.dead(network)
    part, units = network, np.arange(len(alive))  # what computes the units in doubt, and the numbers of its units
    start, rows = 0, FIRST_ROWS
    while start < len(order) and not (alive | dead).all():
        alive[units[part.find_alive(samples, order[start : start + rows])]] = True
        start += rows
        rows = min(MORE * rows, MOST_ROWS, len(order) - start)
        doubtful = ~(alive | dead)
        n_doubtful = np.count_nonzero(doubtful)
        if not n_doubtful or rows <= 0 or network.n_members > 1:  # an ensemble is not taken apart
            continue
        if (len(units) - n_doubtful) * rows > n_doubtful * ROWS_OF_A_COPY:
            part, units = _part_with(doubtful, network, dead)
    return alive


def _part_with(doubtful: Flags, network: Network, dead: Flags) -> tuple[Network, Numbers]:
    """Return a network that computes these hidden units, and the number of each of its hidden units in the whole one.

    It ends at the deepest layer that has one of them, and has no others there unless they depend on each other. Of the
    first layer, `dead` tells which are 0, so that no other layer needs them.
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
    before = np.arange(first)
    if last > 0 and sizes[0] <= WHOLE_SUM and dead[: sizes[0]].any():
        needed = np.flatnonzero(~dead[: sizes[0]])
        needed = needed if len(needed) else np.arange(1)  # a layer has one at least
        weights[0], biases[0] = weights[0].take(needed, axis=1), biases[0].take(needed)
        weights[1] = weights[1].take(needed, axis=0)
        before = np.concatenate([needed, before[sizes[0] :]])
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
    return part, np.concatenate([before, first + here])
