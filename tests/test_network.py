"""The training core against plain NumPy; rows in any form and order, threads, wrong arguments."""

import numpy as np
import pytest
import scipy.sparse
from helpers import parameters, rng, same_bits

from pyrelu._mlp.activation import names, resolve
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import Adam, Gradient
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.neural_network import MLPClassifier
from pyrelu.registry import activations, find

OUTPUTS = {
    "log_loss": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    "binary_log_loss": lambda z: 1 / (1 + np.exp(-z)),
    "squared_error": lambda z: z,
}
ROWS = {"log_loss": None, "binary_log_loss": find("sigmoid").index, "squared_error": find("identity").index}


[TANH] = resolve("tanh", 1)


def arctan_slope(x):
    return 1 / (1 + x**2)


class Problem:
    """A network with random weights, some rows to train it on, and their loss and gradient in plain NumPy."""

    def __init__(
        self,
        units=(5, 4, 4, 3),
        activation="tanh",
        loss="log_loss",
        n=12,
        dtype=np.float64,
        smoothing=0.0,
        dropout=(),
        draws=False,
    ):
        random = rng("network", units, n)
        self.hidden = [one if draws else one.deterministic() for one in resolve(activation, len(units) - 2)]
        widths = [*(a.width(n_units) for a, n_units in zip(self.hidden, units[1:-1], strict=True)), units[-1]]
        shapes = list(zip(units, widths, strict=False))
        weights = [random.normal(size=shape) / np.sqrt(4 * shape[0]) for shape in shapes]  # no output is clipped
        biases = [random.normal(size=width) / 4 for width in widths]
        slopes = [
            None if a.initial_slope is None else random.uniform(-1, 2, n_units)
            for a, n_units in zip(self.hidden, units[1:-1], strict=True)
        ]
        self.parameters, (self.weights, self.biases, self.slopes) = pack((weights, biases, slopes), dtype)
        self.loss, self.smoothing = loss, smoothing
        self.network = Network(
            self.weights,
            self.biases,
            self.hidden,
            ROWS[loss],
            loss,
            self.slopes,
            self.parameters,
            dropout,
            smoothing,
        )
        self.X = random.normal(size=(n, units[0])).astype(dtype)
        self.sample_weight = random.uniform(0.5, 2, n).astype(dtype)
        if loss == "log_loss":
            self.targets = random.integers(units[-1], size=(n, 1)).astype(dtype)
        else:
            self.targets = random.integers(2, size=(n, units[-1])).astype(dtype)

    def samples(self, **changes):
        given = dict(X=self.X, targets=self.targets, weights=self.sample_weight) | changes
        return Samples(given["X"], given["targets"], given["weights"])

    def gradient(self, samples, order=None, **settings):
        """Return the core's loss and gradient."""
        solver = Gradient(self.parameters, MLPClassifier(**dict(alpha=0.5) | settings))
        n = samples.n_samples if order is None else len(order)
        return self.network.train(samples, order, n, solver).loss, solver.state[0]

    def truth(self, outputs):
        n = outputs.shape[1]
        if self.loss == "log_loss":
            return (1 - self.smoothing) * np.eye(n)[self.targets[:, 0].astype(int)] + self.smoothing / n
        if self.loss == "binary_log_loss":
            return (1 - self.smoothing) * self.targets + self.smoothing / 2
        return self.targets

    def losses(self, outputs, truth):
        if self.loss == "log_loss":
            return -(truth * np.log(outputs)).sum(axis=1)
        if self.loss == "binary_log_loss":
            return -(truth * np.log(outputs) + (1 - truth) * np.log(1 - outputs)).sum(axis=1)
        return ((outputs - truth) ** 2).mean(axis=1) / 2

    def expected_gradient(self, alpha=0.5, l1=0.0):
        inputs, before = [self.X], []
        for w, b, activation, slopes in zip(
            self.weights, self.biases, [*self.hidden, None], [*self.slopes, None], strict=True
        ):
            before.append(inputs[-1] @ w + b)
            if activation:
                inputs.append(activation.forward(before[-1], slopes))
        outputs = OUTPUTS[self.loss](before[-1])
        truth = self.truth(outputs)
        total = self.sample_weight.sum()
        delta = (outputs - truth) * self.sample_weight[:, np.newaxis]
        of_weights, of_biases, of_slopes = [], [], []
        for i in reversed(range(len(self.weights))):
            w = self.weights[i]
            of_weights.insert(0, (inputs[i].T @ delta + alpha * w + l1 * np.sign(w)) / total)
            of_biases.insert(0, delta.sum(axis=0) / total)
            if i > 0:
                g, slopes = delta @ w.T, self.slopes[i - 1]
                delta = self.hidden[i - 1].backward(before[i - 1], g, slopes)
                if slopes is not None:
                    of_slopes.insert(0, (g * np.minimum(before[i - 1], 0)).sum(axis=0) / total)
        penalty = sum(alpha / 2 * (w**2).sum() + l1 * abs(w).sum() for w in self.weights)
        loss = (self.losses(outputs, truth) @ self.sample_weight + penalty) / total
        return loss, np.concatenate([g.ravel() for g in of_weights + of_biases + of_slopes])

    def outputs(self, samples, order=None):
        return self.network.predict(samples, order)


