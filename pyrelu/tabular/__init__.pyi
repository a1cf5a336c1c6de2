# Written by tools/generate.py from signatures and docstrings: do not edit.

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin

__all__ = [
    "TablePreprocessor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
]


class TablePreprocessor(TransformerMixin, BaseEstimator):
    categorical_features: Literal["from_dtype"] | ArrayLike
    max_one_hot: int
    numeric: Literal["robust", "standard", "quantile"]
    add_indicator: bool
    dtype: Literal["float32", "float64"]
    columns_: list[dict[Any, Any]]
    scales_: list[NDArray[Any]]
    @property
    def n_numeric_(self) -> int: ...
    @property
    def n_one_hot_(self) -> int: ...
    @property
    def cardinalities_(self) -> list[int]: ...
    feature_names_in_: NDArray[Any]
    n_features_in_: int
    def __init__(self, *, categorical_features: Literal["from_dtype"] | ArrayLike = "from_dtype", max_one_hot: int = 8, numeric: Literal["robust", "standard", "quantile"] = "robust", add_indicator: bool = True, dtype: Literal["float32", "float64"] = "float32") -> None: ...
    def fit(self, X: Any | ArrayLike, y: None = None) -> Self: ...
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]: ...
    def transform(self, X: Any | ArrayLike) -> NDArray[Any]: ...

