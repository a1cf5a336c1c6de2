"""Ctrl-C while a command runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt, which ends a fit early and lets the command continue."""


@contextmanager
def raises(error: type[BaseException]) -> Iterator[list[BaseException]]:
    """Make Ctrl-C raise an exception of this class within the context; yield a list of those raised."""
    raised: list[BaseException] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raised.append(error())
        raise raised[-1]

    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield raised
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield raised
    finally:
        signal.signal(signal.SIGINT, before)
