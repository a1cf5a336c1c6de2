"""Dropout and random slopes in the training core: the numbers, that only their counters determine them, the gradient."""

import numpy as np
import pytest
import scipy.sparse
from helpers import same_bits
from test_network import Problem

from pyrelu._mlp.optimizers import SGD, Gradient
from pyrelu.neural_network import MLPClassifier

SEED = 2**40 + 3


def philox(seed, counter):
    """The generator of src/kernels/philox.h in NumPy: Philox 4x32-10, four numbers for counters of shape (..., 4)."""
    a, b, c, d = np.moveaxis(np.asarray(counter, np.uint64), -1, 0)
    low, key = np.uint64(2**32 - 1), [seed % 2**32, seed >> 32]
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
        a, b, c, d = (
            (q >> np.uint64(32)) ^ b ^ np.uint64(key[0]),
            q & low,
            (p >> np.uint64(32)) ^ d ^ np.uint64(key[1]),
            p & low,
        )
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return np.stack([a, b, c, d], axis=-1)


def test_the_reference_is_philox():
    """The known answers of the Random123 library."""
    ones = 2**32 - 1
    assert philox(0, [0, 0, 0, 0]).tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox(2**64 - 1, [ones] * 4).tolist() == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def uniform(rows, units, stream, step=1):
    """The numbers in [0, 1) of each row and unit."""
    row, group = np.meshgrid(np.arange(rows), np.arange((units + 3) // 4), indexing="ij")
    counter = np.stack([group, row, np.full_like(row, stream), np.full_like(row, step)], axis=-1)
    return philox(SEED, counter).reshape(rows, -1)[:, :units] / 2**32


def gradient(problem, samples=None, seed=SEED):
    solver = Gradient(problem.parameters, MLPClassifier(alpha=0.0))
    solver.seed = seed
    samples = samples or problem.samples()
    loss = problem.network.train(samples, None, samples.n_samples, solver).loss
    return loss, solver.state[0]


def masks(problem, dropout):
    n = len(problem.X)
    units = [problem.X.shape[1], *(len(w) for w in problem.weights[1:])]
    streams = [0, *range(1, 2 * len(units), 2)]
    return [(uniform(n, m, stream) >= p) / (1 - p) for m, p, stream in zip(units, dropout, streams, strict=False)]


def loss_by_hand(problem, dropout):
    """The loss with the expected masks."""
    mask, *hidden_masks = masks(problem, dropout)
    x = problem.X * mask
    for w, b, activation, mask in zip(problem.weights, problem.biases, problem.hidden, hidden_masks, strict=False):
        x = activation.forward(x @ w + b) * mask
    z = x @ problem.weights[-1] + problem.biases[-1]
    outputs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return np.average(problem.losses(outputs, problem.truth(outputs)), weights=problem.sample_weight)


DROPOUT = [(0.0, 0.5, 0.0), (0.2, 0.3, 0.6), (0.5, 0.0, 0.0)]


@pytest.mark.parametrize("dropout", DROPOUT, ids=str)
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "maxout", "glu"])
def test_dropout(name, dropout):
    problem = Problem((5, 7, 6, 3), name, dropout=dropout, n=1100)
    assert gradient(problem)[0] == pytest.approx(loss_by_hand(problem, dropout), rel=1e-12)


@pytest.mark.parametrize("name", ["tanh", "gelu", "maxout", "swiglu", "rrelu", "softmax"])
def test_gradient_is_that_of_the_loss_with_what_was_drawn(name):
    """Central differences; the drawn numbers stay as they are."""
    problem = Problem((5, 6, 4, 3), name, dropout=(0.2, 0.3, 0.4), draws=True)
    want = gradient(problem)[1]
    h, got = 1e-6, np.empty_like(want)
    for i in range(len(got)):
        value = problem.parameters[i]
        problem.parameters[i] = value + h
        above = gradient(problem)[0]
        problem.parameters[i] = value - h
        got[i] = (above - gradient(problem)[0]) / (2 * h)
        problem.parameters[i] = value
    np.testing.assert_allclose(got, want, atol=1e-8)


def test_slopes_are_drawn_between_their_bounds():
    problem = Problem((5, 6, 3), ("rrelu", {"lower": 0.1, "upper": 0.3}), n=50, draws=True)
    z = problem.X @ problem.weights[0] + problem.biases[0]
    slopes = 0.1 + 0.2 * uniform(50, 6, 2)
    z = np.where(z < 0, z * slopes, z) @ problem.weights[1] + problem.biases[1]
    outputs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    want = np.average(problem.losses(outputs, problem.truth(outputs)), weights=problem.sample_weight)
    assert gradient(problem)[0] == pytest.approx(want, rel=1e-12)


