"""A table's columns as inputs of a graph, and what a `TablePreprocessor` makes of them as its nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    TensorType,
)

from pyrelu._text import number_as_text
from pyrelu.onnx._formulas import convert
from pyrelu.onnx._graph import Graph, Tensor
from pyrelu.tabular._columns import BOOLEANS, NUMERIC, Column
from pyrelu.tabular._frames import Table
from pyrelu.tabular._preprocessing import Facts, TablePreprocessor
from pyrelu.tabular._scaling import CLIP, Learned

if TYPE_CHECKING:
    from skl2onnx.common._topology import Variable


_LARGEST = 1e100  # of scaled numbers, whose squares are not to overflow; the smooth clip gives the same from 1e20 on
_TEXTS = (StringTensorType,)
_REALS = (FloatTensorType, DoubleTensorType)


def input_types(
    preprocessor: TablePreprocessor, real_type: type[TensorType], X: Any = None
) -> list[tuple[str, TensorType]]:
    """Return (name, type) of an input for each column of a table, but for those that had no value in the fit.

    Parameters
    ----------
    preprocessor : TablePreprocessor
    real_type : {FloatTensorType, DoubleTensorType}
        Of numbers, where X does not say more.
    X : table, default=None
        Some rows, whose columns say what numbers and categories are given as.
    """
    kinds = {i: real_type if facts["kind"] in NUMERIC else StringTensorType for i, facts in _with_values(preprocessor)}
    if X is not None:
        table = Table(X)
        positions = preprocessor._positions(table)
        kinds = {i: _type_of(table.column(positions[i]), kind) for i, kind in kinds.items()}
    return [(preprocessor.columns_[i]["name"], kind([None, 1])) for i, kind in kinds.items()]


def _type_of(column: Column, default: Any) -> Any:
    """Return the type of an input that takes a Column."""
    if column.kind == "boolean":
        return BooleanTensorType
    if column.kind != "number" or column.raw is None:
        return default
    if column.raw.dtype.kind in "iu" and column.known().all():
        return Int64TensorType
    return FloatTensorType if column.raw.dtype in (np.float16, np.float32) else DoubleTensorType


def _with_values(preprocessor: TablePreprocessor) -> list[tuple[int, Facts]]:
    return [(i, facts) for i, facts in enumerate(preprocessor.columns_) if facts["kind"] != "missing"]


def matrix_width(preprocessor: TablePreprocessor) -> int:
    """Return the number of columns of the matrix."""
    return preprocessor.n_numeric_ + preprocessor.n_one_hot_ + len(preprocessor.cardinalities_)


def add_preprocessing(graph: Graph, preprocessor: TablePreprocessor, inputs: Sequence[Variable]) -> str:
    """Add a fitted `TablePreprocessor`, and return the name of its matrix, in the graph's precision.

    As in Python, all is computed in float64 and then rounded to the matrix's precision.

    Parameters
    ----------
    graph : Graph
    preprocessor : TablePreprocessor
    inputs : list of skl2onnx.common._topology.Variable
        Those that `input_types` describes, by their names; or some whose columns are the table's, in order.
    """
    wide, columns = graph.in_precision(np.float64), preprocessor.columns_
    tensors = _tensors(graph, preprocessor, inputs)
    numeric, parts, gaps = preprocessor._numeric(), [], ""
    if numeric:
        numbers, gaps = _numbers(wide, [columns[i] for i in numeric], [tensors[i] for i in numeric])
        scaled = _SCALES[preprocessor.numeric](wide, numbers, preprocessor.scales_[: len(numeric)])
        largest = float(np.finfo(preprocessor.dtype).max)
        parts.append(wide.add("Clip", scaled, -largest, largest))
    expansions = list(preprocessor._expansions(columns))
    for (i, _), rows in zip(expansions, preprocessor._scaled([rows for _, rows in expansions]), strict=True):
        if i in numeric:
            codes = wide.cast(wide.add("Gather", gaps, np.array([numeric.index(i)]), axis=1), np.int64)
        else:
            codes = _codes(wide, columns[i], *tensors[i])
        parts.append(wide.add("Gather", rows, wide.add("Reshape", codes, np.array([-1])), axis=0))
    parts += [wide.cast(_codes(wide, columns[i], *tensors[i]), np.float64) for i in preprocessor._coded()]
    matrix = parts[0] if len(parts) == 1 else wide.add("Concat", *parts, axis=1)
    return graph.cast(wide.cast(matrix, preprocessor.dtype), graph.dtype)


def _tensors(
    graph: Graph, preprocessor: TablePreprocessor, inputs: Sequence[Variable]
) -> dict[int, tuple[str, TensorType]]:
    """Return for each position in the table the tensor of its column, of shape (n_samples, 1), and the type of that."""
    widths: list[int] = []
    for one in inputs:
        shape = one.type.shape
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(f"the input {one.raw_name!r} has the shape {shape}; columns have the shape [None, 1]")
        widths.append(shape[1])
    known, named = _with_values(preprocessor), {one.raw_name: one for one in inputs}
    if set(widths) == {1} and all(facts["name"] in named for _, facts in known):
        return {i: (named[facts["name"]].full_name, named[facts["name"]].type) for i, facts in known}
    tensors = []
    for one, width in zip(inputs, widths, strict=True):
        for j in range(width):
            part = one.full_name if width == 1 else graph.add("Gather", one.full_name, np.array([j]), axis=1)
            tensors.append((part, one.type))
    if len(tensors) == preprocessor.n_features_in_:
        positions = list(range(preprocessor.n_features_in_))
    elif len(tensors) == len(known):
        positions = [i for i, _ in known]
    else:
        raise ValueError(
            f"the inputs have {len(tensors)} columns, named {', '.join(map(repr, named))}; the table of the fit had "
            f"{preprocessor.n_features_in_}"
        )
    return dict(zip(positions, tensors, strict=True))


# ---- numbers ----


def _numbers(graph: Graph, facts: Sequence[Facts], tensors: Sequence[tuple[str, TensorType]]) -> tuple[str, str]:
    """Return a matrix of the columns of numbers, with medians in place of missing ones, and which are missing."""
    for of_column, (_, given) in zip(facts, tensors, strict=True):
        if isinstance(given, _TEXTS):
            raise ValueError(
                f"column {of_column['name']!r} held numbers, dates or durations in the fit; its input must be a tensor of "
                "numbers (days since 1970-01-01 of dates, days of durations), not of strings"
            )
    columns = [graph.cast(tensor, np.float64) for tensor, _ in tensors]
    numbers = columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=1)
    first, medians = (np.array([of_column[name] for of_column in facts]) for name in ("first", "median"))
    if first.any():
        numbers = graph.add("Sub", numbers, first)
    gaps = graph.add("IsNaN", numbers)
    return graph.add("Where", gaps, medians, numbers), gaps


def _linear(graph: Graph, numbers: str, scales: Learned) -> str:
    center, scale = np.array(scales).T
    center = np.where(np.isinf(scale), 0, center)  # the quotient is 0 without a difference, which may overflow
    return graph.add("Div", graph.add("Sub", numbers, center), scale)


def _robust(graph: Graph, numbers: str, scales: Learned) -> str:
    scaled = graph.add("Clip", _linear(graph, numbers, scales), -_LARGEST, _LARGEST)
    return convert(graph, f"x/sqrt(1 + (x/{CLIP})**2)", {"x": scaled}, len(scales), {})


def _quantiles(graph: Graph, numbers: str, scales: Learned) -> str:
    """Add what scikit-learn's QuantileTransformer does: ranks among the quantiles, then normal scores."""
    shape = len(scales), max(map(len, scales))
    values, ranks = np.full(shape, np.inf), np.ones(shape)
    for row, of_values, of_ranks in zip(scales, values, ranks, strict=True):
        of_values[: len(row)], of_ranks[: len(row)] = row, np.linspace(0, 1, len(row))
    starts = np.arange(shape[0]) * shape[1]
    ends = starts + [len(row) - 1 for row in scales]
    # The last quantile that is not above the number, and the first that is not below it: the latter comes first where the
    # number is one of several equal quantiles, which have the mean of their ranks.
    low = graph.add("Max", graph.add("Sub", _search(graph, "LessOrEqual", values, numbers), np.int64(1)), starts)
    high = graph.add("Min", _search(graph, "Less", values, numbers), ends)
    below, above = (graph.add("Gather", values.ravel(), at) for at in (low, high))
    gap = graph.add("Sub", above, below)
    share = graph.add("Div", graph.add("Sub", numbers, below), gap)
    share = graph.add("Where", graph.add("Greater", gap, 0.0), share, 0.5)
    rank, other = (graph.add("Gather", ranks.ravel(), at) for at in (low, high))
    rank = graph.add("Add", rank, graph.add("Mul", share, graph.add("Sub", other, rank)))
    near = 1e-7  # within this of the ends a rank is 0 or 1, as QuantileTransformer has it
    first, last = (np.array([row[at] for row in scales]) for at in (0, -1))
    rank = graph.add("Where", graph.add("Greater", graph.add("Add", numbers, near), last), 1.0, rank)
    rank = graph.add("Where", graph.add("Less", graph.add("Sub", numbers, near), first), 0.0, rank)
    least = near - np.spacing(1)
    return convert(graph, "normal_quantile(x)", {"x": graph.add("Clip", rank, least, 1 - least)}, len(scales), {})


