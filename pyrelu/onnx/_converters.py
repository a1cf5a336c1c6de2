"""The converters that skl2onnx finds for the estimators."""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.utils.validation import check_is_fitted

from pyrelu.neural_network import MLPClassifier, MLPRegressor
from pyrelu.onnx._graph import Graph
from pyrelu.onnx._network import add_network

# Those of skl2onnx's own classifiers: what form probabilities have, whether labels are a third output, whether class
# numbers take the place of labels
OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}


def register() -> None:
    """Make skl2onnx convert the estimators, wherever they stand in a Pipeline."""
    update_registered_converter(
        MLPClassifier, "PyreluMLPClassifier", _classifier_outputs, _convert_classifier, options=OPTIONS
    )
    update_registered_converter(MLPRegressor, "PyreluMLPRegressor", _regressor_outputs, _convert_regressor)


def _classifier_outputs(operator):
    """Set the types of label and probabilities."""
    mlp = operator.raw_operator
    check_is_fitted(mlp)
    n = operator.inputs[0].get_first_dimension()
    classes = _labels(mlp, get_label_classes(operator.scope_inst, mlp))
    of_labels = StringTensorType if classes.dtype.kind == "U" else Int64TensorType
    label, probabilities = operator.outputs
    label.set_type(Int64TensorType([n, mlp.n_outputs_]) if mlp._is_multilabel() else of_labels([n]))
    probabilities.set_type(_real_type(operator)([n, max(2, mlp.n_outputs_)]))


def _regressor_outputs(operator):
    check_is_fitted(operator.raw_operator)
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].set_type(_real_type(operator)([n, operator.raw_operator.n_outputs_]))


def _convert_classifier(scope, operator, container):
    mlp, graph = operator.raw_operator, _graph(scope, operator, container)
    label, probabilities = (one.full_name for one in operator.outputs)
    outputs = add_network(graph, mlp, _input(graph, operator))
    is_greater = None if mlp._is_multiclass() else graph.add("Greater", outputs, np.float64(mlp._threshold()))
    if mlp.n_outputs_ == 1:
        other = graph.add("Sub", np.float64(1), outputs) if mlp._threshold() else graph.add("Neg", outputs)
        graph.add("Concat", other, outputs, output=probabilities, axis=-1)
    else:
        graph.add("Identity", outputs, output=probabilities)
    if mlp._is_multilabel():
        graph.cast(is_greater, np.int64, output=label)
        return
    classes = _labels(mlp, get_label_classes(scope, mlp))
    if mlp.n_outputs_ == 1:
        numbers = graph.add("Reshape", graph.cast(is_greater, np.int64), np.array([-1]))
    else:
        numbers = graph.add("ArgMax", outputs, axis=-1, keepdims=0)
    graph.add("Gather", np.resize(classes, max(2, len(classes))), numbers, output=label)


def _convert_regressor(scope, operator, container):
    mlp, graph = operator.raw_operator, _graph(scope, operator, container)
    outputs, loss = add_network(graph, mlp, _input(graph, operator)), mlp._output_loss()
    if loss.monotone and loss.levels is not None and len(loss.levels) == mlp.n_outputs_:
        outputs = graph.add("TopK", outputs, np.array([mlp.n_outputs_]), largest=0)
        outputs = graph.add("Gather", outputs, np.argsort(np.argsort(loss.levels)), axis=-1)
    graph.add("Identity", outputs, output=operator.outputs[0].full_name)


def _graph(scope, operator, container):
    return Graph(scope, container, np.float64 if _real_type(operator) is DoubleTensorType else np.float32)


def _input(graph, operator):
    """Return the operator's input as one tensor in the graph's precision."""
    parts = [one.full_name for one in operator.inputs]
    if any(type(one.type) is not _real_type(operator) for one in operator.inputs):
        parts = [graph.cast(part, graph.dtype) for part in parts]
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _real_type(operator):
    """Return the type of real numbers: float64 where an input is, else float32, as in skl2onnx's own converters."""
    double = any(isinstance(one.type, DoubleTensorType) for one in operator.inputs)
    return DoubleTensorType if double else FloatTensorType


def _labels(mlp, classes):
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
