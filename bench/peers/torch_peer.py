"""PyTorch: torch.nn.functional, and its own backward kernels."""

import torch
import torch.nn.functional as F

from pyrelu._commands.formulas import PARAMETER

_capability = torch.backends.cpu.get_cpu_capability()
VERSIONS = {"PyTorch": f"{torch.__version__} ({_capability})"}

_SELU = 1.0507009873554805, 1.6732632423543772
_RRELU = 11 / 48  # the mean slope

FUNCTIONAL = {
    "identity": torch.clone,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "prelu": lambda x: F.prelu(x, _weight(x)),
    "rrelu": F.rrelu,
    "relu6": F.relu6,
    "relu_squared": lambda x: F.relu(x).square(),
    "threshold": lambda x: F.threshold(x, PARAMETER, PARAMETER),
    "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
    "step": lambda x: torch.heaviside(x, x.new_zeros(())),
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
    "mish": F.mish,
    "exponential": torch.exp,
    "softmax": lambda x: F.softmax(x, -1),
    "softmin": lambda x: F.softmin(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
}

# name -> kernel(g, x); what a kernel reads besides (the forward result y) is made before the clock runs
_aten = torch.ops.aten
READS_INPUT = {
    "relu": lambda g, x: _aten.threshold_backward.default(g, x, 0),
    "leaky_relu": lambda g, x: _aten.leaky_relu_backward.default(g, x, 0.01, False),
    "prelu": lambda g, x: _aten.leaky_relu_backward.default(g, x, PARAMETER, False),
    "rrelu": lambda g, x: _aten.leaky_relu_backward.default(g, x, _RRELU, False),
    "relu6": lambda g, x: _aten.hardtanh_backward.default(g, x, 0, 6),
    "threshold": lambda g, x: _aten.threshold_backward.default(g, x, PARAMETER),
    "hardtanh": lambda g, x: _aten.hardtanh_backward.default(g, x, -1, 1),
    "hardsigmoid": _aten.hardsigmoid_backward.default,
    "hardswish": _aten.hardswish_backward.default,
    "hardshrink": lambda g, x: _aten.hardshrink_backward.default(g, x, 0.5),
    "softshrink": lambda g, x: _aten.softshrink_backward.default(g, x, 0.5),
    "elu": lambda g, x: _aten.elu_backward.default(g, 1, 1, 1, False, x),
    "selu": lambda g, x: _aten.elu_backward.default(g, _SELU[1], _SELU[0], 1, False, x),
    "celu": lambda g, x: _aten.elu_backward.default(g, 1, 1, 1, False, x),
    "softplus": lambda g, x: _aten.softplus_backward.default(g, x, 1, 20),
    "gelu": _aten.gelu_backward.default,
    "gelu_tanh": lambda g, x: _aten.gelu_backward.default(g, x, approximate="tanh"),
    "silu": _aten.silu_backward.default,
    "mish": _aten.mish_backward.default,
}
READS_OUTPUT = {
    "sigmoid": _aten.sigmoid_backward.default,
    "tanh": _aten.tanh_backward.default,
    "exponential": torch.mul,
    "softmax": lambda g, y: _aten._softmax_backward_data.default(g, y, -1, y.dtype),
    "log_softmax": lambda g, y: _aten._log_softmax_backward_data.default(g, y, -1, y.dtype),
}


def threads(n):
    """Limit PyTorch to n threads."""
    torch.set_num_threads(n)


def candidates(name, namespace, x, g):
    """Return peer -> callable for one function, as `peers.candidates` has it."""
    call = _call(name, namespace, torch.from_numpy(x), torch.from_numpy(g))
    return {"PyTorch": call} if call else {}


def _call(name, namespace, x, g):
    if namespace == "functional":
        f = FUNCTIONAL.get(name)
        return f and (lambda: f(x))
    if namespace == "derivative":
        g = torch.ones_like(g)
    if name == "log_sigmoid":  # its kernel reads exp(-|x|), which the forward kernel leaves
        z = _aten.log_sigmoid_forward.default(x)[1]
        return lambda: _aten.log_sigmoid_backward.default(g, x, z)
    if name in READS_INPUT:
        kernel, known = READS_INPUT[name], x
    elif name in READS_OUTPUT:
        kernel, known = READS_OUTPUT[name], FUNCTIONAL[name](x)
    else:
        return None
    return lambda: kernel(g, known)


def _weight(x):
    return x.new_full((1,), PARAMETER)
