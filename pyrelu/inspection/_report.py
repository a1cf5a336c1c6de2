"""A table of each layer's units: dead, saturated, sparse, and their gradients."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrelu._text import aligned, html_table
from pyrelu._typing import Floats, Rows
from pyrelu.inspection._trace import SATURATED, FittedNetwork, Layer, layers_of, loss_of, passes


@dataclass(frozen=True)
class LayerRecord:
    """One layer's line of `layer_report`. Shares and means are over all rows and units.

    Attributes
    ----------
    layer : int
        The number of the layer, from 0; the output layer is the last.
    activation : str
        The name, with the parameters if there are any.
    units : int
        The number of outputs.
    dead : float
        The share of units whose output is 0 for every row.
    saturated : float
        The share of units and rows for which the absolute value of the derivative is below 0.01, so that hardly any
        gradient passes; NaN for functions along an axis, such as softmax.
    mean, std : float
        The mean and the standard deviation of the outputs.
    gradient : float
        The mean absolute gradient with respect to the layer's pre-activations: of a row's loss if y was given, otherwise
        of the sum of the network's last pre-activations.
    sparsity : float
        The share of outputs that are exactly 0.
    """

    layer: int
    activation: str
    units: int
    dead: float
    saturated: float
    mean: float
    std: float
    gradient: float
    sparsity: float


class LayerReport(list[LayerRecord]):
    """A list of `LayerRecord`, one per layer. `print` and notebooks show a table; `pandas.DataFrame` accepts it."""

    def __str__(self) -> str:
        return aligned(self._lines())

    def __repr__(self) -> str:
        layers = ", ".join(f"{record.activation} {record.units}" for record in self)
        return f"<LayerReport: {layers}; print() shows the table>"

    def _repr_html_(self) -> str:
        return html_table(self._lines())

    def _lines(self) -> list[list[str]]:
        headings = [field.name for field in fields(LayerRecord)]
        rows = [[_cell(name, getattr(record, name)) for name in headings] for record in self]
        return [["|gradient|" if name == "gradient" else name for name in headings], *rows]


def _cell(name: str, value: str | float) -> str:
    if isinstance(value, str | int):
        return str(value)
    if np.isnan(value):
        return "-"
    return f"{value:.1%}" if name in ("dead", "saturated", "sparsity") else f"{value:.3g}"


def layer_report(estimator: FittedNetwork, X: Rows, y: ArrayLike | None = None) -> LayerReport:
    """Return a table of how each layer's units behave on X.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to evaluate.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Their targets. If they are given, gradients are those of the loss, without the L2 penalty; otherwise those of
        the sum of the network's outputs before the output activation.

    Returns
    -------
    LayerReport
        A list of `LayerRecord`; the output layer is the last.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If X or y does not match the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.inspection import layer_report
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8, 8), activation=("relu", "tanh"), solver="lbfgs", max_iter=9999, random_state=0).fit(X, y)
    >>> report = layer_report(mlp, X, y)
    >>> report
    <LayerReport: relu 8, tanh 8, softmax 3; print() shows the table>
    >>> [(record.activation, record.units) for record in report]
    [('relu', 8), ('tanh', 8), ('softmax', 3)]
    >>> print(report)  # doctest: +ELLIPSIS
    layer  activation  units  ...  saturated  ...  |gradient|  sparsity
    ...
    """
    tallies, loss = [_Tally(layer) for layer in layers_of(estimator)], loss_of(estimator)
    for step, targets in passes(estimator, X, y):
        delta = np.ones_like(step.before[-1]) if targets is None else loss.of_rows(targets, step.after[-1])[1]
        gradients = step.backward(delta)
        for tally, z, a, g in zip(tallies, step.before, step.after, gradients, strict=True):
            tally.add(z, a, g)
    return LayerReport(tally.record(i) for i, tally in enumerate(tallies))


class _Tally:
    """Sums over rows for one layer."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.alive: NDArray[np.bool_] = np.zeros(layer.activation.n_units(len(layer.bias)), bool)
        self.n_outputs = self.n_inputs = self.zeros = 0
        self.mean = self.squares = self.saturated = self.gradients = 0.0

    def add(self, z: Floats, a: Floats, g: Floats) -> None:
        self.alive = self.alive | (a != 0).any(axis=0)
        self.zeros += int(np.count_nonzero(a == 0))
        slopes = self.layer.slopes(z)
        self.saturated += np.nan if slopes is None else np.count_nonzero(np.abs(slopes) < SATURATED)
        self.gradients += np.abs(g).sum()
        self.n_inputs += z.size
        # Means and squared distances of two blocks, joined without cancellation (Chan, Golub and LeVeque, 1979).
        n, distance = self.n_outputs + a.size, a.mean() - self.mean
        self.squares += a.var() * a.size + distance**2 * self.n_outputs * a.size / n
        self.mean += distance * a.size / n
        self.n_outputs = n

    def record(self, number: int) -> LayerRecord:
        return LayerRecord(
            layer=number,
            activation=self.layer.description,
            units=len(self.alive),
            dead=float(np.mean(~self.alive)),
            saturated=float(self.saturated / self.n_inputs),
            mean=float(self.mean),
            std=float(np.sqrt(self.squares / self.n_outputs)),
            gradient=float(self.gradients / self.n_inputs),
            sparsity=float(self.zeros / self.n_outputs),
        )
