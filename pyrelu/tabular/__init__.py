"""Networks for tables as they are: numbers, categories, dates, missing values."""

from pyrelu.tabular._estimators import TabularMLPClassifier, TabularMLPRegressor
from pyrelu.tabular._preprocessing import TablePreprocessor

__all__ = ["TablePreprocessor", "TabularMLPClassifier", "TabularMLPRegressor"]
