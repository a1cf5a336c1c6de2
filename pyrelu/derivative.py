"""The derivatives of the activation functions: `pyrelu.derivative.gelu(x)` is f'(x), elementwise."""

from pyrelu import _ufuncs
from pyrelu._functions import composed, namespace

_functions = namespace.build(_ufuncs.DERIVATIVE, __name__)
_functions |= composed.derivative(_functions, __name__)
__all__ = sorted(_functions)
globals().update(_functions)


def __dir__():
    return __all__
