"""Progress bars, shown on a terminal if tqdm is installed."""

import sys


def bar(items, what):
    """Return the items, with a progress bar on standard error if that is a terminal."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return items
    return tqdm(items, desc=what, leave=False, disable=None)


def wanted():
    """Return whether a fit should show its own progress bar."""
    try:
        import tqdm  # noqa: F401
    except ImportError:
        return False
    return sys.stderr.isatty()


def say(*messages):
    """Print messages on standard error, a line each."""
    for message in messages:
        print(f"pyrelu: {message}", file=sys.stderr)
