"""Plots in the style of scikit-learn's displays: a class method draws and returns an object that holds the artists.

They need matplotlib, which the extra `plot` installs. `DecisionBoundaryDisplay` is scikit-learn's own; it takes any
estimator.
"""

from sklearn.inspection import DecisionBoundaryDisplay

from pyrelu.plot._activation import ActivationDisplay
from pyrelu.plot._activity import UnitActivityDisplay
from pyrelu.plot._gradient import GradientNormDisplay
from pyrelu.plot._grid import ActivationGridDisplay
from pyrelu.plot._loss import LossCurveDisplay
from pyrelu.plot._overlay import ActivationOverlayDisplay
from pyrelu.plot._regions import LinearRegionsDisplay

__all__ = [
    "ActivationDisplay",
    "ActivationGridDisplay",
    "ActivationOverlayDisplay",
    "DecisionBoundaryDisplay",
    "GradientNormDisplay",
    "LinearRegionsDisplay",
    "LossCurveDisplay",
    "UnitActivityDisplay",
]
