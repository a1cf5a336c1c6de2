"""Shared helpers: uniform calls of the table's functions, comparison of bits, fits of a few epochs."""

import importlib.util
import inspect
import itertools
import math
import zlib

import numpy as np
import pytest
import sklearn.neural_network

import pyrelu as pr
from pyrelu.registry import activations

# The mark of tests with so few epochs that fits warn. The class is a part of the text: pytest overlooks `category=`.
few_epochs = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::pyrelu.exceptions.DeadUnitWarning"
)

HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None  # from scikit-learn 1.9 on

# From scikit-learn 1.7 on its MLPs take sample weights, the regressor a loss, and early stopping words as labels.
BEFORE_1_7 = "loss" not in inspect.signature(sklearn.neural_network.MLPRegressor).parameters
from_1_7 = pytest.mark.skipif(BEFORE_1_7, reason="scikit-learn's MLPs have this from 1.7 on")

# A ufunc knows its module from NumPy 2.2 on. Before, pickle looks for its name in all modules, in deprecated ones, too.
pickles_ufuncs = pytest.mark.filterwarnings(*([] if hasattr(np.add, "__module__") else ["ignore::DeprecationWarning"]))

PARAMETERS_WITHOUT_DEFAULT = (0.25, -1.75)  # what tests give where a function has none, as `weight` of prelu


def parameters(name):
    """Return the parameters that a call must give."""
    required = [k for k, default in activations[name].parameters.items() if default is None]
    return dict(zip(required, PARAMETERS_WITHOUT_DEFAULT, strict=False))


def parameter_values(name, dtype=np.float64):
    """Return tuples of values within the domains: the ends that belong to them, small ones, large ones, either sign."""
    row = activations[name]
    of_each = []
    for domain in row.parameter_domains.values():
        low, high = map(float, domain[1:-1].split(","))
        some = [-math.inf, -1e3, -1.0, -0.1, -1e-3, 0.0, 1e-3, 0.3, 1.0, 3.0, 1e3, math.inf]
        of_each.append(
            [v for v in some if low < v < high or (v == low and "[" in domain) or (v == high and "]" in domain)]
        )
    ordered = bool(row.condition)
    return [
        tuple(dtype(v) for v in values)
        for values in itertools.product(*of_each)
        if not ordered or values[0] <= values[1]
    ]


def call(namespace, name, *arrays, **keywords):
    """pyrelu.<namespace>.<name>(x or x and g, ...); parameters without a default are given one."""
    return getattr(getattr(pr, namespace), name)(*arrays, *parameters(name).values(), **keywords)


def derivative(name, x, **keywords):
    return call("derivative", name, x, **keywords)


def forward(name, x, **keywords):
    return call("functional", name, x, **keywords)


def vjp(name, x, g, **keywords):
    return call("vjp", name, x, g, **keywords)


def arrays_of(namespace, x, g):
    """The arrays that a function of the namespace takes."""
    return (x, g) if namespace == "vjp" else (x,)


NAMESPACES = ("functional", "derivative", "vjp")


def rng(*key):
    """A generator that depends on nothing but `key`."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def same_bits(a, b):
    """Return True where two arrays have one shape, type and every bit in common (NaN equals NaN of any payload).

    Raises
    ------
    AssertionError
        Where they have not. It says where they differ, and by how many ULP.
    """
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{a.dtype} of shape {a.shape}, not {b.dtype} of shape {b.shape}"
    if a.dtype.kind != "f":
        assert np.array_equal(a, b), f"{a} is not {b}"
        return True
    ours, theirs = (_in_order(array) for array in (a, b))
    different = np.argwhere((ours != theirs) & ~(np.isnan(a) & np.isnan(b)))
    if len(different):
        first = tuple(map(int, different[0]))
        ulps = [abs(int(ours[tuple(i)]) - int(theirs[tuple(i)])) for i in different]
        raise AssertionError(
            f"{len(different)} of {a.size} differ, by {max(ulps)} ULP at most; the first at {first}: "
            f"{a[first]!r}, not {b[first]!r}, {ulps[0]} ULP"
        )
    return True


def _in_order(a):
    """Return the bits as integers that increase with the numbers, by one from each to the next; -0 comes before 0."""
    bits = np.ascontiguousarray(a).reshape(a.shape).view(f"i{a.dtype.itemsize}")
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits - 1, bits)


def write(folder, content, name="data.csv"):
    """Write text or bytes to a file in a folder; return its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)
