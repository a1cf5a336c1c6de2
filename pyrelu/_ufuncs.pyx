# cython: language_level=3, freethreading_compatible=True
"""The compiled table as Python sees it: its rows, its loops as NumPy ufuncs, and the library's settings."""

cimport numpy as cnp
import numpy as np
from cpython.ref cimport PyObject
from libc.stdlib cimport malloc

from pyrelu._library cimport *

cnp.import_array()
cnp.import_ufunc()

FORWARD = PYRELU_FORWARD
DERIVATIVE = PYRELU_DERIVATIVE
VJP = PYRELU_VJP

# float16 first: NumPy takes the first loop that the operands cast to safely, and so small integers and booleans
# promote as they do for np.tanh.
cdef pyrelu_type[3] TYPES = [PYRELU_F16, PYRELU_F32, PYRELU_F64]
cdef int[3] DATA_TYPES = [cnp.NPY_FLOAT16, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]
cdef int[3] PARAMETER_TYPES = [cnp.NPY_FLOAT32, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]  # half would round 0.01 too coarsely

def activation_rows():
    """The rows of activations.def, as dictionaries."""
    return [_activation_row(&pyrelu_activations[i]) for i in range(pyrelu_n_activations)]


cdef tuple _parameter(const pyrelu_parameter *parameter):
    return (
        parameter.name.decode(),
        parameter.default_value,
        parameter.domain.decode(),
        parameter.doc.decode(),
    )


cdef dict _activation_row(const pyrelu_activation *row):
    return dict(
        name=row.name.decode(),
        reads=chr(row.reads),
        parameters=[_parameter(&row.parameters[k]) for k in range(row.n_parameters)],
        ordered=bool(row.ordered),
        aliases=row.aliases.decode().split(),
        ulp=tuple(row.ulp[k] for k in range(4)),
        kinks=row.kinks.decode(),
        limits=tuple(row.limits[k].decode() for k in range(4)),
        range=row.range.decode(),
        formula=row.formula.decode(),
        summary=row.summary.decode(),
        reference=row.reference.decode(),
    )


def axis_function_rows():
    """The rows of rowwise.def, as dictionaries."""
    return [_axis_function_row(&pyrelu_axis_functions[i]) for i in range(pyrelu_n_axis_functions)]


cdef dict _axis_function_row(const pyrelu_axis_function *row):
    return dict(
        name=row.name.decode(),
        signature=row.signature.decode(),
        vjp_signature=row.vjp_signature.decode(),
        error=row.error.decode(),
        formula=row.formula.decode(),
        range=row.range.decode(),
        summary=row.summary.decode(),
        reference=row.reference.decode(),
    )


def gate_rows():
    """Name -> name of the gate's activation, of the rows of gates.def."""
    return {pyrelu_gates[i].name.decode(): pyrelu_gates[i].gate.decode() for i in range(pyrelu_n_gates)}


def loss_rows():
    """The rows of losses.def, as dictionaries."""
    return [_loss_row(&pyrelu_losses[i]) for i in range(pyrelu_n_losses)]


cdef dict _loss_row(const pyrelu_loss *row):
    return dict(
        name=row.name.decode(),
        estimator={b"C": "classifier", b"R": "regressor"}[bytes([row.estimator])],
        targets={b"C": "classes", b"O": "outputs"}[bytes([row.targets])],
        link=row.link.decode(),
        outputs=row.outputs.decode().lower(),
        parameters=[_parameter(&row.parameters[k]) for k in range(row.n_parameters)],
        domain=row.domain.decode(),
        formula=row.formula.decode(),
        summary=row.summary.decode(),
        reference=row.reference.decode(),
    )


def optimizer_rows():
    """The rows of optimizers.def, as dictionaries."""
    return [
        dict(
            name=pyrelu_optimizers[i].name.decode(),
            n_states=pyrelu_optimizers[i].n_states,
            scope={b"E": "element", b"A": "array"}[bytes([pyrelu_optimizers[i].scope])],
            decoupled=bool(pyrelu_optimizers[i].decoupled),
            update=pyrelu_optimizers[i].update.decode(),
            summary=pyrelu_optimizers[i].summary.decode(),
            reference=pyrelu_optimizers[i].reference.decode(),
        )
        for i in range(PYRELU_N_OPTIMIZERS)
    ]


def embedding_rows():
    """The rows of embeddings.def, as dictionaries."""
    return [
        dict(
            name=pyrelu_embeddings[i].name.decode(),
            learned=bool(pyrelu_embeddings[i].learned),
            formula=pyrelu_embeddings[i].formula.decode(),
            summary=pyrelu_embeddings[i].summary.decode(),
            reference=pyrelu_embeddings[i].reference.decode(),
        )
        for i in range(PYRELU_N_EMBEDDINGS)
    ]


