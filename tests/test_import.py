"""`import pyrelu` is light: NumPy and the kernels, nothing of scikit-learn or SciPy before an estimator is asked for."""

import subprocess
import sys

import pyrelu


def test_import_loads_only_numpy_and_the_kernels():
    code = "import sys, pyrelu; print([m for m in ('scipy', 'sklearn', 'joblib', 'threadpoolctl') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_public_name_is_there():
    for name in pyrelu.__all__:
        assert getattr(pyrelu, name) is not None
    assert set(pyrelu.__all__) <= set(dir(pyrelu))


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(pyrelu, "no_such_name")
