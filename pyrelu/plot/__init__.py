"""Pictures, by the conventions of scikit-learn's displays: a class method draws and returns the object with its artists.

They need matplotlib (the extra `plot`). `DecisionBoundaryDisplay` is scikit-learn's own, which takes any estimator.
"""

from sklearn.inspection import DecisionBoundaryDisplay

from pyrelu.plot._activation import ActivationDisplay
from pyrelu.plot._activity import UnitActivityDisplay
from pyrelu.plot._gradient import GradientNormDisplay
from pyrelu.plot._grid import ActivationGridDisplay
from pyrelu.plot._loss import LossCurveDisplay
from pyrelu.plot._regions import LinearRegionsDisplay

__all__ = [
    "ActivationDisplay",
    "ActivationGridDisplay",
    "DecisionBoundaryDisplay",
    "GradientNormDisplay",
    "LinearRegionsDisplay",
    "LossCurveDisplay",
    "UnitActivityDisplay",
]
