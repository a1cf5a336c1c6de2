"""Progress bars, shown on a terminal if tqdm is installed."""

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def bar(items: Sequence[T], what: str) -> Iterable[T]:
    """Return the items, with a progress bar on standard error if that is a terminal."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return items
    shown: Iterable[T] = tqdm(items, desc=what, leave=False, disable=None)
    return shown


def wanted() -> bool:
    """Return whether a fit should show its own progress bar."""
    try:
        import tqdm  # noqa: F401
    except ImportError:
        return False
    return sys.stderr.isatty()


def say(*messages: str) -> None:
    """Print messages on standard error, a line each."""
    for message in messages:
        print(f"pyrelu: {message}", file=sys.stderr)
