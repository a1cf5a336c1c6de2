"""The vector-Jacobian products of the activation functions: `pyrelu.vjp.gelu(x, g)` is g * f'(x) in one pass."""

from pyrelu import _ufuncs
from pyrelu._functions import composed, namespace

_functions = namespace.build(_ufuncs.VJP, __name__)
_functions |= composed.vjp(_functions, __name__)
__all__ = sorted(_functions)
globals().update(_functions)


def __dir__():
    return __all__
