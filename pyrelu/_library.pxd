"""The C library's interface, for the Cython modules."""

from libc.stdint cimport uint64_t
from numpy cimport npy_intp  # ptrdiff_t, as the header says

cdef extern from "table/table.h" nogil:
    enum:
        PYRELU_MAX_PARAMETERS
        PYRELU_MAX_OPERANDS

    ctypedef struct pyrelu_parameter:
        const char *name
        double default_value
        const char *domain
        const char *doc

    ctypedef struct pyrelu_activation:
        const char *name
        char reads
        int n_parameters, ordered
        pyrelu_parameter parameters[PYRELU_MAX_PARAMETERS]
        const char *aliases
        double ulp[4]
        const char *kinks
        const char *limits[4]
        const char *range
        const char *formula
        const char *summary
        const char *reference

    ctypedef struct pyrelu_axis_function:
        const char *name
        const char *signature
        const char *vjp_signature
        const char *error
        const char *formula
        const char *range
        const char *summary
        const char *reference

    ctypedef struct pyrelu_gate:
        const char *name
        const char *gate

    ctypedef struct pyrelu_loss:
        const char *name
        char estimator
        char targets
        const char *link
        const char *outputs
        int n_parameters, ordered
        pyrelu_parameter parameters[PYRELU_MAX_PARAMETERS]
        const char *domain
        const char *formula
        const char *summary
        const char *reference

    ctypedef struct pyrelu_optimizer_row:
        const char *name
        int n_states
        char scope
        int decoupled
        const char *update
        const char *summary
        const char *reference

    ctypedef struct pyrelu_embedding_row:
        const char *name
        int learned
        const char *formula
        const char *summary
        const char *reference

    ctypedef struct pyrelu_parameter_group:
        const char *name
        double alpha
        const char *summary

    enum:
        PYRELU_N_OPTIMIZERS
        PYRELU_GRADIENT
        PYRELU_N_EMBEDDINGS
        PYRELU_N_GROUPS

    const pyrelu_embedding_row[] pyrelu_embeddings
    const pyrelu_parameter_group[] pyrelu_parameter_groups

    const pyrelu_gate[] pyrelu_gates
    const int pyrelu_n_gates
    const pyrelu_loss[] pyrelu_losses
    const int pyrelu_n_losses
    const pyrelu_optimizer_row[] pyrelu_optimizers
    const pyrelu_activation[] pyrelu_activations
    const int pyrelu_n_activations
    const pyrelu_axis_function[] pyrelu_axis_functions
    const int pyrelu_n_axis_functions

cdef extern from "kernels/kernels.h" nogil:
    enum:
        PYRELU_MAX_EMBEDDING
        PYRELU_CACHE_LINE

    ctypedef enum pyrelu_type:
        PYRELU_F16
        PYRELU_F32
        PYRELU_F64
        PYRELU_N_TYPES

    ctypedef enum pyrelu_kind:
        PYRELU_FORWARD
        PYRELU_DERIVATIVE
        PYRELU_VJP
        PYRELU_BACKWARD
        PYRELU_N_KINDS

cdef extern from "runtime/dispatch.h" nogil:
    const char *pyrelu_isa()
    const char *pyrelu_isa_requested()
    const char *pyrelu_isa_name(int i)

cdef extern from "runtime/fpenv.h" nogil:
    ctypedef struct fp_environment:
        pass

    fp_environment fp_enter()
    void fp_leave(fp_environment caller)

cdef extern from "runtime/threads.h" nogil:
    enum:
        PYRELU_ALL_THREADS

    const char *pyrelu_threads_by()
    void pyrelu_set_num_threads(int n)
    int pyrelu_get_num_threads()

