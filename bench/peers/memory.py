"""Costs other than arithmetic: memory beyond the caches, the call itself, and a second thread."""

from functools import partial
from pathlib import Path
from statistics import geometric_mean

import numpy as np

import pyrelu
from peers.functions import selected
from peers.report import Report
from pyrelu._commands.bench import arrays, call, machine, on_threads
from pyrelu._commands.timing import in_turn
from pyrelu._threads import available_cpus

FEW, MANY = 16, 1 << 20


def run(names=(), n=None, seconds=0.4):
    """Time relu against copies in memory, calls on few elements against np.tanh, two threads against one.

    Parameters
    ----------
    names : sequence of str
        Functions for the last two; none means all.
    n : int, optional
        Elements of the array that is too large for the caches; four times the last-level cache where not given.
    seconds : float
        Time to spend on each candidate.

    Returns
    -------
    Report
        Rows: what, its microseconds, against what, the microseconds of that, ratio of the latter to the former.
    """
    names = selected(names)
    with on_threads(1):
        large = _large_arrays(n or 4 * last_level_cache() // 4, max(seconds, 0.01))
        calls = [_call(name, seconds) for name in names]
        threads = _two_threads(names, seconds) if available_cpus() > 1 else []
        facts = machine({})
    summary = {f"{FEW} elements: most microseconds above np.tanh": max(r["us"] - r["us of that"] for r in calls)}
    if threads:
        summary["2 threads: geometric mean of the ratios"] = geometric_mean(r["ratio"] for r in threads)
    return Report(
        title="Memory, calls and threads: float32, microseconds; ratio = time of what it is held against / its own",
        rows=large + calls + threads,
        summary=summary,
        facts=facts,
        drawn=("us", "us of that"),
        notes=(
            "Medians; for two threads and the one beside them the least of all samples, as both cores must be free.",
        ),
    )


def last_level_cache():
    """Return the bytes of the last-level cache, 64 MiB where the system does not tell."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    units = {"K": 1 << 10, "M": 1 << 20}
    texts = [path.read_text().strip() for path in sizes]
    return max((int(text[:-1]) * units[text[-1]] for text in texts), default=64 << 20)


def _row(what, own, against, other):
    return {"what": what, "us": own / 1e3, "against": against, "us of that": other / 1e3, "ratio": other / own}


def _large_arrays(n, seconds):
    x = arrays("relu", "float32", n)
    given, copied = np.empty_like(x), np.empty_like(x)
    times = in_turn(
        {
            "relu out": partial(pyrelu.relu, x, out=given),
            "copyto": partial(np.copyto, copied, x),
            "relu": partial(pyrelu.relu, x),
            "copy": x.copy,
        },
        4 * seconds,
    )
    size = f"{x.nbytes >> 20} MiB"
    return [
        _row(f"relu(x, out=y), {size}", times["relu out"], "np.copyto(y, x)", times["copyto"]),
        _row(f"relu(x), {size}", times["relu"], "x.copy()", times["copy"]),
    ]


def _call(name, seconds):
    x = arrays(name, "float32", FEW)
    times = in_turn({"own": call(name, "functional", x), "tanh": partial(np.tanh, x, out=np.empty_like(x))}, seconds)
    return _row(f"{name}, {FEW} elements", times["own"], "np.tanh", times["tanh"])


def _two_threads(names, seconds):
    """All functions in one turn, so that each meets the moments in which both cores are free."""
    calls = {name: call(name, "functional", arrays(name, "float32", MANY)) for name in names}
    candidates = {(name, threads): call for name, call in calls.items() for threads in (1, 2)}
    with on_threads(2):
        times = in_turn(candidates, 4 * seconds, statistic=min, prepare=lambda key: pyrelu.set_num_threads(key[1]))
    what = f"{MANY:,} elements, 2 threads"
    return [_row(f"{name}, {what}", times[name, 2], "1 thread", times[name, 1]) for name in names]
