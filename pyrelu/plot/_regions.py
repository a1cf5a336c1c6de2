"""The linear regions of a network of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from pyrelu._typing import Floats
from pyrelu.inspection._linear_map import piecewise_linear_layers
from pyrelu.inspection._trace import FittedNetwork, Layer, Pass
from pyrelu.plot._style import bare, figure_and_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLOCK_POINTS = 65_536  # at a time; keeps memory for a layer of 1,000 units below 1 GB


class LinearRegionsDisplay:
    """The linear regions of a piecewise linear network with two inputs, one colour for each.

    The hue shows the direction in which the output rises, and the depth of the colour how steeply; white means that it is
    constant. A key next to the picture shows the directions.

    Parameters
    ----------
    xx0, xx1 : ndarray of shape (n_rows, n_columns)
        The grid.
    maps : ndarray of shape (n_rows, n_columns, 2)
        The gradient of the drawn output at each point: that row of `local_linear_map`'s W.
    margins : ndarray of shape (n_rows, n_columns, n_decisions) or None
        For a classifier: positive where it predicts the class (with two classes, the second one).
    bends : list of ndarray of shape (n_rows, n_columns)
        For each hidden unit and kink, a number that changes its sign there.
    feature_names : sequence of str, default=()
        The labels of the axes; by default "feature 0" and "feature 1".
    output_name : str, default="output"
        What the key calls the output.

    Attributes
    ----------
    image_ : AxesImage
        The regions.
    edges_ : list of ContourSet
        The edges of the regions: the kinks of each unit.
    boundaries_ : list of ContourSet
        The decision boundaries of a classifier: around each class, if there are three or more.
    legend_ : Legend
        The two kinds of lines.
    key_ax_ : Axes
        The key of the colours.
    ax_, figure_ : Axes, Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import make_moons
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.plot import LinearRegionsDisplay
    >>> X, y = make_moons(noise=0.1, random_state=0)
    >>> mlp = MLPClassifier((8,), solver="lbfgs", random_state=0, max_iter=5000).fit(X, y)
    >>> display = LinearRegionsDisplay.from_estimator(mlp, X)
    >>> display.maps.shape
    (400, 400, 2)
    """

    def __init__(
        self,
        xx0: NDArray[np.float64],
        xx1: NDArray[np.float64],
        maps: NDArray[np.float64],
        margins: NDArray[np.float64] | None,
        bends: Sequence[NDArray[np.float64]],
        feature_names: Sequence[str] = (),
        output_name: str = "output",
    ) -> None:
        self.xx0 = xx0
        self.xx1 = xx1
        self.maps = maps
        self.margins = margins
        self.bends = bends
        self.feature_names = feature_names
        self.output_name = output_name

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedNetwork,
        X: Any,
        *,
        output: int = 0,
        grid_resolution: int = 400,
        eps: float | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the regions of a fitted estimator around some rows.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted on two features, of pyrelu or of scikit-learn, with activations that are all piecewise linear.
        X : array-like of shape (n_samples, 2)
            Rows that the picture must include. The column names of a DataFrame are the labels of the axes.
        output : int, default=0
            The output whose slope is drawn: the number of the class, with three or more.
        grid_resolution : int, default=400
            Points along each side.
        eps : float, default=None
            The margin around X; None: 15% of X's extent.
        ax : Axes, default=None
            Where to draw; None: on a new figure.

        Returns
        -------
        LinearRegionsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there are not two features, an activation is not piecewise linear, columns are embedded, or there is no such
            output.
        MissingExtraError
            If matplotlib is not installed.
        """
        layers = piecewise_linear_layers(estimator)
        feature_names = list(getattr(X, "columns", ()))
        X = check_array(X)
        if X.shape[1] != 2 or len(layers[0].weights) != 2:
            raise ValueError(
                f"a picture of regions needs 2 features; X has {X.shape[1]}, the network {len(layers[0].weights)}"
            )
        n_outputs = len(layers[-1].bias)
        if output not in range(n_outputs):
            raise ValueError(f"output={output!r} is not in range({n_outputs})")
        eps = 0.15 * np.ptp(X, axis=0) if eps is None else eps
        xx0, xx1 = np.meshgrid(*np.linspace(X.min(axis=0) - eps, X.max(axis=0) + eps, grid_resolution).T)
        points = np.column_stack([xx0.ravel(), xx1.ravel()])
        parts = [_look(layers, block, output) for block in np.array_split(points, -(-len(points) // BLOCK_POINTS))]
        maps, logits, of_kinks = (np.concatenate(part).reshape(*xx0.shape, -1) for part in zip(*parts, strict=True))
        margins, bends = _margins(estimator, logits), list(np.moveaxis(of_kinks, -1, 0))
        name = "output"
        if margins is not None and hasattr(estimator, "classes_"):  # one output for two classes is that of the second
            name += f" of class {estimator.classes_[output if n_outputs > 1 else -1]}"
        return cls(xx0, xx1, maps, margins, bends, feature_names, name).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: on a new figure.

        Returns
        -------
        LinearRegionsDisplay
            The object itself.
        """
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(6.6, 4.4))
        extent = (self.xx0[0, 0], self.xx0[0, -1], self.xx1[0, 0], self.xx1[-1, 0])
        self.image_ = ax.imshow(
            colors(self.maps), origin="lower", extent=extent, interpolation="nearest", aspect="auto"
        )
        self.edges_ = [
            ax.contour(self.xx0, self.xx1, bend, [0], colors="black", linewidths=0.4, alpha=0.5, linestyles="-")
            for bend in self.bends
            if bend.min() < 0 < bend.max()
        ]
        margins = [] if self.margins is None else list(np.moveaxis(self.margins, -1, 0))
        self.boundaries_ = [
            ax.contour(self.xx0, self.xx1, margin, [0], colors="black", linewidths=2)
            for margin in margins
            if margin.min() < 0 < margin.max()
        ]
        ax.set(**dict(zip(("xlabel", "ylabel"), [*self.feature_names] or ["feature 0", "feature 1"])))
        bare(ax)
        self._draw_key(ax)
        return self

    def _draw_key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D

        lines = [Line2D([], [], color="black", linewidth=0.6, alpha=0.6, label="kink of a unit")]
        if self.boundaries_:
            lines.append(Line2D([], [], color="black", linewidth=2, label="decision boundary"))
        self.legend_ = ax.legend(
            handles=lines, loc="lower left", bbox_to_anchor=(1.02, 0), frameon=False, fontsize=8, borderaxespad=0
        )
        self.key_ax_ = key = ax.inset_axes((1.06, 0.5, 0.24, 0.32))
        ticks = np.linspace(-1.02, 1.02, 201)
        slopes = np.stack(np.meshgrid(ticks, ticks), axis=-1)
        disc = np.hypot(*np.moveaxis(slopes, -1, 0)) <= 1
        key.imshow(np.dstack([colors(slopes * disc[..., np.newaxis]), disc]), origin="lower", extent=(-1, 1, -1, 1))
        for direction in np.deg2rad([0, 90, 180, 270]):
            tip = np.cos(direction), np.sin(direction)
            key.annotate("", tip, (0.45 * tip[0], 0.45 * tip[1]), arrowprops={"arrowstyle": "->", "color": "0.2"})
        key.set_axis_off()
        key.set_title(f"{self.output_name}\nrises towards ...", fontsize=8)
        key.text(0, -1.15, "centre: constant\nrim: steepest", fontsize=8, ha="center", va="top")


def _look(layers: list[Layer], points: NDArray[np.float64], output: int) -> tuple[Floats, Floats, Floats]:
    """Return the output's gradient at the points, all last pre-activations, and what changes sign at each kink."""
    step = Pass.forward(layers, points)
    seed = np.zeros_like(step.before[-1])
    seed[:, output] = 1
    bends = [layer.bends(z) for layer, z in zip(layers[:-1], step.before)]
    return (
        step.backward(seed)[0] @ layers[0].weights.T,
        step.before[-1],
        np.concatenate([np.empty((len(points), 0)), *bends], axis=1),
    )


def _margins(estimator: FittedNetwork, logits: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return by how much each decision is taken: for each class of three or more, for each label, for one of two classes."""
    if not hasattr(estimator, "classes_"):
        return None
    if estimator.out_activation_ == "softmax":
        two = np.sort(logits, axis=-1)[..., -2:]
        first, second = two[..., 1:], two[..., :1]
        return logits - np.where(logits == first, second, first)
    return logits


def colors(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colour of each gradient: its direction as hue, its length as depth."""
    from matplotlib.colors import hsv_to_rgb

    length = np.hypot(maps[..., 0], maps[..., 1])
    hue = np.arctan2(maps[..., 1], maps[..., 0]) / (2 * np.pi) % 1
    depth = np.sqrt(length / (length.max() or 1))
    return hsv_to_rgb(np.stack([hue, 0.75 * depth, 1 - 0.25 * depth], axis=-1))
