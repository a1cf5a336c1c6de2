"""BLAS on one thread while our own threads call it: two pools of threads on the same cores slow each other down."""

import threading
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users = 0
_limit = None


@cache
def _controller():
    return ThreadpoolController()  # looks through all loaded libraries: 1 ms or more


@contextmanager
def single_threaded_blas():
    """Limit BLAS to one thread, for the whole process, until the last of those who asked for it is done."""
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limit.restore_original_limits()
