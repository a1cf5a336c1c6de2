"""Activation functions for NumPy arrays, exact and fast, and the multi-layer perceptrons built on them.

`pyrelu.gelu(x)` is an activation, `pyrelu.derivative.gelu(x)` its derivative, `pyrelu.vjp.gelu(x, g)` g times that in
one pass; `pyrelu.activations` lists them all. `pyrelu.MLPClassifier` and
`pyrelu.MLPRegressor` are scikit-learn's with any of them.
"""

from importlib import import_module as _import_module

try:
    from pyrelu import derivative, functional, registry, vjp
except ImportError:
    from importlib.util import find_spec as _find_spec
    from pathlib import Path as _Path

    if _find_spec("pyrelu._ufuncs"):
        raise
    _folder = _Path(__file__).resolve().parent.parent
    raise ImportError(
        f"{_folder} holds pyrelu's source code without its compiled modules: build them there with `pip install -e .`, "
        "or start Python in another directory to import an installed pyrelu"
    ) from None
from pyrelu._threads import get_num_threads, set_num_threads
from pyrelu.functional import *  # noqa: F403
from pyrelu.registry import activations, axis_functions

__version__ = "0.1.0"

# Loaded on first use: scikit-learn takes a hundred times as long to import as the functions do.
_LAZY = {
    "MLPClassifier": "pyrelu.neural_network",
    "MLPRegressor": "pyrelu.neural_network",
    "TabularMLPClassifier": "pyrelu.tabular",
    "TabularMLPRegressor": "pyrelu.tabular",
}
_LAZY_MODULES = (
    "callbacks",
    "dask",
    "distributed",
    "exceptions",
    "inspection",
    "neural_network",
    "onnx",
    "plot",
    "tabular",
)

__all__ = [
    *functional.__all__,
    *_LAZY,
    "activations",
    "axis_functions",
    "derivative",
    "functional",
    "get_num_threads",
    "registry",
    "set_num_threads",
    "vjp",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(_import_module(_LAZY[name]), name)
    if name in _LAZY_MODULES:
        return _import_module(f"pyrelu.{name}")
    raise AttributeError(f"module 'pyrelu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY_MODULES, "__version__"})
