# cython: language_level=3, freethreading_compatible=True
"""The training core for Python: networks, and one call per epoch without the GIL."""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY
from scipy.linalg.cython_blas cimport dgemm, sgemm

from pyrelu._called cimport Called, call, call_loss
from pyrelu._checks cimport MAX_DIMENSION, address, all_below, describe, integer, listed, number, one_of, two_dimensional
from pyrelu._library cimport *
from pyrelu._samples cimport Samples

from typing import NamedTuple

import numpy as np

from pyrelu import _blas_limit
from pyrelu._memory import on_lines

cnp.import_array()

MAX_EMBEDDING_SIZE = PYRELU_MAX_EMBEDDING
EMBEDDINGS = {pyrelu_embeddings[i].name.decode(): i for i in range(PYRELU_N_EMBEDDINGS)}
LOSSES = {pyrelu_losses[i].name.decode(): i for i in range(pyrelu_n_losses)}
SOLVERS = {pyrelu_optimizers[i].name.decode(): i for i in range(PYRELU_N_OPTIMIZERS)} | {"gradient": PYRELU_GRADIENT}
OPTIMIZER_ATTRIBUTES = ("solver", "learning_rate", "momentum", "beta_1", "beta_2", "epsilon", "alpha", "l1", "decay",
                        "clip_norm", "rate_factors", "alpha_factors", "dropout_factor", "seed", "t", "state")
TRANSFORMS = {
    "elementwise": PYRELU_ELEMENTWISE,
    "learned_slopes": PYRELU_LEARNED_SLOPES,
    "parametric": PYRELU_PARAMETRIC,
    "drawn_slopes": PYRELU_DRAWN_SLOPES,
    "rowwise": PYRELU_ROWWISE,
    "gated": PYRELU_GATED,
    "maxout": PYRELU_MAXOUT,
    "called": PYRELU_CALLED,
}

# Rows per micro-batch, times the members of an ensemble: enough for efficient matrix products, few enough to bound the
# memory of the layers' outputs.
cdef Py_ssize_t MICRO_BATCH_ROWS = 1024

# The same for each thread where nothing but the outputs of hidden layers is looked at: they stay in its cache.
cdef Py_ssize_t ROWS_IN_CACHE = 256

MAX_MEMBERS = 1024  # of an ensemble
WHOLE_SUM = PYRELU_WHOLE_SUM

ctypedef void (*gemm)() noexcept nogil


class Epoch(NamedTuple):
    """The result of an epoch: means over its batches, weighted by their numbers of rows.

    Attributes
    ----------
    loss : float
    gradient_norm : float
        The L2 norm of the gradient of a batch's loss, including penalties, before clipping.
    alive : ndarray of bool
        For each hidden unit, counted through all layers, whether it was not 0 for every row.
    bounds : ndarray of float64, or None
        Where training was to watch the first hidden layer: what its pre-activations of these rows are not above, with
        the parameters as they have become. May be infinite.
    """

    loss: float
    gradient_norm: float
    alive: np.ndarray
    bounds: np.ndarray | None = None


cdef int interrupted(void *context) noexcept with gil:
    """Return to C whether to stop."""
    cdef Network network = <Network>context
    try:
        network._check()
    except BaseException as error:
        network.error = error
    return network.error is not None


cdef class DefaultFloatingPoint:
    """A context in which this thread computes as a process begins: other libraries may have set flush-to-zero, or a way
    of rounding, and what NumPy makes of numbers is not to depend on it."""

    cdef fp_environment caller

    def __enter__(self):
        self.caller = fp_enter()
        return self

    def __exit__(self, *exception):
        fp_leave(self.caller)


cdef int _n_values(const pyrelu_layer *layer) noexcept:
    """Return the number of activation parameters that the layer's transform takes."""
    if layer.transform == PYRELU_ELEMENTWISE or layer.transform == PYRELU_PARAMETRIC:
        return pyrelu_activations[layer.activation].n_parameters
    if layer.transform == PYRELU_LEARNED_SLOPES:
        return 1
    return 2 if layer.transform == PYRELU_DRAWN_SLOPES else 0


