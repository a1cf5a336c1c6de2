"""Their derivatives: `pyrelu.derivative.gelu(x)` is f'(x), elementwise."""

from pyrelu import _composed, _namespace, _ufuncs

_functions = _namespace.build(_ufuncs.DERIVATIVE, __name__)
_functions |= _composed.derivative(_functions, __name__)
__all__ = _namespace.public(_functions)
globals().update(_functions)
