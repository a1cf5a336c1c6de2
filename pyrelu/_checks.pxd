from libc.stdint cimport uint32_t, uint64_t

cdef Py_ssize_t MAX_DIMENSION

ctypedef fused word:
    uint32_t
    uint64_t

cdef str describe(value)
cdef void *address(array, name, dtype, tuple shape, bint writeable=*) except? NULL
cdef list listed(value, name, Py_ssize_t length)
cdef double number(value, name, double least=*, double below=*) except? -1
cdef object integer(value, name, least, below)
cdef object one_of(value, name, table)
cdef tuple two_dimensional(array, name)
cdef bint all_below(const Py_ssize_t *values, Py_ssize_t n, Py_ssize_t limit) noexcept nogil
cdef bint all_finite(const word *values, Py_ssize_t n, word infinity) noexcept nogil
cdef bint ascends(const Py_ssize_t *values, Py_ssize_t n) noexcept nogil
cdef object aligned(array)
