"""Their vector-Jacobian products: `pyrelu.vjp.gelu(x, g)` is g * f'(x) in one pass."""

from pyrelu import _composed, _namespace, _ufuncs, functional

_functions = _namespace.build(_ufuncs.VJP, __name__)
_functions |= _composed.vjp(_functions, vars(functional), __name__)
__all__ = _namespace.public(_functions)
globals().update(_functions)
