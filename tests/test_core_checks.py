"""Arguments of the training core are checked where they enter: errors name them, before anything is read or written."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, same_bits
from test_network import Problem

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.activation import names, resolve
from pyrelu._mlp.optimizers import STOCHASTIC, Adam, Gradient
from pyrelu._network import TRANSFORMS, Network
from pyrelu._samples import Samples

pytestmark = few_epochs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = np.arange(40) % 3
ACTIVATIONS = [("threshold", {"threshold": 0.1, "value": 0.2}) if name == "threshold" else name for name in names()]


def fitted(**parameters):
    return MLPClassifier(**dict(hidden_layer_sizes=(6,), max_iter=2, random_state=0) | parameters).fit(X, Y)


@pytest.mark.parametrize("before", ["relu", "prelu", "maxout", "rrelu", "softmax", "glu"])
@pytest.mark.parametrize("solver", ["lbfgs", *STOCHASTIC])
def test_another_activation_after_the_fit_works_or_is_refused(before, solver):
    first = fitted(activation=before, solver=solver)
    # What the solver leaves behind concerns partial_fit only.
    calls = [("predict", X), ("predict_proba", X)] if solver == "lbfgs" else [("partial_fit", X, Y)]
    for after in ACTIVATIONS:
        mlp = copy.deepcopy(first).set_params(activation=after, warm_start=True)
        for call, *arguments in calls:
            try:
                getattr(mlp, call)(*arguments)
            except ValueError as error:
                assert "coefs_" in str(error) or "activation" in str(error)


@pytest.mark.parametrize(
    "weights", [[None], [], [np.ones(5)], [np.ones((6, 1))], None, "slopes", [np.array(["a"] * 6)]]
)
def test_slopes_that_do_not_fit(weights):
    mlp = fitted(activation="prelu")
    mlp.activation_weights_ = weights
    with pytest.raises((ValueError, TypeError)):
        mlp.predict(X)
    del mlp.activation_weights_
    with pytest.raises(ValueError, match=r"activation_weights_\[0\]: expected"):
        mlp.predict(X)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize(
    "value", [[], [np.zeros((0, 6)), np.zeros((6, 3))], [np.zeros((4, 0)), np.zeros((0, 3))], [1, 2]]
)
def test_weights_that_do_not_fit(name, value):
    mlp = fitted(activation=("maxout", {"num_pieces": 2}))
    setattr(mlp, name, value)
    with pytest.raises((ValueError, TypeError, IndexError, AttributeError)):
        mlp.predict(X)


def test_class_numbers_belong_to_the_outputs():
    problem = Problem()
    for wrong in (3, -1, np.nan, 1e300):
        targets = problem.targets.copy()
        targets[5] = wrong
        with pytest.raises(ValueError, match="class numbers from"):
            problem.gradient(problem.samples(targets=targets))


@pytest.mark.parametrize("order", [[0, 12], [-1, 3], [2**40, 1], []])
def test_orders_are_of_the_samples(order):
    problem, order = Problem(), np.array(order, np.intp)
    with pytest.raises(ValueError, match=r"order|samples in batches"):
        problem.network.train(problem.samples(), order, 4, Gradient(problem.parameters, MLPClassifier()))
    if len(order):
        with pytest.raises(ValueError, match="order"):
            problem.network.predict(problem.samples(), order)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", []),
        ("state", [np.zeros(3)] * 2),
        ("state", None),
        ("state", "many"),
        ("t", -1),
        ("t", 2**62),
        ("t", 0.5),
        ("seed", -1),
        ("seed", 2**64),
        ("solver", "newton"),
        ("solver", None),
        ("alpha", "0.1"),
        ("alpha", np.nan),
        ("learning_rate", 10**400),
        ("clip_norm", None),
    ],
)
def test_optimizers(name, value):
    problem = Problem()
    solver = Adam(problem.parameters, MLPClassifier())
    setattr(solver, name, value)
    before = problem.parameters.copy()
    with pytest.raises((TypeError, ValueError), match=name):
        problem.network.train(problem.samples(), None, 4, solver)
    assert same_bits(problem.parameters, before)


@pytest.mark.parametrize("n", [0, 1, 3, 3000])
@pytest.mark.parametrize("solver", [Gradient, *STOCHASTIC.values()])
def test_the_number_of_states_is_the_solver_s(solver, n):
    problem = Problem()
    optimizer = solver(problem.parameters, MLPClassifier())
    optimizer.state = [np.zeros_like(problem.parameters)] * n
    if n != solver.n_states:
        with pytest.raises(ValueError, match="state has"):
            problem.network.train(problem.samples(), None, 4, optimizer)


def test_parameters_are_one_buffer_with_a_place_for_each():
    def network(weights, biases, parameters):
        return Network(weights, biases, [], 0, "squared_error", (), parameters)

    buffer = np.zeros(20)
    network([buffer[:8].reshape(4, 2)], [buffer[8:10]], buffer)
    read_only = buffer[:]
    read_only.flags.writeable = False
    for weights, bias, parameters in (
        (buffer[:8], buffer[6:8], buffer),
        (buffer[:8], np.zeros(2), buffer),
        (buffer[:8], buffer[8:10], buffer[:9]),
        (buffer[:8], buffer[8:10], buffer[1:]),
        (buffer[:8], buffer[8:10], read_only),
        (read_only[:8], buffer[8:10], buffer),
        (buffer[:8], buffer[8:10], buffer[::2]),
        (buffer[:8], buffer[8:10], buffer.reshape(4, 5)),
        (buffer[:8], buffer[8:10], buffer.astype(np.float32)),
        (buffer[:8], buffer[8:10], buffer.tolist()),
    ):
        with pytest.raises(ValueError, match="parameters"):
            network([weights.reshape(4, 2)], [bias], parameters)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(
    "changes",
    [{"index": 10**6}, {"index": -1}, {"values": (0.1,) * 3}, {"pieces": 0}, {"transform": "softmax"}],
    ids=str,
)
def test_activations_have_their_row_and_its_parameters(transform, changes):
    name = {
        "elementwise": "elu",
        "parametric": "elu",
        "learned_slopes": "prelu",
        "drawn_slopes": "rrelu",
        "rowwise": "softmax",
        "gated": "glu",
        "maxout": "maxout",
        "called": (np.tanh, np.cos),
    }[transform]
    [hidden] = resolve(name, 1)
    hidden = hidden.parametric() if transform == "parametric" else hidden
    assert hidden.transform == transform
    for key, value in changes.items():
        object.__setattr__(hidden, key, value)
    width = 4 * (2 if transform in ("gated", "maxout") else 1)
    with pytest.raises(ValueError, match="activation of hidden layer 0"):
        Network(
            [np.ones((3, width)), np.ones((4, 1))], [np.ones(width), np.ones(1)], [hidden], 0, "squared_error", [None]
        )


@pytest.mark.parametrize(
    ("part", "place", "value"),
    [
        ("indices", 3, 4),
        ("indices", 3, -1),
        ("indices", 0, 2**31 - 1),
        ("indptr", 0, -1),
        ("indptr", 5, 10**6),
        ("indptr", 5, 0),
        ("indptr", 40, 161),
        ("indptr", 0, 3),
    ],
)
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_corrupt_csr(part, place, value, index):
    sound = scipy.sparse.csr_array(X)
    arrays = {"data": sound.data, "indices": sound.indices.astype(index), "indptr": sound.indptr.astype(index)}
    Samples(scipy.sparse.csr_array(tuple(arrays.values()), shape=X.shape))
    mlp = fitted()
    matrix = scipy.sparse.csr_array(tuple(arrays.values()), shape=X.shape)
    getattr(matrix, part)[place] = value
    for call in (Samples, mlp.predict, lambda X: mlp.partial_fit(X, Y), lambda X: mlp.fit(X, Y)):
        with pytest.raises(ValueError):
            call(matrix)


@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
def test_csr_with_too_few_numbers(part):
    matrix = scipy.sparse.csr_array(X)
    Samples(matrix)
    setattr(matrix, part, getattr(matrix, part)[:-1].copy())
    with pytest.raises(ValueError, match="X.indptr"):
        Samples(matrix)


def test_a_callable_activation_may_keep_what_it_is_given():
    kept = []

    def function(z):
        kept.append(z)
        return np.tanh(z)

    mlp = MLPRegressor(
        hidden_layer_sizes=(512,),
        activation=(function, lambda z: 1 - np.tanh(z) ** 2),
        max_iter=2,
        batch_size=20,
        random_state=0,
    )
    mlp.fit(X, X[:, 0])
    kept.clear()
    wanted = mlp.predict(X)
    [z] = kept
    assert same_bits(z, z.copy()) and not z.flags.writeable
    sums = z.sum()
    mlp.predict(-X)
    assert z.sum() == sums
    np.testing.assert_allclose(np.tanh(z) @ mlp.coefs_[1] + mlp.intercepts_[1], wanted[:, np.newaxis])
    np.testing.assert_allclose(z, X @ mlp.coefs_[0] + mlp.intercepts_[0])


def test_a_network_is_for_one_thread_at_a_time():
    found = []

    def function(z):
        with pytest.raises(RuntimeError, match="in use already"):
            found.append(network.predict(samples))
        return z

    hidden = resolve([(function, np.ones_like)], 1)
    network = Network([np.ones((4, 2)), np.ones((2, 1))], [np.ones(2), np.ones(1)], hidden, 0, "squared_error")
    samples = Samples(X)
    network.predict(samples)
    assert found == []


def test_many_threads_may_be_asked_for():
    mlp = fitted(n_threads=2**31)
    assert same_bits(mlp.predict_proba(X), fitted(n_threads=2**70).predict_proba(X))


NO_THREADS = """
import os, resource, sys
import numpy as np
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import pyrelu as pr
from pyrelu import MLPRegressor
pr.set_num_threads(4)
X = np.random.default_rng(0).normal(size=(1024, 400)).astype(np.float32)
mlp = MLPRegressor(hidden_layer_sizes=(400, 400), max_iter=1, batch_size=512, random_state=0)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)  # for whom the limit applies
if {limit}:
    import threading
    resource.setrlimit(resource.RLIMIT_NPROC, (1, resource.getrlimit(resource.RLIMIT_NPROC)[1]))
    try:
        threading.Thread(target=print).start()
        sys.exit("a thread could be made")
    except RuntimeError:
        pass
