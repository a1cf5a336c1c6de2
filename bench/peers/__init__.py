"""Benchmarks of pyrelu beside NumPy, SciPy, PyTorch, JAX and scikit-learn, whichever are installed.

`python bench/peers --help` says what can be asked for: `command` is the command line, `functions`, `values`, `memory`,
`fit` and `estimators` are its subjects, `report` is what they return. Here is who is compared.
"""

import os
from contextlib import contextmanager
from functools import cache
from importlib import import_module

import scipy.linalg.blas  # noqa: F401  (loads SciPy's BLAS, so that its threads can be limited)
import threadpoolctl

import pyrelu

NAMES = ("NumPy", "SciPy", "PyTorch", "JAX")  # as the tables have them

NOTES = (
    "pyrelu, and NumPy's and SciPy's functions that are a single ufunc, write to a given out=; formulas of several "
    "NumPy calls, PyTorch and JAX allocate their result, as their users have it.",
    "NumPy is the formula that people write; PyTorch's vjp is its backward kernel (given the forward result where the "
    "kernel reads that, as for sigmoid), its derivative that kernel with ones; JAX is jitted, dispatched synchronously.",
)


# What PyTorch, and the libraries that it computes tanh, exp, gelu and products by, read before their first result,
# by PYRELU_ISA: its own kernels, oneDNN's, MKL's
_READ_BY_TORCH = {
    "baseline": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
    "v3": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
}


@cache
def installed():
    """Return the modules that make the peers' candidates; each has VERSION, threads(n) and candidates(...)."""
    modules = []
    for name in ("numpy", "torch", "jax"):
        try:
            modules.append(import_module(f"peers.{name}_peer"))
        except ImportError:
            continue
    return modules


def candidates(name, namespace, x, g):
    """Return peer -> callable for one function.

    Parameters
    ----------
    name : str
        A name of the registry.
    namespace : {"functional", "derivative", "vjp"}
        Which of its three functions.
    x, g : ndarray
        The input, and the gradient that vjp multiplies (of the output's shape).

    Returns
    -------
    dict
        Empty where no peer has the function.
    """
    return {peer: call for module in installed() for peer, call in module.candidates(name, namespace, x, g).items()}


@contextmanager
def limited_to(threads):
    """Limit pyrelu, BLAS, PyTorch and JAX to `threads` threads.

    JAX reads its limit when it is loaded, so that the first one stays. PyTorch's limit stays as well. Both are also
    limited to the instruction set that PYRELU_ISA asks for.
    """
    environment = dict(os.environ)
    os.environ.update(_read_by_jax(threads))
    for variable, value in _READ_BY_TORCH.get(os.environ.get("PYRELU_ISA"), {}).items():
        os.environ.setdefault(variable, value)
    pools = threadpoolctl.threadpool_limits(threads, user_api="blas")
    before = pyrelu.get_num_threads()
    pyrelu.set_num_threads(threads)
    for module in installed():
        module.threads(threads)
    try:
        yield
    finally:
        pyrelu.set_num_threads(before)
        pools.restore_original_limits()
        os.environ.clear()
        os.environ.update(environment)


def _read_by_jax(threads):
    """Return what XLA reads from the environment: threads, and the instruction set that PYRELU_ISA asks for."""
    flags = os.environ.get("XLA_FLAGS", "")
    most = {"baseline": "SSE4_2", "v3": "AVX2"}.get(os.environ.get("PYRELU_ISA"))
    if most and "xla_cpu_max_isa" not in flags:
        flags += f" --xla_cpu_max_isa={most}"
    if threads == 1:
        flags += " --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return {"XLA_FLAGS": flags.strip(), "PJRT_NPROC": str(threads)}


def versions():
    """Return peer -> version, and what it says of its instruction set."""
    return {peer: version for module in installed() for peer, version in module.VERSIONS.items()}
