"""The activation functions: `pyrelu.gelu(x)`."""

from pyrelu import _ufuncs
from pyrelu._functions import composed, namespace

_functions = namespace.build(_ufuncs.FORWARD, __name__)
_functions |= composed.forward(_functions, __name__)
__all__ = sorted(_functions)
globals().update(_functions)


def __dir__():
    return __all__