large = np.linspace(-5, 5, 1 << 21, dtype=np.float32)
import warnings
warnings.simplefilter("ignore")
mlp.fit(X, X[:, 0])
import hashlib
print(hashlib.sha256(pr.gelu(large).tobytes() + pr.softmax(large.reshape(-1, 64)).tobytes()
                     + mlp.predict(X).tobytes()).hexdigest())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, and limits as Linux has them")
def test_where_no_thread_can_be_made_one_does_the_work():
    texts = [
        subprocess.run([sys.executable, "-c", NO_THREADS.format(limit=limit)], capture_output=True, text=True)
        for limit in (0, 1)
    ]
    for child in texts:
        if "a thread could be made" in child.stderr or "PermissionError" in child.stderr:
            pytest.skip("this process may not lower its limit of processes")
        assert child.returncode == 0, child.stderr
    assert texts[0].stdout == texts[1].stdout != ""


FLUSH = """
#include <xmmintrin.h>
void flush(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
void unflush(void) { _mm_setcsr(_mm_getcsr() & ~0x8040); }
unsigned state(void) { return _mm_getcsr(); }
"""


@pytest.fixture(scope="module")
def flush_to_zero(tmp_path_factory):
    """Return the program's beginning that sets FTZ and DAZ in the calling thread, as other libraries do."""
    folder = tmp_path_factory.mktemp("flush")
    (folder / "flush.c").write_text(FLUSH)
    try:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", folder / "flush.so", folder / "flush.c"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no C compiler for x86")
    return f"import ctypes\nlibrary = ctypes.CDLL({str(folder / 'flush.so')!r})\n"


