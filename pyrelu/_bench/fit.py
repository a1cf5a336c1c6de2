"""Microseconds per step of a whole fit, beside its bare matrix products and the fits of others."""

import re
import warnings
from functools import partial
from importlib import import_module
from itertools import pairwise
from math import ceil

import numpy as np

from pyrelu._bench import chosen, peers
from pyrelu._bench.report import Report, machine
from pyrelu._bench.timing import once_in_turn
from pyrelu.exceptions import InvalidParameterError
from pyrelu.registry import activations

NETWORKS = ("64-100-10/200", "64-100-10/32", "784-1024-10/128", "784-256-256-10/128", "20-64-64-10/256")
WORK = 12e9  # floating-point operations of the matrix products of one timed fit, about: a tenth to a third of a second
PEERS = ("scikit-learn", "PyTorch", "JAX")
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
    networks = [_parsed(name) for name in names or NETWORKS]
    (activation,) = chosen([activation], list(activations), "an activation")
    with peers.limited_to(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed number of epochs is meant to end before convergence
        rows = [_row(*network, activation, rounds, work) for network in networks]
        import sklearn

        facts = machine({**peers.versions(), "scikit-learn": sklearn.__version__})
    return Report(
        title=f"MLPClassifier.fit, {activation}, adam, float32, {threads} thread{'s' * (threads > 1)}: us per step",
        rows=rows,
        summary={},
        facts=facts,
        notes=(
            "floor: the bare matrix products of a step. pyrelu and scikit-learn: MLPClassifier.fit as a whole, with "
            "validation, shuffling and loss; PyTorch: the usual eager loop; JAX: an epoch in one jitted scan.",
        ),
        drawn=("floor", "pyrelu", *PEERS),
    )


def _parsed(name):
    """Return ([64, 100, 10], 32) of "64-100-10/32"."""
    if not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)+/[1-9]\d*", name):
        raise InvalidParameterError(f"{name!r} is not a network; give layers/batch, such as {NETWORKS[1]}")
    layers, batch = name.split("/")
    return [int(size) for size in layers.split("-")], int(batch)


def _row(layers, batch, activation, rounds, work):
    per_step = sum(2 * m * n * k for m, n, k in (shape for shape, _ in products(layers, batch)))
    steps_per_epoch = max(8, 1800 // batch)
    epochs = ceil(min(max(work / per_step, 20), 1800) / steps_per_epoch)
    steps, rows = epochs * steps_per_epoch, batch * steps_per_epoch
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (rows, layers[0])).astype(np.float32)
    y = np.resize(np.arange(layers[-1]), rows)
    task = dict(X=X, y=y, layers=layers, batch=batch, epochs=epochs, activation=activation)
    candidates = {"products": floor(layers, batch, steps), "calls": floor([1] * len(layers), 1, steps)}
    times = once_in_turn(candidates | fits(**task), rounds)
    us = {name: time / steps / 1e3 for name, time in times.items()}
    least = us["products"] - us["calls"]
    return {
        "network/batch": f"{'-'.join(map(str, layers))}/{batch}",
        "floor": least,
        "pyrelu": us["pyrelu"],
        "pyrelu / floor": us["pyrelu"] / least,
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


def _product(sgemm, shape, transposed):
    """Row by row C = op(A) op(B); column by column, as BLAS has it, that is C' = op(B)' op(A)'."""
    m, n, k = shape
    rng = np.random.default_rng(0)
    a = rng.uniform(-1, 1, (k, m) if transposed[0] else (m, k)).astype(np.float32)
    b = rng.uniform(-1, 1, (n, k) if transposed[1] else (k, n)).astype(np.float32)
    c = np.zeros((m, n), np.float32)
    return partial(sgemm, 1.0, b.T, a.T, 0.0, c.T, transposed[1], transposed[0], True)


def fits(X, y, layers, batch, epochs, activation):
    """Return name -> callable that fits once, for pyrelu and each peer that has the activation."""
    from sklearn.neural_network import MLPClassifier as Reference

    from pyrelu.neural_network import MLPClassifier

    settings = dict(
        hidden_layer_sizes=layers[1:-1], batch_size=batch, max_iter=epochs, n_iter_no_change=epochs, random_state=0
    )
    found = {"pyrelu": partial(MLPClassifier(activation=activation, **settings).fit, X, y)}
    if activation in _SCIKIT_LEARN_NAMES:
        reference = Reference(activation=_SCIKIT_LEARN_NAMES[activation], **settings)
        found["scikit-learn"] = partial(reference.fit, X, y)
    for module in peers.installed():
        for peer, learner in _LEARNERS.items():
            if peer in module.VERSIONS and activation in module.FUNCTIONAL:
                fit = import_module(f"pyrelu._bench.{learner}").fit
                found[peer] = partial(fit, X, y, layers, batch, epochs, module.FUNCTIONAL[activation])
    return found
