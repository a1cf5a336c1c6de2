"""The functions as one writes them with NumPy, and SciPy's own: the peers of `pyrelu bench`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

PARAMETER = 0.25  # the value of a parameter without a default, such as prelu's `weight`

_SELU = 1.0507009873554805, 1.7580993408473766
_GELU_TANH = 0.7978845608028654, 0.044715  # sqrt(2/pi), and the cubic term of Hendrycks and Gimpel, arXiv:1606.08415
_RRELU = 11 / 48  # the mean slope

Formula = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]  # f(x, out)

# name -> formula; a single ufunc writes to out
NUMPY: dict[str, Formula] = {
    "identity": lambda x, out: np.positive(x, out=out),
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "leaky_relu": lambda x, out: np.where(x > 0, x, 0.01 * x),
    "prelu": lambda x, out: np.where(x > 0, x, PARAMETER * x),
    "rrelu": lambda x, out: np.where(x > 0, x, _RRELU * x),
    "relu6": lambda x, out: np.clip(x, 0, 6, out=out),
    "relu_squared": lambda x, out: np.maximum(x, 0) ** 2,
    "threshold": lambda x, out: np.where(x > PARAMETER, x, PARAMETER),
    "hardtanh": lambda x, out: np.clip(x, -1, 1, out=out),
    "hardsigmoid": lambda x, out: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x, out: x * np.clip(x + 3, 0, 6) / 6,
    "hardshrink": lambda x, out: np.where(np.abs(x) > 0.5, x, 0),
    "softshrink": lambda x, out: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "step": lambda x, out: np.heaviside(x, 0, out=out),
    "elu": lambda x, out: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x, out: np.where(x > 0, _SELU[0] * x, _SELU[1] * np.expm1(x)),
    "celu": lambda x, out: np.where(x > 0, x, np.expm1(x)),
    "sigmoid": lambda x, out: 1 / (1 + np.exp(-x)),
    "log_sigmoid": lambda x, out: -np.logaddexp(0, -x),
    "tanh": lambda x, out: np.tanh(x, out=out),
    "tanhshrink": lambda x, out: x - np.tanh(x),
    "softplus": lambda x, out: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0),
    "softsign": lambda x, out: x / (1 + np.abs(x)),
    "squareplus": lambda x, out: (x + np.sqrt(x * x + 4)) / 2,
    "gelu_tanh": lambda x, out: x * (1 + np.tanh(_GELU_TANH[0] * (x + _GELU_TANH[1] * x**3))) / 2,
    "quick_gelu": lambda x, out: x / (1 + np.exp(-1.702 * x)),
    "silu": lambda x, out: x / (1 + np.exp(-x)),
    "mish": lambda x, out: x * np.tanh(np.log1p(np.exp(x))),
    "exponential": lambda x, out: np.exp(x, out=out),
    "softmax": lambda x, out: _normalised(np.exp(x - x.max(-1, keepdims=True))),
    "softmin": lambda x, out: _normalised(np.exp(x.min(-1, keepdims=True) - x)),
    "logsumexp": lambda x, out: np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1)) + x.max(-1),
}

SCIPY: dict[str, Formula] = {
    "sigmoid": lambda x, out: special.expit(x, out=out),
    "log_sigmoid": lambda x, out: special.log_expit(x, out=out),
    "gelu": lambda x, out: x * special.ndtr(x),
    "quick_gelu": lambda x, out: x * special.expit(1.702 * x),
    "silu": lambda x, out: x * special.expit(x),
    "softmax": lambda x, out: special.softmax(x, axis=-1),
    "softmin": lambda x, out: special.softmax(-x, axis=-1),
    "log_softmax": lambda x, out: special.log_softmax(x, axis=-1),
    "logsumexp": lambda x, out: special.logsumexp(x, axis=-1),
}
if hasattr(special, "softplus"):  # SciPy 1.16
    SCIPY["softplus"] = lambda x, out: special.softplus(x, out=out)
    SCIPY["mish"] = lambda x, out: x * np.tanh(special.softplus(x))


def _normalised(e: NDArray[Any]) -> NDArray[Any]:
    shares: NDArray[Any] = e / e.sum(-1, keepdims=True)
    return shares
