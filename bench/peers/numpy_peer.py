"""NumPy and SciPy: the formulas of `pyrelu bench`, and their derivatives."""

import numpy as np
import scipy
from scipy import special

from pyrelu._commands.formulas import NUMPY, SCIPY

VERSIONS = {"NumPy": np.__version__, "SciPy": scipy.__version__}

# name -> f'(x), for derivative and vjp: NumPy's own functions where they suffice, else SciPy's
NUMPY_DERIVATIVE = {
    "relu": lambda x: (x > 0).astype(x.dtype),
    "leaky_relu": lambda x: np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01)),
    "elu": lambda x: np.where(x > 0, 1, np.exp(x)),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "softsign": lambda x: 1 / (1 + np.abs(x)) ** 2,
    "exponential": np.exp,
}
SCIPY_DERIVATIVE = {
    "sigmoid": lambda x: _times_complement(special.expit(x)),
    "softplus": special.expit,
    "log_sigmoid": lambda x: special.expit(-x),
    "silu": lambda x: _silu_derivative(x, special.expit(x)),
}


def threads(n):
    """NumPy's and SciPy's functions run on one thread."""


def candidates(name, namespace, x, g):
    """Return peer -> callable for one function, as `peers.candidates` has it."""
    out = np.empty_like(x)
    tables = (NUMPY, SCIPY) if namespace == "functional" else (NUMPY_DERIVATIVE, SCIPY_DERIVATIVE)
    found = {peer: table[name] for peer, table in zip(VERSIONS, tables, strict=True) if name in table}
    return {peer: _call(namespace, f, x, g, out) for peer, f in found.items()}


def _call(namespace, f, x, g, out):
    if namespace == "functional":
        return lambda: f(x, out)
    return (lambda: f(x)) if namespace == "derivative" else lambda: g * f(x)


def _times_complement(s):
    return s * (1 - s)


def _silu_derivative(x, s):
    return s * (1 + x * (1 - s))
