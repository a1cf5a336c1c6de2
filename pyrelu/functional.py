"""The activation functions: `pyrelu.gelu(x)`."""

from pyrelu import _composed, _namespace, _ufuncs

_functions = _namespace.build(_ufuncs.FORWARD, __name__)
_functions |= _composed.forward(_functions, __name__)
__all__ = _namespace.public(_functions)
globals().update(_functions)
