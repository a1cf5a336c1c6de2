"""The BLAS libraries of this process, which the training core limits to one thread while its own threads call them."""

from collections.abc import Callable
from functools import cache

from threadpoolctl import LibController, ThreadpoolController


@cache
def libraries() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """Return for each library a function that gets its number of threads, and one that sets it."""
    found = ThreadpoolController().select(user_api="blas").lib_controllers  # looks through all that is loaded: 1 ms
    return [(library.get_num_threads, _setter(library)) for library in found]


def _setter(library: LibController) -> Callable[[int], None]:
    """Return a function that sets the number of threads from any Python thread.

    In recent versions of threadpoolctl, `set_num_threads` does nothing if another live thread has called it before. The last
    use of BLAS may end in another thread than the one in which the first began, and the limit would stay.
    """
    setter: Callable[[int], None] = getattr(library, "_real_set_num_threads", library.set_num_threads)
    return setter
