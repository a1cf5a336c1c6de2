# cython: language_level=3, freethreading_compatible=True
"""The training core as Python sees it: networks, the samples they train on, and one call per epoch without the GIL."""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint64_t
from libc.string cimport memset
from scipy.linalg.cython_blas cimport dgemm, sgemm

from pyrelu._library cimport PYRELU_ALL_THREADS, PYRELU_MAX_PARAMETERS

from typing import NamedTuple

import numpy as np

cnp.import_array()


cdef extern from "network.h" nogil:
    ctypedef enum pyrelu_transform:
        PYRELU_ELEMENTWISE
        PYRELU_LEARNED_SLOPES
        PYRELU_DRAWN_SLOPES
        PYRELU_ROWWISE
        PYRELU_GATED
        PYRELU_MAXOUT
        PYRELU_CALLED
        PYRELU_SOFTMAX

    ctypedef struct pyrelu_layer:
        Py_ssize_t n_inputs, width, n_outputs
        pyrelu_transform transform
        int activation
        double parameters[PYRELU_MAX_PARAMETERS]
        double dropout
        void (*call)(void *context, int derivative, const void *z, void *out, Py_ssize_t rows, Py_ssize_t n) noexcept
        void *context
        void *weights
        void *bias
        void *slopes

    ctypedef enum pyrelu_loss:
        PYRELU_MULTINOMIAL
        PYRELU_BINARY
        PYRELU_SQUARED_ERROR
        PYRELU_POISSON

    ctypedef struct pyrelu_network:
        int n_layers
        pyrelu_layer *layers
        double input_dropout
        pyrelu_loss loss
        double label_smoothing
        int n_threads
        int (*interrupted)(void *) noexcept nogil
        void *context
        unsigned char *alive
        void (*gemm)()

    ctypedef struct pyrelu_samples:
        const void *values
        const Py_ssize_t *columns
        const Py_ssize_t *starts
        const Py_ssize_t *order
        const void *targets
        const void *weights

    ctypedef enum pyrelu_solver:
        PYRELU_GRADIENT
        PYRELU_SGD
        PYRELU_NESTEROV
        PYRELU_ADAM

    ctypedef struct pyrelu_optimizer:
        pyrelu_solver solver
        double learning_rate, momentum, beta_1, beta_2, epsilon, alpha, l1, decay, clip_norm
        uint64_t seed
        Py_ssize_t t
        void *parameters
        void *gradients
        void *state[2]

    ctypedef struct pyrelu_course:
        double loss, gradient_norm

    ctypedef struct pyrelu_core:
        size_t (*arrange)(pyrelu_network *, Py_ssize_t slice_rows, int training, void *scratch) noexcept nogil
        void (*predict)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                        void *outputs, unsigned char *alive) noexcept nogil
        pyrelu_course (*train)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                               Py_ssize_t batch_size, pyrelu_optimizer *) noexcept nogil

    const pyrelu_core pyrelu_core_f32, pyrelu_core_f64


REGRESSOR_LOSSES = {"squared_error": PYRELU_SQUARED_ERROR, "poisson": PYRELU_POISSON}  # the names are the user's
LOSSES = {"log_loss": PYRELU_MULTINOMIAL, "binary_log_loss": PYRELU_BINARY, **REGRESSOR_LOSSES}
TRANSFORMS = {
    "elementwise": PYRELU_ELEMENTWISE,
    "learned_slopes": PYRELU_LEARNED_SLOPES,
    "drawn_slopes": PYRELU_DRAWN_SLOPES,
    "rowwise": PYRELU_ROWWISE,
    "gated": PYRELU_GATED,
    "maxout": PYRELU_MAXOUT,
    "called": PYRELU_CALLED,
}
SOLVERS = {"gradient": PYRELU_GRADIENT, "sgd": PYRELU_SGD, "nesterov": PYRELU_NESTEROV, "adam": PYRELU_ADAM}

# Rows worked on at a time: enough for the matrix products to be efficient, few enough for the layers' outputs to take
# little memory however many rows there are.
cdef Py_ssize_t SLICE_ROWS = 1024

# Rows after which to see for the first time whether all units are alive: mostly they are, and the rest is spared.
cdef Py_ssize_t GLANCE = 64

cdef size_t CACHE_LINE = 64

ctypedef void (*gemm)() noexcept nogil


