"""`pyrelu bench`: times the functions on this machine, compared with NumPy and SciPy.

The benchmarks with PyTorch, JAX and scikit-learn are in bench/ of the source. They use this module, never the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

import pyrelu
from pyrelu import _ufuncs
from pyrelu._commands import formulas, info
from pyrelu._commands.timing import in_turn
from pyrelu._text import aligned, show
from pyrelu.exceptions import InvalidParameterError
from pyrelu.registry import activations, axis_functions

if TYPE_CHECKING:
    import argparse

Row = dict[str, Any]  # heading -> a text, a number or None

COLUMNS = 256  # of the arrays for functions along an axis
SECONDS = 0.1  # for each candidate, about
_PEERS = {"NumPy": formulas.NUMPY, "SciPy": formulas.SCIPY}


def command(options: argparse.Namespace) -> int:
    """Run `pyrelu bench`."""
    names = chosen(options.names, [*activations, *axis_functions], "a function")
    with on_threads(options.threads):
        rows = [_measured(name, options.dtype, options.size) for name in names]
    ratios = {peer: [row[peer] / row["pyrelu"] for row in rows if row[peer]] for peer in _PEERS}
    report = {
        "title": title("functional", options.dtype, options.size, options.threads),
        "facts": machine({"NumPy": np.__version__, "SciPy": scipy.__version__}),
        "rows": rows,
        "summary": {f"{p} / pyrelu, geometric mean of {len(r)}": geometric_mean(r) for p, r in ratios.items() if r},
    }
    show(report, options.json, lambda report: text(**report))
    return 0


def _measured(name: str, dtype: str, n: int) -> Row:
    x = arrays(name, dtype, n)
    out = np.empty_like(x)
    calls = {peer: partial(table[name], x, out) for peer, table in _PEERS.items() if name in table}
    return row(name, in_turn({"pyrelu": call(name, "functional", x)} | calls, SECONDS), x.size, _PEERS)


def chosen(names: Sequence[str], known: Iterable[str], what: str) -> list[str]:
    """Return the names asked for, all that are known if none is; InvalidParameterError lists those known."""
    for name in names:
        if name not in known:
            raise InvalidParameterError(f"{name!r} is not {what}; there are {', '.join(known)}")
    return list(names or known)


@contextmanager
def on_threads(n: int) -> Iterator[None]:
    """Give pyrelu n threads."""
    before = pyrelu.get_num_threads()
    pyrelu.set_num_threads(n)
    try:
        yield
    finally:
        pyrelu.set_num_threads(before)


def arrays(name: str, dtype: str, n: int, fill: ArrayLike | None = None) -> NDArray[Any]:
    """Return n elements, uniform in [-4, 4] or those of `fill` over and over.

    Functions along an axis get whole rows of `COLUMNS`, or one shorter row.
    """
    columns = min(COLUMNS, n)
    shape = (n // columns, columns) if name in axis_functions else (n,)
    x = np.random.default_rng(0).uniform(-4, 4, shape) if fill is None else np.resize(fill, shape)
    return x.astype(dtype)


def call(name: str, namespace: str, x: NDArray[Any], g: NDArray[Any] | None = None) -> Callable[[], Any]:
    """Return pyrelu's function with its arguments and an output of its own, to be called without any."""
    defaults = activations[name].parameters.values() if name in activations else ()
    parameters = [formulas.PARAMETER for default in defaults if default is None]
    function = getattr(getattr(pyrelu, namespace), name)
    operands = (x, g, *parameters) if namespace == "vjp" else (x, *parameters)
    return partial(function, *operands, out=np.empty_like(function(*operands)))


def row(name: str, times: Mapping[str, float], size: int, peers: Iterable[str]) -> Row:
    """Return one row of the table from the nanoseconds of each candidate for `size` elements."""
    each = {candidate: time / size for candidate, time in times.items()}
    others = {peer: each.get(peer) for peer in peers}
    least, best = min(((time, peer) for peer, time in others.items() if time), default=(None, None))
    ratio = None if least is None else least / each["pyrelu"]
    return {"function": name, "pyrelu": each["pyrelu"], **others, "best peer": best, "ratio": ratio}


def title(namespace: str, dtype: str, n: int, threads: int) -> str:
    """Return the headings of a table of functions."""
    return f"pyrelu.{namespace}, {dtype}, {n:,} elements, {threads} thread{'s' * (threads > 1)}: ns per element"


def machine(versions: Mapping[str, str]) -> dict[str, str]:
    """Return the machine, the instruction set in use, and the versions given of others that are compared."""
    facts = info.facts()
    return {
        "machine": facts["machine"],
        "pyrelu": f"{facts['pyrelu']} ({_ufuncs.isa()})",
        "NumPy": facts["NumPy"],
        **versions,
        "BLAS": facts["BLAS"].rsplit(",")[0],
        "Python": facts["Python"],
    }


def text(
    title: str, facts: Mapping[str, str], rows: Sequence[Row], summary: Mapping[str, float], notes: Sequence[str] = ()
) -> str:
    """Return all of it as lines of text."""
    width = max(map(len, summary), default=0)
    tail = [f"{name:{width}}  {cell(number)}" for name, number in summary.items()]
    return "\n".join([title, in_words(facts), *notes, "", aligned(cells(rows)), "", *tail])


def in_words(facts: Mapping[str, str]) -> str:
    """Return the facts in a line."""
    return "; ".join(f"{name} {fact}" for name, fact in facts.items())


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return headings and rows as text; columns that are empty throughout are left out."""
    headings = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    return [headings, *([cell(row[heading]) for heading in headings] for row in rows)]


def cell(value: str | float | None) -> str:
    """Return a text, or a number with two or three digits that count."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
