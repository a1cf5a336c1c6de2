"""BLAS on one thread while our own threads call it: two pools of threads on the same cores slow each other down."""

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller():
    return ThreadpoolController()  # looks through all loaded libraries: 1 ms or more


def single_threaded_blas():
    """Return a context in which BLAS uses one thread.

    threadpoolctl lets only the first Python thread that asks decide; in others BLAS stays as it is.
    """
    return _controller().limit(limits=1, user_api="blas")
