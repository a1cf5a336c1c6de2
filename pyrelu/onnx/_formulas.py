"""From the tables' formulas, which are Python expressions, to ONNX's operators.

A formula becomes operators by the rules of `RULES`, so that a new row of the tables needs nothing here as long as it is
made of functions that another row has.
"""

import ast
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erfcx, ndtri

from pyrelu import registry
from pyrelu._typing import Floats
from pyrelu.onnx._graph import Graph, Tensor

ANYTHING, NUMBERS = {"u", "v"}, {"k", "c"}  # what a letter of a rule stands for
FUNCTIONS = {name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "erfc")}
FUNCTIONS |= {"abs": abs, "max": max, "min": min}
OPERATORS = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div", ast.Pow: "Pow"}
COMPARISONS = {ast.Gt: "Greater", ast.GtE: "GreaterOrEqual", ast.Lt: "Less", ast.LtE: "LessOrEqual"}


def _erfc_by_exp() -> str:
    """Return erfc(u) by operators that there are in float64: t*exp(P(t) - u**2) with t = 2/(2 + |u|), P a polynomial.

    It is in one piece for every u, as erfcc of Numerical Recipes is.
    """
    t, s = "2/(2 + Abs(u))", "(4/(2 + Abs(u)) - 1)"  # s: from -1 to 1

    def exponent(s: Floats) -> Floats:
        t = (s + 1) / 2
        logs: Floats = np.log(erfcx(2 / t - 2) / t)
        return logs

    tail = f"{t}*Exp({_polynomial(exponent, 30, s)} - u*u)"
    return f"{tail} if u > 0 else 2 - {tail}"


def _polynomial(function: Callable[[Floats], Floats], degree: int, s: str) -> str:
    """Return the polynomial that is a function for s, an expression, from -1 to 1."""
    series = np.polynomial.Chebyshev.interpolate(function, degree)
    polynomial, *coefficients = map(repr, map(float, series.convert(kind=np.polynomial.Polynomial).coef[::-1]))
    for coefficient in coefficients:
        polynomial = f"({polynomial})*{s} + {coefficient}"
    return polynomial


def _normal_quantile() -> str:
    """Return the inverse of the normal distribution's function, at u from 1e-8 to 1 - 1e-8.

    It is q*P(q**2) where q = u - 1/2 is within 0.425 of 0, and a polynomial of the root of -log(u) or -log(1 - u) beyond,
    as in Wichura's algorithm AS 241.
    """
    middle, (low, high) = 0.425**2, np.sqrt(-np.log([0.075, 1e-8]))

    def ratio(s: Floats) -> Floats:  # never asked for at -1, where q is 0
        q = np.sqrt((s + 1) / 2 * middle)
        quotient: Floats = ndtri(0.5 + q) / q
        return quotient

    def tail(s: Floats) -> Floats:
        quantiles: Floats = -ndtri(np.exp(-((low + (s + 1) / 2 * (high - low)) ** 2)))
        return quantiles

    q = "(u - 0.5)"
    of_middle = _polynomial(ratio, 25, f"({2 / middle}*{q}*{q} - 1)")
    root = "Sqrt(-Log(Min(u, 1 - u)))"
    of_tail = _polynomial(tail, 25, f"({2 / (high - low)}*({root} - {low}) - 1)")
    return f"{q}*({of_middle}) if Abs({q}) < 0.425 else ({of_tail} if u > 0.5 else -({of_tail}))"


@dataclass(frozen=True)
class Rule:
    """What a formula is in ONNX: a pattern, and an expression whose capitalised functions are operators.

    In both, u and v stand for any expression, k and c for numbers.

    Attributes
    ----------
    pattern, expression : str
    opset : int
        The first opset that has the operator.
    dtype : str
        The precision that runtimes have it in; "": both.
    """

    pattern: str
    expression: str
    opset: int = 13
    dtype: str = ""

    @functools.cached_property
    def tree(self) -> ast.expr:
        """The pattern as a tree."""
        return _Simplify({}).simplified(_parse(self.pattern))