def parameter_group_rows():
    """The rows of parameter_groups.def, as dictionaries."""
    return [
        dict(
            name=pyrelu_parameter_groups[i].name.decode(),
            alpha=pyrelu_parameter_groups[i].alpha,
            summary=pyrelu_parameter_groups[i].summary.decode(),
        )
        for i in range(PYRELU_N_GROUPS)
    ]


cdef void map_loop(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *loop) noexcept nogil:
    pyrelu_map_loop(args, dims, steps, loop)


cdef void rowwise_loop(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *loop) noexcept nogil:
    pyrelu_rowwise_loop(args, dims, steps, loop)


cdef extern from "Python.h":
    object PyObject_Call(object callable, object args, PyObject *kwargs)


# What a ufunc points to must outlive it, and ufuncs live as long as the process.
cdef struct ufunc_data:
    cnp.PyUFuncGenericFunction functions[3]
    void *data[3]
    pyrelu_loop loops[3]
    char types[3 * (PYRELU_MAX_OPERANDS + 1)]

_strings = []


cdef char *_kept(str text):
    _strings.append(text.encode())
    return _strings[-1]


cdef ufunc_data *_new_data() except NULL:
    cdef ufunc_data *data = <ufunc_data *>malloc(sizeof(ufunc_data))
    if data is NULL:
        raise MemoryError
    return data


cdef object _make(ufunc_data *data, cnp.PyUFuncGenericFunction function, str name, str doc, str signature):
    cdef int n_data = data.loops[0].n_data, n_in = n_data + data.loops[0].n_parameters
    cdef int t, k
    for t in range(3):
        data.functions[t] = function
        data.data[t] = &data.loops[t]
        for k in range(n_in + 1):
            data.types[t * (n_in + 1) + k] = <char>(PARAMETER_TYPES[t] if n_data <= k < n_in else DATA_TYPES[t])
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        data.functions, data.data, data.types, 3, n_in, 1, cnp.PyUFunc_None, _kept(name), _kept(doc), 0,
        NULL if signature is None else _kept(signature),
    )


def make_ufunc(int row, int kind, str name, str doc, bint defaults=False):
    """The ufunc of a row of activations.def; the parameters are its last operands, or have their defaults."""
    cdef ufunc_data *data = _new_data()
    for t in range(3):
        data.loops[t] = pyrelu_make_map_loop(row, <pyrelu_kind>kind, TYPES[t], defaults)
    return _make(data, <cnp.PyUFuncGenericFunction>map_loop, name, doc, None)


def make_gated(int row, bint slope, str name, str doc):
    """The ufunc of a row of gates.def: b, a -> a * gate(b), or its `slope` b, a, g -> g * a * gate'(b)."""
    cdef ufunc_data *data = _new_data()
    for t in range(3):
        data.loops[t] = pyrelu_make_gated_loop(row, slope, TYPES[t])
    return _make(data, <cnp.PyUFuncGenericFunction>map_loop, name, doc, None)


def make_gufunc(int row, bint vjp, str name, str doc):
    """The generalised ufunc of a row of rowwise.def."""
    cdef ufunc_data *data = _new_data()
    for t in range(3):
        data.loops[t] = pyrelu_make_rowwise_loop(row, vjp, TYPES[t])
    signature = (pyrelu_axis_functions[row].vjp_signature if vjp else pyrelu_axis_functions[row].signature).decode()
    return _make(data, <cnp.PyUFuncGenericFunction>rowwise_loop, name, doc, signature)


def set_doc(cnp.ufunc ufunc, str doc):
    """Replace a ufunc's docstring, which it cannot show examples in before it exists."""
    ufunc.doc = _kept(doc)


cdef object _MISSING = object()


cdef class NamedOperands:
    """A callable that takes its operands by position or by name, and adds little to a call of the ufunc beneath.

    Parameters
    ----------
    operands : dict
        Name -> default of everything it takes by position, in order and `out` last; the default of a required one is
        `REQUIRED`.
    """

    REQUIRED = _MISSING
    cdef list defaults
    cdef tuple names
    cdef frozenset own_names  # all but those that NumPy knows as well

    def __init__(self, dict operands):
        self.names, self.defaults = tuple(operands), list(operands.values())
        self.own_names = frozenset(self.names) - {"axis", "out"}

    cdef list _values(self, tuple args, dict kwargs):
        """All operands in order, defaults filled in; what stays in kwargs is no operand."""
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
        """Whether none of the keywords is for us to interpret."""
        for name in kwargs:
            if name in self.own_names:
                return False
        return True