cdef class Network:
    """A network whose weights are views of the given arrays.

    Parameters
    ----------
    weights, biases : list of ndarray
        Of shapes (n_inputs, width) and (width,), one per layer, all of one dtype, float32 or float64; width is the
        number of pre-activations.
    activations : list of HiddenActivation
        One per hidden layer.
    output : int or None
        The row of the output activation in the table; None: softmax.
    loss : str, OutputLoss or None
        The loss to minimise; a name stands for the row of the table with its defaults. None: prediction only.
    slopes : list of (ndarray of shape (n_units,) or None), default=()
        One per hidden layer: an array where it learns slopes.
    parameters : ndarray, default=None
        The buffer of which all weights, biases and slopes are views; required for training.
    dropout : sequence of float, default=()
        The probabilities of dropping an input, and a unit of each hidden layer, in training.
    label_smoothing : float, default=0
    n_threads : int, default=None
        The maximum number of threads.
    embedding : InputEmbedding, default=None
        What makes the first layer's inputs of the columns of the samples; None: they are the inputs.
    rate_factors : sequence of float, default=()
        The factors on the learning rate of each layer's weights; none: all 1.
    adapters : list of ndarray, default=()
        Of an ensemble whose members share the hidden layers' weights: the factors of the first layer's inputs, of shape
        (n_members, n_inputs), and of its products, of shape (n_members, width), then those of the next hidden layer. Biases
        are of shape (n_members * width,), and the output layer's weights of (n_inputs, n_members * n_outputs).

    Raises
    ------
    TypeError, ValueError
        If the arguments do not match. All that C reads and writes is checked here, so that no attribute of an
        estimator, from whatever source, can make it leave its arrays.
    """

    cdef pyrelu_network network
    cdef pyrelu_embedding embedding
    cdef const pyrelu_core *core
    cdef readonly object dtype
    cdef readonly Py_ssize_t n_hidden_units, n_outputs, n_members
    cdef readonly bint draws  # whether training needs random numbers
    cdef readonly list weights, biases, slopes, activations  # as given
    cdef readonly object embedding_of_inputs, n_threads
    cdef object arrays, layers, loss_parameters, workspace, kept  # keep alive what `network` points to
    cdef bint has_loss
    cdef list called
    cdef readonly object parameters
    cdef object gradients  # in the layout of `parameters`
    cdef tuple planned  # the (rows, training) that the workspace is planned for
    cdef object error  # that made C stop
    cdef bint busy  # whether the workspace is in use

    def __cinit__(self, weights, biases, activations, output, loss, slopes=(), parameters=None, dropout=(),
                  label_smoothing=0.0, n_threads=None, embedding=None, rate_factors=(), adapters=()):
        cdef Py_ssize_t n
        weights = listed(weights, "coefs_", -1)
        n = len(weights)
        if not n:
            raise ValueError("coefs_ is empty; a network has one layer at least")
        biases = listed(biases, "intercepts_", n)
        activations = listed(activations, "activation", n - 1)
        slopes = listed(slopes, "activation_weights_", n - 1) if len(slopes or ()) else [None] * (n - 1)
        dropout = listed(dropout, "dropout", n) if len(dropout or ()) else [0.0] * n
        two_dimensional(weights[0], "coefs_[0]")
        self.dtype = weights[0].dtype
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"weights of dtype {self.dtype}; a network computes in float32 or float64")
        self.core = &pyrelu_core_f32 if self.dtype == np.float32 else &pyrelu_core_f64
        self.arrays = [weights, biases, slopes]
        self.weights, self.biases, self.slopes, self.activations = weights, biases, slopes, activations
        self.embedding_of_inputs, self.n_threads = embedding, n_threads
        rate_factors = listed(rate_factors, "rate_factors", n) if len(rate_factors or ()) else [1.0] * n
        self.called = []
        adapters = self._take_adapters(adapters, n - 1)
        self.n_members = self.network.n_members
        self.layers = np.zeros(n * sizeof(pyrelu_layer), np.uint8)
        self.network.n_layers = n
        self.network.layers = <pyrelu_layer *>cnp.PyArray_DATA(self.layers)
        self.network.label_smoothing = number(label_smoothing, "label_smoothing", 0, 1)
        self.network.n_threads = PYRELU_ALL_THREADS if n_threads is None else min(
            integer(n_threads, "n_threads", 1, np.inf), PYRELU_ALL_THREADS
        )
        self.network.interrupted = interrupted
        self.network.context = <void *>self
        self.network.blas_gemm = <gemm>sgemm if self.dtype == np.float32 else <gemm>dgemm
        self.network.input_dropout = number(dropout[0], "dropout", 0, 1)
        self.draws = any(dropout)
        for i in range(n - 1):
            self._set_layer(i, weights[i], biases[i], dropout[i + 1], rate_factors[i])
            self._set_activation(i, activations[i], slopes[i])
            self._set_adapters(i, adapters)
            self.n_hidden_units += self.network.layers[<int>i].n_outputs
        self._set_layer(n - 1, weights[n - 1], biases[n - 1], 0.0, rate_factors[n - 1])
        self._set_output(output)
        self.network.n_features = self.network.layers[0].n_inputs
        if embedding is not None:
            self._set_embedding(embedding)
        if loss is not None:
            self._set_loss(loss)
        if parameters is not None:
            self._set_parameters(parameters)

    cdef _set_layer(self, Py_ssize_t i, weights, bias, dropout, rate_factor):
        cdef pyrelu_layer *layer = &self.network.layers[i]
        shape = two_dimensional(weights, f"coefs_[{i}]")
        members = self.network.n_members
        layer.weights = address(weights, f"coefs_[{i}]", self.dtype, shape)
        layer.n_inputs, layer.width = shape
        if i == self.network.n_layers - 1:  # where each member has weights of its own
            if layer.width % members:
                raise ValueError(f"coefs_[{i}] of shape {shape} does not fit {members} members")
            layer.width //= members
        layer.bias = address(bias, f"intercepts_[{i}]", self.dtype, (members * layer.width,))
        layer.n_outputs = layer.width
        layer.dropout = number(dropout, "dropout", 0, 1)
        layer.rate_factor = number(rate_factor, "rate_factors", 0)
        if i > 0 and layer.n_inputs != self.network.layers[i - 1].n_outputs:
            raise ValueError(f"coefs_[{i}] of shape {shape} does not fit coefs_[{i - 1}] of shape "
                             f"{self.arrays[0][i - 1].shape}" + (
                                 f", whose layer has {self.network.layers[i - 1].n_outputs} units"
                                 if self.network.layers[i - 1].n_outputs != self.network.layers[i - 1].width else ""))

    cdef _set_activation(self, Py_ssize_t i, activation, slopes):
        """Set a layer's activation, after checking that its row in the table and the parameters of that row exist."""
        cdef pyrelu_layer *layer = &self.network.layers[i]
        name = f"activation of hidden layer {i}"
        if not hasattr(activation, "transform"):
            raise TypeError(f"{name} must be a HiddenActivation, got {describe(activation)}")
        layer.transform = one_of(activation.transform, name, TRANSFORMS)
        layer.activation = integer(
            activation.index, name, 0,
            pyrelu_n_axis_functions if layer.transform == PYRELU_ROWWISE else pyrelu_n_activations,
        )
        if layer.transform == PYRELU_ROWWISE and pyrelu_axis_functions[layer.activation].signature != b"(n)->(n)":
            raise ValueError(f"{name} does not keep the shape")
        values = listed(activation.values, name, _n_values(layer))
        for k, value in enumerate(values):
            layer.parameters[<int>k] = number(value, name)
        self.draws |= layer.transform == PYRELU_DRAWN_SLOPES
        least = 2 if layer.transform == PYRELU_GATED else 1
        below = MAX_DIMENSION if layer.transform == PYRELU_MAXOUT else least + 1
        pieces = integer(activation.pieces, name, least, below)
        if layer.width % pieces:
            raise ValueError(f"coefs_[{i}] has {layer.width} columns, which {activation.name} cannot take in {pieces}s")
        layer.n_outputs = layer.width // pieces
        if layer.transform == PYRELU_LEARNED_SLOPES or layer.transform == PYRELU_PARAMETRIC:
            layer.slopes = address(slopes, f"activation_weights_[{i}]", self.dtype, (layer.n_outputs,))
        elif slopes is not None:
            raise ValueError(f"activation_weights_[{i}] must be None: {activation.name} learns no slopes")
        if layer.transform == PYRELU_CALLED:
            listed(activation.functions, name, 2)
            self.called.append(Called(activation.functions, self.dtype))
            layer.call = call
            layer.context = <void *>self.called[-1]

    cdef list _take_adapters(self, adapters, Py_ssize_t n_hidden):
        """Set the number of members; return the factors of each hidden layer's inputs and products."""
        self.network.n_members = 1
        if not len(adapters or ()):
            return []
        adapters = listed(adapters, "adapters_", 2 * n_hidden)
        self.network.n_members = integer(two_dimensional(adapters[0], "adapters_[0]")[0], "the number of members", 2,
                                         MAX_MEMBERS + 1)
        self.arrays.append(adapters)
        return adapters

    cdef _set_adapters(self, Py_ssize_t i, list adapters):
        cdef pyrelu_layer *layer = &self.network.layers[i]
        if not adapters:
            return
        members = self.network.n_members
        layer.input_factors = address(adapters[2 * i], f"adapters_[{2 * i}]", self.dtype, (members, layer.n_inputs))
        layer.output_factors = address(adapters[2 * i + 1], f"adapters_[{2 * i + 1}]", self.dtype, (members, layer.width))

    cdef _set_embedding(self, embedding):
        """Set the embedding, after checking that its arrays and column numbers fit each other and the first layer."""
        cdef pyrelu_embedding *e = &self.embedding
        cdef Py_ssize_t k, m, total = 0
        cdef list learned = []  # the names of the arrays that training changes
        for name in ("n_features", "numeric", "plain", "categorical", "n_levels", "kind", "arrays"):
            if not hasattr(embedding, name):
                raise TypeError(f"embedding must be an InputEmbedding, got {describe(embedding)} without {name}")
        if not isinstance(embedding.arrays, dict):
            raise TypeError(f"the embedding's arrays must be a dict, got {describe(embedding.arrays)}")
        n_columns = integer(embedding.n_features, "the embedding's number of columns", 1, MAX_DIMENSION)
        numeric, categorical, n_levels = embedding.numeric, embedding.categorical, embedding.n_levels
        arrays = dict(embedding.arrays)
        plain = embedding.plain
        self.kept = numeric, plain, categorical, n_levels, arrays
        e.numeric = self._column_numbers(numeric, "numeric", n_columns, &e.n_numeric)
        e.plain = self._column_numbers(plain, "plain", n_columns, &e.n_plain)
        e.categorical = self._column_numbers(categorical, "categorical", n_columns, &e.n_categorical)
        e.n_levels = <Py_ssize_t *>address(n_levels, "n_levels", np.dtype(np.intp), (e.n_categorical,))
        for k in range(e.n_categorical):
            if not 0 < e.n_levels[k] < MAX_DIMENSION:
                raise ValueError(f"n_levels must be in the range [1, {MAX_DIMENSION}), got {e.n_levels[k]}")
            total += e.n_levels[k]
        e.size = 1
        if e.n_numeric:
            e.embedding = one_of(embedding.kind, "numeric_embedding", EMBEDDINGS)
            k = e.n_features = two_dimensional(arrays.get("frequencies"), "frequencies")[1]
            m = two_dimensional(arrays.get("biases"), "biases")[1]
            e.size = integer(m + 1, "the size of an embedding", 2, PYRELU_MAX_EMBEDDING + 1)
            e.frequencies = address(arrays["frequencies"], "frequencies", self.dtype, (e.n_numeric, k))
            e.phases = address(arrays.get("phases"), "phases", self.dtype, (e.n_numeric, k))
            e.weights = address(arrays.get("weights"), "weights", self.dtype, (e.n_numeric, k, m))
            e.biases = address(arrays["biases"], "biases", self.dtype, (e.n_numeric, m))
            learned += ["weights", "biases"]
            if pyrelu_embeddings[e.embedding].learned:
                learned += ["frequencies", "phases"]
        if e.n_categorical:
            e.level_size = two_dimensional(arrays.get("levels"), "levels")[1]
            e.levels = address(arrays["levels"], "levels", self.dtype, (total, e.level_size))
            learned += ["levels"]
        e.n_outputs = e.n_numeric * e.size + e.n_plain + e.n_categorical * e.level_size
        if e.n_outputs != self.network.layers[0].n_inputs:
            raise ValueError(f"an embedding of {e.n_outputs} outputs does not fit coefs_[0] of shape "
                             f"{self.arrays[0][0].shape}")
        if "scales" in arrays:
            e.scales = address(arrays["scales"], "scales", self.dtype, (e.n_outputs,))
            learned += ["scales"]
        if arrays.keys() - {*learned, "frequencies", "phases"}:
            raise ValueError(f"the embedding has arrays that it does not use: {', '.join(map(str, arrays))}")
        self.arrays.append([arrays[name] for name in learned])
        self.network.n_features = n_columns
        self.network.embedding = e

    cdef const Py_ssize_t *_column_numbers(self, columns, name, Py_ssize_t n_columns, Py_ssize_t *n) except? NULL:
        """Return the numbers of columns, after checking that they exist."""
        n[0] = len(columns) if isinstance(columns, np.ndarray) and columns.ndim == 1 else 0
        cdef const Py_ssize_t *numbers = <Py_ssize_t *>address(columns, name, np.dtype(np.intp), (n[0],))
        if not all_below(numbers, n[0], n_columns):
            raise ValueError(f"the {name} columns must be in the range [0, {n_columns})")
        return numbers

    cdef _set_output(self, output):
        cdef pyrelu_layer *layer = &self.network.layers[self.network.n_layers - 1]
        layer.transform = PYRELU_SOFTMAX if output is None else PYRELU_ELEMENTWISE
        layer.activation = 0 if output is None else integer(output, "out_activation_", 0, pyrelu_n_activations)
        self.n_outputs = layer.n_outputs

    cdef _set_loss(self, loss):
        """Set the loss, after checking that its row in the table and the parameters of each output exist."""
        cdef const pyrelu_loss *row
        if isinstance(loss, str):
            self.network.loss = one_of(loss, "loss", LOSSES)
            row = &pyrelu_losses[self.network.loss]
            values = [[row.parameters[k].default_value for k in range(row.n_parameters)]] * self.n_outputs
        elif not all(hasattr(loss, name) for name in ("index", "values", "functions")):
            raise TypeError(f"loss must be a name or an OutputLoss, got {describe(loss)}")
        else:
            self.network.loss = integer(loss.index, "loss", -1, pyrelu_n_losses)
            values = listed(loss.values, "loss", self.n_outputs)
        if self.network.loss < 0:
            self.called.append(Called(tuple(listed(loss.functions, "loss", 2)), self.dtype))
            self.network.loss_call = call_loss
            self.network.loss_context = <void *>self.called[-1]
        else:
            row = &pyrelu_losses[self.network.loss]
            numbers = [[number(value, "loss") for value in listed(one, "loss", row.n_parameters)] for one in values]
            self.loss_parameters = np.array(numbers, self.dtype)
            self.network.loss_parameters = cnp.PyArray_DATA(self.loss_parameters)
        self.has_loss = True

    cdef _check_targets(self, n_targets, smallest_and_largest):
        """Raise ValueError if the loss cannot take this many targets per row, or a class index is out of range."""
        if not self.has_loss:
            raise ValueError("a network without a loss cannot be trained")
        cdef int i = self.network.loss
        classes = i >= 0 and pyrelu_losses[i].targets == b'C'
        if n_targets != (1 if classes else self.n_outputs) and not (i >= 0 and n_targets == 1):
            raise ValueError(f"{n_targets} targets do not fit a network of {self.n_outputs} outputs")
        if classes or (i >= 0 and pyrelu_losses[i].estimator == b'C' and n_targets < self.n_outputs):
            least, largest = smallest_and_largest()
            if not (0 <= least and largest < self.n_outputs):
                raise ValueError(f"class numbers from {least:g} to {largest:g} do not fit a network of {self.n_outputs} "
                                 "outputs")

    def losses(self, targets, outputs):
        """Return the loss of each row, and its gradient with respect to the pre-activations of the output layer.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_targets)
        outputs : ndarray of shape (n_samples, n_outputs)

        Returns
        -------
        losses : ndarray of shape (n_samples,)
        gradient : ndarray of shape (n_samples, n_outputs)
        """
        cdef Py_ssize_t n = len(outputs)
        cdef void *given = address(outputs, "outputs", self.dtype, (n, self.n_outputs))
        cdef Py_ssize_t n_targets = two_dimensional(targets, "targets")[1] if n else 1
        given = address(targets, "targets", self.dtype, (n, n_targets))
        if n:
            self._check_targets(n_targets, lambda: (targets.min(), targets.max()))
        losses, gradient = np.empty(n, self.dtype), outputs.copy()
        if self.network.loss < 0:
            call_loss(self.network.loss_context, given, cnp.PyArray_DATA(gradient), cnp.PyArray_DATA(losses), n,
                      self.n_outputs, n_targets)
            self._check()
        elif n:
            self.core.losses(&self.network, given, n_targets, cnp.PyArray_DATA(gradient), cnp.PyArray_DATA(losses), n)
        return losses, gradient

    cdef _set_parameters(self, parameters):
        """Set the buffer, after checking that the arrays are views of it and do not overlap."""
        cdef Py_ssize_t itemsize = self.dtype.itemsize, start, end, at
        cdef cnp.ndarray a
        size = len(parameters) if isinstance(parameters, np.ndarray) and parameters.ndim else 0
        start = <Py_ssize_t>address(parameters, "parameters", self.dtype, (size,), True)
        end = start + size * itemsize
        places = []
        for group in self.arrays:
            for array in group:
                if array is not None:
                    a = array
                    at = <Py_ssize_t>cnp.PyArray_DATA(a)
                    places.append((at, at + cnp.PyArray_NBYTES(a), cnp.PyArray_ISWRITEABLE(a) != 0))
        places.sort()
        at = start
        for first, last, writeable in places:
            if first < at or last > end or (first - start) % itemsize or not writeable:
                raise ValueError("the weights, biases and slopes must be views of `parameters` that do not overlap")
            at = last
        self.parameters = parameters

    cdef _check(self):
        """Raise the error of a user's function that C called, or KeyboardInterrupt after Ctrl-C."""
        cdef object error
        error, self.error = self.error, None
        for called in self.called:
            error, (<Called>called).error = error or (<Called>called).error, None
        if error is not None:
            raise error
        PyErr_CheckSignals()

    cdef Py_ssize_t _micro_batch_rows(self):
        return max(1, MICRO_BATCH_ROWS // self.network.n_members)

    cdef _plan_workspace(self, Py_ssize_t rows, bint training):
        if self.planned == (rows, training):
            return
        self.planned = None  # in case that there is not enough memory
        cdef size_t size = self.core.plan_workspace(&self.network, rows, training, NULL)
        (self.workspace,) = on_lines(1, size, np.uint8)
        self.core.plan_workspace(&self.network, rows, training, cnp.PyArray_DATA(self.workspace))
        self.planned = rows, training

    cdef pyrelu_samples _samples(self, Samples samples, order) except *:
        """Return the samples as C reads them."""
        if samples.dtype != self.dtype or samples.n_features != self.network.n_features:
            raise ValueError(f"{samples.n_features} features of dtype {samples.dtype} do not fit a network of "
                             f"{self.network.n_features} inputs and dtype {self.dtype}")
        if samples.samples.starts is not NULL and self.network.embedding is not NULL:
            raise ValueError("the columns of a sparse X are not embedded; pass X.toarray()")
        if samples.samples.starts is not NULL and self.network.n_members > 1:
            raise ValueError("an ensemble (ensemble_size > 1) does not take a sparse X; pass X.toarray()")
        cdef pyrelu_samples data = samples.samples
        cdef Py_ssize_t n
        cdef bint right
        data.order = NULL
        if order is not None:
            n = len(order)
            data.order = <Py_ssize_t *>address(order, "order", np.dtype(np.intp), (n,))
            with nogil:
                right = all_below(data.order, n, samples.n_samples)
            if not right:
                raise ValueError(f"order must have numbers of samples, in the range [0, {samples.n_samples})")
        return data

    cdef bint _enter(self) except -1:
        """Claim the workspace and, if BLAS may be called, limit its threads; return whether it may."""
        if self.busy:
            raise RuntimeError("this network is in use already; only one thread at a time may use a network")
        if self.core.calls_blas(&self.network):
            _blas_limit.limit()
            self.busy = True
            return True
        self.busy = True
        return False

    cdef _leave(self, bint limited):
        self.busy = False
        if limited:
            _blas_limit.release()

    @property
    def n_features(self):
        """Columns of the samples."""
        return self.network.n_features

    def predict(self, Samples samples, order=None):
        """Return the outputs, of shape (n_samples, n_outputs).

        Parameters
        ----------
        samples : Samples
        order : ndarray of intp, default=None
            The samples to evaluate; None: all.
        """
        outputs = np.empty((samples.n_samples if order is None else len(order), self.n_outputs), self.dtype)
        self._predict(samples, order, cnp.PyArray_DATA(outputs), NULL, self._micro_batch_rows())
        return outputs

    def find_alive(self, Samples samples, order=None):
        """Return for each hidden unit, counted through all layers, whether it is not 0 for every sample."""
        alive = np.zeros(self.n_hidden_units, bool)
        rows = ROWS_IN_CACHE * min(self.network.n_threads, pyrelu_get_num_threads()) // self.network.n_members
        self._predict(samples, order, NULL, <unsigned char *>cnp.PyArray_DATA(alive), max(1, rows))
        return alive

    cdef _predict(self, Samples samples, order, void *outputs, unsigned char *alive, Py_ssize_t most_rows):
        cdef pyrelu_samples data = self._samples(samples, order)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef bint limited
        if n == 0:
            return
        self._plan_workspace(min(n, most_rows), False)
        limited = self._enter()
        try:
            with nogil:
                self.core.predict(&self.network, &data, 0, n, outputs, alive)
            self._check()
        finally:
            self._leave(limited)

    def train(self, Samples samples, order, Py_ssize_t batch_size, optimizer, ranges=None):
        """Train for one epoch.

        Parameters
        ----------
        samples : Samples
        order : ndarray of intp, or None
            The samples to train on, in this order; None: all.
        batch_size : int
        optimizer : Optimizer
            Its `state` and `t` are updated.
        ranges : ndarray of shape (2, n_features), default=None
            The smallest and the largest number of each column of the samples: watch the first hidden layer.

        Returns
        -------
        Epoch
        """
        cdef pyrelu_samples data = self._samples(samples, order)
        cdef pyrelu_optimizer opt = self._optimizer(optimizer)
        cdef Py_ssize_t n = samples.n_samples if order is None else len(order)
        cdef pyrelu_epoch_totals sums
        cdef bint limited
        if n < 1 or batch_size < 1:
            raise ValueError(f"{n} samples in batches of {batch_size}; training takes at least 1 and 1")
        self._check_targets(samples.n_targets, samples.target_range)
        alive = np.zeros(self.n_hidden_units, bool)
        bounds = None
        if ranges is not None:
            bounds, sizes = np.full(self.network.layers[0].width, -np.inf), np.zeros(self.network.layers[0].width)
            lows, highs = self._widened(ranges)
        self._plan_workspace(min(batch_size, n, self._micro_batch_rows()), True)
        limited = self._enter()
        try:
            self.network.alive = <unsigned char *>cnp.PyArray_DATA(alive)
            if bounds is not None:
                self.network.watch.lows, self.network.watch.highs = cnp.PyArray_DATA(lows), cnp.PyArray_DATA(highs)
                self.network.watch.tops = <double *>cnp.PyArray_DATA(bounds)
                self.network.watch.sizes = <double *>cnp.PyArray_DATA(sizes)
            with nogil:
                sums = self.core.train(&self.network, &data, 0, n, batch_size, &opt)
            optimizer.t = opt.t
            self._check()
        finally:
            self.network.alive = NULL
            self.network.watch.tops = NULL
            self._leave(limited)
        if bounds is not None:
            bounds += 2 * self._error() * sizes
            bounds[~(sizes < np.finfo(self.dtype).max / 4)] = np.inf
        return Epoch(sums.loss / n, sums.gradient_norm / n, alive, bounds)

    def _error(self):
        """Return a bound on the error of a sum of products with the inputs, in units of that of absolute values."""
        return (self.network.layers[0].n_inputs + 64) * np.finfo(self.dtype).eps

    def _widened(self, ranges):
        """Return these lowest and highest numbers further apart, so that sums with their products bound in spite of errors."""
        address(ranges, "ranges", self.dtype, (2, self.network.n_features))
        error = np.dtype(self.dtype).type(self._error()) * abs(ranges).max(axis=0)
        return ranges[0] - error, ranges[1] + error

    def step(self, gradient, double weight, optimizer):
        """Take one step, with a gradient that was computed elsewhere.

        Parameters
        ----------
        gradient : ndarray of shape (n_parameters,)
            The gradient of the loss, a sum over rows, without penalties.
        weight : float
            The total weight of these rows, greater than 0.
        optimizer : Optimizer
            Its `state` and `t` are updated.

        Returns
        -------
        penalties : float
            Divided by `weight`.
        gradient_norm : float
            The L2 norm of the gradient of the mean loss, including penalties, before clipping.
        """
        cdef pyrelu_optimizer opt = self._optimizer(optimizer)
        cdef pyrelu_epoch_totals sums
        cdef bint limited
        if not 0 < weight < INFINITY:
            raise ValueError(f"weight={weight!r} is not in the range (0, inf)")
        if not isinstance(gradient, np.ndarray) or gradient.shape != self.parameters.shape:
            raise ValueError(f"gradient: expected an array of shape {self.parameters.shape}, got {describe(gradient)}")
        if self.planned is None:
            self._plan_workspace(1, True)
        limited = self._enter()
        try:
            self.gradients[:] = gradient
            sums = self.core.step(&self.network, weight, &opt)
            optimizer.t = opt.t
        finally:
            self._leave(limited)
        return sums.loss, sums.gradient_norm

    cdef pyrelu_optimizer _optimizer(self, optimizer) except *:
        """Return the optimizer as C reads it."""
        try:
            return self._checked_optimizer(optimizer)
        except AttributeError as error:
            raise TypeError(f"the optimizer lacks what one has: {error}") from None

    cdef pyrelu_optimizer _checked_optimizer(self, optimizer) except *:
        cdef pyrelu_optimizer opt
        if self.parameters is None:
            raise ValueError("a network without `parameters` cannot be trained")
        for name in OPTIMIZER_ATTRIBUTES:
            if not hasattr(optimizer, name):
                raise TypeError(f"optimizer must be an Optimizer, got {describe(optimizer)} without {name}")
        if self.gradients is None:
            (self.gradients,) = on_lines(1, len(self.parameters), self.dtype)
        opt.solver = one_of(optimizer.solver, "solver", SOLVERS)
        opt.learning_rate = number(optimizer.learning_rate, "learning_rate")
        opt.momentum = number(optimizer.momentum, "momentum")
        opt.beta_1 = number(optimizer.beta_1, "beta_1")
        opt.beta_2 = number(optimizer.beta_2, "beta_2")
        opt.epsilon = number(optimizer.epsilon, "epsilon")
        opt.alpha = number(optimizer.alpha, "alpha")
        opt.l1 = number(optimizer.l1, "l1")
        opt.decay = number(optimizer.decay, "decay")
        opt.clip_norm = number(optimizer.clip_norm, "clip_norm")
        opt.dropout_factor = number(optimizer.dropout_factor, "dropout_factor", 0, 1 + 1e-9)
        rates = listed(list(optimizer.rate_factors), "rate_factors", PYRELU_N_GROUPS)
        alphas = listed(list(optimizer.alpha_factors), "alpha_factors", PYRELU_N_GROUPS)
        for i in range(PYRELU_N_GROUPS):
            opt.rate_factors[<int>i] = number(rates[i], "rate_factors", 0)
            opt.alpha_factors[<int>i] = number(alphas[i], "alpha_factors", 0)
        opt.seed = integer(optimizer.seed, "seed", 0, 1 << 64)
        opt.t = integer(optimizer.t, "t", 0, 1 << 62)
        opt.parameters = cnp.PyArray_DATA(self.parameters)
        opt.gradients = cnp.PyArray_DATA(self.gradients)
        opt.state = [NULL, NULL]
        states = listed(optimizer.state, "the optimizer's state",
                        1 if opt.solver == PYRELU_GRADIENT else pyrelu_optimizers[opt.solver].n_states)
        for i, state in enumerate(states):
            opt.state[<int>i] = address(state, "the optimizer's state", self.dtype, (len(self.parameters),), True)
        return opt