# The first rule that applies is taken: what is special comes before what is general. Runtimes such as onnxruntime lack some
# operators in float64; there the next rule does without. Of two ways to write a function, this takes the one that
# neither overflows nor cancels.
RULES = (
    Rule("u*erfc(-u/sqrt(2))/2", "Gelu(u)", 20, "float32"),
    Rule("u/2*(1 + tanh(sqrt(2/pi)*(u + 0.044715*u**3)))", "Gelu(u, approximate='tanh')", 20, "float32"),
    Rule("u*tanh(log1p(exp(u)))", "Mish(u)", 18, "float32"),
    Rule("u/(1 + exp(-u))", "Swish(u)", 24),
    Rule("u/(1 + exp(k*u))", "Swish(u, alpha=-k)", 24, "float32"),
    Rule("1/(1 + exp(u))", "Sigmoid(-u)"),
    Rule("u/(1 + exp(v))", "u*Sigmoid(-v)"),
    Rule("log1p(exp(u))", "Softplus(u)", dtype="float32"),
    Rule("log1p(exp(u))", "Relu(u) + Log(1 + Exp(-Abs(u)))"),
    Rule("u if u > 0 else k*u", "LeakyRelu(u, alpha=k)", dtype="float32"),
    Rule("u if u > 0 else v*u", "PRelu(u, v)", dtype="float32"),
    Rule("u if u > 0 else k*expm1(u)", "Elu(u, alpha=k)", dtype="float32"),
    Rule("1.050700987355480493*u if u > 0 else 1.758099340847376860*expm1(u)", "Selu(u)", dtype="float32"),
    Rule("expm1(u)", "Tanh(u/2)*(Exp(u) + 1)"),
    Rule("u + sqrt(u**2 + k)", "u + Sqrt(u*u + k) if u >= 0 else k/(Sqrt(u*u + k) - u)"),
    Rule("erfc(u)", "1 - Erf(u)", dtype="float32"),
    Rule("erfc(u)", _erfc_by_exp()),
    Rule("normal_quantile(u)", _normal_quantile()),
    Rule("min(max(u, k), c)", "Clip(u, k, c)"),
    Rule("clip(u, k, c)", "Clip(u, k, c)"),
    Rule("max(u, 0)", "Relu(u)"),
    Rule("max(u, v)", "Max(u, v)"),
    Rule("min(u, v)", "Min(u, v)"),
    Rule("abs(u)", "Abs(u)"),
    Rule("exp(u)/sum(exp(u))", "Softmax(u, axis=-1)"),
    Rule("u - log(sum(exp(u)))", "LogSoftmax(u, axis=-1)"),
    Rule("log(sum(exp(u)))", "ReduceLogSumExp(u, axes=[-1], keepdims=0)"),
    Rule("exp(u)", "Exp(u)"),
    Rule("log(u)", "Log(u)"),
    Rule("sqrt(u)", "Sqrt(u)"),
    Rule("tanh(u)", "Tanh(u)"),
    Rule("cos(u)", "Cos(u)"),
    # The threshold is the largest of (sum of the i largest - 1)/i. Nothing changes where the maximum is taken away first.
    Rule("project(u)", "threshold_at_0(u - ReduceMax(u, axes=[-1]))"),
    Rule("threshold_at_0(u)", "Relu(u - ReduceMax((CumSum(TopK(u, n), last) - 1)/counts, axes=[-1]))"),
    Rule("max(u[k*i : k*(i + 1)])", "ReduceMax(Reshape(u, [0, -1, k]), axes=[-1], keepdims=0)"),
    Rule("concatenate(u, v)", "Concat(u, v, axis=-1)"),
)


