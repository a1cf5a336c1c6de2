# cython: language_level=3, freethreading_compatible=True
"""The training core as Python sees it: networks, the samples they train on, and one call per epoch without the GIL."""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from scipy.linalg.cython_blas cimport dgemm, sgemm

from pyrelu._library cimport PYRELU_MAX_PARAMETERS

import numpy as np

cnp.import_array()


cdef extern from "network.h" nogil:
    enum:
        PYRELU_SOFTMAX

    ctypedef struct pyrelu_layer:
        Py_ssize_t n_inputs, n_outputs
        int activation
        double parameters[PYRELU_MAX_PARAMETERS]
        void *weights
        void *bias

    ctypedef enum pyrelu_loss:
        PYRELU_MULTINOMIAL
        PYRELU_BINARY
        PYRELU_SQUARED_ERROR
        PYRELU_POISSON

    ctypedef struct pyrelu_network:
        int n_layers
        pyrelu_layer *layers
        pyrelu_loss loss
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
        double learning_rate, momentum, beta_1, beta_2, epsilon, alpha
        Py_ssize_t t
        void *parameters
        void *gradients
        void *state[2]

    ctypedef struct pyrelu_core:
        size_t (*arrange)(pyrelu_network *, Py_ssize_t slice_rows, int training, void *scratch) noexcept nogil
        void (*predict)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                        void *outputs, unsigned char *alive) noexcept nogil
        double (*train)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                        Py_ssize_t batch_size, pyrelu_optimizer *) noexcept nogil

    const pyrelu_core pyrelu_core_f32, pyrelu_core_f64


LOSSES = {"log_loss": PYRELU_MULTINOMIAL, "binary_log_loss": PYRELU_BINARY, "squared_error": PYRELU_SQUARED_ERROR,
          "poisson": PYRELU_POISSON}
SOLVERS = {"gradient": PYRELU_GRADIENT, "sgd": PYRELU_SGD, "nesterov": PYRELU_NESTEROV, "adam": PYRELU_ADAM}

# Rows worked on at a time: enough for the matrix products to be efficient, few enough for the layers' outputs to take
# little memory however many rows there are.
cdef Py_ssize_t SLICE_ROWS = 1024

cdef size_t CACHE_LINE = 64

# Forward multiply-adds between two looks for Ctrl-C; with the backward pass, some 0.05 s on a slow core.
cdef double PATIENCE = 1e8

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


