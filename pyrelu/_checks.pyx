# cython: language_level=3, freethreading_compatible=True
"""Checks of everything that the training core reads or writes, since C itself checks nothing."""

cimport numpy as cnp
from libc.math cimport INFINITY

from numbers import Integral, Real

import numpy as np

cnp.import_array()

# Dimensions must be less than this: BLAS takes them as int, and random numbers have 32-bit counters.
cdef Py_ssize_t MAX_DIMENSION = 1 << 31


cdef str describe(value):
    """Describe a value, which may be large, for an error."""
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    return f"{type(value).__name__}"


cdef void *address(array, name, dtype, tuple shape, bint writeable=False) except? NULL:
    """Return the address of an array's data after checking that C can use it: type, dtype, shape, order."""
    cdef cnp.ndarray a
    cdef int k
    cdef bint fits
    if isinstance(array, np.ndarray):
        a = array
        fits = cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_ISBEHAVED_RO(a)
        fits = fits and cnp.PyArray_NDIM(a) == len(shape) and <object>cnp.PyArray_DESCR(a) == dtype
        for k in range(len(shape) if fits else 0):
            fits = fits and cnp.PyArray_DIM(a, k) == shape[k]
        if fits and (not writeable or cnp.PyArray_ISWRITEABLE(a)):
            return cnp.PyArray_DATA(a)
    raise ValueError(f"{name}: expected a C-contiguous{' writeable' if writeable else ''} {dtype} array of shape {shape}, "
                     f"got {describe(array)}")


cdef list listed(value, name, Py_ssize_t length):
    """Return a value as a list, after checking its length; -1: any."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} must be a list, got {describe(value)}")
    if length >= 0 and len(value) != length:
        raise ValueError(f"{name} has {len(value)} entries where the network takes {length}")
    return list(value)


cdef double number(value, name, double least=-INFINITY, double below=INFINITY) except? -1:
    """Return a value as a float in [least, below), or in [least, inf] if `below` is infinite."""
    cdef double x
    if type(value) is not float and not isinstance(value, Real):  # which takes 0.1 us
        raise TypeError(f"{name} must be a number, got {describe(value)}")
    try:
        x = value
    except OverflowError:
        raise ValueError(f"{name} is too large") from None
    if not (x >= least and (x < below or below == INFINITY)):
        raise ValueError(f"{name}={value!r} is not in the range [{least:g}, {below:g})")
    return x


cdef object integer(value, name, least, below):
    """Return a value as an int in [least, below)."""
    if type(value) is not int and (not isinstance(value, Integral) or isinstance(value, bool)):
        raise TypeError(f"{name} must be an integer, got {describe(value)}")
    if not least <= value < below:
        raise ValueError(f"{name} is not in the range [{least}, {below})")
    return int(value)


cdef object one_of(value, name, table):
    """Return the entry of a dict, whose keys an error lists."""
    if not isinstance(value, str) or value not in table:
        raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, table))}")
    return table[value]


cdef tuple two_dimensional(array, name):
    """Return the shape of a matrix, after checking that it is neither empty nor too large."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an array, got {describe(array)}")
    if cnp.PyArray_NDIM(array) != 2:
        raise ValueError(f"{name} must have two dimensions, got {describe(array)}")
    cdef Py_ssize_t n = cnp.PyArray_DIM(array, 0), m = cnp.PyArray_DIM(array, 1)
    if not (0 < n < MAX_DIMENSION and 0 < m < MAX_DIMENSION):
        raise ValueError(f"{name} has the shape {(n, m)}; each dimension must be in the range [1, {MAX_DIMENSION})")
    return n, m


cdef bint all_below(const Py_ssize_t *values, Py_ssize_t n, Py_ssize_t limit) noexcept nogil:
    """Return whether all values are in [0, limit)."""
    cdef size_t largest = 0
    cdef Py_ssize_t i
    for i in range(n):
        largest = max(largest, <size_t>values[i])
    return n == 0 or largest < <size_t>limit


cdef bint all_finite(const word *values, Py_ssize_t n, word infinity) noexcept nogil:
    """Return whether all values are finite, given their bits and those of infinity."""
    # Only infinity and NaN have so large an exponent that one more carries to the sign's bit: this takes no comparison,
    # of which SSE2 has none for 64 bits.
    cdef word unit = infinity & (0 - infinity), sign = infinity + unit, found = 0
    cdef Py_ssize_t i
    for i in range(n):
        found |= (values[i] & (sign - 1)) + unit
    return not found & sign


cdef bint ascends(const Py_ssize_t *values, Py_ssize_t n) noexcept nogil:
    """Return whether the values start at 0 and never decrease."""
    cdef bint right = values[0] == 0
    cdef Py_ssize_t i
    for i in range(1, n):
        right &= values[i - 1] <= values[i]
    return right


cdef object aligned(array):
    """Return an array, or a copy of one whose numbers lie across their natural addresses, as some that were received do."""
    if isinstance(array, np.ndarray) and not cnp.PyArray_ISALIGNED(array):
        return array.copy()
    return array
