# cython: language_level=3, freethreading_compatible=True
"""The compiled table for Python: its rows, its loops as NumPy ufuncs, and the settings of the library."""

cimport numpy as cnp
from libc.stdlib cimport malloc

from pyrelu._library cimport *

cnp.import_array()
cnp.import_ufunc()

FORWARD = PYRELU_FORWARD
DERIVATIVE = PYRELU_DERIVATIVE
VJP = PYRELU_VJP
CACHE_LINE = PYRELU_CACHE_LINE  # bytes

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


cdef extern from "numpy/ufuncobject.h":
    ctypedef struct PyUFuncObject:  # whose docstring cimport numpy lets one only read since NumPy 2.5
        const char *doc


def set_doc(cnp.ufunc ufunc, str doc):
    """Replace a ufunc's docstring, which it cannot show examples in before it exists."""
    (<PyUFuncObject *>ufunc).doc = _kept(doc)


def set_streaming_bytes(cnp.npy_intp n):
    """Set how large a result must be to go past the caches; 0: larger than the last-level cache. For tests."""
    pyrelu_set_streaming_bytes(n)


def isa():
    """The instruction set in use."""
    return pyrelu_isa().decode()


def isa_names():
    """The instruction sets that this machine can run, best first."""
    names = []
    while pyrelu_isa_name(len(names)) is not NULL:
        names.append(pyrelu_isa_name(len(names)).decode())
    return names


def threads_by():
    """Whose threads the library takes, as text; None if it was built without any."""
    return None if pyrelu_threads_by() is NULL else pyrelu_threads_by().decode()


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
