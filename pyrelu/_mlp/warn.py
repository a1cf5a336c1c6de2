"""Warnings that point at the user's line, through any number of calls in pyrelu and scikit-learn."""

import sys
import warnings

_INSIDE = ("pyrelu.", "sklearn.")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the innermost line outside pyrelu and scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and f"{frame.f_globals.get('__name__')}.".startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
