"""Looking into a fitted network: dead and saturated units, gradients, the linear map around a point.

All of it works in float64, on rows in blocks, and takes sparse X; dropout and random slopes are as in prediction.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from pyrelu._text import aligned
from pyrelu._trace import Pass, elementwise, layers_of, passes

__all__ = [
    "ActivityRecorder",
    "LayerRecord",
    "LayerReport",
    "LinearMap",
    "Repeated",
    "dead_units",
    "gradient_norms",
    "layer_report",
    "local_linear_map",
    "repeated",
    "unit_activity",
]

SATURATED = 0.01  # of what comes in from above, less than a hundredth goes on through a unit with a smaller derivative


@dataclass(frozen=True)
class LayerRecord:
    """What `layer_report` says of one layer. Shares and means are over all rows and units.

    Attributes
    ----------
    layer : int
        Its number; hidden layers come first, the last is the output layer.
    activation : str
        Its name, with its parameters where it has any.
    units : int
        How many numbers it gives.
    dead : float
        Share of units that are 0 for every row.
    saturated : float
        Share of units and rows where the derivative is below 0.01 in size, so that hardly any gradient passes; NaN
        for functions along an axis, such as softmax.
    mean, std : float
        Mean and standard deviation of the outputs.
    gradient : float
        Mean size of the gradient with respect to the layer's pre-activations: of a row's loss where y was given, else
        of the sum of the network's last pre-activations.
    sparsity : float
        Share of outputs that are exactly 0.
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


class LayerReport(list):
    """A list of `LayerRecord`, one per layer, which prints as a table and which `pandas.DataFrame` takes."""

    def __str__(self):
        headings = [field.name for field in fields(LayerRecord)]
        rows = [[_cell(name, getattr(record, name)) for name in headings] for record in self]
        return aligned([["|gradient|" if name == "gradient" else name for name in headings], *rows])


def _cell(name, value):
    if isinstance(value, str | int):
        return str(value)
    if np.isnan(value):
        return "-"
    return f"{value:.1%}" if name in ("dead", "saturated", "sparsity") else f"{value:.3g}"


def layer_report(estimator, X, y=None):
    """Say of each layer how its units fare on X.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Their targets. With them, gradients are those of the loss (without the L2 penalty); without, those of the sum
        of the network's outputs before the output activation.

    Returns
    -------
    LayerReport
        A list of `LayerRecord`, the output layer's last.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X or y does not fit it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.inspection import layer_report
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8, 8), activation=("relu", "tanh"), solver="lbfgs", max_iter=9999, random_state=0).fit(X, y)
    >>> report = layer_report(mlp, X, y)
    >>> [(record.activation, record.units) for record in report]
    [('relu', 8), ('tanh', 8), ('softmax', 3)]
    >>> print(report)  # doctest: +ELLIPSIS
    layer  activation  units  ...  saturated  ...  |gradient|  sparsity
    ...
    """
    tallies = None
    for step, targets in passes(estimator, X, y):
        delta = np.ones_like(step.before[-1]) if targets is None else step.after[-1] - targets
        gradients = step.backward(delta)
        tallies = tallies or [_Tally(layer) for layer in step.layers]
        for tally, z, a, g in zip(tallies, step.before, step.after, gradients, strict=True):
            tally.add(z, a, g)
    return LayerReport(tally.record(i) for i, tally in enumerate(tallies))


class _Tally:
    """Sums over rows for one layer."""

    def __init__(self, layer):
        self.layer = layer
        self.alive = False
        self.n_outputs = self.n_inputs = self.mean = self.squares = self.zeros = self.saturated = self.gradients = 0

    def add(self, z, a, g):
        self.alive = self.alive | (a != 0).any(axis=0)
        self.zeros += np.count_nonzero(a == 0)
        slopes = self.layer.slopes(z)
        self.saturated += np.nan if slopes is None else np.count_nonzero(np.abs(slopes) < SATURATED)
        self.gradients += np.abs(g).sum()
        self.n_inputs += z.size
        # Means and squared distances of two blocks, joined without cancellation (Chan, Golub and LeVeque, 1979).
        n, distance = self.n_outputs + a.size, a.mean() - self.mean
        self.squares += a.var() * a.size + distance**2 * self.n_outputs * a.size / n
        self.mean += distance * a.size / n
        self.n_outputs = n

    def record(self, number):
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