def test_predictions_draw_nothing():
    plain, random = Problem(activation="rrelu"), Problem(activation="rrelu", dropout=(0.2, 0.3, 0.4), draws=True)
    np.testing.assert_allclose(random.outputs(random.samples()), plain.outputs(plain.samples()), rtol=1e-14)


def test_more_units_than_are_drawn_at_a_time():
    problem = Problem((263, 519, 3), dropout=(0.2, 0.5), n=20)
    assert gradient(problem)[0] == pytest.approx(loss_by_hand(problem, (0.2, 0.5)), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("units", [(9, 5, 3), (40, 400, 3)], ids=["one block of rows", "several"])
def test_sparse_rows_lose_the_same_inputs(units, dtype):
    eps = float(np.finfo(dtype).eps)
    problem = Problem(units, dropout=(0.4, 0.2), n=700, dtype=dtype)
    problem.X[problem.X < 0.3] = 0
    dense = gradient(problem)
    assert dense[0] == pytest.approx(loss_by_hand(problem, (0.4, 0.2)), rel=4e3 * eps)
    sparse = gradient(problem, problem.samples(X=scipy.sparse.csr_array(problem.X)))
    np.testing.assert_allclose(sparse[1], dense[1], rtol=1e-9 if dtype == np.float64 else 1e-3, atol=50 * eps)
    assert sparse[0] == pytest.approx(dense[0], rel=400 * eps)


def test_threads_do_not_change_a_bit(threads):
    results = []
    for n in (1, 2, 3, 4):
        threads(n)
        problem = Problem((200, 300, 300, 10), "rrelu", n=1500, dtype=np.float32, dropout=(0.1, 0.5, 0.5), draws=True)
        solver = SGD(problem.parameters, MLPClassifier(clip_norm=0.01))
        solver.seed = SEED
        loss, norm, *_ = problem.network.train(problem.samples(), None, 256, solver)
        results.append((np.array([loss, norm]), problem.parameters))
    for result in results[1:]:
        assert all(map(same_bits, result, results[0]))


def test_masks_differ_from_step_to_step_and_seed_to_seed():
    problem = Problem(dropout=(0.0, 0.5, 0.5), n=100)
    solver = Gradient(problem.parameters, MLPClassifier())
    solver.seed = SEED
    steps = [problem.network.train(problem.samples(), None, 100, solver).loss for _ in range(3)]
    seeds = [gradient(problem, seed=seed)[0] for seed in range(3)]
    assert len({*steps, *seeds}) == 6


@pytest.mark.parametrize("clip_norm", [None, 1e3, 0.01])
def test_clipped_gradient(clip_norm):
    """One step of SGD without momentum: the way it went is the gradient times the rate."""
    problem = Problem(n=1500)
    _, want = problem.expected_gradient(alpha=0.5)
    before = problem.parameters.copy()
    mlp = MLPClassifier(alpha=0.5, momentum=0.0, nesterovs_momentum=False, clip_norm=clip_norm, learning_rate_init=0.25)
    epoch = problem.network.train(problem.samples(), None, 1500, SGD(problem.parameters, mlp))
    norm = np.linalg.norm(want)
    assert epoch.gradient_norm == pytest.approx(norm, rel=1e-12)
    scale = min(1, (clip_norm or np.inf) / norm)
    np.testing.assert_allclose((before - problem.parameters) / 0.25, want * scale, rtol=1e-6, atol=1e-10)


def test_units_alive_in_training():
    problem = Problem((5, 4, 3, 2), "relu", n=2000)
    problem.biases[0][1] = problem.biases[1][2] = -100
    epoch = problem.network.train(problem.samples(), None, 100, Gradient(problem.parameters, MLPClassifier()))
    assert epoch.alive.tolist() == problem.network.find_alive(problem.samples()).tolist()
    assert not epoch.alive.all()


@pytest.mark.parametrize("threads_used", [1, 2])
def test_what_the_users_function_raises(threads_used, threads):
    threads(threads_used)

    def broken(z):
        raise RuntimeError("broken")

    for functions, message in [
        ((broken, np.cos), "broken"),
        ((np.sin, broken), "broken"),
        ((np.sum, np.cos), r"gave an array of shape \(\)"),
        ((lambda z: z * 1j, np.cos), "Cannot cast"),
        ((lambda z: np.add(z, 1, out=z), np.cos), "read-only"),
    ]:
        problem = Problem((200, 300, 300, 10), functions, n=1500)
        with pytest.raises((RuntimeError, ValueError, TypeError), match=message):
            gradient(problem)