cdef void *address(cnp.ndarray array, dtype, tuple shape) except? NULL:
    """Where the numbers lie, once it is sure that C reads them as they are."""
    if array.dtype != dtype or not cnp.PyArray_IS_C_CONTIGUOUS(array) or (<object>array).shape != shape:
        raise ValueError(f"expected a C-contiguous {dtype} array of shape {shape}, got {array!r}")
    return cnp.PyArray_DATA(array)


cdef class Samples:
    """Rows to train on or to predict.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        C-contiguous, of dtype float32 or float64, which all else has as well.
    targets : ndarray of shape (n_samples, n_targets), default=None
        Class numbers (n_targets = 1) for "log_loss", else one number per output.
    weights : ndarray of shape (n_samples,), default=None
        Sample weights.
    """

    cdef pyrelu_samples samples
    cdef readonly Py_ssize_t n_samples, n_features, n_targets
    cdef readonly object dtype
    cdef tuple arrays  # that `samples` points to

    def __init__(self, X, targets=None, weights=None):
        self.n_samples, self.n_features = X.shape
        self.dtype = X.dtype
        if isinstance(X, np.ndarray):
            self.samples.values = address(X, X.dtype, X.shape)
            self.arrays = X, targets, weights
        else:
            columns, starts = X.indices.astype(np.intp, copy=False), X.indptr.astype(np.intp, copy=False)
            self.samples.values = address(X.data, X.dtype, columns.shape)
            self.samples.columns = <Py_ssize_t *>address(columns, np.intp, columns.shape)
            self.samples.starts = <Py_ssize_t *>address(starts, np.intp, (self.n_samples + 1,))
            self.arrays = X.data, columns, starts, targets, weights
        if targets is not None:
            self.n_targets = targets.shape[1]
            self.samples.targets = address(targets, X.dtype, (self.n_samples, self.n_targets))
        if weights is not None:
            self.samples.weights = address(weights, X.dtype, (self.n_samples,))


class Epoch(NamedTuple):
    """What an epoch comes to: means over its rows, of the batches as they came.

    Attributes
    ----------
    loss : float
    gradient_norm : float
        The length of the gradient of a batch's loss, penalties included, before it is clipped.
    alive : ndarray of bool
        For each hidden unit, all layers' one after the other, whether it was not 0 for all rows.
    """

    loss: float
    gradient_norm: float
    alive: np.ndarray


cdef class Called:
    """An activation that is a pair of the user's functions, and the first error that one of them raised."""

    cdef object functions, dtype, error

    def __init__(self, functions, dtype):
        self.functions = functions
        self.dtype = dtype

    cdef apply(self, int derivative, const void *z, void *out, cnp.npy_intp *shape):
        cdef cnp.ndarray given = cnp.PyArray_SimpleNewFromData(2, shape, self.dtype.num, <void *>z)
        cdef cnp.ndarray result = cnp.PyArray_SimpleNewFromData(2, shape, self.dtype.num, out)
        given.setflags(write=False)
        values = np.asarray(self.functions[derivative](given))
        if values.shape != (<object>given).shape:
            raise ValueError(f"activation: {self.functions[derivative]!r} gave an array of shape {values.shape} for "
                             f"one of shape {(<object>given).shape}; it must keep the shape")
        np.copyto(result, values, casting="same_kind")


cdef void call(void *context, int derivative, const void *z, void *out, Py_ssize_t rows, Py_ssize_t n) noexcept with gil:
    cdef Called called = <Called>context
    cdef cnp.npy_intp *shape = [rows, n]
    try:
        called.apply(derivative, z, out, shape)
    except BaseException as error:  # C goes on, and what it makes of these numbers is thrown away
        called.error = called.error or error
        memset(out, 0, rows * n * called.dtype.itemsize)


cdef int interrupted(void *context) noexcept with gil:
    """Tell C whether to stop."""
    cdef Network network = <Network>context
    try:
        network._check()
    except BaseException as error:
        network.error = error
    return network.error is not None


