"""The number of threads that functions and fits use."""

import operator
import os
from collections.abc import Collection
from contextlib import suppress
from math import ceil
from typing import SupportsIndex

from pyrelu import _ufuncs

__all__ = ["get_num_threads", "set_num_threads"]

CGROUPS = "/sys/fs/cgroup"


def available_cpus() -> int:
    """Return how many processors this process may use, given its affinity mask and container quota.

    This is joblib.cpu_count() without importing joblib, which would take longer than all of `import pyrelu`; a test
    holds the two together.
    """
    cpus = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(_affinity())
    with suppress(OSError, ValueError):
        quota, period = _cgroup_quota()
        cpus = min(cpus, ceil(quota / period))
    return max(1, cpus)


def _affinity() -> Collection[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


def _cgroup_quota() -> tuple[int, int]:
    """Return the container's CPU quota and period; raise ValueError or OSError without one."""
    try:
        quota, period = _read("cpu.max").split()  # version 2
    except FileNotFoundError:
        quota, period = (_read(f"cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
    if int(quota) <= 0 or int(period) <= 0:  # "max" is a ValueError by itself
        raise ValueError("no quota")
    return int(quota), int(period)


def _read(name: str) -> str:
    with open(f"{CGROUPS}/{name}") as file:  # pathlib would take a fifth of the time of `import pyrelu`
        return file.read()


def set_num_threads(n: SupportsIndex) -> None:
    """Set the largest number of threads that a function or a fit uses.

    Small arrays always stay on one thread. `threadpoolctl` (not on Windows) and OMP_NUM_THREADS are obeyed as well: the
    smallest of all applies. A forked child process stays on one thread.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If n is not an integer, or less than 1.

    Examples
    --------
    >>> import pyrelu as pr
    >>> before = pr.get_num_threads()
    >>> pr.set_num_threads(1)
    >>> pr.get_num_threads()
    1
    >>> pr.set_num_threads(before)
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"n={n!r} is not an integer; set_num_threads takes an integer of at least 1")
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"n={n!r} is out of range; set_num_threads takes an integer of at least 1")
    _ufuncs.set_num_threads(min(n, 2**31 - 1))


def get_num_threads() -> int:
    """Return how many threads a large array would use now.

    Returns
    -------
    int
        The number of threads; 1 if the library was built without OpenMP, and in a forked child process.
    """
    return _ufuncs.get_num_threads()


_ufuncs.set_num_threads(available_cpus())
