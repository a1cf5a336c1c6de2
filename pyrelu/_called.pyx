# cython: language_level=3, freethreading_compatible=True
"""Activations and losses that are the user's functions, called from C."""

cimport numpy as cnp
from libc.string cimport memset

import numpy as np

cnp.import_array()


cdef class Called:
    """A pair of functions, as activation or as loss, and the first error that one of them raised."""

    def __init__(self, functions, dtype):
        self.functions = functions
        self.dtype = dtype

    cdef given(self, const void *values, cnp.npy_intp *shape):
        """Return the numbers as an array that the user may keep."""
        array = cnp.PyArray_SimpleNewFromData(2, shape, self.dtype.num, <void *>values).copy()
        array.setflags(write=False)
        return array

    cdef apply(self, int derivative, const void *z, void *out, cnp.npy_intp *shape):
        given = self.given(z, shape)
        cdef cnp.ndarray result = cnp.PyArray_SimpleNewFromData(2, shape, self.dtype.num, out)
        values = np.asarray(self.functions[derivative](given))
        if values.shape != given.shape:
            raise ValueError(f"activation: {self.functions[derivative]!r} gave an array of shape {values.shape} for "
                             f"one of shape {given.shape}; it must keep the shape")
        np.copyto(result, values, casting="same_kind")

    cdef apply_loss(self, const void *targets, void *outputs, void *losses, cnp.npy_intp *shape):
        y_true, y_pred = self.given(targets, shape), self.given(outputs, shape)
        cdef cnp.ndarray of_rows = cnp.PyArray_SimpleNewFromData(1, shape, self.dtype.num, losses)
        cdef cnp.ndarray gradient = cnp.PyArray_SimpleNewFromData(2, shape, self.dtype.num, outputs)
        loss, derivative = self.functions
        values = np.asarray(loss(y_true, y_pred))
        if values.shape not in (y_pred.shape, y_pred.shape[:1]):
            raise ValueError(f"loss: {loss!r} gave an array of shape {values.shape} for targets and predictions of shape "
                             f"{y_pred.shape}; it must give one number for each row, or for each element")
        np.copyto(of_rows, values.sum(axis=1) if values.ndim == 2 else values, casting="same_kind")
        values = np.asarray(derivative(y_true, y_pred))
        if values.shape != y_pred.shape:
            raise ValueError(f"loss: the gradient {derivative!r} gave an array of shape {values.shape} for targets and "
                             f"predictions of shape {y_pred.shape}; it must keep the shape")
        np.copyto(gradient, values, casting="same_kind")


cdef void call(void *context, int derivative, const void *z, void *out, Py_ssize_t rows, Py_ssize_t n) noexcept with gil:
    cdef Called called = <Called>context
    cdef cnp.npy_intp *shape = [rows, n]
    try:
        called.apply(derivative, z, out, shape)
    except BaseException as error:  # C continues with zeros; the error discards its results
        called.error = called.error or error
        memset(out, 0, rows * n * called.dtype.itemsize)


cdef void call_loss(void *context, const void *targets, void *outputs, void *losses, Py_ssize_t rows,
                    Py_ssize_t n_outputs, Py_ssize_t n_targets) noexcept with gil:
    cdef Called called = <Called>context
    cdef cnp.npy_intp *shape = [rows, n_outputs]  # n_targets is the same: see _check_targets
    try:
        called.apply_loss(targets, outputs, losses, shape)
    except BaseException as error:
        called.error = called.error or error
        memset(outputs, 0, rows * n_outputs * called.dtype.itemsize)
        memset(losses, 0, rows * called.dtype.itemsize)
