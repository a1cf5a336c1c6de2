"""Nanoseconds per element of every function of the registry, and of the peers that have it."""

from statistics import geometric_mean

import numpy as np

import peers
from peers.report import Report
from pyrelu._commands.bench import arrays, call, chosen, machine, row, title
from pyrelu._commands.timing import in_turn
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
        Elements of the input; functions along an axis get whole rows of 256, or a shorter one.
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
        rows = [_measured(name, namespace, arrays(name, dtype, n), seconds) for name in selected(names, namespace)]
        facts = machine(peers.versions())
    return Report(
        title=title(namespace, dtype, n, threads),
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


def _measured(name, namespace, x, seconds):
    g = np.random.default_rng(1).uniform(-1, 1, call(name, "functional", x)().shape).astype(x.dtype)
    candidates = {"pyrelu": call(name, namespace, x, g)} | peers.candidates(name, namespace, x, g)
    return row(name, in_turn(candidates, seconds), x.size, peers.NAMES)


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
