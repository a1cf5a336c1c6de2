cimport numpy as cnp


cdef class Called:
    cdef object functions, dtype, error

    cdef given(self, const void *values, cnp.npy_intp *shape)
    cdef apply(self, int derivative, const void *z, void *out, cnp.npy_intp *shape)
    cdef apply_loss(self, const void *targets, void *outputs, void *losses, cnp.npy_intp *shape)


cdef void call(void *context, int derivative, const void *z, void *out, Py_ssize_t rows, Py_ssize_t n) noexcept with gil
cdef void call_loss(void *context, const void *targets, void *outputs, void *losses, Py_ssize_t rows,
                    Py_ssize_t n_outputs, Py_ssize_t n_targets) noexcept with gil