def dead_units(estimator, X):
    """Return which hidden units are 0 for every row of X.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.

    Returns
    -------
    list of ndarray of bool
        One array per hidden layer, of shape (n_units,). The attribute `dead_units_` is this for the training rows.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X does not fit it.
    """
    alive = [False] * (len(layers_of(estimator)) - 1)
    for step, _ in passes(estimator, X):
        alive = [seen | (a != 0).any(axis=0) for seen, a in zip(alive, step.after[:-1], strict=True)]
    return [~seen for seen in alive]


def unit_activity(estimator, X):
    """Return to how much of X each hidden unit responds.

    A unit responds to a row where its derivative is at least 0.01 in size, so that it can learn from it: relu where its
    input is positive, sigmoid and tanh where they are not saturated. A unit of a function along an axis, such as
    softmax, responds where it is not 0.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.

    Returns
    -------
    list of ndarray of float
        One array per hidden layer, of shape (n_units,): shares of the rows, between 0 and 1.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X does not fit it.
    """
    n, responding = 0, 0
    for step, _ in passes(estimator, X):
        block = []
        for layer, z, a in zip(step.layers[:-1], step.before, step.after):
            slopes = layer.slopes(z)
            block.append(np.count_nonzero(a if slopes is None else np.abs(slopes) >= SATURATED, axis=0))
        responding = [sum(pair) for pair in zip(block, responding, strict=True)] if n else block
        n += len(step.inputs[0])
    return [count / n for count in responding]


class ActivityRecorder:
    """Keeps, for each epoch, to how much of some rows each hidden unit responds.

    It is a callback of scikit-learn's (1.9 or later). `pyrelu.plot.UnitActivityDisplay.from_recorder` draws it.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at; some hundreds say as much as all.

    Attributes
    ----------
    activity_ : list of list of ndarray of shape (n_units,)
        What `unit_activity` returned after each epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.inspection import ActivityRecorder
    >>> X, y = load_digits(return_X_y=True)
    >>> recorder = ActivityRecorder(X[:500])
    >>> mlp = MLPClassifier((32, 16), max_iter=500, random_state=0).set_callbacks(recorder).fit(X, y)
    >>> len(recorder.activity_) == mlp.n_iter_
    True
    >>> recorder.activity_[-1][1].shape
    (16,)

    Without callbacks, or between calls of `partial_fit`:

    >>> recorder.record(mlp)
    """

    def __init__(self, X):
        self.X = X
        self.activity_ = []
        self._rows_seen = None

    def record(self, estimator):
        """Look at the estimator as it is now.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted; of pyrelu or of scikit-learn.
        """
        self.activity_.append(unit_activity(estimator, self.X))

    def setup(self, estimator, context):
        """Do nothing before a fit: records of several fits follow each other."""

    def teardown(self, estimator, context):
        """Do nothing after a fit."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Record an epoch; the end of the fit as a whole is none."""
        if fitted_estimator is not None and fitted_estimator.t_ != self._rows_seen:
            self._rows_seen = fitted_estimator.t_
            self.record(fitted_estimator)


def gradient_norms(estimator, X, y):
    """Return the length of the loss's gradient with respect to each layer's weights and biases.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    Returns
    -------
    ndarray of shape (n_layers,)
        L2 norms of the gradient of the mean loss over the rows, without the L2 penalty; the output layer's last.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X or y does not fit it.
    """
    return np.array([np.sqrt((w**2).sum() + (b**2).sum()) for w, b in zip(*loss_gradients(estimator, X, y))])


def loss_gradients(estimator, X, y):
    """Return the gradients of the mean loss, as lists of arrays with the shapes of `coefs_` and of `intercepts_`."""
    layers = layers_of(estimator)
    of_weights = [np.zeros(layer.weights.shape) for layer in layers]
    of_biases = [np.zeros(layer.bias.shape) for layer in layers]
    n = 0
    for step, targets in passes(estimator, X, y):
        for i, g in enumerate(step.backward(step.after[-1] - targets)):
            of_weights[i] += step.inputs[i].T @ g
            of_biases[i] += g.sum(axis=0)
        n += len(targets)
    return [w / n for w in of_weights], [b / n for b in of_biases]


class LinearMap(NamedTuple):
    """What `local_linear_map` returns: the network around x is ``W @ x + b``."""

    W: np.ndarray
    b: np.ndarray


