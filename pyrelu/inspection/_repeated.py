"""An activation applied repeatedly."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pyrelu._mlp.activation import Function, One
from pyrelu._typing import Floats
from pyrelu.inspection._trace import elementwise


class Repeated(NamedTuple):
    """What `repeated` returns: ``f(f(...f(x)))`` and its derivative with respect to x."""

    value: Floats
    derivative: Floats


def repeated(f: One | Function, x: ArrayLike, n: int) -> Repeated:
    """Apply an activation n times; return the value and its derivative by the chain rule.

    This is a network with one unit per layer and weights of 1. relu applied twice is relu, so its gradient stays 0 or 1
    at any depth; each sigmoid multiplies the gradient by at most 1/4.

    Parameters
    ----------
    f : str, (str, dict), function of pyrelu or (callable, callable)
        The activation: a name or alias in `pyrelu.activations`, with its parameters as in
        ``("leaky_relu", {"negative_slope": 0.2})``; a function such as `pyrelu.relu`; or any function and its
        derivative.
    x : array_like
        The starting points.
    n : int
        How many times to apply it; 0 returns x and a derivative of 1.

    Returns
    -------
    value, derivative : ndarray
        Arrays of the shape of x.

    Raises
    ------
    ValueError
        If f is not known or not elementwise, or n is not an int of at least 0.

    Examples
    --------
    >>> import pyrelu as pr
    >>> from pyrelu.inspection import repeated
    >>> repeated(pr.relu, [-1.0, 2.0], 10)
    Repeated(value=array([0., 2.]), derivative=array([0., 1.]))
    >>> bool(repeated("sigmoid", 0.0, 10).derivative < 0.25**9)
    True
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 0:
        raise ValueError(f"n={n!r} is not an int in the range [0, inf)")
    name: Any = getattr(f, "__name__", f)
    activation, slopes = elementwise(name)
    value = np.asarray(x)
    value = value if value.dtype.kind == "f" else value.astype(float)
    slope = np.ones_like(value)
    for _ in range(n):
        slope = slope * slopes(value)
        value = activation.forward(value)
    return Repeated(value, slope)
