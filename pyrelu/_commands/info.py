"""The versions, instruction set, threads and BLAS in use."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import numpy as np
import threadpoolctl

import pyrelu
from pyrelu import _ufuncs
from pyrelu._commands.processor import processor
from pyrelu._text import pairs, show

if TYPE_CHECKING:
    import argparse


def command(options: argparse.Namespace) -> int:
    """Run `pyrelu info`."""
    show(facts(), options.json, pairs)
    return 0


def facts() -> dict[str, str]:
    """Return version, instruction set, threads, BLAS and NumPy as name -> text."""
    import scipy
    import scipy.linalg.cython_blas

    blas = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    used = next((pool for pool in blas if "scipy.libs" in pool["filepath"]), blas[0] if blas else None)
    kernels = f" ({used['architecture']})" if used and used.get("architecture") else ""
    threads_by = _ufuncs.threads_by() or "built without OpenMP: single-threaded"
    return {
        "pyrelu": pyrelu.__version__,
        "instruction set": f"{_ufuncs.isa()} (this machine can run {', '.join(_ufuncs.isa_names())})",
        "threads": f"{pyrelu.get_num_threads()} ({threads_by})",
        "BLAS": f"{used['internal_api']} {used['version']}{kernels}, {used['num_threads']} threads"
        if used
        else "unknown",
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {processor()}",
    }
