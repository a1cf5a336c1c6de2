"""The nodes and constants of a model under construction."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from onnx import helper

if TYPE_CHECKING:
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Scope

Tensor = str | ArrayLike  # the name of one, or a constant

# The opset asked for, where skl2onnx, which builds the model around our nodes, does not know it yet
newer_opset: ContextVar[int | None] = ContextVar("newer_opset", default=None)

_N_OUTPUTS = {"TopK": 2}  # of others, 1
_OF_DOMAIN = {"LabelEncoder": ("ai.onnx.ml", 2)}  # domain and version; of others, "" and the graph's opset
_AXES_ARE_AN_INPUT = {"ReduceSum": 13, "ReduceMax": 18, "ReduceLogSumExp": 18}  # since this opset; before, an attribute


class Graph:
    """Adds nodes and constants to what skl2onnx calls a container, and names them.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
    container : skl2onnx.common._container.ModelComponentContainer
    dtype : {numpy.float32, numpy.float64}
        The precision to compute in.

    Attributes
    ----------
    opset : int
        The version of ONNX's operators.
    dtype : numpy.dtype
    """

    def __init__(self, scope: Scope, container: ModelComponentContainer, dtype: DTypeLike) -> None:
        self._scope, self._container = scope, container
        self.opset = newer_opset.get() or container.target_opset
        self.dtype = np.dtype(dtype)

    def in_precision(self, dtype: DTypeLike) -> Graph:
        """Return what adds to the same graph, and computes in another precision."""
        return Graph(self._scope, self._container, dtype)

    def constant(self, value: ArrayLike) -> str:
        """Return the name of a constant tensor. Real numbers and arrays take the graph's precision."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        name: str = self._scope.get_unique_variable_name("constant")
        values = [str(one).encode() for one in array.ravel()] if array.dtype.kind in "OU" else array.ravel()
        kind = np.dtype(object) if array.dtype.kind in "OU" else array.dtype
        self._container.add_initializer(name, helper.np_dtype_to_tensor_dtype(kind), array.shape, values)
        return name

    def add(self, operator: str, *inputs: Tensor, output: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of its first output.

        Parameters
        ----------
        operator : str
        *inputs : str or array-like
            Names of tensors, or constants.
        output : str, default=None
            A name for the first output; None: a new one.
        **attributes
            `axes`, a list, becomes an input where the opset asks for it.
        """
        if self.opset >= _AXES_ARE_AN_INPUT.get(operator, np.inf):
            inputs = (*inputs, np.array(attributes.pop("axes"), np.int64))
        outputs = [output or self._scope.get_unique_variable_name(operator.lower())]
        outputs += [
            self._scope.get_unique_variable_name(operator.lower()) for _ in range(1, _N_OUTPUTS.get(operator, 1))
        ]
        if operator in _OF_DOMAIN:
            attributes["op_domain"], version = _OF_DOMAIN[operator]
        else:
            version = self._container.target_opset
        self._container.add_node(
            operator,
            [one if isinstance(one, str) else self.constant(one) for one in inputs],
            outputs,
            name=self._scope.get_unique_operator_name(operator),
            op_version=version,
            **attributes,
        )
        name: str = outputs[0]
        return name

    def cast(self, tensor: str, dtype: DTypeLike, output: str | None = None) -> str:
        """Return the tensor in another type."""
        return self.add("Cast", tensor, output=output, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
