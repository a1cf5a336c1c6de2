"""Prints the formulas of the table, which are Python expressions, as MathML: browsers show it without a script."""

import ast
import re

SUM, PRODUCT, POWER, ATOM = range(4)  # precedence, loosest first
GREEK = {"alpha": "&#x3b1;", "beta": "&#x3b2;", "lambd": "&#x3bb;", "pi": "&#x3c0;"}
MINUS = "<mo>&#x2212;</mo>"
BAR = "<mo>&#x7c;</mo>"  # not the character: it would end the cell of a table
OPERATORS = {ast.Add: "<mo>+</mo>", ast.Sub: MINUS}
COMPARISONS = {ast.Gt: "&gt;", ast.LtE: "&#x2264;", ast.Lt: "&lt;", ast.GtE: "&#x2265;"}
LONG_NUMBER, DIGITS = re.compile(r"(\d+\.\d{4})\d{4,}"), r"\1&#x2026;"
ONE_ELEMENT, SUMMED_ELEMENT = "i", "j"  # of x, in a function of a whole row


def mathml(formula):
    """Return a formula as a MathML element.

    Examples
    --------
    >>> mathml("x/2")
    "<math displaystyle='true'><mfrac><mi>x</mi><mn>2</mn></mfrac></math>"
    """
    return (
        f"<math displaystyle='true'>{_Printer('sum(' in formula).at(SUM, ast.parse(formula, mode='eval').body)}</math>"
    )


class _Printer:
    """Returns nodes of the expression as MathML, in brackets where the precedence asks for them."""

    def __init__(self, of_a_row):
        self.index = ONE_ELEMENT if of_a_row else None

    def at(self, least, node):
        precedence, text = getattr(self, type(node).__name__)(node)
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>" if precedence < least else f"{text}"

    def Name(self, node):
        letter = node.id in GREEK or len(node.id) == 1
        text = f"<mi>{GREEK.get(node.id, node.id)}</mi>" if letter else f"<mtext>{node.id}</mtext>"
        if node.id == "x" and self.index:
            text = f"<msub>{text}<mi>{self.index}</mi></msub>"
        return ATOM, text

    def Constant(self, node):
        return ATOM, f"<mn>{LONG_NUMBER.sub(DIGITS, repr(node.value))}</mn>"

    def BinOp(self, node):
        if isinstance(node.op, ast.Div):
            return PRODUCT, f"<mfrac>{_row(self.at(SUM, node.left))}{_row(self.at(SUM, node.right))}</mfrac>"
        if isinstance(node.op, ast.Pow):
            return POWER, f"<msup>{_row(self.at(ATOM, node.left))}{_row(self.at(SUM, node.right))}</msup>"
        if isinstance(node.op, ast.Mult):
            times = (
                "<mo>&#x22c5;</mo>"
                if isinstance(node.right, ast.Constant)
                else "<mo>&#x2062;</mo><mspace width='0.15em'/>"
            )
            return PRODUCT, self.at(PRODUCT, node.left) + times + self.at(PRODUCT, node.right)
        right = PRODUCT if isinstance(node.op, ast.Sub) else SUM
        return SUM, self.at(SUM, node.left) + OPERATORS[type(node.op)] + self.at(right, node.right)

    def UnaryOp(self, node):
        return PRODUCT, MINUS + self.at(PRODUCT, node.operand)

    def Compare(self, node):
        [operator], [right] = node.ops, node.comparators
        return SUM, f"{self.at(SUM, node.left)}<mo>{COMPARISONS[type(operator)]}</mo>{self.at(SUM, right)}"

    def IfExp(self, node):
        rows = (
            (self.at(SUM, node.body), f"<mtext>if&#xa0;</mtext>{self.at(SUM, node.test)}"),
            (self.at(SUM, node.orelse), "<mtext>otherwise</mtext>"),
        )
        cells = "".join(
            "<mtr>" + "".join(f"<mtd style='text-align:left'>{_row(cell)}</mtd>" for cell in row) + "</mtr>"
            for row in rows
        )
        return SUM, f"<mo stretchy='true'>{{</mo><mtable>{cells}</mtable>"

    def Subscript(self, node):
        part = f"{self.at(SUM, node.slice.lower)}<mo>:</mo>{self.at(SUM, node.slice.upper)}"
        return ATOM, f"<msub>{_row(self.at(ATOM, node.value))}{_row(part)}</msub>"

    def Call(self, node):
        name, [first, *_] = node.func.id, node.args
        if name in ("exp", "expm1"):
            power = f"<msup><mi>e</mi>{_row(self.at(SUM, first))}</msup>"
            return (ATOM, power) if name == "exp" else (SUM, f"{power}{MINUS}<mn>1</mn>")
        if name == "sqrt":
            return ATOM, f"<msqrt>{self.at(SUM, first)}</msqrt>"
        if name == "abs":
            return ATOM, f"<mrow>{BAR}{self.at(SUM, first)}{BAR}</mrow>"
        if name == "sum":
            outside, self.index = self.index, SUMMED_ELEMENT
            summand, self.index = self.at(PRODUCT, first), outside
            return PRODUCT, f"<munder><mo>&#x2211;</mo><mi>{SUMMED_ELEMENT}</mi></munder>{summand}"
        if name == "log1p":
            arguments = f"<mn>1</mn><mo>+</mo>{self.at(SUM, first)}"
        else:
            arguments = "<mo>,</mo>".join(self.at(SUM, argument) for argument in node.args)
        name = "log" if name == "log1p" else name
        return ATOM, f"<mi>{name}</mi><mo>&#x2061;</mo><mrow><mo>(</mo>{arguments}<mo>)</mo></mrow>"


def _row(text):
    """Return one element: a fraction, a power and a cell have a fixed number of children."""
    return text if re.fullmatch(r"<(\w+)>[^<]*</\1>", text) else f"<mrow>{text}</mrow>"
