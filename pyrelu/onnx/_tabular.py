"""The networks of a tabular estimator as nodes of a graph, and what makes predictions of their outputs.

As in Python, what follows the networks is computed in float64.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyrelu.onnx._graph import Graph
from pyrelu.onnx._network import add_network, add_order
from pyrelu.tabular import TabularMLPClassifier, TabularMLPRegressor
from pyrelu.tabular._calibration import TINY


def add_classifier(graph: Graph, estimator: TabularMLPClassifier, matrix: str) -> str:
    """Add the networks of a fitted `TabularMLPClassifier`.

    Parameters
    ----------
    graph : Graph
    estimator : TabularMLPClassifier
    matrix : str
        What the preprocessor gives, in the graph's precision.

    Returns
    -------
    str
        The mean of their probabilities, each with its temperature, or of their margins; of shape (n_samples, n_outputs)
        and in the graph's precision.
    """
    return _mean(graph, [_calibrated(graph, network, matrix) for network in estimator.estimators_])


def add_regressor(graph: Graph, estimator: TabularMLPRegressor, matrix: str) -> str:
    """Add the networks of a fitted `TabularMLPRegressor`, and return the mean of their predictions, as `add_classifier`."""
    return _mean(graph, [_in_units(graph, network, matrix) for network in estimator.estimators_])


def _mean(graph: Graph, predictions: Sequence[str]) -> str:
    wide = graph.in_precision(np.float64)
    total = functools.reduce(functools.partial(wide.add, "Add"), predictions)
    return graph.cast(wide.add("Div", total, float(len(predictions))), graph.dtype)


def _calibrated(graph: Graph, network: Any, matrix: str) -> str:
    """Return the outputs of a network, as `pyrelu.tabular._calibration` makes probabilities of them."""
    wide = graph.in_precision(np.float64)
    p = wide.cast(add_network(graph, network, matrix), np.float64)
    if not network._threshold():  # margins
        return p
    each_label = not network._is_multiclass()
    if network.undoes_smoothing_:
        smoothing = float(network.label_smoothing)
        least, n_classes = 1e-3 * smoothing, 2 if each_label else network.n_outputs_
        p = wide.add("Div", wide.add("Sub", p, smoothing / n_classes), 1 - smoothing)
        p = wide.add("Clip", p, least, 1 - least)
    elif network.temperature_ != 1:
        logs = _tempered(wide, p, network)
        if each_label:
            return wide.add("Sigmoid", wide.add("Sub", logs, _tempered(wide, wide.add("Sub", 1.0, p), network)))
        return wide.add("Softmax", logs, axis=-1)
    return p if each_label else wide.add("Div", p, wide.add("ReduceSum", p, axes=[-1], keepdims=1))


def _tempered(graph: Graph, probabilities: str, network: Any) -> str:
    return graph.add("Div", graph.add("Log", graph.add("Max", probabilities, float(TINY))), network.temperature_)


def _in_units(graph: Graph, network: Any, matrix: str) -> str:
    """Return the predictions of a network in the units of y, and within its range."""
    wide = graph.in_precision(np.float64)
    outputs = wide.cast(add_order(graph, network, add_network(graph, network, matrix)), np.float64)
    outputs = wide.add("Add", wide.add("Mul", outputs, network.target_scale_), network.target_mean_)
    if network._output_loss().functions:
        return outputs
    least, largest = network.target_range_
    return wide.add("Min", wide.add("Max", outputs, least), largest)
