"""Errors and warnings of the estimators."""

__all__ = ["DeadUnitWarning", "InvalidParameterError"]


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a type or a value that is not allowed; the message says what is."""


class DeadUnitWarning(UserWarning):
    """Many units of a hidden layer are zero on every training row: they have stopped learning."""
