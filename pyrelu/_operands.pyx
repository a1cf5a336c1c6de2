# cython: language_level=3, freethreading_compatible=True
"""Callables whose operands have names and defaults, over ufuncs; and results of two ufuncs side by side."""

cimport numpy as cnp
import numpy as np
from cpython.ref cimport PyObject

from libc.math cimport isfinite

from pyrelu._library cimport PYRELU_MAX_OPERANDS, PYRELU_MAX_PARAMETERS, fp_enter, fp_environment, fp_leave

cnp.import_array()


cdef extern from "Python.h":
    object PyObject_Call(object callable, object args, PyObject *kwargs)


cdef extern from "numpy/arrayobject.h":
    object PyArray_Scalar(void *data, cnp.dtype descr, PyObject *base)


cdef object _MISSING = object()
cdef object _FLOAT64 = np.float64
cdef cnp.dtype _DOUBLE = np.dtype(np.float64)


cdef object _call_ufunc(ufunc, tuple operands, dict keywords):
    """Call a ufunc of `_ufuncs`; of floats, its loop itself, since they need none of what NumPy does for arrays.

    An overflow, or a parameter outside its domain, is left to NumPy, which reports it as `numpy.errstate` says. Neither
    has a finite result.
    """
    cdef double values[PYRELU_MAX_OPERANDS + 1]
    cdef char *pointers[PYRELU_MAX_OPERANDS + 1]
    cdef cnp.npy_intp steps[PYRELU_MAX_OPERANDS + 1]
    cdef cnp.npy_intp one = 1
    cdef cnp.ufunc f
    cdef int k, n = 0
    if not keywords:
        for operand in operands:
            if n == PYRELU_MAX_OPERANDS or not (type(operand) is float or type(operand) is _FLOAT64):
                break
            values[n] = operand
            n += 1
        else:
            f = ufunc
            if n == f.nin:
                for k in range(n + 1):
                    pointers[k], steps[k] = <char *>&values[k], 0 if k < n else sizeof(double)
                f.functions[f.ntypes - 1](pointers, &one, steps, f.data[f.ntypes - 1])  # the loop of float64
                if isfinite(values[n]):
                    return PyArray_Scalar(&values[n], _DOUBLE, NULL)
    return PyObject_Call(ufunc, operands, <PyObject *>keywords if keywords else NULL)


cdef class NamedOperands:
    """A callable that takes its operands by position or by name, and adds little time to a call of its ufunc.

    Parameters
    ----------
    operands : dict
        Name -> default of everything that can be passed by position, in order, with `out` last. Required operands have
        the default `REQUIRED`.
    """

    REQUIRED = _MISSING
    cdef list defaults
    cdef tuple names
    cdef frozenset own_names  # all names except those that NumPy also knows

    def __init__(self, dict operands):
        self.names, self.defaults = tuple(operands), list(operands.values())
        self.own_names = frozenset(self.names) - {"axis", "out"}

    cdef list _values(self, tuple args, dict kwargs):
        """Return all operands in order, including defaults, and remove them from kwargs."""
        cdef Py_ssize_t i, n = len(args)
        if n > len(self.names):
            raise TypeError(
                f"{self.__name__}() takes at most {len(self.names)} positional arguments "
                f"({', '.join(self.names)}) but {n} were given"
            )
        cdef list values = list(args) + self.defaults[n:]
        if kwargs:
            for i, name in enumerate(self.names):
                if name in kwargs:
                    if i < n:
                        raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
                    values[i] = kwargs.pop(name)
        for i in range(n, len(values)):
            if values[i] is _MISSING:
                raise TypeError(f"{self.__name__}() missing a required argument: {self.names[i]!r}")
        return values

    cdef bint _are_numpys(self, dict kwargs):
        """Return whether all keywords are NumPy's."""
        for name in kwargs:
            if name in self.own_names:
                return False
        return True