cdef class Network:
    """Layers of weights, as views of the arrays given.

    Parameters
    ----------
    weights, biases : list of ndarray
        Of shapes (n_inputs, width) and (width,), one per layer, all of one dtype, float32 or float64; width is the
        number of pre-activations.
    activations : list of HiddenActivation
        One per hidden layer.
    output : int or None
        The row of the output activation; None: softmax.
    loss : {"log_loss", "binary_log_loss", "squared_error", "poisson"}
    slopes : list of (ndarray of shape (n_units,) or None), default=()
        One per hidden layer, for those that learn slopes.
    parameters : ndarray, default=None
        The one buffer that all weights, biases and slopes are views of; without it the network cannot be trained.
    dropout : sequence of float, default=()
        The probability that training drops an input, and a unit of each hidden layer.
    label_smoothing : float, default=0
    n_threads : int, default=None
        At most so many threads.
    """

    cdef pyrelu_network network
    cdef const pyrelu_core *core
    cdef readonly object dtype
    cdef readonly Py_ssize_t n_hidden_units, n_outputs
    cdef readonly bint draws  # whether training needs random numbers
    cdef object arrays, layers, scratch  # that `network` points to
    cdef list called
    cdef readonly object parameters
    cdef object gradients  # laid out as `parameters`
    cdef tuple arranged  # what for: rows, training
    cdef object error  # for which C has stopped

    def __init__(self, weights, biases, activations, output, loss, slopes=(), parameters=None, dropout=(),
                 label_smoothing=0.0, n_threads=None):
        cdef pyrelu_layer *layer
        self.dtype = weights[0].dtype
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"weights of dtype {self.dtype}; a network computes in float32 or float64")
        self.core = &pyrelu_core_f32 if self.dtype == np.float32 else &pyrelu_core_f64
        self.arrays = tuple(weights), tuple(biases), tuple(slopes)
        self.called = []
        self.parameters = parameters
        if parameters is not None and not all(
            np.shares_memory(parameters, array) for array in (*weights, *biases, *slopes) if array is not None
        ):
            raise ValueError("the weights, biases and slopes must be views of `parameters`")
        self.layers = np.zeros(len(weights) * sizeof(pyrelu_layer), np.uint8)
        self.network.n_layers = len(weights)
        self.network.layers = <pyrelu_layer *>cnp.PyArray_DATA(self.layers)
        self.network.loss = LOSSES[loss]
        self.network.label_smoothing = label_smoothing
        self.network.n_threads = n_threads or PYRELU_ALL_THREADS
        self.network.interrupted = interrupted
        self.network.context = <void *>self
        self.network.gemm = <gemm>sgemm if self.dtype == np.float32 else <gemm>dgemm
        self.network.input_dropout = dropout[0] if dropout else 0
        self.draws = any(dropout)
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            layer = &self.network.layers[<int>i]
            layer.n_inputs, layer.width = w.shape
            layer.n_outputs = layer.width
            layer.weights = address(w, self.dtype, w.shape)
            layer.bias = address(b, self.dtype, w.shape[1:])
            if i < self.network.n_layers - 1:
                layer.dropout = dropout[i + 1] if dropout else 0
                self._set_activation(layer, activations[i], slopes[i] if slopes else None)
                self.n_hidden_units += layer.n_outputs
            else:
                layer.transform = PYRELU_SOFTMAX if output is None else PYRELU_ELEMENTWISE
                layer.activation = 0 if output is None else output
                self.n_outputs = layer.n_outputs
            if i > 0 and layer.n_inputs != self.network.layers[<int>i - 1].n_outputs:
                raise ValueError(f"coefs_[{i}] of shape {w.shape} does not fit coefs_[{i - 1}] of shape "
                                 f"{weights[i - 1].shape}")

    cdef _set_activation(self, pyrelu_layer *layer, activation, slopes):
        layer.transform = TRANSFORMS[activation.transform]
        layer.activation = activation.index
        for k, value in enumerate(activation.values):
            layer.parameters[<int>k] = value
        self.draws |= layer.transform == PYRELU_DRAWN_SLOPES
        layer.n_outputs = activation.n_units(layer.width)
        if slopes is not None:
            layer.slopes = address(slopes, self.dtype, (layer.n_outputs,))
        if activation.functions:
            self.called.append(Called(activation.functions, self.dtype))
            layer.call = call
            layer.context = <void *>self.called[-1]

    cdef _check(self):
        """Raise KeyboardInterrupt after Ctrl-C, and what a function of the user's raised while C called it."""
        cdef object error
        error, self.error = self.error, None
        for called in self.called:
            error, (<Called>called).error = error or (<Called>called).error, None
        if error is not None:
            raise error
        PyErr_CheckSignals()

    cdef _arrange(self, Py_ssize_t rows, bint training):
        if self.arranged == (rows, training):
            return
        cdef size_t size = self.core.arrange(&self.network, rows, training, NULL)
        self.scratch = np.empty(size + CACHE_LINE, np.uint8)
        cdef size_t start = <size_t>cnp.PyArray_DATA(self.scratch)
        self.core.arrange(&self.network, rows, training, <void *>(start + CACHE_LINE - start % CACHE_LINE))
        self.arranged = rows, training

    cdef pyrelu_samples _samples(self, Samples samples, order) except *:
        """What C is to read of the samples."""
        if samples.dtype != self.dtype or samples.n_features != self.network.layers[0].n_inputs:
            raise ValueError(f"{samples.n_features} features of dtype {samples.dtype} do not fit a network of "
                             f"{self.network.layers[0].n_inputs} inputs and dtype {self.dtype}")
        cdef pyrelu_samples data = samples.samples
        data.order = NULL if order is None else <Py_ssize_t *>address(order, np.intp, order.shape)
        return data

    def predict(self, Samples samples, order=None):
        """Return the outputs, of shape (n_samples, n_outputs).

        Parameters
        ----------
        samples : Samples
        order : ndarray of intp, default=None
            Which samples; None: all.
        """
        outputs = np.empty((samples.n_samples if order is None else len(order), self.n_outputs), self.dtype)
        self._predict(samples, order, cnp.PyArray_DATA(outputs), None)
        return outputs

    def find_alive(self, Samples samples, order=None):
        """Return for each hidden unit, all layers' one after the other, whether it is not 0 for all samples."""
        alive = np.zeros(self.n_hidden_units, bool)
        self._predict(samples, order, NULL, alive)
        return alive

    cdef _predict(self, Samples samples, order, void *outputs, alive):
        cdef pyrelu_samples data = self._samples(samples, order)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef Py_ssize_t start = 0, stop, rows = n if alive is None else GLANCE
        cdef unsigned char *flags = NULL if alive is None else <unsigned char *>cnp.PyArray_DATA(alive)
        self._arrange(min(n, SLICE_ROWS), False)
        while start < n:
            stop = min(start + rows, n)
            with nogil:
                self.core.predict(&self.network, &data, start, stop, outputs, flags)
            self._check()
            if alive is not None and alive.all():
                return  # no need to see the rest
            start, rows = stop, 2 * rows

    def train(self, Samples samples, order, Py_ssize_t batch_size, optimizer):
        """Train for one epoch.

        Parameters
        ----------
        samples : Samples
        order : ndarray of intp, or None
            Which samples, in that order; None: all, as they lie.
        batch_size : int
        optimizer : Optimizer
            Its `state` and `t` move on.

        Returns
        -------
        Epoch
        """
        cdef pyrelu_samples data = self._samples(samples, order)
        if samples.n_targets != (1 if self.network.loss == PYRELU_MULTINOMIAL else self.n_outputs):
            raise ValueError(f"{samples.n_targets} targets do not fit a network of {self.n_outputs} outputs")
        cdef pyrelu_optimizer opt = self._optimizer(optimizer)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef pyrelu_course course
        alive = np.zeros(self.n_hidden_units, bool)
        self.network.alive = <unsigned char *>cnp.PyArray_DATA(alive)
        self._arrange(min(batch_size, n, SLICE_ROWS), True)
        with nogil:
            course = self.core.train(&self.network, &data, 0, n, batch_size, &opt)
        optimizer.t = opt.t
        self._check()
        return Epoch(course.loss / n, course.gradient_norm / n, alive)

    cdef pyrelu_optimizer _optimizer(self, optimizer) except *:
        """What C is to read of the optimizer."""
        cdef pyrelu_optimizer opt
        if self.parameters is None:
            raise ValueError("a network without `parameters` cannot be trained")
        if self.gradients is None:
            self.gradients = np.empty_like(self.parameters)
        opt.solver = SOLVERS[optimizer.solver]
        opt.learning_rate = optimizer.learning_rate
        opt.momentum = optimizer.momentum
        opt.beta_1 = optimizer.beta_1
        opt.beta_2 = optimizer.beta_2
        opt.epsilon = optimizer.epsilon
        opt.alpha = optimizer.alpha
        opt.l1 = optimizer.l1
        opt.decay = optimizer.decay
        opt.clip_norm = optimizer.clip_norm
        opt.seed = optimizer.seed
        opt.t = optimizer.t
        opt.parameters = cnp.PyArray_DATA(self.parameters)
        opt.gradients = cnp.PyArray_DATA(self.gradients)
        opt.state = [NULL, NULL]
        for i, state in enumerate(optimizer.state):
            opt.state[<int>i] = address(state, self.dtype, self.parameters.shape)
        return opt
