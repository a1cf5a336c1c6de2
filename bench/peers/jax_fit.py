"""Training in JAX at its fastest: an epoch is one jitted scan over the batches."""

from functools import cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

RATE, DECAY, EPSILON = 0.001, (0.9, 0.999), 1e-8  # Adam's, Kingma and Ba, arXiv:1412.6980


def fit(X, y, layers, batch, epochs, activation):
    """Fit a network with Adam; the arguments are those of `torch_fit.fit`."""
    rng = np.random.default_rng(0)
    parameters = [(jnp.asarray(_glorot(rng, *sizes)), jnp.zeros(sizes[1], X.dtype)) for sizes in pairwise(layers)]
    state = parameters, _zeros(parameters), _zeros(parameters), jnp.zeros((), X.dtype)
    X, y = jnp.asarray(X), jnp.asarray(y)
    for _ in range(epochs):
        state, losses = _epoch(activation)(state, X, y, rng.permutation(len(X)).reshape(-1, batch))
        float(losses.mean())


def _glorot(rng, inputs, outputs):
    bound = (6 / (inputs + outputs)) ** 0.5
    return rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)


def _zeros(parameters):
    return jax.tree.map(jnp.zeros_like, parameters)


@cache
def _epoch(activation):
    return jax.jit(partial(_scan, activation), donate_argnums=0)


def _scan(activation, state, X, y, batches):
    def loss(parameters, X, y):
        *hidden, last = parameters
        for weights, bias in hidden:
            X = activation(X @ weights + bias)
        scores = jax.nn.log_softmax(X @ last[0] + last[1])
        return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()

    def step(state, rows):
        parameters, first, second, t = state
        value, gradients = jax.value_and_grad(loss)(parameters, X[rows], y[rows])
        t = t + 1
        rate = RATE * jnp.sqrt(1 - DECAY[1] ** t) / (1 - DECAY[0] ** t)
        first = jax.tree.map(lambda m, g: DECAY[0] * m + (1 - DECAY[0]) * g, first, gradients)
        second = jax.tree.map(lambda v, g: DECAY[1] * v + (1 - DECAY[1]) * g * g, second, gradients)
        parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), parameters, first, second)
        return (parameters, first, second, t), value

    return jax.lax.scan(step, state, batches)