cdef class NamedParameters(NamedOperands):
    """Operands by name over two ufuncs: with parameters as its last operands, and with their defaults built in.

    Parameters
    ----------
    operands : dict
        As of `NamedOperands`: data, parameters, extras, and `out` last.
    ufunc : numpy.ufunc
        Takes data and parameters.
    default_ufunc : numpy.ufunc or None
        Takes data only.
    n_data : int
        How many operands are data.
    parameters : pyrelu._functions.domains.Parameters
        Their domains. Python's floats are checked here; what is no such float, or outside, by its method `check`.
    choose : dict, callable or None
        Where an extra has not its default: the callable for each of its values, or what is called with all operands but
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
            return PyObject_Call(self.default_ufunc, args, <PyObject *>kwargs if kwargs else NULL)
        elif n == self.n_operands and (not kwargs or self._are_numpys(kwargs)) and "dtype" not in kwargs:
            if self._inside(args):
                return PyObject_Call(self.ufunc, args, <PyObject *>kwargs if kwargs else NULL)
        elif len(kwargs) == 1 and n + 1 == self.n_operands and self.names[n] in kwargs:
            operands = args + (kwargs[self.names[n]],)
            if self._inside(operands):
                return PyObject_Call(self.ufunc, operands, NULL)
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
        """Whether nothing is left to check: floats inside of open intervals, and arrays, which the loops take care of."""
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
    """Operands by name, the axis among them, over a generalised ufunc or over a function of Python.

    A subclass defines `one_axis(axis)`, which returns an integer or raises, and `labelled(arrays, rest, axis, keywords)`
    for arrays that are not plain.

    Parameters
    ----------
    operands : dict
        As of `NamedOperands`: arrays, what else there is, `axis` and `out`.
    ufunc : numpy.ufunc or None
        The generalised ufunc.
    compute : callable or None
        In place of a ufunc: called with all operands, by position.
    cores : list of str
        The core dimensions of each operand of the signature, and last of the output.
    """

    cdef readonly object ufunc
    cdef object compute_
    cdef Py_ssize_t n_arrays
    cdef bint takes_axis
    cdef list cores

    def __init__(self, dict operands, ufunc, compute, list cores):
        NamedOperands.__init__(self, operands)
        self.ufunc, self.compute_, self.cores, self.n_arrays = ufunc, compute, cores, len(cores) - 1
        self.takes_axis = "()" not in cores[:-1]  # NumPy takes no `axis=` where an operand has none

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
        """Compute it of arrays that carry no labels."""
        return self._compute(list(operands), axis, out, keywords)


cdef object _in_default_environment(function, tuple args):
    """Call a function that uses NumPy's loops, which do not keep to our own floating-point environment."""
    cdef fp_environment caller = fp_enter()
    try:
        return PyObject_Call(function, args, NULL)
    finally:
        fp_leave(caller)


cdef bint _is_plain(array):
    """Whether NumPy makes an array without labels of it."""
    return type(array) is cnp.ndarray or type(array) is list or type(array) is float or type(array) is tuple


cdef bint _are_plain(tuple arrays):
    for array in arrays:
        if not _is_plain(array):
            return False
    return True


def set_streaming_bytes(cnp.npy_intp n):
    """Set how large a result must be to go past the caches; 0: larger than the last-level cache. For tests."""
    pyrelu_set_streaming_bytes(n)
def parts(x, Py_ssize_t axis, n):
    """X up to n along an axis, which is not negative, and from there on."""
    before = (slice(None),) * axis
    return x[before + (slice(n),)], x[before + (slice(n, None),)]


cdef Py_ssize_t SMALL = 4096


def side_by_side(tuple first, tuple second, Py_ssize_t axis, out):
    """What two ufuncs give, side by side along an axis.

    Parameters
    ----------
    first, second : tuple
        A ufunc and its operands, of which the first has the type and shape of the part.
    axis : int
        Not negative.
    out : array, tuple of it, or None
        Where the result is to be.
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
    else:  # dask stays lazy; what is small is copied faster than cut
        joined = np.concatenate([first[0](*first[1:]), second[0](*second[1:])], axis=axis)
    return joined if out is None or out is joined else given(joined, out)


def given(result, out):
    """The result, in `out` if that is not None."""
    if out is None:
        return result
    if type(out) is tuple:
        out = out[0]
    if np.shape(out) != result.shape:
        raise ValueError(f"out has shape {np.shape(out)}; the result has {result.shape}")
    np.copyto(out, result)
    return out


def isa():
    """The instruction set in use."""
    return pyrelu_isa().decode()


def isa_names():
    """The instruction sets that this machine can run, best first."""
    names = []
    while pyrelu_isa_name(len(names)) is not NULL:
        names.append(pyrelu_isa_name(len(names)).decode())
    return names


def has_openmp():
    """Whether the library was built with OpenMP."""
    return bool(pyrelu_has_openmp())


def set_num_threads(int n):
    """Set the largest number of threads; the public function checks it."""
    pyrelu_set_num_threads(n)


def get_num_threads():
    """How many threads a large array would use now."""
    return pyrelu_get_num_threads()


if pyrelu_isa() is NULL:
    raise ImportError(
        f"PYRELU_ISA={pyrelu_isa_requested().decode()!r} is not an instruction set that this machine can run; "
        f"allowed are {', '.join(map(repr, isa_names()))}"
    )
