"""Nanoseconds per element of every function of the registry, and of the peers that have it."""

from contextlib import contextmanager
from functools import partial
from statistics import geometric_mean

import numpy as np

import pyrelu
from pyrelu._commands.bench import chosen, peers
from pyrelu._commands.bench.report import Report, machine
from pyrelu._commands.bench.timing import in_turn
from pyrelu.registry import activations, axis_functions

NAMESPACES = ("functional", "derivative", "vjp")
DTYPES = ("float32", "float64", "float16")
COMMON = (  # what most networks use: the functions whose mean is stated on its own
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "sigmoid",
    "tanh",
    "gelu",
    "gelu_tanh",
    "silu",
    "softplus",
    "mish",
    "hardswish",
    "log_sigmoid",
    "softsign",
    "softmax",
    "log_softmax",
)
N = 65_536
_AXIS_ARGUMENTS = {"maxout": (2,)}  # what a function along an axis must be given besides x


def run(names=(), namespace="functional", dtype="float32", n=N, threads=1, seconds=0.4):
    """Time functions and their peers in turn.

    Parameters
    ----------
    names : sequence of str
        Functions of the registry; none means all, "common" those of `COMMON`.
    namespace : {"functional", "derivative", "vjp"}
        Which of the three functions of that name.
    dtype : {"float32", "float64", "float16"}
        Type of input and output.
    n : int
        Elements of the input; functions along an axis get rows of at most 256.
    threads : int
        For all who are compared.
    seconds : float
        Time to spend on each candidate.

    Returns
    -------
    Report
        Rows: function, nanoseconds per element of pyrelu and of each peer, best peer, ratio best peer / pyrelu.
    """
    with peers.limited_to(threads):
        rows = [
            row(name, in_turn(_candidates(name, namespace, dtype, n), seconds), n)
            for name in selected(names, namespace)
        ]
        facts = machine(peers.versions())
    return Report(
        title=f"pyrelu.{namespace}, {dtype}, {n:,} elements, {threads} thread{'s' * (threads > 1)}: ns per element",
        rows=rows,
        summary=summary(rows),
        facts=facts,
        notes=peers.NOTES,
        drawn=("pyrelu", *peers.NAMES),
    )


def functions(namespace="functional"):
    """Return the names of the registry that the namespace has: those to be measured."""
    return [*activations, *(axis_functions if namespace != "derivative" else ())]


def selected(names, namespace="functional"):
    """Return the functions asked for: all where no name is given, those of `COMMON` for "common"."""
    known = functions(namespace)
    if list(names) == ["common"]:
        return [name for name in COMMON if name in known]
    return chosen(names, known, "a function")


@contextmanager
def on_threads(n):
    """Give pyrelu n threads."""
    before = pyrelu.get_num_threads()
    pyrelu.set_num_threads(n)
    try:
        yield
    finally:
        pyrelu.set_num_threads(before)


def arrays(name, dtype, n, fill=None):
    """Return an input of n elements, 1 + that for functions along an axis.

    Parameters
    ----------
    name : str
        A function of the registry.
    dtype : str
        Its type.
    n : int
        Number of elements.
    fill : ndarray, optional
        Values, repeated as often as needed; uniform in [-4, 4] where not given.
    """
    x = np.random.default_rng(0).uniform(-4, 4, n) if fill is None else np.resize(fill, n)
    x = x.astype(dtype)
    return x.reshape(-1, min(n, peers.COLUMNS)) if name in axis_functions else x


def pyrelu_call(name, namespace, x, g=None):
    """Return pyrelu's function with its arguments and an output of its own, to be called with none."""
    if name in activations:
        parameters = [peers.PARAMETER for default in activations[name].parameters.values() if default is None]
    else:
        parameters = _AXIS_ARGUMENTS.get(name, ())
    function = getattr(getattr(pyrelu, namespace), name)
    operands = (x, g, *parameters) if namespace == "vjp" else (x, *parameters)
    return partial(function, *operands, out=np.empty_like(function(*operands)))


def _candidates(name, namespace, dtype, n):
    x = arrays(name, dtype, n)
    g = np.random.default_rng(1).uniform(-1, 1, pyrelu_call(name, "functional", x)().shape).astype(dtype)
    return {"pyrelu": pyrelu_call(name, namespace, x, g)} | peers.candidates(name, namespace, x, g)


def row(name, times, n):
    """Return one row of the table from the nanoseconds of each candidate."""
    each = {candidate: time / n for candidate, time in times.items()}
    others = {peer: each.get(peer) for peer in peers.NAMES}
    best = min((peer for peer in others if others[peer]), key=others.get, default=None)
    return {
        "function": name,
        "pyrelu": each["pyrelu"],
        **others,
        "best peer": best,
        "ratio": best and others[best] / each["pyrelu"],
    }


def summary(rows):
    """Return name -> geometric mean or minimum of the ratios, where there are any."""
    ratios = {row["function"]: row["ratio"] for row in rows if row["ratio"]}
    common = [ratio for name, ratio in ratios.items() if name in COMMON]
    lines = {}
    if ratios:
        least = min(ratios, key=ratios.get)
        lines[f"best peer / pyrelu, geometric mean of {len(ratios)}"] = geometric_mean(ratios.values())
        lines[f"best peer / pyrelu, minimum ({least})"] = ratios[least]
    if common and len(common) < len(ratios):
        least = min((name for name in ratios if name in COMMON), key=ratios.get)
        lines[f"best peer / pyrelu, geometric mean of the {len(common)} common ones"] = geometric_mean(common)
        lines[f"best peer / pyrelu, minimum of the common ones ({least})"] = ratios[least]
    for peer in peers.NAMES:
        against = [row[peer] / row["pyrelu"] for row in rows if row[peer]]
        if against:
            lines[f"{peer} / pyrelu, geometric mean of {len(against)}"] = geometric_mean(against)
    return lines
