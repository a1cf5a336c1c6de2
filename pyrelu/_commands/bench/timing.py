"""The clock: candidates in turn, so that what else the machine does meets all of them alike."""

import gc
import time
from contextlib import contextmanager
from statistics import median

SAMPLE = 100_000  # nanoseconds that a sample lasts at least: some thousand times what reading the clock takes


def in_turn(candidates, seconds=0.4, rounds=(7, 301), statistic=median, prepare=None):
    """Return the time of one call of each candidate, the median of all samples.

    A round takes one sample of each, A B C A B C ...; a sample is one call that is not timed, so that the candidate's
    own arrays are where its use leaves them, and then calls enough to last `SAMPLE`.

    Parameters
    ----------
    candidates : dict
        name -> callable without arguments.
    seconds : float
        Time to spend on each candidate, about.
    rounds : tuple of int
        The fewest rounds, whatever they take, and the most.
    statistic : callable
        What to take of a candidate's samples.
    prepare : callable, optional
        Called with a candidate's name before each of its samples.

    Returns
    -------
    dict
        name -> nanoseconds of one call.
    """
    prepare = prepare or (lambda name: None)
    calls = {}
    for name, call in candidates.items():
        prepare(name)
        calls[name] = _calls(call)
    samples = {name: [] for name in candidates}
    end = time.perf_counter() + seconds * len(candidates)
    with _no_garbage_collection():
        for done in range(rounds[1]):
            if done >= rounds[0] and time.perf_counter() > end:
                break
            for name, call in candidates.items():
                prepare(name)
                call()
                samples[name].append(_time(call, calls[name]))
    return {name: statistic(times) for name, times in samples.items()}


def once_in_turn(candidates, rounds, pause=0.0):
    """Return the median time of each candidate where one call, such as a whole fit, is long enough to be a sample.

    Parameters
    ----------
    candidates : dict
        name -> callable without arguments; each is called once before the first round.
    rounds : int
        How often each is timed.
    pause : float, default=0.0
        Seconds before each call, for the threads of the one before to fall asleep: those of OpenBLAS and OpenMP look for
        more work for a while, and would take the cores meanwhile.

    Returns
    -------
    dict
        name -> nanoseconds of one call.
    """
    for call in candidates.values():
        call()
    samples = {name: [] for name in candidates}
    with _no_garbage_collection():
        for _ in range(rounds):
            for name, call in candidates.items():
                time.sleep(pause)
                samples[name].append(_time(call, 1))
    return {name: median(times) for name, times in samples.items()}


def _calls(call):
    """Return how many calls last for `SAMPLE`."""
    call()  # compiles, loads, allocates
    calls = 1
    while (each := _time(call, calls)) * calls < SAMPLE:
        calls = max(2 * calls, int(SAMPLE / each))
    return calls


def _time(call, calls):
    """Return the nanoseconds that one of `calls` calls takes."""
    repeats = range(calls)
    start = time.perf_counter_ns()
    for _ in repeats:
        call()
    return max(time.perf_counter_ns() - start, 1) / calls


@contextmanager
def _no_garbage_collection():
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
