"""The BLAS libraries of this process, which the training core limits to one thread while its own threads call them."""

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def libraries():
    """Return for each library a function that gets its number of threads, and one that sets it."""
    found = ThreadpoolController().select(user_api="blas").lib_controllers  # looks through all that is loaded: 1 ms
    return [(library.get_num_threads, _setter(library)) for library in found]


def _setter(library):
    """Return what sets the number from any Python thread.

    In recent versions of threadpoolctl `set_num_threads` does nothing where another thread that is alive has called it before. The
    last use of BLAS may end in another thread than that in which the first began, and would leave the limit behind.
    """
    return getattr(library, "_real_set_num_threads", library.set_num_threads)
