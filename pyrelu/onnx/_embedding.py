"""What the first layer takes in place of columns, as nodes of a graph: embeddings of numbers and categories, scales."""

import numpy as np

from pyrelu import registry
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu.onnx._formulas import convert
from pyrelu.onnx._graph import Graph, Tensor


def add_embedding(graph: Graph, embedding: InputEmbedding, tensor: str) -> str:
    """Add an `InputEmbedding`, and return the name of its outputs.

    Parameters
    ----------
    graph : Graph
    embedding : InputEmbedding
    tensor : str
        The columns of X, in the graph's precision.
    """
    parts = []
    if len(embedding.numeric):
        numbers = graph.add("Gather", tensor, embedding.numeric.astype(np.int64), axis=1)
        parts.append(_numeric(graph, embedding, numbers))
    if len(embedding.plain):
        parts.append(graph.add("Gather", tensor, embedding.plain.astype(np.int64), axis=1))
    if len(embedding.categorical):
        parts.append(_categorical(graph, embedding, tensor))
    outputs = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
    return graph.add("Mul", outputs, embedding.arrays["scales"]) if "scales" in embedding.arrays else outputs


def _numeric(graph: Graph, embedding: InputEmbedding, numbers: str) -> str:
    """Add the embedding of numbers: each as it is, and beside it a linear map of its features."""
    arrays, kind = embedding.arrays, embedding.kind
    assert kind is not None  # as there are columns of numbers to embed
    x = graph.add("Unsqueeze", numbers, np.array([2]))
    scope: dict[str, Tensor] = {"x": x, "w": arrays["frequencies"], "b": arrays["phases"]}
    features = convert(graph, registry.embeddings[kind].formula, scope, 1, {})
    by_column = graph.add("Transpose", features, perm=[1, 0, 2])
    mapped = graph.add("Add", graph.add("MatMul", by_column, arrays["weights"]), arrays["biases"][:, np.newaxis])
    embedded = graph.add("Concat", x, graph.add("Transpose", mapped, perm=[1, 0, 2]), axis=2)
    return graph.add("Reshape", embedded, np.array([0, -1]))


def _categorical(graph: Graph, embedding: InputEmbedding, tensor: str) -> str:
    """Add the rows of the categories' matrices; what is no category counts as the first."""
    numbers = graph.add("Gather", tensor, embedding.categorical.astype(np.int64), axis=1)
    n_levels = embedding.n_levels.astype(float)
    known = graph.add("And", graph.add("GreaterOrEqual", numbers, 0.0), graph.add("Less", numbers, n_levels))
    known = graph.add("And", known, graph.add("Equal", numbers, graph.add("Floor", numbers)))
    levels = graph.cast(graph.add("Where", known, numbers, 0.0), np.int64)
    starts = (np.cumsum(embedding.n_levels) - embedding.n_levels).astype(np.int64)
    rows = graph.add("Gather", embedding.arrays["levels"], graph.add("Add", levels, starts), axis=0)
    return graph.add("Reshape", rows, np.array([0, -1]))
