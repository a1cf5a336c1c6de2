"""The clock of `pyrelu bench`, and of bench/ in the source."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

SAMPLE = 100_000  # the shortest sample in nanoseconds: about a thousand times longer than reading the clock

# Before a sample, calls that are not timed, as long as they take less than so many nanoseconds together: where another
# candidate's temporary arrays fill the caches, the second call still takes up to 1.4 times as long as the fourth.
WARMING_CALLS, WARMING = 3, 5_000_000


def in_turn(
    candidates: Mapping[str, Callable[[], object]],
    seconds: float = 0.4,
    rounds: tuple[int, int] = (7, 301),
    statistic: Callable[[list[float]], float] = median,
    prepare: Callable[[str], object] = lambda name: None,
) -> dict[str, float]:
    """Return name -> nanoseconds of one call, the median of all samples.

    A round takes one sample of each candidate, A B C A B C ..., so that other load on the machine affects them
    alike. A sample begins with up to `WARMING_CALLS` calls that are not timed, which bring the candidate's own arrays
    back into the caches; enough calls to last `SAMPLE` follow.

    Parameters
    ----------
    candidates : dict
        name -> callable without arguments.
    seconds : float
        Time to spend on each candidate, about.
    rounds : tuple of int
        The smallest and the largest number of rounds, regardless of their duration.
    statistic : callable
        What to take of a candidate's samples.
    prepare : callable
        Called with a candidate's name before each of its samples.
    """
    calls: dict[str, int] = {}
    warming: dict[str, int] = {}
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for name, candidate in candidates.items():
        prepare(name)
        candidate()  # compiles, loads, allocates
        calls[name] = 1
        while (each := clocked(candidate, calls[name])) * calls[name] < SAMPLE:
            calls[name] = max(2 * calls[name], int(SAMPLE / each))
        warming[name] = min(WARMING_CALLS, 1 + int(WARMING / each))
    end = time.perf_counter() + seconds * len(candidates)
    with no_garbage_collection():
        for done in range(rounds[1]):
            if done >= rounds[0] and time.perf_counter() > end:
                break
            for name, candidate in candidates.items():
                prepare(name)
                for _ in range(warming[name]):
                    candidate()
                samples[name].append(clocked(candidate, calls[name]))
    return {name: statistic(times) for name, times in samples.items()}


def clocked(candidate: Callable[[], object], calls: int = 1) -> float:
    """Return the nanoseconds per call, measured over `calls` calls."""
    repeats = range(calls)
    start = time.perf_counter_ns()
    for _ in repeats:
        candidate()
    return max(time.perf_counter_ns() - start, 1) / calls


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the garbage collector from running within a sample."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
