# Written by tools/generate.py from src/*.def: do not edit.

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "celu",
    "crelu",
    "elu",
    "expit",
    "exponential",
    "geglu",
    "gelu",
    "gelu_tanh",
    "glu",
    "hard_silu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logistic",
    "logsigmoid",
    "logsumexp",
    "maxout",
    "mish",
    "prelu",
    "quick_gelu",
    "reglu",
    "relu",
    "relu6",
    "relu_squared",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "step",
    "swiglu",
    "swish",
    "tanh",
    "tanhshrink",
    "threshold",
]

exponential: np.ufunc
gelu_tanh: np.ufunc
hardsigmoid: np.ufunc
hardswish: np.ufunc
identity: np.ufunc
log_sigmoid: np.ufunc
mish: np.ufunc
quick_gelu: np.ufunc
relu: np.ufunc
relu6: np.ufunc
relu_squared: np.ufunc
selu: np.ufunc
sigmoid: np.ufunc
silu: np.ufunc
softsign: np.ufunc
sparse_plus: np.ufunc
sparse_sigmoid: np.ufunc
step: np.ufunc
tanh: np.ufunc
tanhshrink: np.ufunc

def celu(x: ArrayLike, alpha: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...
def crelu(x: ArrayLike, axis: int = -1, out: Any = None) -> Any: ...
def elu(x: ArrayLike, alpha: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...
def geglu(x: ArrayLike, axis: int = -1, out: Any = None) -> Any: ...
def gelu(x: ArrayLike, approximate: Literal["none", "tanh"] = "none", out: Any = None, **kwargs: Any) -> Any: ...
def glu(x: ArrayLike, axis: int = -1, out: Any = None) -> Any: ...
def hardshrink(x: ArrayLike, lambd: ArrayLike = 0.5, out: Any = None, **kwargs: Any) -> Any: ...
def hardtanh(x: ArrayLike, min_val: ArrayLike = -1.0, max_val: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...
def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 0.01, out: Any = None, **kwargs: Any) -> Any: ...
def log_softmax(x: ArrayLike, axis: int = -1, out: Any = None, **kwargs: Any) -> Any: ...
def logsumexp(x: ArrayLike, axis: int = -1, out: Any = None, **kwargs: Any) -> Any: ...
def maxout(x: ArrayLike, num_pieces: int, axis: int = -1, out: Any = None) -> Any: ...
def prelu(x: ArrayLike, weight: ArrayLike, out: Any = None, **kwargs: Any) -> Any: ...
def reglu(x: ArrayLike, axis: int = -1, out: Any = None) -> Any: ...
def rrelu(x: ArrayLike, lower: ArrayLike = 0.125, upper: ArrayLike = 0.3333333333333333, training: bool = False, rng: int | np.random.Generator | None = None, out: Any = None, **kwargs: Any) -> Any: ...
def softmax(x: ArrayLike, axis: int = -1, out: Any = None, **kwargs: Any) -> Any: ...
def softmin(x: ArrayLike, axis: int = -1, out: Any = None, **kwargs: Any) -> Any: ...
def softplus(x: ArrayLike, beta: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...
def softshrink(x: ArrayLike, lambd: ArrayLike = 0.5, out: Any = None, **kwargs: Any) -> Any: ...
def sparsemax(x: ArrayLike, axis: int = -1, out: Any = None, **kwargs: Any) -> Any: ...
def squareplus(x: ArrayLike, b: ArrayLike = 4.0, out: Any = None, **kwargs: Any) -> Any: ...
def swiglu(x: ArrayLike, axis: int = -1, out: Any = None) -> Any: ...
def threshold(x: ArrayLike, threshold: ArrayLike, value: ArrayLike, out: Any = None, **kwargs: Any) -> Any: ...

expit = sigmoid
hard_silu = hardswish
linear = identity
logistic = sigmoid
logsigmoid = log_sigmoid
swish = silu