class TabularMLPClassifier(ClassifierMixin, BaseEstimator):
    preset: Literal["auto", "td", "td-s"]
    n_members: int
    ensemble_size: int | None
    cv: int | Any | Iterable[Any] | None
    refit: bool | None
    categorical_features: Literal["from_dtype"] | ArrayLike
    max_one_hot: int
    numeric: Literal["robust", "standard", "quantile"]
    hidden_layer_sizes: int | Sequence[int] | None
    activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | None
    learning_rate_init: float | None
    max_iter: int | None
    batch_size: int | Literal["auto"] | None
    dropout: float | Sequence[float] | None
    alpha: float | None
    early_stopping: bool | None
    validation_fraction: float | None
    n_iter_no_change: int | float | None
    loss: str | tuple[str, dict[Any, Any]] | None
    scoring: str | Callable[..., Any] | None
    network_params: dict[Any, Any] | None
    random_state: int | np.random.RandomState | None
    verbose: bool | int
    n_threads: int | None
    calibrate: bool
    class_weight: dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None
    label_smoothing: float | None
    preprocessor_: TablePreprocessor
    estimators_: list[Any]
    classes_: NDArray[Any]
    oof_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def n_iter_(self) -> int: ...
    @property
    def n_outputs_(self) -> int: ...
    @property
    def loss_(self) -> float: ...
    @property
    def best_loss_(self) -> float | None: ...
    @property
    def best_validation_score_(self) -> float | None: ...
    @property
    def loss_curve_(self) -> list[float]: ...
    @property
    def validation_scores_(self) -> list[float] | None: ...
    @property
    def history_(self) -> list[dict[Any, Any]]: ...
    @property
    def out_activation_(self) -> str: ...
    def __init__(self, preset: Literal["auto", "td", "td-s"] = "auto", *, n_members: int = 1, ensemble_size: int | None = None, cv: int | Any | Iterable[Any] | None = None, refit: bool | None = None, categorical_features: Literal["from_dtype"] | ArrayLike = "from_dtype", max_one_hot: int = 8, numeric: Literal["robust", "standard", "quantile"] = "robust", hidden_layer_sizes: int | Sequence[int] | None = None, activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | None = None, learning_rate_init: float | None = None, max_iter: int | None = None, batch_size: int | Literal["auto"] | None = None, dropout: float | Sequence[float] | None = None, alpha: float | None = None, early_stopping: bool | None = None, validation_fraction: float | None = None, n_iter_no_change: int | float | None = None, loss: str | tuple[str, dict[Any, Any]] | None = None, scoring: str | Callable[..., Any] | None = None, network_params: dict[Any, Any] | None = None, random_state: int | np.random.RandomState | None = None, verbose: bool | int = False, n_threads: int | None = None, calibrate: bool = True, class_weight: dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None = None, label_smoothing: float | None = None) -> None: ...
    def decision_function(self, X: Any | ArrayLike) -> NDArray[Any]: ...
    def fit(self, X: Any | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, *, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None) -> Self: ...
    @classmethod
    def load(cls, path: str | bytes | PathLike[str]) -> Self: ...
    def predict(self, X: Any | ArrayLike) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any | ArrayLike) -> NDArray[Any]: ...
    def predict_proba(self, X: Any | ArrayLike) -> NDArray[Any]: ...
    def save(self, path: str | bytes | PathLike[str]) -> None: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def set_fit_request(self, *, eval_set: bool | str | None = ..., sample_weight: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...

class TabularMLPRegressor(RegressorMixin, BaseEstimator):
    preset: Literal["auto", "td", "td-s"]
    n_members: int
    ensemble_size: int | None
    cv: int | Any | Iterable[Any] | None
    refit: bool | None
    categorical_features: Literal["from_dtype"] | ArrayLike
    max_one_hot: int
    numeric: Literal["robust", "standard", "quantile"]
    hidden_layer_sizes: int | Sequence[int] | None
    activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | None
    learning_rate_init: float | None
    max_iter: int | None
    batch_size: int | Literal["auto"] | None
    dropout: float | Sequence[float] | None
    alpha: float | None
    early_stopping: bool | None
    validation_fraction: float | None
    n_iter_no_change: int | float | None
    loss: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | None
    scoring: str | Callable[..., Any] | None
    network_params: dict[Any, Any] | None
    random_state: int | np.random.RandomState | None
    verbose: bool | int
    n_threads: int | None
    preprocessor_: TablePreprocessor
    estimators_: list[Any]
    oof_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def n_iter_(self) -> int: ...
    @property
    def n_outputs_(self) -> int: ...
    @property
    def loss_(self) -> float: ...
    @property
    def best_loss_(self) -> float | None: ...
    @property
    def best_validation_score_(self) -> float | None: ...
    @property
    def loss_curve_(self) -> list[float]: ...
    @property
    def validation_scores_(self) -> list[float] | None: ...
    @property
    def history_(self) -> list[dict[Any, Any]]: ...
    @property
    def out_activation_(self) -> str: ...
    def __init__(self, preset: Literal["auto", "td", "td-s"] = "auto", *, n_members: int = 1, ensemble_size: int | None = None, cv: int | Any | Iterable[Any] | None = None, refit: bool | None = None, categorical_features: Literal["from_dtype"] | ArrayLike = "from_dtype", max_one_hot: int = 8, numeric: Literal["robust", "standard", "quantile"] = "robust", hidden_layer_sizes: int | Sequence[int] | None = None, activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] | None = None, learning_rate_init: float | None = None, max_iter: int | None = None, batch_size: int | Literal["auto"] | None = None, dropout: float | Sequence[float] | None = None, alpha: float | None = None, early_stopping: bool | None = None, validation_fraction: float | None = None, n_iter_no_change: int | float | None = None, loss: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | None = None, scoring: str | Callable[..., Any] | None = None, network_params: dict[Any, Any] | None = None, random_state: int | np.random.RandomState | None = None, verbose: bool | int = False, n_threads: int | None = None) -> None: ...
    def fit(self, X: Any | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, *, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None) -> Self: ...
    @classmethod
    def load(cls, path: str | bytes | PathLike[str]) -> Self: ...
    def predict(self, X: Any | ArrayLike) -> NDArray[Any]: ...
    def save(self, path: str | bytes | PathLike[str]) -> None: ...
    def score(self, X: Any | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def set_fit_request(self, *, eval_set: bool | str | None = ..., sample_weight: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