_SCALES = {"robust": _robust, "standard": _linear, "quantile": _quantiles}


def _search(graph: Graph, comparison: str, rows: NDArray[Any], x: str) -> Tensor:
    """Add a binary search, and return where in ``rows.ravel()`` the elements of a row are no longer (less than) x.

    Parameters
    ----------
    graph : Graph
    comparison : {"Less", "LessOrEqual"}
    rows : ndarray of shape (n_rows, n_elements)
        Each in ascending order.
    x : str
        A tensor of shape (n_samples, n_rows).
    """
    n_rows, n = rows.shape
    starts = np.arange(n_rows) * n
    position: Tensor = starts
    for bit in reversed(range(n.bit_length())):
        candidate = graph.add("Add", position, np.int64(2**bit))
        last = graph.add("Min", graph.add("Sub", candidate, np.int64(1)), starts + n - 1)
        further = graph.add("And",
            graph.add("LessOrEqual", candidate, starts + n), graph.add(comparison, graph.add("Gather", rows.ravel(), last), x)
        )  # fmt: skip
        position = graph.add("Where", further, candidate, position)
    return position


# ---- categories ----


def _codes(graph: Graph, facts: Facts, tensor: str, given: TensorType) -> str:
    """Return the codes of a category, of shape (n_samples, 1): 0 where it is none of the levels."""
    if isinstance(given, _TEXTS):
        numbers = list(range(1, len(facts["levels"]) + 1))
        return graph.add("LabelEncoder", tensor, keys_strings=facts["levels"], values_int64s=numbers, default_int64=0)
    dtype: type[np.int64 | np.float64 | np.float32] = np.int64
    if isinstance(given, _REALS):
        dtype = np.float64 if isinstance(given, DoubleTensorType) else np.float32
    code_of = _levels_as_numbers(facts, dtype, isinstance(given, BooleanTensorType))
    if not code_of:
        raise ValueError(f"column {facts['name']!r} held categories in the fit, none of which is a number or boolean")
    keys = np.array(sorted(code_of), np.int64 if dtype is np.int64 else np.float64)
    given_numbers = graph.cast(tensor, keys.dtype)
    position = graph.add("Sub", _search(graph, "LessOrEqual", keys[np.newaxis], given_numbers), np.int64(1))
    position = graph.add("Max", position, np.int64(0))
    codes = np.array([code_of[key] for key in sorted(code_of)])
    found = graph.add("Equal", graph.add("Gather", keys, position), given_numbers)
    return graph.add("Where", found, graph.add("Gather", codes, position), np.int64(0))


def _levels_as_numbers(facts: Facts, dtype: Callable[[str], Any], booleans: bool) -> dict[Any, int]:
    """Return number -> code of the levels that numbers of a type, or booleans, are."""
    code_of = {level: code for code, level in enumerate(facts["levels"], 1)}
    if booleans or facts["kind"] == "boolean":
        return {number: code_of[level] for number, level in enumerate(BOOLEANS) if level in code_of}
    numbers = {}
    for level, code in code_of.items():
        try:
            number = dtype(level)
        except (ValueError, OverflowError):
            continue
        if number_as_text(number) == level and number == number:
            numbers[number] = code
    return numbers
