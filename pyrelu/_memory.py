"""Arrays that begin with a line of the cache: of a vector as wide as a line, each load or store elsewhere takes two."""

from math import ceil

import numpy as np
from numpy.typing import DTypeLike

from pyrelu._typing import Floats
from pyrelu._ufuncs import CACHE_LINE


def on_lines(n_arrays: int, size: int, dtype: DTypeLike, zeros: bool = False) -> list[Floats]:
    """Return arrays of `size` elements each, in one allocation, which is faster than several.

    Parameters
    ----------
    n_arrays, size : int
    dtype : dtype
        Its elements fill lines.
    zeros : bool, default=False
        Whether they are zeros; else anything.
    """
    each = CACHE_LINE // np.dtype(dtype).itemsize
    step = ceil(size / each) * each
    memory = (np.zeros if zeros else np.empty)(n_arrays * step + each, dtype)
    start = -memory.ctypes.data % CACHE_LINE // memory.itemsize
    return [memory[at : at + size] for at in range(start, start + n_arrays * step, step)]
