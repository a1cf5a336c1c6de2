"""How long a large table takes, and how much memory beside it: `python bench/tabular/large.py`.

For 1 and 2 threads, and for a classifier and a regressor, each in a process of its own: wall-clock and CPU seconds of an
epoch (the difference of two fits of a few epochs, by `EPOCHS`), the peak of resident memory beyond what the process held
with the table, and the same for predictions. `--whole` runs the default fit to its end in place of a few epochs.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

EPOCHS = 1, 4


def table(n_rows, n_columns, n_categorical=5):
    """Return a table and a target that depends on some of its columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns - n_categorical), dtype=np.float32)
    signal = X[:, 0] + np.sin(2 * X[:, 1]) * X[:, 2] + rng.standard_normal(n_rows)
    frame = pd.DataFrame(X, columns=[f"number{j}" for j in range(X.shape[1])], copy=False)
    for j in range(n_categorical):
        frame[f"category{j}"] = pd.Categorical.from_codes(
            rng.integers(0, 20, n_rows).astype(np.int8), [f"level{i}" for i in range(20)]
        )
    return frame, signal


def _resident():
    """Return the resident memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _timed(call):
    """Return wall-clock and CPU seconds of a call."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - cpu


def measure(given):
    """Measure one case in this process, and print it as JSON."""
    import pyrelu

    cls = pyrelu.TabularMLPClassifier if given.kind == "classifier" else pyrelu.TabularMLPRegressor
    X, y = table(given.rows, given.columns)
    y = np.where(y > 0, "yes", "no") if given.kind == "classifier" else y
    settings = {"random_state": 0, "n_threads": given.threads}
    cls(max_iter=1, **settings).fit(X[:1000], y[:1000])  # what is imported and allocated once
    result = {"kind": given.kind, "threads": given.threads, "rows": given.rows, "table_mb": _resident()}
    if given.whole:
        mlp = cls(**settings)
        result["fit_wall_s"], result["fit_cpu_s"] = _timed(lambda: mlp.fit(X, y))
    else:
        mlp = cls(max_iter=EPOCHS[0], refit=False, **settings)
        few = _timed(lambda: mlp.fit(X, y))
        more = _timed(lambda: cls(max_iter=EPOCHS[1], refit=False, **settings).fit(X, y))
        result["epoch_wall_s"], result["epoch_cpu_s"] = (
            (b - a) / (EPOCHS[1] - EPOCHS[0]) for a, b in zip(few, more, strict=True)
        )
        result["fit_of_one_epoch_wall_s"] = few[0]
        mlp = cls(max_iter=1, **settings).fit(X, y)  # with all that the default does after the epochs
    result["fit_mb"] = _peak() - result["table_mb"]
    if given.predict:
        X = table(given.predict, given.columns)[0]
        before = max(_resident(), _peak())  # making the table has a peak of its own
        result["predict_wall_s"], result["predict_cpu_s"] = _timed(lambda: mlp.predict(X))
        result["predict_mb"] = _peak() - before
        result["predict_held_mb"] = before - _resident()
    print(json.dumps({name: value if isinstance(value, str) else round(value, 2) for name, value in result.items()}))


def main():
    """Measure each case in a process of its own."""
    parser = argparse.ArgumentParser("bench/tabular/large.py", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--predict", type=int, default=0, metavar="ROWS", help="then predict so many rows")
    parser.add_argument("--whole", action="store_true", help="the default fit, to its end")
    parser.add_argument("--threads", type=int, default=None, help="1 or 2 (default: both)")
    parser.add_argument("--kind", default=None, help="classifier or regressor (default: both)")
    parser.add_argument("--here", action="store_true", help="in this process")
    given = parser.parse_args()
    if given.here:
        return measure(given)
    for kind in [given.kind] if given.kind else ("classifier", "regressor"):
        for threads in [given.threads] if given.threads else (1, 2):
            case = ["--here", "--kind", kind, "--threads", str(threads)]
            subprocess.run([sys.executable, *sys.argv, *case], check=True)


if __name__ == "__main__":
    main()
