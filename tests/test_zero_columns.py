"""Units whose gradient is 0 in a whole batch: they are left out of products, without a bit of difference."""

import numpy as np
import pytest
from helpers import rng, same_bits
from test_network import Problem, check_equal

from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu.neural_network import MLPClassifier

UNITS, ROWS = (200, 300, 200, 5), 256
RTOL = {np.float32: 2e-3, np.float64: 1e-12}
each_precision = pytest.mark.parametrize("dtype", RTOL)


def kill(problem, share=0.7, layer=0):
    """Push some units of a layer far below 0; return which."""
    dead = rng("zero columns", share, layer).random(len(problem.biases[layer])) < share
    problem.biases[layer][dead] = -1e3
    return dead


def of_weights(problem, gradient, layer):
    """Return the part of a gradient that belongs to a layer's weights."""
    start = sum(w.size for w in problem.weights[:layer])
    return gradient[start : start + problem.weights[layer].size].reshape(problem.weights[layer].shape)


@each_precision
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("units", [(200, 301, 129, 5), (130, 64, 517, 3)], ids=str)
def test_gradients_are_those_of_numpy(units, share, dtype, threads):
    for n in (1, 3):
        threads(n)
        problem = Problem(units, "relu", n=ROWS + 7, dtype=dtype)
        for layer in range(len(units) - 2):
            dead = kill(problem, share, layer)
            if layer == 0 and share < 1:  # one lives for the last row alone
                j = np.flatnonzero(dead)[0]
                problem.weights[0][:, j] = problem.X[-1] / 50
                z = problem.X @ problem.weights[0][:, j]
                problem.biases[0][j] = -(np.sort(z)[-2] + z[-1]) / 2
        check_equal(problem.gradient(problem.samples()), problem.expected_gradient(), RTOL[dtype])


@each_precision
def test_bits_do_not_depend_on_how_many_units_are_dead(dtype):
    """With most of the first layer dead, and with as many alive as do not pay to leave the others out."""
    gradients = []
    for others in (-1e3, 0.0):
        problem = Problem((200, 300, 5), "relu", n=ROWS, dtype=dtype)
        watched = kill(problem, 0.1)
        problem.weights[1][~watched] = 0  # so that what the other units are changes no other gradient
        problem.biases[0][np.flatnonzero(~watched)[:200]] = others
        problem.biases[0][watched] = 0
        gradient = of_weights(problem, problem.gradient(problem.samples(), alpha=0.0)[1], 0)
        assert not gradient[:, ~watched].any()
        gradients.append(gradient[:, watched])
    assert gradients[0].all()
    assert same_bits(*gradients)


@each_precision
def test_steps_in_chunks_are_those_of_the_gradient(dtype):
    problem = Problem(UNITS, "relu", n=ROWS, dtype=dtype)
    dead = [kill(problem, layer=0), kill(problem, layer=1)]
    _, gradient = problem.gradient(problem.samples(), alpha=0.0)
    before, first = problem.parameters.copy(), problem.weights[0].copy()
    mlp = MLPClassifier(solver="sgd", momentum=0.0, alpha=0.0, learning_rate_init=1.0)
    problem.network.train(problem.samples(), None, ROWS, STOCHASTIC["sgd"](problem.parameters, mlp))
    assert same_bits(problem.parameters, before - gradient)
    assert same_bits(problem.weights[0][:, dead[0]], first[:, dead[0]])


def test_infinity_times_0_is_nan_for_dead_units_too():
    problem = Problem(UNITS, "relu", n=ROWS, dtype=np.float32)
    dead = kill(problem, layer=1)
    problem.weights[0][:, 3] = 5e37 * np.sign(problem.X[5])  # the sum overflows for row 5, none of its terms
    problem.weights[1][3] = -1  # which makes all of the next layer 0 there
    solver = Gradient(problem.parameters, MLPClassifier(alpha=0.0))
    problem.network.train(problem.samples(), None, ROWS, solver)
    second = of_weights(problem, solver.state[0], 1)
    assert np.isnan(second[3, dead]).all()
    assert not second[4, dead].any()