cdef class NamedParameters(NamedOperands):
    """A callable over two ufuncs: one with parameters as its last operands, and one with their defaults built in.

    Parameters
    ----------
    operands : dict
        As for `NamedOperands`: data, parameters, extras, and `out` last.
    ufunc : numpy.ufunc
        Takes data and parameters.
    default_ufunc : numpy.ufunc or None
        Takes data only.
    n_data : int
        The number of operands that are data.
    parameters : pyrelu._functions.domains.Parameters
        Their domains. Python floats inside an open interval are accepted here; `check` decides about all other values.
    choose : dict, callable or None
        Used if an extra does not have its default: a dict of value -> callable, or a function that takes all operands but
        `out` and returns a callable and its operands.
    """

    cdef readonly object ufunc
    cdef readonly object default_ufunc
    cdef Py_ssize_t n_data, n_operands
    cdef object check, choose
    cdef bint ordered
    cdef double low[PYRELU_MAX_PARAMETERS]
    cdef double high[PYRELU_MAX_PARAMETERS]

    def __init__(self, dict operands, ufunc, default_ufunc, Py_ssize_t n_data, parameters, choose):
        NamedOperands.__init__(self, operands)
        self.ufunc, self.default_ufunc, self.n_data, self.n_operands = ufunc, default_ufunc, n_data, ufunc.nin
        self.check, self.choose, self.ordered = parameters.check, choose, parameters.ordered
        cdef Py_ssize_t k
        for k in range(len(parameters.bounds)):
            self.low[k], self.high[k] = parameters.bounds[k]

    def __call__(self, *args, **kwargs):
        cdef Py_ssize_t n = len(args)
        cdef tuple operands
        if self.default_ufunc is not None and n == self.n_data and (not kwargs or self._are_numpys(kwargs)):
            return _call_ufunc(self.default_ufunc, args, kwargs)
        elif n == self.n_operands and (not kwargs or self._are_numpys(kwargs)) and "dtype" not in kwargs:
            if self._inside(args):
                return _call_ufunc(self.ufunc, args, kwargs)
        elif len(kwargs) == 1 and n + 1 == self.n_operands and self.names[n] in kwargs:
            operands = args + (kwargs[self.names[n]],)
            if self._inside(operands):
                return _call_ufunc(self.ufunc, operands, None)
        return self._call(self._values(args, kwargs), kwargs)

    cdef object _call(self, list values, dict keywords):
        cdef Py_ssize_t i
        cdef tuple operands
        out = values.pop()
        if out is not None:
            keywords["out"] = out
        for i in range(self.n_operands, len(values)):
            if values[i] is not self.defaults[i]:
                if type(self.choose) is dict and type(values[i]) is str and values[i] in self.choose:
                    ufunc, operands = self.choose[values[i]], tuple(values[: self.n_operands])
                elif type(self.choose) is dict:
                    raise ValueError(
                        f"{self.names[i]}={values[i]!r} is not known; allowed are {', '.join(map(repr, self.choose))}"
                    )
                else:
                    ufunc, operands = self.choose(*values)
                return PyObject_Call(ufunc, tuple(operands), <PyObject *>keywords if keywords else NULL)
        if self.default_ufunc is not None:
            for i in range(self.n_data, self.n_operands):
                if values[i] is not self.defaults[i]:
                    break
            else:
                return self.default_ufunc(*values[: self.n_data], **keywords)
        operands = tuple(values[: self.n_operands])
        if not self._inside(operands):
            self.check(self.__name__, operands[self.n_data :])
        if keywords and keywords.get("dtype") is not None and "signature" not in keywords:
            keywords["signature"] = self.loop_of(keywords.pop("dtype"))
        return PyObject_Call(self.ufunc, operands, <PyObject *>keywords if keywords else NULL)

    cdef bint _inside(self, tuple operands):
        """Return whether all parameters are floats in open intervals, or arrays, which the loops check."""
        cdef Py_ssize_t k
        cdef double value, before = 0
        cdef bint scalars = True
        if self.check is None:
            return True
        for k in range(self.n_operands - self.n_data):
            operand = operands[self.n_data + k]
            if type(operand) is float:
                value = <double>operand
                if not self.low[k] < value < self.high[k] or (k and self.ordered and scalars and value < before):
                    return False
                before = value
            elif type(operand) is cnp.ndarray and (<cnp.ndarray>operand).ndim > 0:
                scalars = False
            else:
                return False
        return True

    def loop_of(self, dtype):
        """Return the signature of the loop for data of this dtype; parameters of float16 are float32."""
        data = np.dtype(dtype)
        parameter = np.dtype(np.float32) if data == np.float16 else data
        return (data,) * self.n_data + (parameter,) * (self.n_operands - self.n_data) + (data,)