SUBNORMAL = """
import hashlib, warnings
import numpy as np
import pyrelu as pr
from pyrelu._samples import Samples
from pyrelu import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")

X = np.random.default_rng(0).normal(size=(1024, 64))  # three blocks of the core's, and products that are BLAS's
settings = dict(hidden_layer_sizes=(200,), max_iter=1, batch_size=1024, random_state=0, alpha=0.0)
work = []
for dtype, scale in ((np.float32, 1e-39), (np.float64, 1e-310)):
    for activation in ("relu", "prelu", "softmax", "glu", "maxout", "tanh"):
        mlp = MLPRegressor(activation=activation, **settings).fit(X.astype(dtype), X[:, 0])
        mlp.intercepts_ = [0 * bias for bias in mlp.intercepts_]
        work.append((mlp.predict, (X * scale).astype(dtype)))
    for solver in ("sgd", "adam"):
        mlp = MLPRegressor(activation="identity", solver=solver, learning_rate_init=0.1, epsilon=0.5, **settings)
        small = (X * scale).astype(dtype)
        work.append((lambda X, mlp=mlp, y=small[:, 0]: mlp.fit(X, y)._optimizer.state[0], small))
    mlp = MLPClassifier((), max_iter=1).fit(X.astype(dtype), np.arange(1024) % 3)
    mlp.coefs_[0][:], mlp.coefs_[0][0, 0], mlp.intercepts_[0][:] = 0, np.log(scale), 0
    steps = np.zeros(X.shape, dtype)
    steps[:, 0] = np.linspace(0.9, 1.1, 1024)
    work += [(mlp.predict_proba, steps), (mlp.predict_log_proba, steps)]
for n_threads in (1, 3):
    pr.set_num_threads(n_threads)
    {flush}
    outputs = [function(rows) for function, rows in work]
    {check}
    assert all((0 < np.abs(output)).any() and (np.abs(output[output != 0]).min() < np.finfo(output.dtype).tiny) for output in outputs[0:1])
    print([hashlib.sha256(output.tobytes()).hexdigest()[:8] for output in outputs])
"""


