"""The same function on inputs of several kinds: the time should not depend on them."""

import numpy as np

from peers.functions import N, selected
from peers.report import Report
from pyrelu._commands.bench import COLUMNS, arrays, call, machine, on_threads
from pyrelu._commands.timing import in_turn
from pyrelu.registry import axis_functions

USUAL = "[-1, 1]"


def run(names=(), namespace="functional", dtype="float32", n=N, seconds=0.4):
    """Time functions on inputs of each kind, in turn.

    Parameters
    ----------
    names : sequence of str
        Functions of the registry; none means all.
    namespace : {"functional", "derivative", "vjp"}
        Which of the three functions of that name.
    dtype : {"float32", "float64", "float16"}
        Type of input and output.
    n : int
        Elements of the input.
    seconds : float
        Time to spend on each kind.

    Returns
    -------
    Report
        Rows: function, nanoseconds per element in [-1, 1], and what the other kinds take in multiples of that; None
        where no input in reach has a subnormal result.
    """
    with on_threads(1):
        rows = []
        for name in selected(names, namespace):
            times = _times(name, namespace, dtype, n, seconds)
            ratios = {kind: times[kind] / times[USUAL] if kind in times else None for kind in KINDS}
            rows.append({"function": name, f"ns in {USUAL}": times[USUAL] / n, **ratios})
        facts = machine({})
    worst = {kind: max((row for row in rows if row[kind]), key=lambda row: row[kind], default=None) for kind in KINDS}
    return Report(
        title=f"pyrelu.{namespace}, {dtype}, {n:,} elements: time by kind of input, in multiples of that in {USUAL}",
        rows=rows,
        summary={f"{kind}, most ({row['function']})": row[kind] for kind, row in worst.items() if row},
        facts=facts,
        drawn=tuple(KINDS),
    )


def _large(rng, dtype):
    return rng.choice([-1, 1], 4096) * np.sqrt(np.finfo(dtype).max) * rng.uniform(0.5, 1, 4096)


KINDS = {
    "[-100, -14]": lambda rng, dtype: rng.uniform(-100, -14, 4096),
    "large": _large,
    "inf": lambda rng, dtype: rng.choice([-np.inf, np.inf], 4096),
    "nan": lambda rng, dtype: np.full(1, np.nan),
    "subnormal": None,  # depends on the function
}


def _times(name, namespace, dtype, n, seconds):
    """Return kind -> nanoseconds; all kinds use the same memory, as the place of an array has a cost of its own."""
    rng = np.random.default_rng(0)
    fills = {USUAL: rng.uniform(-1, 1, 4096)}
    fills |= {kind: make(rng, dtype) for kind, make in KINDS.items() if make}
    subnormal = subnormal_results(name, namespace, dtype)
    if subnormal is not None:
        fills["subnormal"] = subnormal
    inputs = {kind: arrays(name, dtype, n, fill) for kind, fill in fills.items()}
    x = inputs[USUAL].copy()
    candidate = function = call(name, namespace, x, np.ones(call(name, "functional", x)().shape, dtype))

    def quiet():
        with np.errstate(invalid="ignore"):  # softmax of infinities is not a number, and says so
            function()

    if name in axis_functions:
        candidate = quiet
    return in_turn(dict.fromkeys(inputs, candidate), seconds, prepare=lambda kind: np.copyto(x, inputs[kind]))


def subnormal_results(name, namespace, dtype):
    """Return inputs of the function whose results are subnormal, or None where none is found.

    Parameters
    ----------
    name : str
        A function of the registry.
    namespace : str
        Where.
    dtype : str
        Its type.

    Returns
    -------
    ndarray or None
        For a function along an axis, a row.
    """
    limits = np.finfo(dtype)
    if name in axis_functions:  # one large element, and all others so far below that their exp is subnormal
        low, high = np.log(float(limits.smallest_subnormal)), np.log(float(limits.tiny))
        tried = np.linspace(low, high, COLUMNS)
        tried[0] = 0
    else:
        small = np.linspace(-1, 1, 2001) * float(limits.tiny)
        tried = np.concatenate([np.linspace(-800, 800, 320_001), small])
    tried = tried.astype(dtype)
    x = tried[np.newaxis] if name in axis_functions else tried
    with np.errstate(all="ignore"):
        g = np.ones(call(name, "functional", x)().shape, dtype)
        y = np.abs(call(name, namespace, x, g)()).ravel()
    found = (y > 0) & (y < limits.tiny)
    if name in axis_functions:
        return tried if np.mean(found) > 0.5 else None
    return tried[found] if found.any() else None