cdef class NamedAxis(NamedOperands):
    """A callable with named operands, including the axis, over a generalised ufunc or a Python function.

    A subclass defines `one_axis(axis)`, which returns an integer or raises an error, and `labelled(arrays, rest, axis,
    keywords)` for arrays that are not plain.

    Parameters
    ----------
    operands : dict
        As for `NamedOperands`: arrays, other operands, `axis` and `out`.
    ufunc : numpy.ufunc or None
        The generalised ufunc.
    compute : callable or None
        Called with all operands by position if there is no ufunc.
    cores : list of str
        The core dimensions of each operand in the signature, followed by those of the output.
    """

    cdef readonly object ufunc
    cdef object compute_
    cdef Py_ssize_t n_arrays
    cdef bint takes_axis
    cdef list cores

    def __init__(self, dict operands, ufunc, compute, list cores):
        NamedOperands.__init__(self, operands)
        self.ufunc, self.compute_, self.cores, self.n_arrays = ufunc, compute, cores, len(cores) - 1
        self.takes_axis = "()" not in cores[:-1]  # NumPy does not allow `axis=` if an operand lacks it

    def __call__(self, *args, **kwargs):
        cdef Py_ssize_t k
        cdef list values
        if self.ufunc is not None and len(args) == self.n_arrays and _are_plain(args):
            if not kwargs:
                return PyObject_Call(self.ufunc, args, NULL)
            if self.takes_axis and self._are_numpys(kwargs) and type(kwargs.get("axis", 0)) is int:
                return PyObject_Call(self.ufunc, args, <PyObject *>kwargs)
        values = self._values(args, kwargs)
        out, axis = values.pop(), values.pop()
        if type(axis) is not int:
            axis = self.one_axis(axis)
        if kwargs and self.ufunc is None:
            raise TypeError(f"{self.__name__}() got an unexpected keyword argument {next(iter(kwargs))!r}")
        for k in range(self.n_arrays):
            if not _is_plain(values[k]):
                if out is not None:
                    kwargs["out"] = out
                return self.labelled(values[: self.n_arrays], values[self.n_arrays :], axis, kwargs)
        return self._compute(values, axis, out, kwargs)

    cdef object _compute(self, list values, axis, out, dict keywords):
        if self.ufunc is None:
            values.append(axis)
            values.append(out)
            return _in_default_environment(self.compute_, tuple(values))
        if out is not None:
            keywords["out"] = out
        if "axes" not in keywords:
            if self.takes_axis:
                keywords["axis"] = axis
            else:
                keywords["axes"] = [() if core == "()" else axis for core in self.cores]
        return PyObject_Call(self.ufunc, tuple(values), <PyObject *>keywords)

    def compute(self, *operands, axis, out=None, **keywords):
        """Compute the function of arrays without labels."""
        return self._compute(list(operands), axis, out, keywords)


cdef object _in_default_environment(function, tuple args):
    """Call a function that uses NumPy's own loops, which do not set the floating-point environment themselves."""
    cdef fp_environment caller = fp_enter()
    try:
        return PyObject_Call(function, args, NULL)
    finally:
        fp_leave(caller)


cdef bint _is_plain(array):
    """Return whether NumPy converts it to an array without labels."""
    return type(array) is cnp.ndarray or type(array) is list or type(array) is float or type(array) is tuple


cdef bint _are_plain(tuple arrays):
    for array in arrays:
        if not _is_plain(array):
            return False
    return True


def parts(x, Py_ssize_t axis, n):
    """Split x at n along an axis, which must not be negative."""
    before = (slice(None),) * axis
    return x[before + (slice(n),)], x[before + (slice(n, None),)]


cdef Py_ssize_t SMALL = 4096


def side_by_side(tuple first, tuple second, Py_ssize_t axis, out):
    """Return the results of two ufuncs side by side along an axis.

    Parameters
    ----------
    first, second : tuple
        A ufunc and its operands; the first operand has the type and shape of the result.
    axis : int
        The axis, not negative.
    out : array, tuple of it, or None
        The array for the result.
    """
    if type(out) is tuple:
        out = out[0]
    like = first[1]
    if type(like) is cnp.ndarray and (out is not None or like.size > SMALL):
        n, kind = like.shape[axis], like.dtype
        shape = like.shape[:axis] + (2 * n,) + like.shape[axis + 1 :]
        joined = None
        if type(out) is cnp.ndarray and out.shape == shape and out.dtype == kind:
            if not any([np.may_share_memory(out, operand) for operand in first[1:] + second[1:]]):
                joined = out
        if joined is None:
            joined = np.empty(shape, kind)
        to_first, to_second = parts(joined, axis, n)
        first[0](*first[1:], to_first)
        second[0](*second[1:], to_second)
    else:  # dask stays lazy; for small arrays, concatenating is faster than views
        joined = np.concatenate([first[0](*first[1:]), second[0](*second[1:])], axis=axis)
    return joined if out is None or out is joined else given(joined, out)


def given(result, out):
    """Return the result, copied to `out` if that is not None."""
    if out is None:
        return result
    if type(out) is tuple:
        out = out[0]
    if np.shape(out) != result.shape:
        raise ValueError(f"out has shape {np.shape(out)}; the result has {result.shape}")
    np.copyto(out, result)
    return out