cdef extern from "ufunc/loops.h" nogil:
    ctypedef struct pyrelu_loop:
        int n_data
        int n_parameters

    pyrelu_loop pyrelu_make_map_loop(int activation, pyrelu_kind kind, pyrelu_type type, int defaults)
    pyrelu_loop pyrelu_make_gated_loop(int gate, int slope, pyrelu_type type)
    pyrelu_loop pyrelu_make_rowwise_loop(int axis_function, int vjp, pyrelu_type type)
    void pyrelu_set_streaming_bytes(npy_intp bytes)
    void pyrelu_map_loop(char **args, const npy_intp *dims, const npy_intp *steps, void *loop)
    void pyrelu_rowwise_loop(char **args, const npy_intp *dims, const npy_intp *steps, void *loop)

cdef extern from "training/network.h" nogil:
    ctypedef enum pyrelu_transform:
        PYRELU_ELEMENTWISE
        PYRELU_LEARNED_SLOPES
        PYRELU_PARAMETRIC
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
        double rate_factor
        void (*call)(void *context, int derivative, const void *z, void *out, Py_ssize_t rows, Py_ssize_t n) noexcept
        void *context
        void *weights
        void *bias
        void *slopes
        void *input_factors
        void *output_factors

    ctypedef struct pyrelu_embedding:
        Py_ssize_t n_numeric, n_plain, n_categorical
        const Py_ssize_t *numeric
        const Py_ssize_t *plain
        const Py_ssize_t *categorical
        int embedding
        Py_ssize_t n_features, size
        void *frequencies
        void *phases
        void *weights
        void *biases
        const Py_ssize_t *n_levels
        Py_ssize_t level_size
        void *levels
        void *scales
        Py_ssize_t n_outputs

    enum:
        PYRELU_WHOLE_SUM

    ctypedef struct pyrelu_watch:
        const void *lows
        const void *highs
        double *tops
        double *sizes

    ctypedef struct pyrelu_network:
        int n_layers
        pyrelu_layer *layers
        Py_ssize_t n_members
        Py_ssize_t n_features
        pyrelu_embedding *embedding
        double input_dropout
        int loss
        const void *loss_parameters
        void (*loss_call)(void *context, const void *targets, void *outputs, void *losses, Py_ssize_t rows, Py_ssize_t n_outputs, Py_ssize_t n_targets) noexcept
        void *loss_context
        double label_smoothing
        int n_threads
        int (*interrupted)(void *) noexcept nogil
        void *context
        unsigned char *alive
        pyrelu_watch watch
        void (*blas_gemm)()

    ctypedef struct pyrelu_samples:
        const void *values
        const Py_ssize_t *columns
        const Py_ssize_t *starts
        const Py_ssize_t *order
        const void *targets
        Py_ssize_t n_targets
        const void *weights

    ctypedef struct pyrelu_optimizer:
        int solver
        double learning_rate, momentum, beta_1, beta_2, epsilon, alpha, l1, decay, clip_norm
        double rate_factors[PYRELU_N_GROUPS]
        double alpha_factors[PYRELU_N_GROUPS]
        double dropout_factor
        uint64_t seed
        Py_ssize_t t
        void *parameters
        void *gradients
        void *state[2]

    ctypedef struct pyrelu_epoch_totals:
        double loss, gradient_norm

    ctypedef struct pyrelu_core:
        size_t (*plan_workspace)(pyrelu_network *, Py_ssize_t micro_batch_rows, int training, void *workspace) noexcept nogil
        int (*calls_blas)(const pyrelu_network *) noexcept nogil
        void (*predict)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                        void *outputs, unsigned char *alive) noexcept nogil
        pyrelu_epoch_totals (*train)(const pyrelu_network *, const pyrelu_samples *, Py_ssize_t start, Py_ssize_t stop,
                               Py_ssize_t batch_size, pyrelu_optimizer *) noexcept nogil
        pyrelu_epoch_totals (*step)(const pyrelu_network *, double weight, pyrelu_optimizer *) noexcept nogil
        void (*losses)(const pyrelu_network *, const void *targets, Py_ssize_t n_targets, void *outputs, void *losses,
                       Py_ssize_t rows) noexcept nogil
        void (*ranges)(const void *values, Py_ssize_t rows, Py_ssize_t n, void *lows, void *highs) noexcept nogil

    const pyrelu_core pyrelu_core_f32, pyrelu_core_f64