def test_flush_to_zero_changes_no_bit(flush_to_zero):
    outputs = []
    for begin, flush, check in (
        ("", "", ""),
        (flush_to_zero, "library.flush()", "assert np.float32(1e-38) / 8 == 0; library.unflush()"),
    ):
        program = begin + SUBNORMAL.format(flush=flush, check=check)
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert child.returncode == 0, child.stderr
        outputs.append(child.stdout)
    assert outputs[0] == outputs[1] != ""


def test_flush_to_zero_is_the_caller_s_afterwards(flush_to_zero):
    program = flush_to_zero + (
        "import numpy as np\nfrom pyrelu._network import Network\nfrom pyrelu._samples import Samples\n"
        "network = Network([np.ones((4, 2))], [np.ones(2)], [], 0, 'squared_error')\n"
        "library.flush()\nbefore = library.state()\nnetwork.predict(Samples(np.ones((9, 4))))\n"
        "assert library.state() == before, (library.state(), before)\n"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr


def test_samples_and_networks_are_made_once():
    """C reads nothing of one that was not made, or was made anew from other arrays."""
    weights = [np.ones((4, 6)), np.ones((6, 3))], [np.zeros(6), np.zeros(3)]
    for cls, arguments in ((Samples, [X]), (Network, [*weights, resolve("relu", 1), None, "log_loss"])):
        with pytest.raises(TypeError):
            cls.__new__(cls)
        one = cls(*arguments)
        try:
            one.__init__(*[None] * len(arguments))
        except TypeError:
            pass
        network = one if cls is Network else Network(*weights, resolve("relu", 1), None, "log_loss")
        assert network.predict(one if cls is Samples else Samples(X)).shape == (40, 3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, and limits as Linux has them")
def test_a_network_goes_on_after_a_call_without_memory():
    program = """if True:
        import resource
        import numpy as np
        from pyrelu._mlp.activation import resolve
        from pyrelu._network import Network
        from pyrelu._samples import Samples

        X, n = np.ones((1024, 4)), 30_000
        few, many = Samples(X[:1]), Samples(X)
        weights = [np.full((4, n), 1e-3), np.full((n, 1), 1e-3)], [np.zeros(n), np.zeros(1)]
        network = Network(*weights, resolve("relu", 1), 0, "squared_error", n_threads=1)
        before = network.predict(few)
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2**26, resource.RLIM_INFINITY))
        try:
            network.predict(many)
        except MemoryError:
            assert (network.predict(few) == before).all()
            print("went on")
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr


def test_an_optimizer_of_another_network():
    mlp = fitted()
    mlp.coefs_ = [mlp.coefs_[0][:, :5].copy(), mlp.coefs_[1][:5].copy()]
    mlp.intercepts_[0] = mlp.intercepts_[0][:5].copy()
    with pytest.raises(ValueError, match="not of the shapes that the optimizer of the last fit was for"):
        mlp.partial_fit(X, Y)
