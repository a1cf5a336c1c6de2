"""CONTRIBUTING.md's steps are true: a row and its formulas are all that a new activation needs in C."""

import ctypes
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import numpy as np

from pyrelu.registry import activations

SOURCE = Path(__file__).parent.parent / "src"

ROW = """
ACTIVATION(double_relu, X, ONE(factor, 2, "(-inf, inf)", "Slope where x is positive."), "", ULP(0.5, 0, 0.5, 0), "0",
           LIMITS("0", "inf*factor", "0", "factor"), "[0, inf)", "factor*max(x, 0)", "Twice relu.", "None")
"""
FORMULAS = """
INLINE vector f_double_relu(vector x, vector factor) { return factor * f_relu(x); }
INLINE vector df_double_relu(vector x, vector factor) { return factor * df_relu(x); }
"""


def listed(rule):
    """The files that a rule of CMakeLists.txt compiles."""
    (files,) = re.findall(
        re.escape(rule) + r"((?:\s+src/[\w/]+\.c)+)\)", (SOURCE.parent / "CMakeLists.txt").read_text()
    )
    return [file.removeprefix("src/") for file in files.split()]


def build(source, target):
    compiler = sysconfig.get_config_var("CC").split()[0]
    flags = ["-O0", "-std=gnu11", "-fPIC", "-DPYRELU_TARGET=baseline", "-DPYRELU_TARGETS=ISA(baseline)", "-I", source]
    objects = []
    kernels = listed("add_library(${kernels} OBJECT")
    only_32, once = listed("target_sources(${kernels} PRIVATE"), listed("add_library(pyrelu_c SHARED")
    for bits, files in ((32, kernels + only_32), (64, kernels), (0, once)):
        for file in files:
            objects.append(target / f"{Path(file).name}.{bits}.o")
            subprocess.run(
                [compiler, *flags, f"-DPYRELU_BITS={bits}", "-c", source / file, "-o", objects[-1]], check=True
            )
    library = target / "libnew.so"
    subprocess.run([compiler, "-shared", *objects, "-o", library, "-lm"], check=True)
    return ctypes.CDLL(str(library))


def test_a_new_row_is_in_the_library(tmp_path, monkeypatch):
    monkeypatch.delenv("PYRELU_ISA", raising=False)  # the library built here has the baseline only
    source = shutil.copytree(SOURCE, tmp_path / "src")
    with (source / "table" / "activations.def").open("a") as table:
        table.write(ROW)
    header = source / "math" / "activations.h"
    header.write_text(header.read_text().replace("\n#endif\n", f"{FORMULAS}\n#endif\n"))

    library = build(source, tmp_path)
    n = ctypes.c_int.in_dll(library, "pyrelu_n_activations").value
    assert n == len(activations) + 1

    class Kernels(ctypes.Structure):
        _fields_ = [("map", ctypes.POINTER(ctypes.c_void_p * 4))]  # then what is not needed here

    library.pyrelu_kernels_for.restype = ctypes.POINTER(Kernels)
    kernel_type = ctypes.CFUNCTYPE(
        None, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t
    )
    x, factor, out = np.array([-1.0, 0.5, 3.0]), np.array([2.0]), np.empty(3)
    for kind, want in enumerate(([0, 1, 6], [0, 2, 2])):
        kernel = kernel_type(library.pyrelu_kernels_for(2).contents.map[n - 1][kind])
        kernel((ctypes.c_void_p * 2)(x.ctypes.data, factor.ctypes.data), 1, out.ctypes.data, 3)
        np.testing.assert_array_equal(out, want)
