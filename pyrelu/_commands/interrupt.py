"""Ctrl-C while a command runs."""

import signal
import threading
from contextlib import contextmanager


class Interrupted(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt, at which a fit ends early and the command would go on."""


def raises(error):
    """Have Ctrl-C raise an exception of this class while the context lasts; it yields a list of those raised."""
    return _raising(error)


@contextmanager
def _raising(error):
    raised = []

    def interrupt(signum, frame):
        raised.append(error())
        raise raised[-1]

    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield raised
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield raised
    finally:
        signal.signal(signal.SIGINT, before)