def convert(graph: Graph, formula: str, tensors: Mapping[str, Tensor], width: int, numbers: Mapping[str, float]) -> str:
    """Add a formula to a graph and return the name of the result.

    Parameters
    ----------
    graph : Graph
    formula : str
        As in the tables. It may call other rows by their names.
    tensors : dict of str to str or ndarray
        The tensors of the formula, by name; of shape (n_samples, width) or to be broadcast against that.
    width : int
    numbers : Mapping[str, float]
        The values of its other names.

    Raises
    ------
    ValueError
        If the formula has a function without a rule.
    """
    sizes = {"zero": [0], "half": [width // 2], "n": [width], "last": -1}
    counts = np.arange(1, width + 1, dtype=graph.dtype)
    tensors = {**tensors, **{name: np.array(size) for name, size in sizes.items()}, "counts": counts}
    halves = {"a": _parse("Slice(x, zero, half, [-1])"), "b": _parse("Slice(x, half, n, [-1])")}
    halves = {name: _Simplify({}).simplified(half) for name, half in halves.items() if name not in tensors}
    names = {**halves, "k": numbers.get("num_pieces"), **numbers}  # k is maxout's
    return _Emitter(graph, tensors, formula).emit(_Simplify(names).simplified(_parse(formula)))


def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Simplify(ast.NodeTransformer):
    """Puts numbers in the place of names, formulas in the place of rows' names, and works out what is constant."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.names: Mapping[str, Any] = {"pi": math.pi, **names}

    def simplified(self, node: ast.expr) -> ast.expr:
        """Return what becomes of an expression."""
        expression: ast.expr = self.visit(node)
        return expression

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.names.get(node.id, node)
        return value if isinstance(value, ast.expr) else ast.Constant(value)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand = self.simplified(node.operand)
        match operand:
            case ast.Constant():
                return _negative(operand)
            case ast.UnaryOp():
                return operand.operand
            case ast.BinOp(op=ast.Mult(), left=ast.Constant() as factor):
                return ast.BinOp(_negative(factor), ast.Mult(), operand.right)
        return ast.UnaryOp(node.op, operand)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.simplified(node.left), self.simplified(node.right)
        node = ast.BinOp(left, node.op, right)
        return _value(node) if isinstance(left, ast.Constant) and isinstance(right, ast.Constant) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments = [self.simplified(one) for one in node.args]
        keywords = [ast.keyword(one.arg, self.simplified(one.value)) for one in node.keywords]
        name = _called(node)
        if name in registry.activations and name not in FUNCTIONS:
            return _Simplify({"x": arguments[0]}).simplified(_parse(registry.activations[name].formula))
        node = ast.Call(node.func, arguments, keywords)
        constant = name in FUNCTIONS and all(isinstance(one, ast.Constant) for one in arguments)
        return _value(node) if constant else node


def _negative(constant: ast.Constant) -> ast.Constant:
    number: Any = constant.value
    return ast.Constant(-number)


def _called(node: ast.Call) -> str:
    """Return the name of what is called; in a formula, that is all there is."""
    assert isinstance(node.func, ast.Name)
    return node.func.id


def _value(node: ast.expr) -> ast.Constant:
    """Return the constant that an expression of constants is."""
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<formula>", "eval")
    return ast.Constant(eval(code, {"__builtins__": {}}, FUNCTIONS))


def _match(pattern: ast.AST, node: ast.AST, found: dict[str, ast.AST]) -> bool:
    """Return whether an expression is as a pattern says, and put into `found` what its letters stand for."""
    if isinstance(pattern, ast.Name) and pattern.id in ANYTHING | NUMBERS:
        known = found.setdefault(pattern.id, node)
        return ast.dump(known) == ast.dump(node) and (pattern.id in ANYTHING or isinstance(node, ast.Constant))
    if isinstance(pattern, ast.Constant):
        return isinstance(node, ast.Constant) and node.value == pattern.value
    if type(pattern) is not type(node):
        return False
    for (_, one), (_, other) in zip(ast.iter_fields(pattern), ast.iter_fields(node), strict=False):
        if isinstance(one, list):
            same = len(one) == len(other) and all(_match(*pair, found) for pair in zip(one, other, strict=True))
        else:
            same = _match(one, other, found) if isinstance(one, ast.AST) else one == other
        if not same:
            return False
    return True


class _Emitter:
    """Adds an expression's nodes to a graph, each once."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Tensor], formula: str) -> None:
        self.graph, self.tensors, self.formula = graph, tensors, formula
        self.known: dict[str, str] = {}

    def emit(self, node: ast.expr) -> str:
        """Return the name of the expression's tensor."""
        key = ast.dump(node)
        if key not in self.known:
            self.known[key] = self._emit(node)
        return self.known[key]

    def _emit(self, node: ast.expr) -> str:
        for rule in RULES:
            if self.graph.opset < rule.opset or rule.dtype not in ("", self.graph.dtype.name):
                continue
            found: dict[str, ast.AST] = {}
            if _match(rule.tree, node, found):
                return self.emit(_Simplify(found).simplified(_parse(rule.expression)))
        method: Callable[[ast.expr], str] | None = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise self._unknown(node)
        return method(node)

    def _unknown(self, node: ast.expr) -> ValueError:
        return ValueError(f"{ast.unparse(node)} in the formula {self.formula} has no ONNX form")

    def _Name(self, node: ast.Name) -> str:
        if node.id not in self.tensors:
            raise self._unknown(node)
        value = self.tensors[node.id]
        return value if isinstance(value, str) else self.graph.constant(value)

    def _Constant(self, node: ast.Constant) -> str:
        number: Any = node.value
        return self.graph.constant(float(number))

    def _List(self, node: ast.List) -> str:
        return self.graph.constant(np.array([int(ast.literal_eval(one)) for one in node.elts]))

    def _UnaryOp(self, node: ast.UnaryOp) -> str:
        return self.graph.add("Neg", self.emit(node.operand))

    def _BinOp(self, node: ast.BinOp) -> str:
        exponent = node.right.value if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) else None
        if isinstance(exponent, int) and exponent in (2, 3):
            factors = [self.emit(node.left)] * exponent
            return functools.reduce(functools.partial(self.graph.add, "Mul"), factors)
        return self.graph.add(OPERATORS[type(node.op)], self.emit(node.left), self.emit(node.right))

    def _Compare(self, node: ast.Compare) -> str:
        [operator], [right] = node.ops, node.comparators
        return self.graph.add(COMPARISONS[type(operator)], self.emit(node.left), self.emit(right))

    def _IfExp(self, node: ast.IfExp) -> str:
        return self.graph.add("Where", *map(self.emit, (node.test, node.body, node.orelse)))

    def _Call(self, node: ast.Call) -> str:
        operator = _called(node)
        if not operator[0].isupper():
            raise self._unknown(node)
        attributes = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg is not None}
        inputs = map(self.emit, node.args)
        return self.graph.add(operator, *inputs, **attributes)
