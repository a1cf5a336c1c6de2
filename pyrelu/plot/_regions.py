"""The linear regions of a network of two inputs."""

import numpy as np
from sklearn.utils import check_array

from pyrelu.inspection._linear_map import check_piecewise_linear
from pyrelu.inspection._trace import Pass, layers_of
from pyrelu.plot._style import bare, figure_and_axes

BLOCK_POINTS = 65_536  # at a time; keeps memory for a layer of 1,000 units below 1 GB


class LinearRegionsDisplay:
    """The plane as a piecewise linear network sees it: one colour per linear region, for the map that it is there.

    The hue is the direction in which the output rises, the depth of the colour how fast; where the output does not
    change there is none.

    Parameters
    ----------
    xx0, xx1 : ndarray of shape (n_rows, n_columns)
        The grid.
    maps : ndarray of shape (n_rows, n_columns, 2)
        The gradient of the drawn output at each point: that row of `local_linear_map`'s W.
    margin : ndarray of shape (n_rows, n_columns) or None
        Positive where a classifier decides for the class drawn.
    bends : list of ndarray of shape (n_rows, n_columns)
        For each hidden unit and kink, a number that changes its sign there.
    feature_names : sequence of str, default=()
        What to write at the axes.

    Attributes
    ----------
    image_ : AxesImage
        The regions.
    edges_ : list of ContourSet
        Where a unit has a kink: the regions' edges.
    boundary_ : ContourSet or None
        The decision boundary, of a classifier.
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

    def __init__(self, xx0, xx1, maps, margin, bends, feature_names=()):
        self.xx0 = xx0
        self.xx1 = xx1
        self.maps = maps
        self.margin = margin
        self.bends = bends
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator, X, *, output=0, grid_resolution=400, eps=None, ax=None):
        """Draw the regions of a fitted estimator around some rows.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted on two features, of pyrelu or of scikit-learn, with activations that are all piecewise linear.
        X : array-like of shape (n_samples, 2)
            Rows that the picture is to hold. The names of a DataFrame's columns are written at the axes.
        output : int, default=0
            Which output is drawn: the class, of a classifier of three or more.
        grid_resolution : int, default=400
            Points along each side.
        eps : float, default=None
            How far the picture goes beyond X; None: 15% of X's extent.
        ax : Axes, default=None
            Where to draw; None: on a new figure.

        Returns
        -------
        LinearRegionsDisplay

        Raises
        ------
        NotFittedError
            Where the estimator is not fitted.
        ValueError
            Where there are not two features, an activation is not piecewise linear, or there is no such output.
        MissingExtraError
            Where matplotlib is not installed.
        """
        layers = layers_of(estimator)
        check_piecewise_linear(layers)
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
        maps, logits, *bends = (np.concatenate(part).reshape(*xx0.shape, -1) for part in zip(*parts, strict=True))
        margin, bends = _margin(estimator, logits, output), list(np.moveaxis(bends[0], -1, 0))
        return cls(xx0, xx1, maps, margin, bends, feature_names).plot(ax=ax)

    def plot(self, *, ax=None):
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
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(5, 4.4))
        extent = (self.xx0[0, 0], self.xx0[0, -1], self.xx1[0, 0], self.xx1[-1, 0])
        self.image_ = ax.imshow(
            colors(self.maps), origin="lower", extent=extent, interpolation="nearest", aspect="auto"
        )
        self.edges_ = [
            ax.contour(self.xx0, self.xx1, bend, [0], colors="black", linewidths=0.4, alpha=0.5, linestyles="-")
            for bend in self.bends
            if bend.min() < 0 < bend.max()
        ]
        self.boundary_ = None
        if self.margin is not None and self.margin.min() < 0 < self.margin.max():
            self.boundary_ = ax.contour(self.xx0, self.xx1, self.margin, [0], colors="black", linewidths=2)
        ax.set(**dict(zip(("xlabel", "ylabel"), self.feature_names)))
        bare(ax)
        return self


def _look(layers, points, output):
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


def _margin(estimator, logits, output):
    if not hasattr(estimator, "classes_"):
        return None
    if estimator.out_activation_ == "softmax":
        return logits[..., output] - np.delete(logits, output, axis=-1).max(axis=-1)
    return logits[..., output]


def colors(maps):
    """Return the colour of each gradient: its direction as hue, its length as depth."""
    from matplotlib.colors import hsv_to_rgb

    length = np.hypot(maps[..., 0], maps[..., 1])
    hue = np.arctan2(maps[..., 1], maps[..., 0]) / (2 * np.pi) % 1
    depth = np.sqrt(length / (length.max() or 1))
    return hsv_to_rgb(np.stack([hue, 0.75 * depth, 1 - 0.25 * depth], axis=-1))
