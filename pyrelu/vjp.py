"""Their vector-Jacobian products: `pyrelu.vjp.gelu(x, g)` is g * f'(x) in one pass."""

from pyrelu import _namespace, _ufuncs

_functions = _namespace.build(_ufuncs.VJP, __name__)
__all__ = _namespace.public(_functions)
globals().update(_functions)
