"""The memory of fits and predictions: that of their results and of a micro-batch, independent of the number of rows."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._memory import CACHE_LINE, on_lines

HIDDEN = 512  # units: 2 KiB a row in float32, were the layer's outputs of all rows kept


def peak(call, n):
    """Return the peak number of bytes that the call allocates for n rows of two features."""
    X = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    tracemalloc.start()
    try:
        call(X, X[:, 0] > 0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def per_row(call):
    few, many = 2_000, 12_000  # both of several slices
    peak(call, few)  # what is loaded on first use
    return (peak(call, many) - peak(call, few)) / (many - few)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_training(estimator, solver):
    batch_size = "auto" if solver == "lbfgs" else 2_000
    mlp = estimator(hidden_layer_sizes=HIDDEN, solver=solver, max_iter=1, batch_size=batch_size)
    assert per_row(lambda X, y: mlp.fit(X, y)) < 4 * HIDDEN / 8


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_prediction():
    mlp = MLPClassifier((HIDDEN,), max_iter=1).fit(np.eye(2, dtype=np.float32), [0, 1])
    assert per_row(lambda X, y: mlp.predict_proba(X)) < 4 * HIDDEN / 8


MAPPED = """
import resource, sys, warnings
import numpy as np
from pyrelu import MLPClassifier
import sklearn.preprocessing  # loads what a fit loads

warnings.simplefilter("ignore")
rows, columns = 1 << 16, 1 << 10
X = np.memmap(sys.argv[1], np.float32, "w+", shape=(rows, columns))
X[::1000, 0] = 1
y = np.asarray(X[:, 0]) > 0
MLPClassifier((4,), max_iter=1).fit(X[:300], y[:300])
used = 1024 * int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData")))
resource.setrlimit(resource.RLIMIT_DATA, (used + X.nbytes // 2,) * 2)
try:
    np.array(X)
    sys.exit("the limit does not hold")
except MemoryError:
    pass
for options in (dict(shuffle=True), dict(early_stopping=True), dict(solver="lbfgs")):
    mlp = MLPClassifier((4,), max_iter=1, **options).fit(X, y)
    print(options, mlp.predict_proba(X).shape == (rows, 2), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process may allocate beside mapped files")
def test_mapped_file_larger_than_memory(tmp_path):
    result = subprocess.run([sys.executable, "-c", MAPPED, tmp_path / "X"], capture_output=True, text=True)
    fits = ("{'shuffle': True}", "{'early_stopping': True}", "{'solver': 'lbfgs'}")
    assert result.stdout == "".join(f"{options} True\n" for options in fits), result.stderr


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 15, 16, 1000])
@pytest.mark.parametrize("n_arrays", [1, 3])
def test_arrays_begin_with_a_line(n_arrays, size, dtype):
    arrays = on_lines(n_arrays, size, dtype, zeros=True)
    assert [(a.shape, a.dtype, a.any(), a.ctypes.data % CACHE_LINE) for a in arrays] == [
        ((size,), dtype, False, 0)
    ] * n_arrays
    for number, a in enumerate(arrays, 1):
        a[:] = number
    assert all((a == number).all() for number, a in enumerate(arrays, 1))


def test_what_a_step_changes_begins_with_a_line():
    mlp = MLPClassifier((5,), max_iter=1, random_state=0)
    X = np.eye(20, 3, dtype=np.float32)
    for _ in range(2):
        mlp.partial_fit(X, X[:, 0] > 0, classes=[False, True])
        assert [a.ctypes.data % CACHE_LINE for a in (mlp.coefs_[0], *mlp._optimizer.state)] == [0, 0, 0]
