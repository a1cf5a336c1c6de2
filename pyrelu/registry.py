"""The table of activations, read-only: one list for users, tests, plots, docs and the estimators.

`activations` maps each name to an `Activation`, `axis_functions` each name to an `AxisFunction`; both come from the
compiled table (src/table/activations.def, src/table/rowwise.def). `composed_functions` are those that Python composes of them.
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
    "Parameter",
    "Table",
    "activations",
    "axis_functions",
    "composed_functions",
    "find",
]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an activation: its name, its default (None: it must be given) and what it means."""

    name: str
    default: float | None
    doc: str


@dataclass(frozen=True)
class Activation:
    """What the table says of an elementwise activation.

    Attributes
    ----------
    name : str
        Its name in `pyrelu`, `pyrelu.derivative`, `pyrelu.vjp` and as `activation=` of the estimators.
    parameters : Mapping[str, float | None]
        Parameter name -> default value; None where it has no default.
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
        Whether training keeps the input or the output for the backward pass.
    summary, reference : str
        What it is, and where it comes from.
    parameter_docs, parameter_domains : Mapping[str, str]
        Parameter name -> what it means, and the interval in which the formula holds, such as "(0, inf)".
    condition : str
        What must hold between the parameters, such as "lower <= upper"; "" where there is nothing.
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
    index: int = field(repr=False)  # the row, as the compiled modules count them
    choice_of: tuple[str, str, str] | None = field(repr=False)  # ("gelu", "approximate", "tanh")

    @cached_property
    def piecewise_linear(self) -> bool:
        """Whether it is linear wherever it has no kink and no jump, as its formula tells.

        Examples
        --------
        >>> import pyrelu as pr
        >>> [name for name in ("relu", "hardtanh", "hardswish", "gelu") if pr.activations[name].piecewise_linear]
        ['relu', 'hardtanh']
        """
        return _degree(ast.parse(self.formula, mode="eval").body) <= 1

    def kinks_at(self, *values: float) -> list[float]:
        """Return where the kinks are for these values of the parameters, as floats in ascending order.

        Examples
        --------
        >>> import pyrelu as pr
        >>> pr.activations["softshrink"].kinks_at(0.5)
        [-0.5, 0.5]
        """
        given = dict(zip(self.parameters, values, strict=True))
        return sorted(float(eval(kink, {"__builtins__": {}}, given)) for kink in self.kinks)


def _degree(node: ast.expr, data: tuple[str, ...] = ("x",)) -> float:
    """Return the highest degree in `data` of the polynomials that an expression is made of; inf where it is none."""
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
        case _:  # any other function or operator: constant where all that goes in is
            return math.inf if any(degrees) else 0


@dataclass(frozen=True)
class AxisFunction:
    """What the table says of a function along an axis; `signature` is NumPy's."""

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
        """Whether its formula says that it is linear wherever it has no kink; a and b are halves of x."""
        return _degree(ast.parse(self.formula, mode="eval").body, data=("x", "a", "b")) <= 1


Row = TypeVar("Row", "Activation", "AxisFunction")


class Table(Mapping[str, Row]):
    """A read-only mapping of names to rows, which notebooks show as a table.

    Parameters
    ----------
    rows : dict of str to Activation or AxisFunction
        What it holds.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.axis_functions
    <5 functions: softmax, softmin, log_softmax, logsumexp, sparsemax>
    >>> pr.axis_functions["softmax"].formula
    'exp(x) / sum(exp(x))'
    """

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows: Mapping[str, Row] = MappingProxyType(dict(rows))

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
        return f"<{len(self)} functions: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        def cells(tag: str, texts: Iterable[str]) -> str:
            return "".join(f'<{tag} style="text-align: left">{text}</{tag}>' for text in texts)

        lines = [cells("th", ("name", "parameters", "formula", "range", "what it is"))]
        row: Any
        for row in self.values():
            names = ", ".join((row.name, *getattr(row, "aliases", ())))
            parameters = ", ".join(
                name if default is None else f"{name}={default:g}"
                for name, default in getattr(row, "parameters", {}).items()
            )
            texts = (names, parameters, row.formula, row.range, row.summary)
            formula = f"<code>{html.escape(row.formula)}</code>"
            escaped = [formula if text is row.formula else html.escape(text) for text in texts]
            lines.append(cells("td", escaped))
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


activations: Mapping[str, Activation] = Table(
    {row["name"]: _activation(i, row) for i, row in enumerate(_ufuncs.activation_rows())}
)
axis_functions: Mapping[str, AxisFunction] = Table(
    {row["name"]: AxisFunction(**row, index=i) for i, row in enumerate(_ufuncs.axis_function_rows())}
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
    """Return the names of all activations, aliases included."""
    return list(_by_name)


def find(name: str) -> Activation:
    """Return the `Activation` of that name or alias.

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
        Where there is none; the message lists the known names.

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
