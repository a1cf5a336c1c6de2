"""CONTRIBUTING.md's steps are true: a row and its body are all that an activation, a loss or an optimizer needs in C."""

import ctypes
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import numpy as np

from pyrelu.registry import activations, losses

SOURCE = Path(__file__).parent.parent / "src"

ROW = """
ACTIVATION(double_relu, X, ONE(factor, 2, "(-inf, inf)", "Slope where x is positive."), "", ULP(0.5, 0, 0.5, 0), "0",
           LIMITS("0", "inf*factor", "0", "factor"), "[0, inf)", "factor*max(x, 0)", "Twice relu.", "None")
"""
FORMULAS = """
INLINE vector f_double_relu(vector x, vector factor) { return factor * f_relu(x); }
INLINE vector df_double_relu(vector x, vector factor) { return factor * df_relu(x); }
"""
LOSS = """
LOSS(fourth_power, REGRESSOR, OUTPUTS, identity, SUM, ONE(factor, 1, "(0, inf)", "What it is multiplied by."),
     "(-inf, inf)", "factor*(y - t)**4", "The fourth power of the error.", "None")
"""
LOSS_BODY = """
static inline real loss_fourth_power(real y, real t, const real *p) { return p[0] * pow(y - t, 4); }
static inline real dloss_fourth_power(real y, real t, const real *p) { return 4 * p[0] * pow(y - t, 3); }
"""
OPTIMIZER = """
OPTIMIZER(halving, 1, ELEMENT, COUPLED, "m = m/2 + g; w -= lr*m", "Momentum of one half.", "None")
"""
RULE = """
static inline real halving(const settings *s, real w, real g, real *m, real *v) {
    (void)v;
    *m = *m / 2 + g;
    return w - s->rate * *m;
}
"""
# Calls them, as C's structures are its own
CALLER = """
#include "runtime/dispatch.h"
#include "training/network.h"
void call_added(double *out) {
    pyrelu_layer layer = {.n_outputs = 2};
    pyrelu_network net = {
        .n_layers = 1, .layers = &layer, .loss = pyrelu_n_losses - 1, .loss_parameters = (double[]){3, 1}};
    double y[] = {1, 2}, t[] = {0, 4}, w = 1, g = 2, m = 0.5;
    pyrelu_core_f64.losses(&net, t, 2, y, out, 1);
    pyrelu_step step = {.scale = 1, .rate = 0.1};
    pyrelu_kernels_for(PYRELU_F64)->update[PYRELU_OPTIMIZER_halving](&step, &w, &g, (void *[2]){&m, &m}, 1);
    out[1] = y[0], out[2] = y[1], out[3] = w, out[4] = m;
}
"""


def listed(rule):
    """The files that a rule of CMakeLists.txt compiles."""
    (files,) = re.findall(
        re.escape(rule) + r"((?:\s*src/[\w/${}]+\.c)+)\)", (SOURCE.parent / "CMakeLists.txt").read_text()
    )
    return [file.removeprefix("src/").replace("${THREADS}", "single") for file in files.split()]


def build(source, target):
    compiler = sysconfig.get_config_var("CC").split()[0]
    flags = ["-O0", "-std=gnu11", "-fPIC", "-DPYRELU_TARGET=baseline", "-DPYRELU_TARGETS=ISA(baseline)", "-I", source]
    objects = []
    kernels = listed("add_library(${kernels} OBJECT")
    only_32, once = listed("target_sources(${kernels} PRIVATE"), listed("add_library(pyrelu_c SHARED")
    network = listed("add_library(network_${bits} OBJECT ")
    for bits, files in ((32, kernels + only_32 + network), (64, kernels + network), (0, once)):
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
    header.write_text(f"{FORMULAS}\n#endif\n".join(header.read_text().rsplit("\n#endif\n", 1)))
    for table, row in (("losses.def", LOSS), ("optimizers.def", OPTIMIZER)):
        with (source / "table" / table).open("a") as rows:
            rows.write(row)
    bodies = source / "math" / "losses.h"
    bodies.write_text(f"{LOSS_BODY}\n#endif\n".join(bodies.read_text().rsplit("\n#endif\n", 1)))
    rules = source / "kernels" / "optimizers.c"
    rules.write_text(rules.read_text().replace("\n#define INLINE", f"{RULE}\n#define INLINE"))
    with (source / "table" / "table.c").open("a") as once:
        once.write(CALLER)

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

    assert ctypes.c_int.in_dll(library, "pyrelu_n_losses").value == len(losses) + 1
    out = np.empty(5)
    library.call_added(ctypes.c_void_p(out.ctypes.data))
    np.testing.assert_allclose(out, [3 * 1 + 16, 3 * 4, 4 * -8, 1 - 0.1 * 2.25, 2.25], rtol=1e-15)
