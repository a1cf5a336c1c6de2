"""Errors and warnings."""

__all__ = ["DeadUnitWarning", "InvalidFileError", "InvalidParameterError", "MissingExtraError"]


class InvalidParameterError(ValueError, TypeError):
    """A parameter has an invalid type or value; the message says what is allowed."""


class InvalidFileError(ValueError):
    """A file is not valid; the message says why."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} {reason}")


class DeadUnitWarning(UserWarning):
    """Many units of a hidden layer are zero on every training row: they have stopped learning."""


class MissingExtraError(ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"this needs {package}; install it with: pip install {package}")
