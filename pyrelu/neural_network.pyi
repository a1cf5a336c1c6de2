# Written by tools/generate.py from signatures and docstrings: do not edit.

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import sklearn.neural_network
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from pyrelu._mlp.embedding import InputEmbedding

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
]


class MLPClassifier(ClassifierMixin, BaseEstimator):
    hidden_layer_sizes: int | Sequence[int]
    activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]]
    solver: Literal["lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "lion", "lamb"]
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: int | float
    max_fun: int
    dropout: float | Sequence[float]
    init: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    l1: float
    clip_norm: float | None
    scoring: str | Callable[..., Any] | None
    n_threads: int | None
    numeric_embedding: str | tuple[str, dict[Any, Any]] | None
    numeric_features: Sequence[int] | Sequence[bool] | None
    categorical_features: Sequence[int] | Sequence[bool] | None
    embedding_size: int
    scale_inputs: bool
    parametric_activation: bool
    param_groups: dict[Any, Any] | None
    alpha_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    dropout_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    drop_last: bool
    ensemble_size: int
    class_weight: dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None
    label_smoothing: float
    loss: str | tuple[str, dict[Any, Any]]
    classes_: NDArray[Any]
    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]
    activation_weights_: list[Any]
    adapters_: list[NDArray[Any]]
    embedding_: InputEmbedding
    dead_units_: list[NDArray[np.bool_]]
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    history_: list[dict[Any, Any]]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    n_layers_: int
    n_outputs_: int
    out_activation_: Literal["softmax", "logistic", "identity"]
    def __init__(self, hidden_layer_sizes: int | Sequence[int] = (100,), activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] = "relu", *, solver: Literal["lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "lion", "lamb"] = "adam", alpha: float = 0.0001, batch_size: int | Literal["auto"] = "auto", learning_rate: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: int | np.random.RandomState | None = None, tol: float = 0.0001, verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-08, n_iter_no_change: int | float = 10, max_fun: int = 15000, dropout: float | Sequence[float] = 0.0, init: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "auto", l1: float = 0.0, clip_norm: float | None = None, scoring: str | Callable[..., Any] | None = None, n_threads: int | None = None, numeric_embedding: str | tuple[str, dict[Any, Any]] | None = None, numeric_features: Sequence[int] | Sequence[bool] | None = None, categorical_features: Sequence[int] | Sequence[bool] | None = None, embedding_size: int = 8, scale_inputs: bool = False, parametric_activation: bool = False, param_groups: dict[Any, Any] | None = None, alpha_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", dropout_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", drop_last: bool = False, ensemble_size: int = 1, class_weight: dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None = None, label_smoothing: float = 0.0, loss: str | tuple[str, dict[Any, Any]] = "log_loss") -> None: ...
    def decision_function(self, X: ArrayLike | spmatrix | sparray) -> NDArray[Any]: ...
    def fit(self, X: ArrayLike | spmatrix | sparray, y: ArrayLike, sample_weight: ArrayLike | None = None, *, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None) -> Self: ...
    def fit_batches(self, batches: Iterable[Any] | Callable[..., Any], *, classes: ArrayLike | None = None, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None, window: int = 100000) -> Self: ...
    @classmethod
    def from_sklearn(cls, estimator: sklearn.neural_network.MLPClassifier) -> Self: ...
    @classmethod
    def from_torch(cls, module: Any, classes: ArrayLike | None = None) -> Self: ...
    @classmethod
    def load(cls, path: str | bytes | PathLike[str]) -> Self: ...
    def members(self) -> list[Self]: ...
    def partial_fit(self, X: ArrayLike | spmatrix | sparray, y: ArrayLike, sample_weight: ArrayLike | None = None, classes: ArrayLike | None = None) -> Self: ...
    def predict(self, X: ArrayLike | spmatrix | sparray) -> NDArray[Any]: ...
    def predict_log_proba(self, X: ArrayLike | spmatrix | sparray) -> NDArray[Any]: ...
    def predict_proba(self, X: ArrayLike | spmatrix | sparray) -> NDArray[Any]: ...
    def save(self, path: str | bytes | PathLike[str]) -> None: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def set_fit_request(self, *, eval_set: bool | str | None = ..., sample_weight: bool | str | None = ...) -> Self: ...
    def set_partial_fit_request(self, *, classes: bool | str | None = ..., sample_weight: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
    def to_sklearn(self) -> sklearn.neural_network.MLPClassifier: ...
    def to_torch(self) -> Any: ...

class MLPRegressor(RegressorMixin, BaseEstimator):
    loss: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]
    hidden_layer_sizes: int | Sequence[int]
    activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]]
    solver: Literal["lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "lion", "lamb"]
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: int | float
    max_fun: int
    dropout: float | Sequence[float]
    init: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    l1: float
    clip_norm: float | None
    scoring: str | Callable[..., Any] | None
    n_threads: int | None
    numeric_embedding: str | tuple[str, dict[Any, Any]] | None
    numeric_features: Sequence[int] | Sequence[bool] | None
    categorical_features: Sequence[int] | Sequence[bool] | None
    embedding_size: int
    scale_inputs: bool
    parametric_activation: bool
    param_groups: dict[Any, Any] | None
    alpha_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    dropout_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any]
    drop_last: bool
    ensemble_size: int
    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]
    activation_weights_: list[Any]
    adapters_: list[NDArray[Any]]
    embedding_: InputEmbedding
    dead_units_: list[NDArray[np.bool_]]
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    history_: list[dict[Any, Any]]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    n_layers_: int
    n_outputs_: int
    out_activation_: Literal["identity", "exp"]
    def __init__(self, loss: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] = "squared_error", hidden_layer_sizes: int | Sequence[int] = (100,), activation: str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]] | Sequence[str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]] = "relu", *, solver: Literal["lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "lion", "lamb"] = "adam", alpha: float = 0.0001, batch_size: int | Literal["auto"] = "auto", learning_rate: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: int | np.random.RandomState | None = None, tol: float = 0.0001, verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-08, n_iter_no_change: int | float = 10, max_fun: int = 15000, dropout: float | Sequence[float] = 0.0, init: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "auto", l1: float = 0.0, clip_norm: float | None = None, scoring: str | Callable[..., Any] | None = None, n_threads: int | None = None, numeric_embedding: str | tuple[str, dict[Any, Any]] | None = None, numeric_features: Sequence[int] | Sequence[bool] | None = None, categorical_features: Sequence[int] | Sequence[bool] | None = None, embedding_size: int = 8, scale_inputs: bool = False, parametric_activation: bool = False, param_groups: dict[Any, Any] | None = None, alpha_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", dropout_schedule: str | tuple[str, dict[Any, Any]] | Callable[..., Any] = "constant", drop_last: bool = False, ensemble_size: int = 1) -> None: ...
    def fit(self, X: ArrayLike | spmatrix | sparray, y: ArrayLike, sample_weight: ArrayLike | None = None, *, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None) -> Self: ...
    def fit_batches(self, batches: Iterable[Any] | Callable[..., Any], *, classes: ArrayLike | None = None, eval_set: tuple[ArrayLike | spmatrix | sparray, ArrayLike] | tuple[ArrayLike | spmatrix | sparray, ArrayLike, ArrayLike] | None = None, window: int = 100000) -> Self: ...
    @classmethod
    def from_sklearn(cls, estimator: sklearn.neural_network.MLPRegressor) -> Self: ...
    @classmethod
    def from_torch(cls, module: Any, classes: ArrayLike | None = None) -> Self: ...
    @classmethod
    def load(cls, path: str | bytes | PathLike[str]) -> Self: ...
    def members(self) -> list[Self]: ...
    def partial_fit(self, X: ArrayLike | spmatrix | sparray, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self: ...
    def predict(self, X: ArrayLike | spmatrix | sparray) -> NDArray[Any]: ...
    def save(self, path: str | bytes | PathLike[str]) -> None: ...
    def score(self, X: ArrayLike | spmatrix | sparray, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def set_fit_request(self, *, eval_set: bool | str | None = ..., sample_weight: bool | str | None = ...) -> Self: ...
    def set_partial_fit_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
    def to_sklearn(self) -> sklearn.neural_network.MLPRegressor: ...
    def to_torch(self) -> Any: ...
