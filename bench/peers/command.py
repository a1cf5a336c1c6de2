"""The command line of the benchmarks: `python bench/peers`."""

import argparse
from importlib import import_module
from pathlib import Path

from pyrelu._commands import options
from pyrelu.exceptions import InvalidParameterError

SUBJECTS = {
    "functions": ("names", "namespace", "dtype", "n", "threads", "seconds"),
    "values": ("names", "namespace", "dtype", "n", "seconds"),
    "memory": ("names", "n", "seconds"),
    "calls": ("names", "seconds"),
    "fit": ("names", "threads", "activation"),
    "estimators": ("names", "threads"),
}
_DESCRIPTION = """\
Times pyrelu and what else is installed, in turn within one process; prints medians, and the ratio to the best peer.

  python bench/peers [functions] [NAME ...]   ns per element of each function, of NumPy, SciPy, PyTorch and JAX;
                                              the name common stands for those that most networks use
  python bench/peers values [NAME ...]        the same function on ordinary, large, infinite, NaN and subnormal values
  python bench/peers memory [NAME ...]        relu beside memory copies, the cost of a call, two threads
  python bench/peers calls [NAME ...]         calls of a number, of few elements and of runs of them (where=), and
                                              predictions of one row
  python bench/peers fit [NETWORK ...]        a step of MLPClassifier.fit beside its bare matrix products,
                                              scikit-learn, PyTorch and JAX; NETWORK is layers/batch, such as
                                              64-100-10/32
  python bench/peers estimators [TASK ...]    prediction, setting up a fit, sparse rows, L-BFGS, beside scikit-learn

All use the best instruction set they know, which is not always the same: the head of the table names it. To compare
AVX2 with AVX2, set PYRELU_ISA=v3 (JAX and PyTorch, with its oneDNN and MKL, follow it) and
NPY_DISABLE_CPU_FEATURES=X86_V4. OPENBLAS_CORETYPE=SkylakeX gives OpenBLAS its AVX-512 kernels where it does not know
the processor.
"""


def main(arguments=None):
    """Measure what the command line asks for, and print it."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        if given.plot:
            _check_picture(given.plot)
        names = ("namespace", "dtype", "n", "threads", "seconds", "activation")
        report = run(given.what, **{name: getattr(given, name) for name in names})
    except (InvalidParameterError, OSError) as error:
        parser.error(str(error))
    print(report.json() if given.json else report.text())
    if given.plot:
        report.draw(given.plot)
    return 0


def run(words, **options):
    """Measure one subject.

    Parameters
    ----------
    words : list of str
        The subject, "functions" where it is left out, and the names of functions (of networks for "fit"); none
        means all.
    **options
        What the subject takes: see SUBJECTS. None means the default.

    Returns
    -------
    peers.report.Report

    Raises
    ------
    InvalidParameterError
        Where a name is not known, or an option has no meaning for the subject.
    """
    subject, names = (words[0], words[1:]) if words and words[0] in SUBJECTS else ("functions", words)
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in SUBJECTS[subject]:
            allowed = ", ".join(f"--{option}" for option in SUBJECTS[subject][1:])
            raise InvalidParameterError(f"--{key} has no meaning for {subject}; it takes {allowed}")
    return import_module(f"peers.{subject}").run(names, **given)


def _check_picture(path):
    """Raise, before anything is measured, where the picture could not be written."""
    options.check_output(path)
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise InvalidParameterError("--plot needs matplotlib") from None
    if Path(path).suffix[1:].lower() not in FigureCanvasBase.filetypes:
        allowed = ", ".join(FigureCanvasBase.filetypes)
        raise InvalidParameterError(f"--plot {path}: pictures can be written as {allowed}")


def _parser():
    parser = argparse.ArgumentParser(
        prog="python bench/peers", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="SUBJECT | NAME",
        help="functions (default), values, memory, calls, fit or estimators",
    )
    parser.add_argument("--namespace", choices=("functional", "derivative", "vjp"), help="default: functional")
    parser.add_argument("--dtype", choices=("float32", "float64", "float16"), help="default: float32")
    parser.add_argument("-n", type=options.positive, help="elements of the input (default: 65536)")
    parser.add_argument("--threads", type=options.positive, help="threads for all who are compared (default: 1)")
    parser.add_argument("--seconds", type=float, help="to spend on each candidate (default: 0.4)")
    parser.add_argument("--activation", help="of the hidden layers, for fit (default: relu)")
    parser.add_argument("--plot", metavar="FILE", help="write a picture as well; needs matplotlib")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
