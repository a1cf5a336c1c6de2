"""The tables, read-only: one list each for users, tests, plots, docs and the estimators.

`activations` maps names to an `Activation`, `axis_functions` to an `AxisFunction`, `losses` to a `Loss` and `optimizers` to
an `Optimizer`; all come from the compiled tables in src/table. `composed_functions` has the functions that are composed of
the first two in Python.
"""

import ast
import html
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from pyrelu import _ufuncs

__all__ = [
    "Activation",
    "AxisFunction",
    "Loss",
    "Optimizer",
    "Parameter",
    "Table",
    "activations",
    "axis_functions",
    "composed_functions",
    "find",
    "losses",
    "optimizers",
]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an activation: its name, its default (None: required) and its meaning."""

    name: str
    default: float | None
    doc: str


@dataclass(frozen=True)
class Activation:
    """The row of an elementwise activation in the table.

    Attributes
    ----------
    name : str
        Its name in `pyrelu`, `pyrelu.derivative`, `pyrelu.vjp` and as `activation=` of the estimators.
    parameters : Mapping[str, float | None]
        Parameter name -> default value; None for a required parameter.
    aliases : tuple of str
        Other names for the same function.
    formula : str
        The definition, as a Python expression of `x` and the parameters.
    range : str
        The closure of the image.
    kinks : tuple of str
        Where the derivative jumps, as expressions of the parameters.
    limits : tuple of str
        f(-inf), f(inf), f'(-inf), f'(inf), as expressions of the parameters.
    ulp : tuple of float
        Bounds on the error in ULP: float32 forward and derivative, float64 forward and derivative.
    reads : {"X", "Y"}
        Whether training saves the input or the output for the backward pass.
    summary, reference : str
        A description, and its source.
    parameter_docs, parameter_domains : Mapping[str, str]
        Parameter name -> its meaning, and its domain, such as "(0, inf)".
    condition : str
        A condition on the parameters, such as "lower <= upper"; "" if there is none.
    """

    name: str
    parameters: Mapping[str, float | None]
    aliases: tuple[str, ...]
    formula: str
    range: str
    kinks: tuple[str, ...]
    limits: tuple[str, str, str, str]
    ulp: tuple[float, float, float, float]
    reads: str
    summary: str
    reference: str
    parameter_docs: Mapping[str, str] = field(repr=False)
    parameter_domains: Mapping[str, str] = field(repr=False)
    condition: str = field(repr=False)
    index: int = field(repr=False)  # the row's number in the compiled table
    choice_of: tuple[str, str, str] | None = field(repr=False)  # ("gelu", "approximate", "tanh")

    @cached_property
    def piecewise_linear(self) -> bool:
        """Whether the function is linear between its kinks and jumps, derived from its formula.

        Examples
        --------
        >>> import pyrelu as pr
        >>> [name for name in ("relu", "hardtanh", "hardswish", "gelu") if pr.activations[name].piecewise_linear]
        ['relu', 'hardtanh']
        """
        return _degree(ast.parse(self.formula, mode="eval").body) <= 1

    def kinks_at(self, *values: float) -> list[float]:
        """Return the positions of the kinks for these values of the parameters, in ascending order.

        Examples
        --------
        >>> import pyrelu as pr
        >>> pr.activations["softshrink"].kinks_at(0.5)
        [-0.5, 0.5]
        """
        given = dict(zip(self.parameters, values, strict=True))
        return sorted(float(eval(kink, {"__builtins__": {}}, given)) for kink in self.kinks)


def _degree(node: ast.expr, data: tuple[str, ...] = ("x",)) -> float:
    """Return the degree in `data` of a piecewise polynomial expression; inf for any other expression."""
    degrees = [_degree(part, data) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    match node:
        case ast.Name():
            return 1 if node.id in data else 0
        case ast.BinOp(op=ast.Mult()):
            return sum(degrees)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int(exponent))):
            return degrees[0] * exponent
        case ast.BinOp(op=ast.Div()) if degrees[1] == 0:
            return degrees[0]
        case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.UnaryOp() | ast.IfExp() | ast.Compare() | ast.Subscript():
            return max(degrees)
        case ast.Call(func=ast.Name(id="min" | "max" | "abs")):
            return max(degrees)
        case _:  # any other function or operator: constant if its arguments are
            return math.inf if any(degrees) else 0


@dataclass(frozen=True)
class AxisFunction:
    """The row of a function along an axis in the table; `signature` is that of a generalised ufunc."""

    name: str
    signature: str
    vjp_signature: str
    error: str
    formula: str
    range: str
    summary: str
    reference: str
    index: int | None = field(default=None, repr=False)

    @cached_property
    def piecewise_linear(self) -> bool:
        """Whether the function is linear between its kinks, derived from its formula; a and b are halves of x."""
        return _degree(ast.parse(self.formula, mode="eval").body, data=("x", "a", "b")) <= 1


@dataclass(frozen=True)
class Loss:
    """The row of a loss in the table.

    Attributes
    ----------
    name : str
        Its name as `loss=` of the estimators. For two classes and for multilabel targets, where each output is the
        probability of one label, a classifier uses the row binary_<name>.
    estimator : {"classifier", "regressor"}
        The kind of estimator that has this loss.
    targets : {"outputs", "classes"}
        Whether each output has its own target, or all outputs share one class.
    link : str
        The activation of the output layer.
    outputs : {"sum", "mean"}
        Whether the loss of a row is the sum or the mean over its outputs. The gradient is that of the sum in either case.
    parameters : Mapping[str, float]
        Parameter name -> default value.
    domain : str
        The domain of a target, such as "[0, inf)"; "" for classes.
    formula : str
        The definition, as a Python expression of the output `y`, the target `t` and the parameters; for classes, of the
        vector `y` and the class `t`.
    summary, reference : str
        A description, and its source.
    parameter_docs, parameter_domains : Mapping[str, str]
        Parameter name -> its meaning, and its domain.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.registry.losses["huber"].formula
    '(y - t)**2/2 if abs(y - t) <= delta else delta*(abs(y - t) - delta/2)'
    """

    name: str
    estimator: str
    targets: str
    link: str
    outputs: str
    parameters: Mapping[str, float]
    domain: str
    formula: str
    summary: str
    reference: str
    parameter_docs: Mapping[str, str] = field(repr=False)
    parameter_domains: Mapping[str, str] = field(repr=False)
    index: int = field(repr=False)  # the row's number in the compiled table


@dataclass(frozen=True)
class Optimizer:
    """The row of an optimizer in the table.

    Attributes
    ----------
    name : str
        Its name as `solver=` of the estimators; nesterov is the form of sgd with `nesterovs_momentum=True`.
    n_states : int
        The number of state variables for each parameter.
    scope : {"element", "array"}
        Whether the step of a parameter depends on its own gradient only, or on the norms of the whole array as well.
    decoupled : bool
        Whether alpha is a weight decay in each step rather than a penalty in the loss.
    update : str
        The rule, as Python statements of the parameter `w`, its gradient `g`, the states `m` and `v`, the step `t`
        (from 1), the learning rate `lr` and the hyperparameters.
    summary, reference : str
        A description, and its source.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.registry.optimizers["sgd"].update
    'm = momentum*m - lr*g; w += m'
    >>> pr.registry.optimizers["rmsprop"].hyperparameters
    ('beta_2', 'epsilon')
    """

    name: str
    n_states: int
    scope: str
    decoupled: bool
    update: str
    summary: str
    reference: str

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """The parameters of the estimators that the rule uses, apart from the learning rate and alpha."""
        names = {node.id for node in ast.walk(ast.parse(self.update)) if isinstance(node, ast.Name)}
        return tuple(name for name in ("momentum", "beta_1", "beta_2", "epsilon") if name in names)


@dataclass(frozen=True)
class Embedding:
    """The facts about an embedding of numeric columns, the estimators' `numeric_embedding`.

    Attributes
    ----------
    name : str
    learned : bool
        Whether training changes w and b, or they are set from the data.
    formula : str
        A feature of a number x as a Python expression of x, w and b. A column becomes x itself and linear combinations
        of its features.
    summary : str
    reference : str

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.registry.embeddings["periodic"].formula
    'cos(2*pi*w*x + b)'
    """

    name: str
    learned: bool
    formula: str
    summary: str
    reference: str


@dataclass(frozen=True)
class ParameterGroup:
    """A kind of learned parameters, for the estimators' `param_groups`.

    Attributes
    ----------
    name : str
    alpha : float
        The default factor on the estimators' `alpha` and `l1`.
    summary : str

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.registry.parameter_groups["biases"].alpha
    0.0
    """

    name: str
    alpha: float
    summary: str


Row = TypeVar("Row", Activation, AxisFunction, Loss, Optimizer, Embedding, ParameterGroup)


class Table(Mapping[str, Row]):
    """A read-only mapping of names to rows, which notebooks show as a table.

    Parameters
    ----------
    rows : dict of str to Activation, AxisFunction, Loss or Optimizer
        The rows by name.
    kind : str, default="functions"
        The word for the rows in the repr.
    columns : tuple of str, default=("formula", "range")
        The attributes that notebooks show, beside name, parameters and summary. The first is code.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.axis_functions
    <5 functions: softmax, softmin, log_softmax, logsumexp, sparsemax>
    >>> pr.axis_functions["softmax"].formula
    'exp(x) / sum(exp(x))'
    """

    def __init__(
        self, rows: Mapping[str, Row], kind: str = "functions", columns: tuple[str, ...] = ("formula", "range")
    ) -> None:
        self._rows: Mapping[str, Row] = MappingProxyType(dict(rows))
        self._kind, self._columns = kind, columns

    def __getitem__(self, name: str) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self}

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        def cells(tag: str, texts: Iterable[str]) -> str:
            return "".join(f'<{tag} style="text-align: left">{text}</{tag}>' for text in texts)

        lines = [cells("th", ("name", "parameters", *self._columns, "what it is"))]
        row: Any
        for row in self.values():
            names = ", ".join((row.name, *getattr(row, "aliases", ())))
            parameters = ", ".join(
                name if default is None else f"{name}={default:g}"
                for name, default in getattr(row, "parameters", {}).items()
            )
            code, *others = (html.escape(str(getattr(row, column))) for column in self._columns)
            texts = (
                html.escape(names),
                html.escape(parameters),
                f"<code>{code}</code>",
                *others,
                html.escape(row.summary),
            )
            lines.append(cells("td", texts))
        return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


_CHOICE = re.compile(r"(\w+)\((\w+)=(\w+)\)")


def _activation(index: int, row: dict[str, Any]) -> Activation:
    parameters = row.pop("parameters")
    ordered = row.pop("ordered")
    aliases = row.pop("aliases")
    choices = [(match[1], match[2], match[3]) for alias in aliases if (match := _CHOICE.fullmatch(alias))]
    return Activation(
        **row | {"kinks": tuple(k.strip() for k in row["kinks"].split(",") if k.strip())},
        parameters=MappingProxyType({name: None if math.isnan(value) else value for name, value, _, _ in parameters}),
        parameter_domains=MappingProxyType({name: domain for name, _, domain, _ in parameters}),
        parameter_docs=MappingProxyType({name: doc for name, _, _, doc in parameters}),
        condition=" <= ".join(name for name, *_ in parameters) if ordered else "",
        aliases=tuple(alias for alias in aliases if not _CHOICE.fullmatch(alias)),
        choice_of=choices[0] if choices else None,
        index=index,
    )


def _loss(index: int, row: dict[str, Any]) -> Loss:
    parameters = row.pop("parameters")
    return Loss(
        **row,
        parameters=MappingProxyType({name: value for name, value, _, _ in parameters}),
        parameter_domains=MappingProxyType({name: domain for name, _, domain, _ in parameters}),
        parameter_docs=MappingProxyType({name: doc for name, _, _, doc in parameters}),
        index=index,
    )


activations: Mapping[str, Activation] = Table(
    {row["name"]: _activation(i, row) for i, row in enumerate(_ufuncs.activation_rows())}
)
axis_functions: Mapping[str, AxisFunction] = Table(
    {row["name"]: AxisFunction(**row, index=i) for i, row in enumerate(_ufuncs.axis_function_rows())}
)
losses: Mapping[str, Loss] = Table(
    {row["name"]: _loss(i, row) for i, row in enumerate(_ufuncs.loss_rows())}, "losses", ("formula", "domain")
)
optimizers: Mapping[str, Optimizer] = Table(
    {row["name"]: Optimizer(**row) for row in _ufuncs.optimizer_rows()}, "optimizers", ("update",)
)
embeddings: Mapping[str, Embedding] = Table(
    {row["name"]: Embedding(**row) for row in _ufuncs.embedding_rows()}, "embeddings", ("formula",)
)
parameter_groups: Mapping[str, ParameterGroup] = Table(
    {row["name"]: ParameterGroup(**row) for row in _ufuncs.parameter_group_rows()}, "parameter groups", ("alpha",)
)
_GLU = "Shazeer, GLU variants improve Transformer, arXiv:2002.05202"
composed_functions: Mapping[str, AxisFunction] = Table(
    {
        name: AxisFunction(name, signature, vjp_signature, "", formula, range_, summary, reference)
        for name, signature, vjp_signature, formula, range_, summary, reference in [
            ("glu", "(2n)->(n)", "(2n),(n)->(2n)", "a * sigmoid(b)", "(-inf, inf)",
             "Gated linear unit: the first half of x, weighted by the sigmoid of the second.",
             "Dauphin, Fan, Auli and Grangier, Language modeling with gated convolutional networks, arXiv:1612.08083"),
            ("reglu", "(2n)->(n)", "(2n),(n)->(2n)", "a * relu(b)", "(-inf, inf)", "glu with relu for the gate.", _GLU),
            ("geglu", "(2n)->(n)", "(2n),(n)->(2n)", "a * gelu(b)", "(-inf, inf)", "glu with gelu for the gate.", _GLU),
            ("swiglu", "(2n)->(n)", "(2n),(n)->(2n)", "a * silu(b)", "(-inf, inf)", "glu with silu for the gate.", _GLU),
            ("maxout", "(kn)->(n)", "(kn),(n)->(kn)", "max(x[k*i : k*(i + 1)])", "(-inf, inf)",
             "Maxout: the largest of each num_pieces elements; a vjp goes to that one, the first of equals.",
             "Goodfellow et al., Maxout networks, ICML 2013, arXiv:1302.4389"),
            ("crelu", "(n)->(2n)", "(n),(2n)->(n)", "concatenate(relu(x), relu(-x))", "[0, inf)",
             "Concatenated relu: positive and negative part, one after the other.",
             "Shang, Sohn, Almeida and Lee, Understanding and improving CNNs via concatenated ReLU, arXiv:1603.05201"),
        ]
    }
)  # fmt: skip
_by_name = {name: activation for activation in activations.values() for name in (activation.name, *activation.aliases)}


def names() -> list[str]:
    """Return the names of all activations, including aliases."""
    return list(_by_name)


def find(name: str) -> Activation:
    """Return the `Activation` with a name or alias.

    Parameters
    ----------
    name : str
        A name in `activations` or an alias, such as "logistic" for sigmoid.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If there is none; the message lists the known names.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.registry.find("swish").name
    'silu'
    """
    try:
        return _by_name[name]
    except (KeyError, TypeError):
        raise ValueError(f"activation={name!r} is not known; allowed are {', '.join(sorted(_by_name))}") from None
