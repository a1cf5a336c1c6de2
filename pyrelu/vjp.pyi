# Written by tools/generate.py from src/*.def: do not edit.

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

__all__: list[str]

identity: np.ufunc
relu: np.ufunc
prelu: np.ufunc
selu: np.ufunc
sigmoid: np.ufunc
tanh: np.ufunc
silu: np.ufunc
gelu_tanh: np.ufunc
softmax: np.ufunc
softmin: np.ufunc
log_softmax: np.ufunc
logsumexp: np.ufunc
sparsemax: np.ufunc

def leaky_relu(x: ArrayLike, g: ArrayLike, negative_slope: ArrayLike = 0.01, out: Any = None, **kwargs: Any) -> Any: ...
def elu(x: ArrayLike, g: ArrayLike, alpha: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...
def gelu(x: ArrayLike, g: ArrayLike, approximate: Literal["none", "tanh"] = "none", out: Any = None, **kwargs: Any) -> Any: ...
def softplus(x: ArrayLike, g: ArrayLike, beta: ArrayLike = 1.0, out: Any = None, **kwargs: Any) -> Any: ...

linear = identity
logistic = sigmoid
expit = sigmoid
swish = silu