def check_equal(got, want, rtol=1e-12):
    np.testing.assert_allclose(got[0], want[0], rtol=rtol)
    np.testing.assert_allclose(got[1], want[1], rtol=rtol, atol=rtol * abs(want[1]).max())


@pytest.mark.parametrize("loss", ROWS)
def test_every_activation(activation, loss):
    problem = Problem(activation=(activation, parameters(activation)), loss=loss)
    check_equal(problem.gradient(problem.samples()), problem.expected_gradient())


@pytest.mark.parametrize(
    "other", [*sorted(set(names()) - set(activations)), ("maxout", {"num_pieces": 5}), (np.arctan, arctan_slope)]
)
def test_every_other_activation(other):
    problem = Problem(activation=other, n=3000)
    want = problem.expected_gradient()
    check_equal(problem.gradient(problem.samples()), want, rtol=1e-11)
    outputs = problem.outputs(problem.samples())
    delta = problem.losses(outputs, problem.truth(outputs))
    assert want[0] == pytest.approx(np.average(delta, weights=problem.sample_weight), rel=0.01)


@pytest.mark.parametrize("name", [*names(), ("maxout", {"num_pieces": 3})], ids=str)
def test_nan_is_not_hidden(name):
    """Whichever pre-activation is NaN, so are the outputs and the loss."""
    given = (name, parameters(name)) if isinstance(name, str) and name in activations else name
    problem = Problem((3, 4, 2), given, "squared_error")
    for before in range(len(problem.biases[0])):
        problem.biases[0][:] = 0
        problem.biases[0][before] = np.nan
        assert np.isnan(problem.outputs(problem.samples())).all(), before
        assert np.isnan(problem.gradient(problem.samples())[0]), before


@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
def test_label_smoothing(loss):
    problem = Problem(loss=loss, smoothing=0.3)
    check_equal(problem.gradient(problem.samples()), problem.expected_gradient())


def test_penalties():
    problem = Problem()
    problem.weights[0][2, 1] = 0  # where the slope of l1 is 0
    check_equal(problem.gradient(problem.samples(), alpha=0.0, l1=0.7), problem.expected_gradient(0.0, 0.7))


@pytest.mark.parametrize("n", [1, 7, 1024, 1025, 3000])
def test_batches_of_any_size(n):
    """Batches of more than 1,024 rows take several micro-batches."""
    problem = Problem((5, 4, 3), n=n)
    check_equal(problem.gradient(problem.samples()), problem.expected_gradient())


@pytest.mark.parametrize(
    ("units", "n"),
    [
        ((1, 1), 150),
        ((3, 2), 150),
        ((2, 1, 1, 2), 150),
        ((300, 200, 100, 10), 150),
        ((600, 33, 17, 3), 1000),  # sums longer than a panel of gemm.c is deep
        ((512, 300, 2), 1024),  # products that BLAS computes
    ],
    ids=str,
)
def test_networks_of_any_shape(units, n):
    problem = Problem(units, n=n)
    check_equal(problem.gradient(problem.samples()), problem.expected_gradient())


@pytest.mark.parametrize(("precision", "rtol"), [(np.float32, 1e-3), (np.float64, 1e-12)])
def test_products_of_any_size(precision, rtol):
    """Every height and width that a tile of gemm.c can have, in each of the three forms."""
    for n in range(1, 40):
        problem = Problem((n + 1, 2 * n, 41 - n, n % 7 + 1), n=n, dtype=precision)
        check_equal(problem.gradient(problem.samples()), problem.expected_gradient(), rtol)


def test_float32():
    problem = Problem((20, 30, 10), n=100, dtype=np.float32)
    assert problem.outputs(problem.samples()).dtype == np.float32
    check_equal(problem.gradient(problem.samples()), problem.expected_gradient(), rtol=1e-4)


def test_order_and_sparsity():
    problem = Problem(n=100)
    problem.X[problem.X < 0.5] = 0
    order = rng("order").permutation(100)[:60]
    in_order = problem.samples(X=problem.X[order], targets=problem.targets[order], weights=problem.sample_weight[order])
    for X in (problem.X, scipy.sparse.csr_array(problem.X), scipy.sparse.csr_matrix(problem.X)):
        samples = problem.samples(X=X)
        check_equal(problem.gradient(samples, order), problem.gradient(in_order))
        np.testing.assert_allclose(problem.outputs(samples, order), problem.outputs(in_order), rtol=1e-13)


