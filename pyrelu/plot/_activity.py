"""Units over the course of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrelu.plot._style import COLORS, bare, figure_and_axes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

    from pyrelu.inspection import ActivityRecorder


class UnitActivityDisplay:
    """The share of rows to which each hidden unit responds, by epoch; units that fall silent stand out.

    Parameters
    ----------
    activity : list of ndarray of shape (n_epochs, n_units)
        For each hidden layer, the share of rows to which each unit responds; `pyrelu.inspection.unit_activity`
        returns it for one epoch.
    epochs : array-like of shape (n_epochs,), default=None
        The numbers of the epochs; None: 1, 2, 3 ...

    Attributes
    ----------
    images_ : list of QuadMesh
        One per layer: units, sorted by their activity at the end, over epochs.
    colorbar_ : Colorbar
    axes_ : ndarray of Axes
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.inspection import ActivityRecorder
    >>> from pyrelu.plot import UnitActivityDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> recorder = ActivityRecorder(X[:500])
    >>> mlp = MLPClassifier((32, 16), max_iter=500, random_state=0).set_callbacks(recorder).fit(X, y)
    >>> display = UnitActivityDisplay.from_recorder(recorder)
    >>> len(display.images_)
    2
    """

    def __init__(self, activity: Sequence[NDArray[np.floating[Any]]], epochs: ArrayLike | None = None) -> None:
        self.activity = activity
        self.epochs = epochs

    @classmethod
    def from_recorder(cls, recorder: ActivityRecorder, *, axes: Sequence[Axes] | None = None) -> Self:
        """Draw what a callback recorded during training.

        Parameters
        ----------
        recorder : pyrelu.inspection.ActivityRecorder
            It must have at least one record.
        axes : sequence of Axes, default=None
            Where to draw, one per hidden layer; None: on a new figure.

        Returns
        -------
        UnitActivityDisplay

        Raises
        ------
        ValueError
            If nothing was recorded.
        MissingExtraError
            If matplotlib is not installed.
        """
        if not recorder.activity_:
            raise ValueError(f"{recorder!r} has recorded nothing yet")
        return cls([np.array(layer) for layer in zip(*recorder.activity_, strict=True)]).plot(axes=axes)

    def plot(self, *, axes: Sequence[Axes] | None = None) -> Self:
        """Draw it.

        Parameters
        ----------
        axes : sequence of Axes, default=None
            Where to draw, one per hidden layer; None: on a new figure.

        Returns
        -------
        UnitActivityDisplay
            The object itself.
        """
        n = len(self.activity)
        if axes is None:
            self.figure_, axes = new_axes(ncols=n, squeeze=False, figsize=(1.4 + 2.6 * n, 3.4))
        self.axes_ = np.ravel(np.asarray(axes, dtype=object))
        if len(self.axes_) != n:
            raise ValueError(f"axes={axes!r} must have one Axes for each of the {n} hidden layers")
        for ax in self.axes_:
            figure_and_axes(ax)  # checks its type
        self.figure_ = self.axes_[0].figure
        self.images_ = [
            self._draw(ax, i, activity) for i, (ax, activity) in enumerate(zip(self.axes_, self.activity, strict=True))
        ]
        self.axes_[0].set_ylabel("unit, most active first")
        self.colorbar_ = self.figure_.colorbar(
            self.images_[0],
            ax=list(self.axes_),
            extend="min",
            extendfrac=0.06,
            ticks=[0, 0.5, 1],
            label="share of rows a unit responds to",
        )
        self.colorbar_.ax.set_yticklabels(["silent", "half", "all"])
        self.colorbar_.outline.set_visible(False)
        return self

    def _draw(self, ax: Axes, i: int, activity: NDArray[np.floating[Any]]) -> QuadMesh:
        from matplotlib.colors import LinearSegmentedColormap

        n_epochs, n_units = activity.shape
        epochs = np.arange(1, n_epochs + 1) if self.epochs is None else np.asarray(self.epochs)
        order = np.lexsort((-activity.mean(axis=0), -activity[-1]))
        shades = LinearSegmentedColormap.from_list("activity", ["0.96", COLORS[4], COLORS[0], "#08243c"])
        image = ax.pcolormesh(
            epochs,
            np.arange(1, n_units + 1),
            activity[:, order].T,
            cmap=shades.with_extremes(under=COLORS[1]),
            vmin=np.finfo(float).tiny,
            vmax=1,
            shading="nearest",
        )
        ax.invert_yaxis()
        for axis in (ax.yaxis, ax.xaxis):
            locator: Any = axis.get_major_locator()  # an AutoLocator
            locator.set_params(integer=True)
        silent = np.count_nonzero(activity[-1] == 0)
        ax.set_title(f"hidden layer {i}: {silent} of {n_units} silent", loc="left", fontsize=9)
        ax.set_xlabel("epoch")
        bare(ax)
        return image
