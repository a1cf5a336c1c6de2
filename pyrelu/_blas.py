"""The BLAS libraries of this process, which the training core limits to one thread while its own threads call them."""

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def libraries():
    """Return a controller for each; it has `get_num_threads` and `set_num_threads`."""
    return ThreadpoolController().select(user_api="blas").lib_controllers  # searches all loaded libraries: 1 ms
