"""The clock for what is long enough to be timed once, such as a whole fit."""

import time
from statistics import median

from pyrelu._commands.timing import clocked, no_garbage_collection


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
    with no_garbage_collection():
        for _ in range(rounds):
            for name, call in candidates.items():
                time.sleep(pause)
                samples[name].append(clocked(call))
    return {name: median(times) for name, times in samples.items()}