def local_linear_map(estimator, x):
    """Return the affine map that a piecewise linear network is around a point.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted, of pyrelu or of scikit-learn, with activations that are all piecewise linear: maxout, and those with
        `pyrelu.activations[name].piecewise_linear`.
    x : array-like of shape (n_features,)
        The point. Exactly on a kink, the map is that of the branch which the activation's formula takes.

    Returns
    -------
    W : ndarray of shape (n_outputs, n_features)
    b : ndarray of shape (n_outputs,)
        ``W @ x + b`` are the network's outputs before its output activation: logits of a classifier, predictions of a
        regressor. So it is in the whole linear region that x lies in.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where a hidden layer's activation is not piecewise linear, or x does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.neural_network import MLPRegressor
    >>> from pyrelu.inspection import local_linear_map
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = MLPRegressor(hidden_layer_sizes=(10, 10), solver="lbfgs", max_iter=5000, random_state=0).fit(X, y)
    >>> W, b = local_linear_map(mlp, X[0])
    >>> np.allclose(W @ X[0] + b, mlp.predict(X[:1]))
    True
    """
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"x has shape {x.shape}; it must be one point of shape (n_features,)")
    ((step, _),) = passes(estimator, x[np.newaxis])
    check_piecewise_linear(step.layers)
    # W is the Jacobian of the logits. b is what each bias adds, and each activation by a - J @ z, J being its Jacobian:
    # 0 for relu, but not for hardtanh beyond its kinks.
    n_outputs = len(step.layers[-1].bias)
    one_row_per_output = Pass.forward(step.layers, np.repeat(step.inputs[0], n_outputs, axis=0))
    jacobians = one_row_per_output.backward(np.eye(n_outputs))
    b = sum(jacobian @ layer.bias for jacobian, layer in zip(jacobians, step.layers))
    for i, below in enumerate(jacobians[:-1]):
        b = b + jacobians[i + 1] @ (step.after[i][0] @ step.layers[i + 1].weights) - below @ step.before[i][0]
    return LinearMap(jacobians[0] @ step.layers[0].weights.T, b)


def check_piecewise_linear(layers):
    """Raise ValueError where a hidden layer has no local linear map."""
    for i, layer in enumerate(layers[:-1]):
        if not layer.piecewise_linear:
            raise ValueError(
                f"hidden layer {i} has the activation {layer.description}, which is not piecewise linear, so that "
                "the network is no linear map around a point"
            )


class Repeated(NamedTuple):
    """What `repeated` returns: ``f(f(...f(x)))`` and its derivative with respect to x."""

    value: np.ndarray
    derivative: np.ndarray


def repeated(f, x, n):
    """Apply an activation n times, with the derivative of the whole by the chain rule.

    This is a network of one unit per layer with weights of 1: relu applied twice is relu, so its gradient stays 0 or 1
    at any depth, while each sigmoid multiplies the gradient by at most 1/4.

    Parameters
    ----------
    f : str, (str, dict), function of pyrelu or (callable, callable)
        The activation: a name or alias in `pyrelu.activations`, with its parameters as in
        ``("leaky_relu", {"negative_slope": 0.2})``; a function such as `pyrelu.relu`; or any function and its
        derivative.
    x : array_like
        Where to start.
    n : int
        How often to apply it; 0 gives x and 1.

    Returns
    -------
    value, derivative : ndarray
        Of x's shape.

    Raises
    ------
    ValueError
        Where f is not known or not elementwise, or n is not an int of at least 0.

    Examples
    --------
    >>> import pyrelu as pr
    >>> from pyrelu.inspection import repeated
    >>> repeated(pr.relu, [-1.0, 2.0], 10)
    Repeated(value=array([0., 2.]), derivative=array([0., 1.]))
    >>> bool(repeated("sigmoid", 0.0, 10).derivative < 0.25**9)
    True
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 0:
        raise ValueError(f"n={n!r} is not an int in the range [0, inf)")
    activation, slopes = elementwise(getattr(f, "__name__", f))
    value = np.asarray(x)
    value = value if value.dtype.kind == "f" else value.astype(float)
    slope = np.ones_like(value)
    for _ in range(n):
        slope = slope * slopes(value)
        value = activation.forward(value)
    return Repeated(value, slope)
