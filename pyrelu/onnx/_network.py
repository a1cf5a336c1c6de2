"""A fitted network as nodes of a graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyrelu import registry
from pyrelu._mlp.activation import HiddenActivation, output_name, resolve_of
from pyrelu._typing import Floats
from pyrelu.onnx._embedding import add_embedding
from pyrelu.onnx._formulas import convert
from pyrelu.onnx._graph import Graph, Tensor

_TABLES = registry.activations, registry.axis_functions, registry.composed_functions


def add_network(graph: Graph, mlp: Any, tensor: str) -> str:
    """Add a fitted estimator's network to a graph.

    Parameters
    ----------
    graph : Graph
    mlp : MLPClassifier or MLPRegressor
    tensor : str
        The input, of shape (n_samples, n_features) and in the graph's precision.

    Returns
    -------
    str
        The name of what the output layer gives, of shape (n_samples, n_outputs): as `decision_function` does, or the
        probabilities of a classifier's classes or labels (of two classes, that of the second), or predictions of a
        regressor, not yet in the order of their levels.

    Raises
    ------
    ValueError
        If a hidden layer's activation has no ONNX form.
    """
    coefs, intercepts, slopes, adapters, _ = mlp._arrays()
    activations = resolve_of(mlp, len(coefs) - 1)
    if hasattr(mlp, "embedding_"):
        tensor = add_embedding(graph, mlp.embedding_, tensor)
    n_members = len(adapters[0]) if adapters else 1
    if adapters:  # from here on, a row for each row and member
        tensor = graph.add("Unsqueeze", tensor, np.array([1]))
    for i, activation in enumerate(activations):
        if adapters:
            tensor = _adapted(graph, tensor, coefs[i], intercepts[i], *adapters[2 * i : 2 * i + 2])
        else:
            tensor = _dense(graph, tensor, coefs[i], intercepts[i])
        tensor = _hidden(graph, activation, tensor, coefs[i].shape[1], slopes[i], mlp)
        if adapters:
            tensor = _by_member(graph, tensor, n_members, len(coefs[i + 1]))
    tensor = (
        _heads(graph, tensor, coefs[-1], intercepts[-1], n_members)
        if adapters
        else _dense(graph, tensor, coefs[-1], intercepts[-1])
    )
    tensor = add_function(graph, output_name(mlp.out_activation_), tensor, mlp.n_outputs_, {})
    if not adapters:
        return tensor
    total = graph.add("ReduceSum", _by_member(graph, tensor, n_members, mlp.n_outputs_), axes=[1], keepdims=0)
    return graph.add("Div", total, float(n_members))


def add_order(graph: Graph, mlp: Any, outputs: str) -> str:
    """Add what makes predictions of a regressor's outputs: of a monotone loss, those of a higher level are not lower."""
    loss = mlp._output_loss()
    if not loss.monotone or loss.levels is None or len(loss.levels) != mlp.n_outputs_:
        return outputs
    outputs = graph.add("TopK", outputs, np.array([mlp.n_outputs_]), largest=0)
    return graph.add("Gather", outputs, np.argsort(np.argsort(loss.levels)), axis=-1)


def _dense(graph: Graph, tensor: str, coef: Floats, intercept: Floats) -> str:
    return graph.add("Add", graph.add("MatMul", tensor, np.asarray(coef)), np.asarray(intercept))


def _by_member(graph: Graph, tensor: str, n_members: int, width: int) -> str:
    return graph.add("Reshape", tensor, np.array([-1, n_members, width]))


def _adapted(graph: Graph, tensor: str, coef: Floats, intercept: Floats, of_inputs: Floats, of_products: Floats) -> str:
    """Add a hidden layer's pre-activations of all members, of shape (n_samples * n_members, width).

    `tensor` is of shape (n_samples, n_members, n_inputs), or (n_samples, 1, n_inputs) where members have the same inputs.
    """
    n_members, width = of_products.shape
    rows = graph.add("Reshape", graph.add("Mul", tensor, of_inputs), np.array([-1, len(coef)]))
    products = _by_member(graph, graph.add("MatMul", rows, np.asarray(coef)), n_members, width)
    adapted = graph.add("Add", graph.add("Mul", products, of_products), intercept.reshape(n_members, width))
    return graph.add("Reshape", adapted, np.array([-1, width]))


def _heads(graph: Graph, tensor: str, coef: Floats, intercept: Floats, n_members: int) -> str:
    """Add the output layers of all members, of shape (n_samples * n_members, n_outputs)."""
    weights = np.stack(np.split(coef, n_members, axis=1))
    n_outputs = weights.shape[2]
    products = graph.add("MatMul", graph.add("Unsqueeze", tensor, np.array([2])), weights)
    shifted = graph.add("Add", products, intercept.reshape(n_members, 1, n_outputs))
    return graph.add("Reshape", shifted, np.array([-1, n_outputs]))


def _hidden(
    graph: Graph, activation: HiddenActivation, tensor: str, width: int, slopes: Floats | None, mlp: Any
) -> str:
    """Add a hidden layer's activation."""
    if activation.functions:
        raise ValueError(
            f"activation={mlp.activation!r}: a Python function has no ONNX form; take an activation by its name"
        )
    parametric = activation.transform == "parametric"
    try:
        f = add_function(graph, activation.name, tensor, width, activation.parameters, None if parametric else slopes)
    except ValueError as error:
        raise ValueError(f"activation={activation.name!r}: {error}") from None
    if not parametric:
        return f
    return graph.add("Add", tensor, graph.add("Mul", np.asarray(slopes), graph.add("Sub", f, tensor)))


def add_function(
    graph: Graph, name: str, tensor: str, width: int, parameters: Mapping[str, float], slopes: Floats | None = None
) -> str:
    """Add a function of the tables by its name, and return the name of the result.

    Parameters
    ----------
    graph : Graph
    name : str
    tensor : str
        Of shape (n_samples, width).
    width : int
    parameters : Mapping[str, float]
    slopes : ndarray of shape (width,), default=None
        Those that prelu has learned.
    """
    [row] = [table[name] for table in _TABLES if name in table]
    tensors: dict[str, Tensor] = {"x": tensor}
    if name == "prelu" and slopes is not None:
        tensors["weight"], parameters = np.asarray(slopes), {}
    return convert(graph, row.formula, tensors, width, parameters)
