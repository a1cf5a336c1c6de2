"""JAX: jax.nn under jit, and its gradients of these functions."""

import jax
import jax.numpy as jnp
from jax import nn

from pyrelu._commands.formulas import PARAMETER

VERSIONS = {"JAX": jax.__version__}
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_cpu_enable_async_dispatch", False)  # the result is waited for: another thread would only cost

_RRELU = 11 / 48  # the mean slope

FUNCTIONAL = {
    "identity": lambda x: x + 0,
    "relu": nn.relu,
    "leaky_relu": nn.leaky_relu,
    "prelu": lambda x: nn.leaky_relu(x, PARAMETER),
    "rrelu": lambda x: nn.leaky_relu(x, _RRELU),
    "relu6": nn.relu6,
    "relu_squared": lambda x: jnp.square(nn.relu(x)),
    "threshold": lambda x: jnp.where(x > PARAMETER, x, PARAMETER),
    "hardtanh": nn.hard_tanh,
    "hardsigmoid": nn.hard_sigmoid,
    "hardswish": nn.hard_swish,
    "hardshrink": lambda x: jnp.where(jnp.abs(x) > 0.5, x, 0),
    "softshrink": lambda x: jnp.sign(x) * jnp.maximum(jnp.abs(x) - 0.5, 0),
    "step": lambda x: jnp.heaviside(x, jnp.zeros((), x.dtype)),
    "elu": nn.elu,
    "selu": nn.selu,
    "celu": nn.celu,
    "sigmoid": nn.sigmoid,
    "log_sigmoid": nn.log_sigmoid,
    "tanh": jnp.tanh,
    "tanhshrink": lambda x: x - jnp.tanh(x),
    "softplus": nn.softplus,
    "softsign": nn.soft_sign,
    "squareplus": nn.squareplus,
    "gelu": lambda x: nn.gelu(x, approximate=False),
    "gelu_tanh": nn.gelu,
    "quick_gelu": lambda x: x * nn.sigmoid(1.702 * x),
    "silu": nn.silu,
    "mish": nn.mish,
    "exponential": jnp.exp,
    "sparse_plus": nn.sparse_plus,
    "sparse_sigmoid": nn.sparse_sigmoid,
    "softmax": nn.softmax,
    "softmin": lambda x: nn.softmax(-x),
    "log_softmax": nn.log_softmax,
    "logsumexp": lambda x: nn.logsumexp(x, axis=-1),
}


def threads(n):
    """Do nothing: XLA reads the limit once, from the environment."""


def candidates(name, namespace, x, g):
    """Return peer -> callable for one function, as `peers.candidates` has it."""
    if name not in FUNCTIONAL:
        return {}
    f, arrays = FUNCTIONAL[name], [jnp.asarray(x)]
    if namespace == "derivative":
        f = jax.vmap(jax.grad(FUNCTIONAL[name]))
    elif namespace == "vjp":
        f, arrays = (lambda x, g: jax.vjp(FUNCTIONAL[name], x)[1](g)[0]), [*arrays, jnp.asarray(g)]
    f = jax.jit(f)
    return {"JAX": lambda: f(*arrays).block_until_ready()}
