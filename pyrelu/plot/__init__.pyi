# Written by tools/generate.py from signatures and docstrings: do not edit.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import sklearn.neural_network
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix
from sklearn.inspection import DecisionBoundaryDisplay as DecisionBoundaryDisplay

from pyrelu.inspection import ActivityRecorder
from pyrelu.neural_network import MLPClassifier, MLPRegressor
from pyrelu.plot._activation import Curve

__all__ = [
    "ActivationDisplay",
    "ActivationGridDisplay",
    "ActivationOverlayDisplay",
    "DecisionBoundaryDisplay",
    "GradientNormDisplay",
    "LinearRegionsDisplay",
    "LossCurveDisplay",
    "UnitActivityDisplay",
]


class ActivationDisplay:
    name: str
    parameters: Mapping[str, float]
    function: Curve
    slope: Curve
    formula: str
    line_: Line2D
    derivative_line_: Line2D
    dots_: list[Line2D]
    text_: Annotation
    legend_: Legend | None
    ax_: Axes
    figure_: Figure
    def __init__(self, name: str, parameters: Mapping[str, float], function: Curve, slope: Curve, formula: str) -> None: ...
    @classmethod
    def from_name(cls, name: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]], *, x_range: tuple[float, float] | None = None, derivative: bool = True, label: str | None = None, ax: Axes | None = None, **keywords: Any) -> Self: ...
    def plot(self, *, ax: Axes | None = None, derivative: bool = True, labels: bool = True, label: str | None = None, **keywords: Any) -> Self: ...

class ActivationGridDisplay:
    displays: list[ActivationDisplay]
    displays_: list[ActivationDisplay]
    legend_: Legend
    axes_: NDArray[Any]
    figure_: Figure
    def __init__(self, displays: list[ActivationDisplay]) -> None: ...
    @classmethod
    def from_names(cls, names: Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | None = None, *, columns: int | None = None, x_range: tuple[float, float] | None = None, derivative: bool = True, share: bool = True, figure: Figure | None = None) -> Self: ...
    def plot(self, *, columns: Any | None = None, derivative: Any = True, share: Any = True, figure: Any | None = None) -> Self: ...

class ActivationOverlayDisplay:
    displays: Mapping[str, ActivationDisplay]
    lines_: list[Line2D]
    derivative_lines_: list[Line2D]
    legend_: Legend
    ax_: Axes
    derivative_ax_: Axes
    figure_: Figure
    def __init__(self, displays: Mapping[str, ActivationDisplay]) -> None: ...
    @classmethod
    def from_names(cls, names: Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | dict[Any, Any], *, x_range: tuple[float, float] | None = None, derivative: bool = True, below: bool = False, figure: Figure | None = None, **keywords: Any) -> Self: ...
    def plot(self, *, derivative: Any = True, below: Any = False, figure: Any | None = None, **keywords: Any) -> Self: ...

class GradientNormDisplay:
    norms: Mapping[str, NDArray[Any]]
    lines_: list[Line2D]
    texts_: list[Annotation]
    ax_: Axes
    figure_: Figure
    def __init__(self, norms: Mapping[str, NDArray[Any]]) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike | spmatrix | sparray, y: ArrayLike, *, name: str | None = None, ax: Axes | None = None, **keywords: Any) -> Self: ...
    @classmethod
    def from_estimators(cls, estimators: Mapping[str, MLPClassifier | MLPRegressor | sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor] | Sequence[MLPClassifier | MLPRegressor | sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor], X: ArrayLike | spmatrix | sparray, y: ArrayLike, *, ax: Axes | None = None, **keywords: Any) -> Self: ...
    def plot(self, *, ax: Axes | None = None, **keywords: Any) -> Self: ...

class LinearRegionsDisplay:
    xx0: NDArray[Any]
    xx1: NDArray[Any]
    maps: NDArray[Any]
    margins: NDArray[Any] | None
    bends: list[NDArray[Any]]
    feature_names: Sequence[str]
    output_name: str
    image_: AxesImage
    edges_: list[ContourSet]
    boundaries_: list[ContourSet]
    legend_: Legend
    key_ax_: Axes
    ax_: Axes
    figure_: Figure
    def __init__(self, xx0: NDArray[Any], xx1: NDArray[Any], maps: NDArray[Any], margins: NDArray[Any] | None, bends: list[NDArray[Any]], feature_names: Sequence[str] = (), output_name: str = "output") -> None: ...
    @classmethod
    def from_estimator(cls, estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, X: ArrayLike, *, output: int = 0, grid_resolution: int = 400, eps: float | None = None, ax: Axes | None = None) -> Self: ...
    def plot(self, *, ax: Axes | None = None) -> Self: ...

class LossCurveDisplay:
    curves: Mapping[str, Sequence[float]]
    validation: Mapping[str, Sequence[float]] | None
    lines_: list[Line2D]
    validation_lines_: list[Line2D]
    texts_: list[Annotation]
    ax_: Axes
    validation_ax_: Axes
    figure_: Figure
    def __init__(self, curves: Mapping[str, Sequence[float]], validation: Mapping[str, Sequence[float]] | None = None) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: MLPClassifier | sklearn.neural_network.MLPClassifier | MLPRegressor | sklearn.neural_network.MLPRegressor, *, name: str | None = None, ax: Axes | None = None, validation_ax: Axes | None = None, **keywords: Any) -> Self: ...
    @classmethod
    def from_estimators(cls, estimators: Mapping[str, MLPClassifier | MLPRegressor | sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor] | Sequence[MLPClassifier | MLPRegressor | sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor], *, ax: Axes | None = None, validation_ax: Axes | None = None, **keywords: Any) -> Self: ...
    def plot(self, *, ax: Axes | None = None, validation_ax: Axes | None = None, **keywords: Any) -> Self: ...

class UnitActivityDisplay:
    activity: list[NDArray[Any]]
    epochs: ArrayLike | None
    images_: list[QuadMesh]
    colorbar_: Colorbar
    axes_: NDArray[Any]
    figure_: Figure
    def __init__(self, activity: list[NDArray[Any]], epochs: ArrayLike | None = None) -> None: ...
    @classmethod
    def from_recorder(cls, recorder: ActivityRecorder, *, axes: Sequence[Axes] | None = None) -> Self: ...
    def plot(self, *, axes: Sequence[Axes] | None = None) -> Self: ...