cdef class Network:
    """Layers of weights, as views of the arrays given.

    Parameters
    ----------
    weights, biases : list of ndarray
        Of shapes (n_inputs, n_outputs) and (n_outputs,), one per layer, all of one dtype, float32 or float64.
    activations : list of (int, tuple of float)
        The row of the table and the values of its parameters, one per hidden layer.
    output : int or None
        The row of the output activation; None: softmax.
    loss : {"log_loss", "binary_log_loss", "squared_error", "poisson"}
    parameters : ndarray, default=None
        The one buffer that all weights and biases are views of; without it the network cannot be trained.
    """

    cdef pyrelu_network network
    cdef const pyrelu_core *core
    cdef readonly object dtype
    cdef readonly Py_ssize_t n_hidden_units, n_outputs
    cdef double work  # multiply-adds per row
    cdef object arrays, layers, scratch  # that `network` points to
    cdef readonly object parameters
    cdef object gradients  # laid out as `parameters`
    cdef tuple arranged  # what for: rows, training

    def __init__(self, weights, biases, activations, output, loss, parameters=None):
        cdef pyrelu_layer *layer
        cdef int i
        self.dtype = weights[0].dtype
        self.core = &pyrelu_core_f32 if self.dtype == np.float32 else &pyrelu_core_f64
        self.arrays = tuple(weights), tuple(biases)
        self.parameters = parameters
        if parameters is not None and not all(np.shares_memory(parameters, a) for a in (*weights, *biases)):
            raise ValueError("the weights and biases must be views of `parameters`")
        self.layers = np.zeros(len(weights) * sizeof(pyrelu_layer), np.uint8)
        self.network.n_layers = len(weights)
        self.network.layers = <pyrelu_layer *>cnp.PyArray_DATA(self.layers)
        self.network.loss = LOSSES[loss]
        self.network.gemm = <gemm>sgemm if self.dtype == np.float32 else <gemm>dgemm
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            layer = &self.network.layers[i]
            layer.n_inputs, layer.n_outputs = w.shape
            layer.weights = address(w, self.dtype, w.shape)
            layer.bias = address(b, self.dtype, w.shape[1:])
            if i > 0 and layer.n_inputs != self.network.layers[i - 1].n_outputs:
                raise ValueError(f"coefs_[{i}] of shape {w.shape} does not fit coefs_[{i - 1}] of shape "
                                 f"{weights[i - 1].shape}")
            self.work += w.size
            if i < self.network.n_layers - 1:
                layer.activation, values = activations[i]
                for k, value in enumerate(values):
                    layer.parameters[k] = value
                self.n_hidden_units += layer.n_outputs
            else:
                layer.activation = PYRELU_SOFTMAX if output is None else output
                self.n_outputs = layer.n_outputs

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
        """Return for each hidden unit, all layers' one after the other, 1 if it is not zero for all samples, else 0."""
        alive = np.zeros(self.n_hidden_units, np.uint8)
        self._predict(samples, order, NULL, alive)
        return alive

    cdef _predict(self, Samples samples, order, void *outputs, alive):
        cdef pyrelu_samples data = self._samples(samples, order)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef Py_ssize_t start = 0, stop, rows = self._patience(SLICE_ROWS)
        cdef unsigned char *flags = NULL if alive is None else <unsigned char *>cnp.PyArray_DATA(alive)
        self._arrange(min(n, SLICE_ROWS), False)
        while start < n:
            stop = min(start + rows, n)
            with nogil:
                self.core.predict(&self.network, &data, start, stop, outputs, flags)
            if alive is not None and alive.all():
                return  # no need to see the rest
            PyErr_CheckSignals()
            start = stop

    cdef Py_ssize_t _patience(self, Py_ssize_t rows):
        """How many rows, a multiple of that, to work on between two looks for Ctrl-C."""
        return rows * max(1, <Py_ssize_t>(PATIENCE / (self.work * rows)))

    def train(self, Samples samples, order, Py_ssize_t batch_size, optimizer, double alpha):
        """Train for one epoch.

        Parameters
        ----------
        samples : Samples
        order : ndarray of intp, or None
            Which samples, in that order; None: all, as they lie.
        batch_size : int
        optimizer : Optimizer
            Its `state` and `t` move on.
        alpha : float
            L2 penalty on the weights.

        Returns
        -------
        float
            The mean loss over the rows, each as it was when the row's batch came.
        """
        cdef pyrelu_samples data = self._samples(samples, order)
        if samples.n_targets != (1 if self.network.loss == PYRELU_MULTINOMIAL else self.n_outputs):
            raise ValueError(f"{samples.n_targets} targets do not fit a network of {self.n_outputs} outputs")
        cdef pyrelu_optimizer opt = self._optimizer(optimizer, alpha)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef Py_ssize_t start = 0, stop, rows = self._patience(batch_size)
        cdef double loss = 0
        self._arrange(min(batch_size, n, SLICE_ROWS), True)
        while start < n:
            stop = min(start + rows, n)
            with nogil:
                loss += self.core.train(&self.network, &data, start, stop, batch_size, &opt)
            optimizer.t = opt.t
            PyErr_CheckSignals()
            start = stop
        return loss / n

    cdef pyrelu_optimizer _optimizer(self, optimizer, double alpha) except *:
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
        opt.alpha = alpha
        opt.t = optimizer.t
        opt.parameters = cnp.PyArray_DATA(self.parameters)
        opt.gradients = cnp.PyArray_DATA(self.gradients)
        opt.state = [NULL, NULL]
        for i, state in enumerate(optimizer.state):
            opt.state[<int>i] = address(state, self.dtype, self.parameters.shape)
        return opt
