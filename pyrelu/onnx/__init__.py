"""Estimators as ONNX models, which run without Python: in onnxruntime, in browsers, on phones.

It needs onnx and skl2onnx, which the extra `onnx` installs. Importing this module makes skl2onnx convert the estimators
of pyrelu wherever they stand in a Pipeline; `to_onnx` calls skl2onnx.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.utils.validation import check_is_fitted

try:
    import onnx
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
except ImportError:
    raise ImportError(
        f"pyrelu.onnx needs onnx and skl2onnx, which the extra `onnx` installs ({sys.exception()})"
    ) from sys.exception()

from pyrelu.onnx._converters import register
from pyrelu.onnx._graph import newer_opset
from pyrelu.onnx._preprocessing import input_types
from pyrelu.tabular import TablePreprocessor

__all__ = ["to_onnx"]

_OPSETS = 13, min(24, onnx.defs.onnx_opset_version())  # the newest that has an operator for one of our functions
_INPUTS = {np.dtype(np.float32): FloatTensorType, np.dtype(np.float64): DoubleTensorType}

register()


def to_onnx(
    estimator: Any,
    X: ArrayLike | None = None,
    *,
    dtype: DTypeLike = np.float32,
    target_opset: int | Mapping[str, int] = 17,
    options: Mapping[Any, Any] | None = None,
    name: str | None = None,
) -> onnx.ModelProto:
    """Convert a fitted estimator to an ONNX model.

    Parameters
    ----------
    estimator : estimator
        An `MLPClassifier`, an `MLPRegressor`, a `TabularMLPClassifier`, a `TabularMLPRegressor`, or whatever skl2onnx
        converts with such a step in it: a Pipeline, a search.
    X : {array-like, DataFrame} of shape (n_samples, n_features), default=None
        Some rows like those that the model is to take: the types of its inputs are the types of its columns. None: one
        input, "X", of `n_features_in_` columns of `dtype`. A tabular estimator has an input of shape (n_samples, 1) for each
        column of its table instead, as the notes say.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        The precision of the input where there is no X, and of the networks' arithmetic.
    target_opset : int or dict of str to int, default=17
        The version of ONNX's operators, of at least 13. From 18, 20 and 24 on the model has one operator for mish, gelu and
        silu, which runtimes may be too old for.
    options : dict, default=None
        Those of skl2onnx. ``{"zipmap": False}`` makes a classifier's probabilities an array, where the default is one
        dict for each row.
    name : str, default=None
        The name of the graph; None: that of the class.

    Returns
    -------
    onnx.ModelProto
        With the outputs that skl2onnx gives. A classifier's are the label, an integer or a string (for multilabel targets
        an indicator matrix), and what `predict_proba` returns. With a loss without probabilities, those stand for
        `decision_function`, of two classes with a column for each, of opposite signs. A regressor has one output of shape
        (n_samples, n_outputs).

    Raises
    ------
    ValueError
        If a hidden layer's activation is a Python function, labels are neither integers nor strings, or a parameter has a
        value that is not allowed.
    NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    The inputs of a tabular estimator have the names of the columns; without names they are "x0", "x1", and so on. Columns
    that had no value in the fit have none. Where an output has the name of a column, such as "label", the input is called
    "label1".

    =====================  ================================================  ========================
    columns of             without X                                         missing
    =====================  ================================================  ========================
    numbers                `dtype`                                           NaN
    dates                  `dtype`: days since 1970-01-01, in UTC            NaN
    durations              `dtype`: days                                     NaN
    categories             strings                                           "", or any other text
    booleans               strings: "True" or "False"                        that is no level
    =====================  ================================================  ========================

    With X, numbers have the type that they have in X, whether they are categories or not, and booleans are booleans.

    Examples
    --------
    >>> import onnxruntime
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.onnx import to_onnx
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> mlp = MLPClassifier(activation="gelu", solver="lbfgs", random_state=0).fit(X, y)
    >>> model = to_onnx(mlp, options={"zipmap": False})
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> label, probabilities = session.run(None, {"X": np.array([[0.5], [2.5]], np.float32)})
    >>> label.tolist(), bool(abs(probabilities - mlp.predict_proba([[0.5], [2.5]])).max() < 1e-6)
    (['low', 'high'], True)
    """
    check_is_fitted(estimator)
    if np.dtype(dtype) not in _INPUTS:
        raise ValueError(f"dtype={dtype!r} is not numpy.float32 or numpy.float64")
    opset = target_opset.get("") if isinstance(target_opset, Mapping) else target_opset
    if not isinstance(opset, Integral) or isinstance(opset, bool) or not _OPSETS[0] <= opset <= _OPSETS[1]:
        raise ValueError(f"target_opset={target_opset!r} is not in the range [{_OPSETS[0]}, {_OPSETS[1]}]")
    types, preprocessor = None, _preprocessor(estimator)
    if preprocessor is not None:
        of_columns, X = input_types(preprocessor, _INPUTS[np.dtype(dtype)], X), None
        types = [(f"column{i}", kind) for i, (_, kind) in enumerate(of_columns)]  # skl2onnx changes names
    elif X is None:
        types = [("X", _INPUTS[np.dtype(dtype)]([None, estimator.n_features_in_]))]
    known = min(opset, skl2onnx.get_latest_tested_opset_version())
    target = {**target_opset, "": known} if isinstance(target_opset, Mapping) else known
    with _newer(opset if opset > known else None):
        model = skl2onnx.to_onnx(estimator, X, name=name, initial_types=types, target_opset=target, options=options)
    if opset > known:
        _raise_opset(model, opset)
    if preprocessor is not None:
        _name_inputs(model, [name for name, _ in of_columns])
    return model


def _preprocessor(estimator: Any) -> TablePreprocessor | None:
    """Return what takes the columns of a table, where that is what an estimator begins with."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[0][1]
        else:
            break
    found = getattr(estimator, "preprocessor_", estimator)
    return found if isinstance(found, TablePreprocessor) else None


@contextmanager
def _newer(opset: int | None) -> Iterator[None]:
    """Let our nodes be of an opset that skl2onnx does not know."""
    token = newer_opset.set(opset)
    try:
        yield
    finally:
        newer_opset.reset(token)


def _name_inputs(model: onnx.ModelProto, names: list[str]) -> None:
    """Give inputs their columns' names, with 1 appended where something else in the graph has the name."""
    graph = model.graph
    taken = {one.name for one in graph.initializer} | {out for one in graph.node for out in one.output}
    for i, (given, name) in enumerate(zip(graph.input, names, strict=True)):
        while name in taken:
            name += "1"
        taken.add(name)
        graph.node.insert(0, onnx.helper.make_node("Identity", [name], [given.name], name=f"Input{i}"))
        given.name = name


def _raise_opset(model: onnx.ModelProto, opset: int) -> None:
    """Declare a newer opset. Those up to the last of `_OPSETS` mean the same by every operator that skl2onnx writes."""
    [main] = [one for one in model.opset_import if one.domain == ""]
    main.version = opset
    model.ir_version = max(model.ir_version, onnx.helper.find_min_ir_version_for(model.opset_import))
