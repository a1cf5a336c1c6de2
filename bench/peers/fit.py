"""Microseconds per step of a whole fit, beside its bare matrix products and the fits of others."""

import re
import warnings
from functools import partial
from importlib import import_module
from itertools import chain, pairwise
from math import ceil

import numpy as np

import peers
from peers.report import Report
from peers.timing import once_in_turn
from pyrelu._commands.bench import chosen, machine
from pyrelu.exceptions import InvalidParameterError
from pyrelu.registry import activations

NETWORKS = ("64-100-10/200", "64-100-10/32", "784-1024-10/128", "784-256-256-10/128", "20-64-64-10/256")
WORK = 12e9  # floating-point operations of the matrix products of one timed fit, about: a tenth to a third of a second
PEERS = ("scikit-learn", "PyTorch", "JAX")
ALONE = "one thread"  # pyrelu's, where the others have more
_LEARNERS = {"PyTorch": "torch_fit", "JAX": "jax_fit"}
_SCIKIT_LEARN_NAMES = {"identity": "identity", "relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def run(names=(), threads=1, activation="relu", rounds=7, work=WORK):
    """Time fits of networks: adam, float32, fixed epochs on random data.

    Parameters
    ----------
    names : sequence of str
        Networks as layers/batch, such as "64-100-10/32"; none means `NETWORKS`.
    threads : int
        For all who are compared.
    activation : str
        Of the hidden layers; peers that lack it are left out.
    rounds : int
        How many fits of each are timed.
    work : float
        Floating-point operations of one fit, about.

    Returns
    -------
    Report
        Rows: network, microseconds per step of the floor (the bare matrix products: forward, weight gradient, input
        gradient but for the first layer, by SciPy's BLAS, without what Python takes to call it), of pyrelu and of
        each peer, and ratios.

    Raises
    ------
    InvalidParameterError
        Where a network cannot be read, or the activation is not known.
    """
    plans = {name: plan(name, work) for name in names or NETWORKS}
    (activation,) = chosen([activation], list(activations), "an activation")
    with peers.limited_to(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed number of epochs is meant to end before convergence
        rows = [_row(network, *how, activation, rounds, threads) for network, how in plans.items()]
        import sklearn

        facts = machine({**peers.versions(), "scikit-learn": sklearn.__version__})
    return Report(
        title=f"MLPClassifier.fit, {activation}, adam, float32, {threads} thread{'s' * (threads > 1)}: us per step",
        rows=rows,
        summary=_summary(rows),
        facts=facts,
        notes=(
            "floor: the bare matrix products of a step. pyrelu and scikit-learn: MLPClassifier.fit as a whole, with "
            "validation, shuffling and loss; PyTorch: the usual eager loop; JAX: an epoch in one jitted scan.",
        ),
        drawn=("floor", "pyrelu", *PEERS),
    )


def _summary(rows):
    lines = {"pyrelu / floor, most": max(row["pyrelu / floor"] for row in rows)}
    for peer in (ALONE, *PEERS):
        ratios = [row[f"{peer} / pyrelu"] for row in rows if row[peer]]
        if ratios:
            lines[f"{peer} / pyrelu, least"] = min(ratios)
    return lines


def plan(network, work=WORK):
    """Return what a fit of a network is made of.

    Parameters
    ----------
    network : str
        Layers and batch size, such as "64-100-10/32".
    work : float
        Floating-point operations of one fit, about.

    Returns
    -------
    layers : list of int
        Sizes of the layers, input and output included.
    batch, epochs, steps : int
        Rows of a step, epochs, steps of all epochs.
    """
    if not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)+/[1-9]\d*", network):
        raise InvalidParameterError(f"{network!r} is not a network; give layers/batch, such as {NETWORKS[1]}")
    sizes, batch = network.split("/")
    layers, batch = [int(size) for size in sizes.split("-")], int(batch)
    work_per_step = sum(2 * m * n * k for (m, n, k), _ in products(layers, batch))
    epochs = ceil(min(max(work / work_per_step, 20), 1800) / _steps_per_epoch(batch))
    return layers, batch, epochs, epochs * _steps_per_epoch(batch)


def _steps_per_epoch(batch):
    return max(8, 1800 // batch)


def data(layers, batch):
    """Return random X and y of whole batches."""
    rows = batch * _steps_per_epoch(batch)
    X = np.random.default_rng(0).uniform(0, 1, (rows, layers[0])).astype(np.float32)
    return X, np.resize(np.arange(layers[-1]), rows)


def _row(network, layers, batch, epochs, steps, activation, rounds, threads):
    fits = learners(*data(layers, batch), layers, batch, epochs, activation, alone=threads > 1)
    candidates = {"products": floor(layers, batch, steps), "calls": floor([1] * len(layers), 1, steps)}
    times = once_in_turn(candidates | fits, rounds, pause=0.2 if threads > 1 else 0.0)
    us = {name: time / steps / 1e3 for name, time in times.items()}
    least = us["products"] - us["calls"]
    return {
        "network/batch": network,
        "floor": least,
        "pyrelu": us["pyrelu"],
        "pyrelu / floor": us["pyrelu"] / least,
        ALONE: us.get(ALONE),
        f"{ALONE} / pyrelu": us[ALONE] / us["pyrelu"] if ALONE in us else None,
        **{peer: us.get(peer) for peer in PEERS},
        **{f"{peer} / pyrelu": us[peer] / us["pyrelu"] if peer in us else None for peer in PEERS},
    }


def products(layers, batch):
    """Return the matrix products of one step.

    Parameters
    ----------
    layers : list of int
        Sizes of the layers, input and output included.
    batch : int
        Rows of one step.

    Returns
    -------
    list of ((m, n, k), (transpose_a, transpose_b))
        Of each product (m x k) (k x n): forward, weight gradient, and input gradient but for the first layer.
    """
    found = []
    for i, (inputs, outputs) in enumerate(pairwise(layers)):
        found.append(((batch, outputs, inputs), (False, False)))
        found.append(((inputs, outputs, batch), (True, False)))
        if i:
            found.append(((batch, inputs, outputs), (False, True)))
    return found


def floor(layers, batch, steps):
    """Return a callable that computes the products of that many steps with SciPy's BLAS, into arrays that are there."""
    from scipy.linalg.blas import sgemm

    calls = [_product(sgemm, shape, transposed) for shape, transposed in products(layers, batch)]

    def compute():
        for _ in range(steps):
            for call in calls:
                call()

    return compute


def forward_products(layers, rows):
    """Return a callable that computes the products of a prediction, 1,024 rows at a time."""
    from scipy.linalg.blas import sgemm

    whole, rest = divmod(rows, 1024)
    batches = [[1024] * whole, [rest] * (rest > 0)]
    calls = [
        [_product(sgemm, (batch[0], outputs, inputs), (False, False)) for inputs, outputs in pairwise(layers)]
        * len(batch)
        for batch in batches
        if batch
    ]

    def compute():
        for call in chain(*calls):
            call()

    return compute


def _product(sgemm, shape, transposed):
    """Row by row C = op(A) op(B); column by column, as BLAS has it, that is C' = op(B)' op(A)'."""
    m, n, k = shape
    rng = np.random.default_rng(0)
    a = rng.uniform(-1, 1, (k, m) if transposed[0] else (m, k)).astype(np.float32)
    b = rng.uniform(-1, 1, (n, k) if transposed[1] else (k, n)).astype(np.float32)
    c = np.zeros((m, n), np.float32)
    return partial(sgemm, 1.0, b.T, a.T, 0.0, c.T, transposed[1], transposed[0], True)


def learners(X, y, layers, batch, epochs, activation, alone=False):
    """Return name -> callable that fits once, for pyrelu (and where `alone` on one thread too) and the peers that can."""
    from sklearn.neural_network import MLPClassifier as Reference

    from pyrelu.neural_network import MLPClassifier

    settings = dict(
        hidden_layer_sizes=layers[1:-1], batch_size=batch, max_iter=epochs, n_iter_no_change=epochs, random_state=0
    )
    found = {"pyrelu": partial(MLPClassifier(activation=activation, **settings).fit, X, y)}
    if alone:
        found[ALONE] = partial(MLPClassifier(activation=activation, n_threads=1, **settings).fit, X, y)
    if activation in _SCIKIT_LEARN_NAMES:
        reference = Reference(activation=_SCIKIT_LEARN_NAMES[activation], **settings)
        found["scikit-learn"] = partial(reference.fit, X, y)
    for module in peers.installed():
        for peer, learner in _LEARNERS.items():
            if peer in module.VERSIONS and activation in module.FUNCTIONAL:
                fit = import_module(f"peers.{learner}").fit
                found[peer] = partial(fit, X, y, layers, batch, epochs, module.FUNCTIONAL[activation])
    return found
