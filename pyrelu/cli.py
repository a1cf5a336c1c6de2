"""The command line: its parser, and what becomes of errors. Each command is in the module of its name."""

import argparse
import os
import signal
import sys
import threading
from contextlib import contextmanager
from importlib import import_module

import pyrelu
from pyrelu._commands import datasets, options
from pyrelu.exceptions import InvalidFileError, InvalidParameterError, MissingExtraError

_EPILOG = """\
exit codes: 0; 2 for a wrong call or a file that is not as it should be; 130 after Ctrl-C.

`pyrelu COMMAND --help` has the details.
"""

_COMPARE = """\
Trains one network per activation and seed on standardised data, and prints test scores and times as mean and standard
deviation over the seeds. A seed determines both the split and the first weights, and all activations get the same
splits, so that they can be compared seed by seed (--json has the scores of all runs).

  pyrelu compare
  pyrelu compare relu leaky_relu:negative_slope=0.2 maxout --data wine --repeats 10
  pyrelu compare relu gelu --data flowers.csv --target species --hidden 32,32 --set dropout=0.2
"""

_PLOT = """\
Draws activations with their derivatives: one large, several side by side, or all of the table.

  pyrelu plot gelu
  pyrelu plot relu leaky_relu:negative_slope=0.2 elu --output family.svg
  pyrelu plot all --output all.pdf
"""

_TRAIN = """\
Trains a network to predict one column of a CSV file from all others, and saves it.

The file needs a header, UTF-8, and numbers in all columns but the target's; nothing may be missing. Columns are
standardised, which the saved network holds within: it takes, and predicts, the numbers as they are. A target of text
is classified. One of numbers is, too, where they are whole and of no more than 20 kinds (--task says otherwise); else
it is a regression. A share of the rows is held out of training, and the score on them printed.

  pyrelu train flowers.csv --target species --output flowers.safetensors
  pyrelu train houses.csv --target price --ignore id --activation gelu --hidden 64,32 --set early_stopping=True \\
      --output houses.safetensors

Python reads the file too: MLPClassifier.load(path), MLPRegressor.load(path).
"""

_PREDICT = """\
Predicts with a network that `pyrelu train` or an estimator's save() has written, and prints CSV.

The columns are found by their names, in any order; others are left out. A model that was fitted in Python without names
takes the columns in their order.

  pyrelu predict flowers.safetensors new.csv --proba
  pyrelu predict houses.safetensors new.csv --output prices.csv
"""

_BENCH = """\
Times each function on this machine beside what people write with NumPy and what SciPy has; prints nanoseconds per
element, medians of samples taken in turn, and the ratio to the faster of the two.

  pyrelu bench
  pyrelu bench gelu softmax --dtype float64 --size 1000000

The benchmarks with PyTorch, JAX and scikit-learn are in bench/ of the source.
"""


class _Interrupted(BaseException):
    """Ctrl-C. An estimator's fit ends early at a KeyboardInterrupt, and would go on to be saved."""


