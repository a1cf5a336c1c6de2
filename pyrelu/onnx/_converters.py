"""The converters that skl2onnx finds for the estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.utils.validation import check_is_fitted

from pyrelu.neural_network import MLPClassifier, MLPRegressor
from pyrelu.onnx._graph import Graph
from pyrelu.onnx._network import add_network, add_order
from pyrelu.onnx._preprocessing import add_preprocessing, matrix_width
from pyrelu.onnx._tabular import add_classifier, add_regressor
from pyrelu.tabular import TablePreprocessor, TabularMLPClassifier, TabularMLPRegressor

if TYPE_CHECKING:
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Operator, Scope

# Those of skl2onnx's own classifiers: what form probabilities have, whether labels are a third output, whether class
# numbers take the place of labels
OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}


def register() -> None:
    """Make skl2onnx convert the estimators, wherever they stand in a Pipeline."""
    for classifier in (MLPClassifier, TabularMLPClassifier):
        update_registered_converter(
            classifier, f"Pyrelu{classifier.__name__}", _classifier_outputs, _convert_classifier, options=OPTIONS
        )
    for regressor in (MLPRegressor, TabularMLPRegressor):
        update_registered_converter(regressor, f"Pyrelu{regressor.__name__}", _regressor_outputs, _convert_regressor)
    update_registered_converter(
        TablePreprocessor, "PyreluTablePreprocessor", _preprocessor_outputs, _convert_preprocessor
    )


def _network_of(estimator: Any) -> Any:
    """Return the network, or of several the first, which has as many outputs as the others."""
    return estimator.estimators_[0] if hasattr(estimator, "estimators_") else estimator


def _has_one_output_of_two(mlp: Any) -> bool:
    return mlp.n_outputs_ == 1 and not mlp._is_multiclass()


def _classifier_outputs(operator: Operator) -> None:
    """Set the types of label and probabilities."""
    check_is_fitted(operator.raw_operator)
    mlp = _network_of(operator.raw_operator)
    n = operator.inputs[0].get_first_dimension()
    classes = _labels(operator.raw_operator, get_label_classes(operator.scope_inst, operator.raw_operator))
    of_labels = StringTensorType if classes.dtype.kind == "U" else Int64TensorType
    label, probabilities = operator.outputs
    label.set_type(Int64TensorType([n, mlp.n_outputs_]) if mlp._is_multilabel() else of_labels([n]))
    probabilities.set_type(_real_type(operator)([n, 2 if _has_one_output_of_two(mlp) else mlp.n_outputs_]))


def _regressor_outputs(operator: Operator) -> None:
    check_is_fitted(operator.raw_operator)
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].set_type(_real_type(operator)([n, _network_of(operator.raw_operator).n_outputs_]))


def _preprocessor_outputs(operator: Operator) -> None:
    check_is_fitted(operator.raw_operator)
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].set_type(_real_type(operator)([n, matrix_width(operator.raw_operator)]))


def _convert_classifier(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    estimator, graph = operator.raw_operator, _graph(scope, operator, container)
    mlp, (label, probabilities) = _network_of(estimator), (one.full_name for one in operator.outputs)
    if mlp is estimator:
        outputs = add_network(graph, mlp, _input(graph, operator))
    else:
        outputs = add_classifier(graph, estimator, _matrix(graph, operator))
    is_greater = "" if mlp._is_multiclass() else graph.add("Greater", outputs, np.float64(mlp._threshold()))
    if _has_one_output_of_two(mlp):
        other = graph.add("Sub", np.float64(1), outputs) if mlp._threshold() else graph.add("Neg", outputs)
        graph.add("Concat", other, outputs, output=probabilities, axis=-1)
    elif mlp._is_multiclass() and mlp.n_outputs_ == 2 and not mlp._threshold():
        differences = np.array([[1.0, -1.0], [-1.0, 1.0]])  # of margins, as `decision_function` gives them
        graph.add("MatMul", outputs, differences, output=probabilities)
    else:
        graph.add("Identity", outputs, output=probabilities)
    if mlp._is_multilabel():
        graph.cast(is_greater, np.int64, output=label)
        return
    classes = _labels(estimator, get_label_classes(scope, estimator))
    if is_greater:
        numbers = graph.add("Reshape", graph.cast(is_greater, np.int64), np.array([-1]))
    else:
        numbers = graph.add("ArgMax", outputs, axis=-1, keepdims=0)
    graph.add("Gather", np.resize(classes, max(2, len(classes))), numbers, output=label)


def _convert_regressor(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    estimator, graph = operator.raw_operator, _graph(scope, operator, container)
    if hasattr(estimator, "estimators_"):
        outputs = add_regressor(graph, estimator, _matrix(graph, operator))
    else:
        outputs = add_order(graph, estimator, add_network(graph, estimator, _input(graph, operator)))
    graph.add("Identity", outputs, output=operator.outputs[0].full_name)


def _convert_preprocessor(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    graph = _graph(scope, operator, container)
    matrix = add_preprocessing(graph, operator.raw_operator, operator.inputs)
    graph.add("Identity", matrix, output=operator.outputs[0].full_name)


def _graph(scope: Scope, operator: Operator, container: ModelComponentContainer) -> Graph:
    return Graph(scope, container, np.float64 if _real_type(operator) is DoubleTensorType else np.float32)


def _matrix(graph: Graph, operator: Operator) -> str:
    """Return what a tabular estimator's preprocessor makes of the operator's inputs."""
    return add_preprocessing(graph, operator.raw_operator.preprocessor_, operator.inputs)


def _input(graph: Graph, operator: Operator) -> str:
    """Return the operator's input as one tensor in the graph's precision."""
    parts = [one.full_name for one in operator.inputs]
    if any(type(one.type) is not _real_type(operator) for one in operator.inputs):
        parts = [graph.cast(part, graph.dtype) for part in parts]
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _real_type(operator: Operator) -> Any:
    """Return the type of real numbers: float64 where an input is, else float32, as in skl2onnx's own converters."""
    double = any(isinstance(one.type, DoubleTensorType) for one in operator.inputs)
    return DoubleTensorType if double else FloatTensorType


def _labels(mlp: Any, classes: NDArray[Any]) -> NDArray[Any]:
    """Return the labels as ONNX has them: integers or strings."""
    if classes.dtype.kind in "biuf":
        numbers = classes.astype(np.int64)
        if np.array_equal(numbers, classes):
            return numbers
    elif all(isinstance(one, str) for one in classes):
        return classes.astype(str)
    raise ValueError(
        f"{type(mlp).__name__} was fitted to the labels {classes.tolist()}; in ONNX they are all integers or all strings"
    )
