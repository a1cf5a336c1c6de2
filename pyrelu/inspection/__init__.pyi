# Written by tools/generate.py from signatures and docstrings: do not edit.

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.neural_network
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

from pyrelu.inspection._linear_map import LinearMap as LinearMap
from pyrelu.inspection._repeated import Repeated as Repeated
from pyrelu.inspection._report import LayerRecord as LayerRecord
from pyrelu.inspection._report import LayerReport as LayerReport
from pyrelu.neural_network import MLPClassifier, MLPRegressor

__all__ = [
    "ActivityRecorder",
    "LayerRecord",
    "LayerReport",
    "LinearMap",
    "Repeated",
    "dead_units",
    "gradient_norms",
    "layer_report",
    "local_linear_map",
    "repeated",
    "unit_activity",
]

def dead_units(estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike | spmatrix | sparray) -> list[NDArray[np.bool_]]: ...
def gradient_norms(estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike | spmatrix | sparray, y: ArrayLike) -> NDArray[Any]: ...
def layer_report(estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike | spmatrix | sparray, y: ArrayLike | None = None) -> LayerReport: ...
def local_linear_map(estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, x: ArrayLike) -> LinearMap: ...
def repeated(f: str | tuple[str, dict[Any, Any]] | Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]], x: ArrayLike, n: int) -> Repeated: ...
def unit_activity(estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike | spmatrix | sparray) -> list[NDArray[np.floating[Any]]]: ...

class ActivityRecorder:
    X: ArrayLike | spmatrix | sparray
    activity_: list[list[NDArray[Any]]]
    def __init__(self, X: ArrayLike | spmatrix | sparray) -> None: ...
    def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...
    def on_fit_task_end(self, estimator: Any, context: Any) -> None: ...
    def record(self, estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor) -> None: ...
    def setup(self, estimator: Any, context: Any) -> None: ...
    def teardown(self, estimator: Any, context: Any) -> None: ...
