"""The command line: `pyrelu demo`, `pyrelu info`."""

import argparse
import json
import sys

import pyrelu
from pyrelu.exceptions import MissingExtraError


def main(arguments=None):
    """Run the command `pyrelu` and return its exit code: 0, or 2 for a wrong call."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except MissingExtraError as error:
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


def _info(options):
    from pyrelu import _info

    facts = _info.facts()
    print(
        json.dumps(facts, indent=2) if options.json else "\n".join(f"{key:16} {value}" for key, value in facts.items())
    )
    return 0
