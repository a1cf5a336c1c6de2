"""The command line: `pyrelu demo`, `pyrelu bench`, `pyrelu info`."""

import argparse
import json
import sys

import pyrelu
from pyrelu.exceptions import InvalidParameterError, MissingExtraError

_BENCH = """\
Times pyrelu and what else is installed, in turn within one process; prints medians, and the ratio to the best peer.

  pyrelu bench [functions] [NAME ...]   ns per element of each function, of NumPy, SciPy, PyTorch and JAX;
                                        the name common stands for those that most networks use
  pyrelu bench values [NAME ...]        the same function on ordinary, large, infinite, NaN and subnormal values
  pyrelu bench memory [NAME ...]        relu beside memory copies, the cost of a call, two threads
  pyrelu bench fit [NETWORK ...]        a step of MLPClassifier.fit beside its bare matrix products, scikit-learn,
                                        PyTorch and JAX; NETWORK is layers/batch, such as 64-100-10/32

All use the best instruction set they know, which is not always the same: the head of the table names it. To compare
AVX2 with AVX2, set PYRELU_ISA=v3 (JAX's functions follow it), ATEN_CPU_CAPABILITY=avx2 and
NPY_DISABLE_CPU_FEATURES=X86_V4. OPENBLAS_CORETYPE=SkylakeX gives OpenBLAS its AVX-512 kernels where it does not know
the processor.
"""


def main(arguments=None):
    """Run the command `pyrelu` and return its exit code: 0, or 2 for a wrong call."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (InvalidParameterError, MissingExtraError) as error:
        print(f"pyrelu: {error}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(
        prog="pyrelu",
        description="Activation functions for NumPy arrays, and the multi-layer perceptrons built on them.",
    )
    parser.add_argument("--version", action="version", version=f"pyrelu {pyrelu.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="train one network per activation on the digits data set and compare them",
        description="Trains MLPClassifier on scikit-learn's digits (1,797 images of 8 x 8, on disk) with several "
        "activations, same seed and epochs; prints accuracy, time and dead units, and draws the loss curves.",
    )
    demo.add_argument("--epochs", type=_positive, default=60, help="epochs of each fit (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="seed of the split and of the weights (default: %(default)s)")
    demo.add_argument("--output", default="demo.png", help="the picture to write (default: %(default)s)")
    demo.add_argument("--json", action="store_true", help="print the table as JSON")
    demo.set_defaults(run=_demo)

    bench = commands.add_parser(
        "bench",
        help="time the functions and fits, beside NumPy, SciPy, PyTorch, JAX and scikit-learn where installed",
        description=_BENCH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench.add_argument("what", nargs="*", metavar="SUBJECT | NAME", help="functions (default), values, memory or fit")
    bench.add_argument("--namespace", choices=("functional", "derivative", "vjp"), help="default: functional")
    bench.add_argument("--dtype", choices=("float32", "float64", "float16"), help="default: float32")
    bench.add_argument("-n", type=_positive, help="elements of the input (default: 65536)")
    bench.add_argument("--threads", type=_positive, help="threads for all who are compared (default: 1)")
    bench.add_argument("--seconds", type=float, help="to spend on each candidate (default: 0.4)")
    bench.add_argument("--activation", help="of the hidden layers, for fit (default: relu)")
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.add_argument("--plot", metavar="FILE", help="write a picture as well")
    bench.set_defaults(run=_bench)

    info = commands.add_parser(
        "info",
        help="what is in use: version, instruction set, threads, BLAS",
        description="Prints version, instruction set, threads, BLAS and NumPy: what a bug report should hold.",
    )
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_info)
    return parser


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _demo(options):
    from pyrelu import _demo

    rows, curves = _demo.run(epochs=options.epochs, seed=options.seed)
    print(json.dumps(rows, indent=2) if options.json else _demo.table(rows))
    _demo.draw(curves, options.output)
    print(f"Loss curves: {options.output}", file=sys.stderr)
    return 0


def _bench(options):
    from pyrelu import _bench

    names = ("namespace", "dtype", "n", "threads", "seconds", "activation")
    report = _bench.run(options.what, **{name: getattr(options, name) for name in names})
    print(report.json() if options.json else report.text())
    if options.plot:
        report.draw(options.plot)
    return 0


def _info(options):
    from pyrelu import _info

    facts = _info.facts()
    print(
        json.dumps(facts, indent=2) if options.json else "\n".join(f"{key:16} {value}" for key, value in facts.items())
    )
    return 0
