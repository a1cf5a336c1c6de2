"""How long an epoch takes on a cluster of this machine, for each `sync`: `python bench/scale.py`.

Prints seconds an epoch, and milliseconds a step, of `pyrelu.dask.DaskMLPClassifier`: the median of three differences
between fits of a few epochs more or less, which leave out what a fit costs once.
"""

import statistics
import time
import warnings

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from pyrelu._commands.processor import processor
from pyrelu.dask import DaskMLPClassifier

N_ROWS, N_FEATURES, N_PARTITIONS = 1_000_000, 50, 8
CASES = [
    *({"batch_size": rows} for rows in (10_000, 100_000, 1_000_000)),
    {"sync": "epoch", "batch_size": 200},
    {"solver": "lbfgs"},
]


def seconds_per_epoch(X, y, settings, few=1, many=4):
    """Return the median over three pairs of fits."""
    times = []
    for _ in range(3):
        taken = {}
        for max_iter in (few, many):
            start = time.perf_counter()
            DaskMLPClassifier((100,), random_state=0, tol=0, max_iter=max_iter, **settings).fit(X, y)
            taken[max_iter] = time.perf_counter() - start
        times.append((taken[many] - taken[few]) / (many - few))
    return statistics.median(times)


def main():
    """Measure all cases, and print them."""
    warnings.simplefilter("ignore")
    print(f"{processor()}; {N_ROWS} rows x {N_FEATURES} float32, {N_PARTITIONS} partitions, two workers of one thread")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster),
    ):
        X = np.random.default_rng(0).standard_normal((N_ROWS, N_FEATURES)).astype(np.float32)
        y = (X[:, 0] > 0).astype(int)
        rows = N_ROWS // N_PARTITIONS
        X, y = da.from_array(X, chunks=(rows, N_FEATURES)).persist(), da.from_array(y, chunks=rows).persist()
        for settings in CASES:
            seconds = seconds_per_epoch(X, y, settings)
            words = ", ".join(f"{name}={value!r}" for name, value in settings.items())
            steps = N_ROWS / settings["batch_size"] if settings.keys() == {"batch_size"} else None
            print(
                f"{words:40} {seconds:6.2f} s an epoch{f', {seconds / steps * 1e3:6.0f} ms a step' if steps else ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
