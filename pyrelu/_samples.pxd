from pyrelu._library cimport pyrelu_samples


cdef class Samples:
    cdef pyrelu_samples samples
    cdef readonly Py_ssize_t n_samples, n_features, n_targets
    cdef readonly object dtype
    cdef tuple arrays  # keeps alive what `samples` points to
    cdef object range_of_targets  # (least, largest), cached

    cdef _take_csr(self, X)
    cdef tuple target_range(self)