def test_sparse_rows_and_weights_of_several_blocks():
    problem = Problem((300, 60, 3), n=500)
    problem.X[problem.X < 0.5] = 0
    check_equal(problem.gradient(problem.samples(X=scipy.sparse.csr_array(problem.X))), problem.expected_gradient())


def test_weights_are_repetitions():
    problem = Problem()
    problem.sample_weight = np.arange(12.0) % 4
    want = problem.gradient(problem.samples())
    order = np.repeat(np.arange(12), problem.sample_weight.astype(int))
    check_equal(problem.gradient(problem.samples(weights=None), order), want)


def test_batch_without_weight_changes_nothing():
    problem = Problem()
    before = problem.parameters.copy()
    samples = problem.samples(weights=np.zeros(12))
    assert problem.network.train(samples, None, 5, Adam(problem.parameters, MLPClassifier())).loss == 0
    assert same_bits(problem.parameters, before)


@pytest.mark.parametrize("units", [(64, 100, 10), (200, 300, 300, 10)])
def test_threads_do_not_change_a_bit(units, threads):
    results = []
    for n in (1, 2, 3, 4):
        threads(n)
        problem = Problem(units, "relu", n=1500, dtype=np.float32)
        solver = Adam(problem.parameters, MLPClassifier())
        losses = [problem.network.train(problem.samples(), None, 256, solver).loss for _ in range(2)]
        results.append((np.array(losses), problem.parameters, problem.outputs(problem.samples())))
    for result in results[1:]:
        assert all(map(same_bits, result, results[0]))


def test_finds_units_alive():
    problem = Problem((5, 4, 3, 2), "relu", n=2000)
    problem.biases[0][1] = problem.biases[1][2] = -100
    hidden, alive = problem.X, []
    for w, b in zip(problem.weights[:2], problem.biases[:2], strict=True):
        hidden = np.maximum(hidden @ w + b, 0)
        alive.extend(hidden.any(axis=0))
    assert 2 < sum(alive) < 6
    assert problem.network.find_alive(problem.samples()).tolist() == alive


@pytest.mark.parametrize(
    "changes",
    [
        dict(X=np.zeros((12, 4))),
        dict(X=np.zeros((12, 5), np.float32)),
        dict(X=np.zeros((5, 12)).T),
        dict(targets=np.zeros((12, 2))),
        dict(targets=np.zeros((12, 1), int)),
        dict(weights=np.zeros(11)),
    ],
    ids=str,
)
def test_wrong_arrays_are_refused(changes):
    problem = Problem()
    with pytest.raises(ValueError, match="expected a C-contiguous|do not fit"):
        problem.gradient(problem.samples(**changes))


def test_wrong_networks_are_refused():
    with pytest.raises(ValueError, match="weights of dtype float16"):
        Network([np.zeros((2, 1), np.float16)], [np.zeros(1, np.float16)], [], None, "log_loss")
    weights, biases = [np.zeros((2, 3)), np.zeros((4, 1))], [np.zeros(3), np.zeros(1)]
    with pytest.raises(ValueError, match=r"coefs_\[1\] of shape \(4, 1\) does not fit"):
        Network(weights, biases, [TANH], None, "log_loss")
    problem = Problem()
    with pytest.raises(ValueError, match="views of `parameters`"):
        Network(problem.weights, problem.biases, [TANH] * 2, None, "log_loss", (), np.zeros(1000))
    network = Network(problem.weights, problem.biases, [TANH] * 2, None, "log_loss")
    with pytest.raises(ValueError, match="cannot be trained"):
        network.train(problem.samples(), None, 4, Gradient(problem.parameters, MLPClassifier()))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("sparse", [False, True])
def test_rows_at_any_address(sparse):
    """Arrays that were received, or that are views of a file, need not be aligned."""

    def shifted(array):
        moved = np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
        assert not moved.flags.aligned
        return moved

    X = np.random.default_rng(0).normal(size=(20, 3))
    y, weights = X[:, 0] > 0, np.arange(1.0, 21)
    given = scipy.sparse.csr_array(X) if sparse else X
    mlp = MLPClassifier(4, max_iter=2, random_state=0).fit(given, y, weights)
    if sparse:
        moved = given.copy()
        moved.data = shifted(given.data)
    else:
        moved = shifted(X)
    other = MLPClassifier(4, max_iter=2, random_state=0).fit(moved, y, shifted(weights))
    assert same_bits(mlp.predict_proba(given), other.predict_proba(moved))
