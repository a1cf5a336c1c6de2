# cython: language_level=3, freethreading_compatible=True
"""What a network is trained on, or predicts: rows, checked once for all epochs."""

cimport numpy as cnp

from libc.stdint cimport uint32_t, uint64_t

from pyrelu._checks cimport address, aligned, all_below, all_finite, ascends, describe, two_dimensional
from pyrelu._library cimport pyrelu_core, pyrelu_core_f32, pyrelu_core_f64

import numpy as np

cnp.import_array()


cdef class Samples:
    """Rows to train on or to predict.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        C-contiguous, of dtype float32 or float64, which the other arrays must have, too.
    targets : ndarray of shape (n_samples, n_targets), default=None
        One number per output, or one for all outputs: a classifier's is the index of the class.
    weights : ndarray of shape (n_samples,), default=None
        Sample weights.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, for example if a CSR matrix has a column index out of range.
    """

    def __cinit__(self, X, targets=None, weights=None):  # once, and before all else
        if not (isinstance(X, np.ndarray) or getattr(X, "format", None) == "csr"):
            raise TypeError(f"X must be an array or a CSR matrix, got {describe(X)}")
        if len(X.shape) != 2:
            raise ValueError(f"X must have two dimensions, got {describe(X)}")
        self.n_samples, self.n_features = X.shape
        targets, weights = aligned(targets), aligned(weights)
        self.dtype = X.dtype
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"X of dtype {X.dtype}; a network computes in float32 or float64")
        if isinstance(X, np.ndarray):
            X = aligned(X)
            self.samples.values = address(X, "X", self.dtype, (self.n_samples, self.n_features))
            self.arrays = X, targets, weights
        else:
            self._take_csr(X)
            self.arrays += targets, weights
        if targets is not None:
            self.n_targets = two_dimensional(targets, "targets")[1] if self.n_samples else 1
            self.samples.n_targets = self.n_targets
            self.samples.targets = address(targets, "targets", self.dtype, (self.n_samples, self.n_targets))
        if weights is not None:
            self.samples.weights = address(weights, "sample_weight", self.dtype, (self.n_samples,))

    cdef _take_csr(self, X):
        cdef Py_ssize_t n_stored
        cdef bint right
        for name in ("data", "indices", "indptr"):
            if not isinstance(getattr(X, name, None), np.ndarray):
                raise TypeError(f"X.{name} must be an array, got {describe(getattr(X, name, None))}")
        columns, starts = X.indices.astype(np.intp, copy=False), aligned(X.indptr.astype(np.intp, copy=False))
        self.samples.starts = <Py_ssize_t *>address(starts, "X.indptr", np.dtype(np.intp), (self.n_samples + 1,))
        with nogil:
            right = ascends(self.samples.starts, self.n_samples + 1)
        n_stored = self.samples.starts[self.n_samples]
        if not right or n_stored > min(len(columns), len(X.data)):
            raise ValueError("X.indptr must ascend from 0 to no more than the number of X.indices and X.data")
        values, columns = aligned(X.data), aligned(columns)
        self.samples.values = address(values, "X.data", self.dtype, (len(X.data),))
        self.samples.columns = <Py_ssize_t *>address(columns, "X.indices", np.dtype(np.intp), (len(columns),))
        with nogil:
            right = all_below(self.samples.columns, n_stored, self.n_features)
        if not right:
            raise ValueError(f"X.indices must be in the range [0, {self.n_features}), the number of features")
        self.arrays = values, columns, starts

    def ranges(self):
        """Return the least and the largest number of each column, of shape (2, n_features).

        The least is NaN where not all are finite. None for a CSR matrix, and if there are no rows.
        """
        cdef const pyrelu_core *core = &pyrelu_core_f32 if self.dtype == np.float32 else &pyrelu_core_f64
        cdef Py_ssize_t m = self.n_samples, n = self.n_features
        cdef void *lows
        cdef void *highs
        if self.samples.starts is not NULL or m == 0:
            return None
        found = np.empty((2, n), self.dtype)
        lows, highs = cnp.PyArray_DATA(found), cnp.PyArray_DATA(found[1])
        with nogil:
            core.ranges(self.samples.values, m, n, lows, highs)
        return found

    cdef tuple target_range(self):
        """Return the least and the largest target, or NaN if a target is NaN."""
        if self.range_of_targets is None:
            targets = self.arrays[len(self.arrays) - 2]
            self.range_of_targets = targets.min(), targets.max()
        return self.range_of_targets


def is_finite_matrix(X, n_columns):
    """Return whether X is an array that a network can read as it is: of so many columns and finite, with a row at least.

    False says nothing: X may be something to convert, or to refuse.
    """
    cdef cnp.ndarray a
    cdef const void *values
    cdef Py_ssize_t n
    cdef bint finite
    if type(X) is not np.ndarray or type(n_columns) is not int:
        return False
    a = X
    if not (cnp.PyArray_NDIM(a) == 2 and cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_ISBEHAVED_RO(a)):
        return False
    n = cnp.PyArray_SIZE(a)
    if n == 0 or cnp.PyArray_DIM(a, 1) != n_columns:
        return False
    values = cnp.PyArray_DATA(a)
    if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT32:
        with nogil:
            finite = all_finite(<const uint32_t *>values, n, <uint32_t>0x7f800000)
        return finite
    if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT64:
        with nogil:
            finite = all_finite(<const uint64_t *>values, n, <uint64_t>0x7ff0000000000000)
        return finite
    return False