def main(arguments=None):
    """Run the command `pyrelu` and return its exit code: 0; 2 for a wrong call or file; 130 after Ctrl-C."""
    given = _parser().parse_args(arguments)
    try:
        with _interruptible():
            code = import_module(f"pyrelu._commands.{given.module}").command(given)
            sys.stdout.flush()
            return code
    except (InvalidParameterError, InvalidFileError, MissingExtraError) as error:
        print(f"pyrelu: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has gone; nor is Python to complain of it at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else error
        print(f"pyrelu: {reason}", file=sys.stderr)
        return 2
    except (_Interrupted, KeyboardInterrupt):
        print("pyrelu: interrupted", file=sys.stderr)
        return 130


@contextmanager
def _interruptible():
    """Have Ctrl-C raise what nothing catches on the way here."""

    def interrupt(signum, frame):
        raise _Interrupted

    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _parser():
    parser = argparse.ArgumentParser(
        prog="pyrelu",
        description="Activation functions for NumPy arrays, and the multi-layer perceptrons built on them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pyrelu {pyrelu.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_add_demo, _add_compare, _add_plot, _add_train, _add_predict, _add_bench, _add_info):
        command = add(commands)
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_demo(commands):
    demo = commands.add_parser(
        "demo",
        help="train one network per activation on the digits data set and compare them",
        description="Trains MLPClassifier on scikit-learn's digits (1,797 images of 8 x 8, on disk) with several "
        "activations, same seed and epochs; prints accuracy, time and dead units, and draws the loss curves.",
    )
    demo.add_argument("--epochs", type=options.positive, default=60, help="epochs of each fit (default: %(default)s)")
    demo.add_argument(
        "--seed", type=options.seed, default=0, help="seed of the split and of the weights (default: %(default)s)"
    )
    demo.add_argument("--output", default="demo.png", help="the picture to write (default: %(default)s)")
    demo.set_defaults(module="demo")
    return demo


def _add_compare(commands):
    compare = _with_text(commands, "compare", "compare activations on a data set, over several seeds", _COMPARE)
    compare.add_argument(
        "activations",
        nargs="*",
        type=options.activation,
        metavar="ACTIVATION",
        help="NAME, NAME:PARAMETER=VALUE, or one of these for each hidden layer, separated by commas "
        "(default: those of pyrelu demo)",
    )
    compare.add_argument(
        "--data",
        default="digits",
        metavar="NAME | FILE",
        help=f"{', '.join(datasets.BUILT_IN)}, or a CSV file (default: %(default)s)",
    )
    compare.add_argument("--target", metavar="COLUMN", help="of a CSV file: the column to predict")
    _add_csv(compare)
    compare.add_argument("--repeats", type=options.positive, default=5, help="how many seeds (default: %(default)s)")
    compare.add_argument(
        "--test-size", type=options.share, default=0.25, metavar="SHARE", help="of the rows (default: %(default)s)"
    )
    _add_network(compare, "the first seed (default: 0)")
    compare.set_defaults(module="compare")
    return compare


def _add_plot(commands):
    plot = _with_text(commands, "plot", "draw activations and their derivatives", _PLOT)
    plot.add_argument(
        "names",
        nargs="+",
        type=options.function,
        metavar="NAME",
        help="NAME or NAME:PARAMETER=VALUE; all: the whole table",
    )
    plot.add_argument(
        "--output",
        metavar="FILE",
        help="the picture to write, in the format of its ending (default: NAME.png, or activations.png for several)",
    )
    plot.add_argument(
        "--range", type=options.finite, nargs=2, metavar=("LOW", "HIGH"), help="of x (default: what shows all kinks)"
    )
    plot.add_argument("--no-derivative", action="store_true", help="draw the activations only")
    plot.set_defaults(module="plot")
    return plot


def _add_train(commands):
    train = _with_text(commands, "train", "train a network on a CSV file and save it", _TRAIN)
    train.add_argument("data", metavar="DATA.csv", help="the file; - for the standard input")
    train.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    train.add_argument("--output", metavar="MODEL", required=True, help="the file to write the network to")
    _add_csv(train)
    train.add_argument(
        "--activation",
        type=options.activation,
        default="relu",
        help="of the hidden layers: NAME, NAME:PARAMETER=VALUE, or one of these for each, separated by commas "
        "(default: %(default)s)",
    )
    train.add_argument(
        "--test-size",
        type=options.share,
        default=0.2,
        metavar="SHARE",
        help="of the rows, held out of training to score the network; 0: train on all (default: %(default)s)",
    )
    _add_network(train, "of the split, the first weights and the shuffling (default: another one each time)")
    train.set_defaults(module="train")
    return train


def _add_predict(commands):
    predict = _with_text(commands, "predict", "predict with a saved network", _PREDICT)
    predict.add_argument("model", metavar="MODEL", help="the file that holds the network")
    predict.add_argument("data", metavar="DATA.csv", help="the file; - for the standard input")
    predict.add_argument("--output", metavar="FILE", help="where to write to (default: the standard output)")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class")
    _add_delimiter(predict)
    predict.set_defaults(module="predict")
    return predict


def _add_bench(commands):
    bench = _with_text(commands, "bench", "time the functions beside NumPy and SciPy", _BENCH)
    bench.add_argument("names", nargs="*", metavar="NAME", help="a function (default: all)")
    bench.add_argument("--size", type=options.positive, default=65_536, help="elements (default: %(default)s)")
    bench.add_argument(
        "--dtype", choices=("float32", "float64", "float16"), default="float32", help="default: %(default)s"
    )
    bench.add_argument(
        "--threads", type=options.positive, default=1, help="for pyrelu; the others have one (default: %(default)s)"
    )
    bench.set_defaults(module="bench")
    return bench


def _add_info(commands):
    info = commands.add_parser(
        "info",
        help="what is in use: version, instruction set, threads, BLAS",
        description="Prints version, instruction set, threads, BLAS and NumPy: what a bug report should hold.",
    )
    info.set_defaults(module="info")
    return info


def _with_text(commands, name, summary, description):
    return commands.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_csv(command):
    """Add the options that say how a CSV file is read."""
    command.add_argument(
        "--ignore", metavar="COLUMN", action="append", default=[], help="a column to leave out; may be given again"
    )
    command.add_argument(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="what to make of the target's column (default: %(default)s, by what it holds)",
    )
    _add_delimiter(command)


def _add_delimiter(command):
    command.add_argument(
        "--delimiter",
        type=options.delimiter,
        default=",",
        metavar="CHARACTER",
        help=r"between the file's cells, \t for tab (default: %(default)s)",
    )


def _add_network(command, of_seed):
    """Add the options that become the estimator's parameters."""
    command.add_argument(
        "--hidden", type=options.sizes, metavar="N,N,...", help="units of each hidden layer (default: 100)"
    )
    command.add_argument("--epochs", type=options.positive, help="the largest number of epochs (default: 200)")
    command.add_argument("--seed", type=options.seed, help=of_seed)
    command.add_argument(
        "--set",
        type=options.setting,
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="any other parameter of MLPClassifier or MLPRegressor, as in --set solver=lbfgs; may be given again",
    )
