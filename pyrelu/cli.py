"""The command line: its parser and its handling of errors. Each command has a module of its name."""

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

import pyrelu
from pyrelu._commands import datasets, interrupt, options
from pyrelu.exceptions import InvalidFileError, InvalidParameterError, MissingExtraError

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EPILOG = """\
exit codes: 0 on success, 2 if the call or a file is wrong, 130 after Ctrl-C

Run `pyrelu COMMAND --help` for details.
"""

_COMPARE = """\
Train one network per activation and seed on standardised data, or with --model tabular on the table as it is, and \
print test scores and times as mean ± standard deviation over the seeds. Each seed sets both the split and the initial \
weights; all activations share the same splits, so their scores can be compared seed by seed (--json prints the score \
of every run).

  pyrelu compare
  pyrelu compare relu leaky_relu:negative_slope=0.2 --data wine --repeats 10
  pyrelu compare relu gelu --data flowers.csv --target species \\
      --hidden 32,32 --set dropout=0.2
"""

_PLOT = """\
Draw activations and their derivatives: one in a large picture, several side by side, several in the same axes \
(--together), or all of them.

  pyrelu plot gelu
  pyrelu plot relu leaky_relu:negative_slope=0.2 elu --output family.svg
  pyrelu plot relu elu gelu --together
  pyrelu plot all --output all.pdf
"""

_TRAIN = """\
Train a network to predict one column of a table from the others, and save it.

Reads CSV files with a header (also compressed), Parquet and Excel files, and folders of Parquet files; needs pandas. \
With --model mlp, a folder may be larger than memory. Columns may hold numbers, text, \
booleans or dates, and values may be missing. What is learned of them is stored in the model, so `pyrelu predict` takes \
files like the one trained on. Columns that only number or name the rows are left out.

Text targets are treated as classes, numeric targets as a regression. Integer targets with at most 20 distinct values \
are also treated as classes; override with --task. Part of the rows is held out of training to score the network.

Ctrl-C ends training early and saves the network as it was after the last whole epoch.

  pyrelu train flowers.csv --target species --output flowers.safetensors
  pyrelu train houses.csv --target price --ignore id,notes \\
      --set n_members=4 \\
      --output houses.safetensors
"""

_PREDICT = """\
Predict with a network saved by `pyrelu train` or by an estimator's save(), and print the predictions as CSV.

Columns are matched by name, in any order; extra columns are ignored. If a model was fitted in Python without column \
names, columns are taken in order.

  pyrelu predict flowers.safetensors new.csv --proba
  pyrelu predict houses.safetensors new.csv --keep id --output prices.csv
"""

_BENCH = """\
Time each function, its NumPy formula and SciPy; print nanoseconds per element, as medians of samples taken in \
turn, and the ratio to the faster of the two.

  pyrelu bench
  pyrelu bench gelu softmax --dtype float64 --size 1000000

The benchmarks with PyTorch, JAX and scikit-learn are in bench/ of the source.
"""


_NEGATIVE_NUMBER = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class _Formatter(argparse.HelpFormatter):
    """Breaks paragraphs at the terminal's width; indented lines stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = [
            block if block.startswith(" ") else textwrap.fill(" ".join(block.split()), width)
            for block in text.strip("\n").split("\n\n")
        ]
        return textwrap.indent("\n\n".join(blocks), indent) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `pyrelu` and return its exit code: 0; 2 for a wrong call or file; 130 after Ctrl-C."""
    given = _parser().parse_args(arguments)
    try:
        with interrupt.raises(interrupt.Interrupted):
            code: int = import_module(f"pyrelu._commands.{given.module}").command(given)
            sys.stdout.flush()
            return code
    except (InvalidParameterError, InvalidFileError, MissingExtraError) as error:
        print(f"pyrelu: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has exited; do not let Python report it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else error
        print(f"pyrelu: {reason}", file=sys.stderr)
        return 2
    except (interrupt.Interrupted, KeyboardInterrupt):
        print("pyrelu: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyrelu",
        description="Activation functions for NumPy arrays, and multilayer perceptrons built on them.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"pyrelu {pyrelu.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_add_demo, _add_compare, _add_plot, _add_train, _add_predict, _add_bench, _add_info):
        command = add(commands)
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add(commands: "Commands", name: str, summary: str, description: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=description, formatter_class=_Formatter)
    command.set_defaults(module=name)
    command._negative_number_matcher = _NEGATIVE_NUMBER  # argparse before Python 3.14 takes -1e3 for an option
    return command


def _add_demo(commands: "Commands") -> argparse.ArgumentParser:
    demo = _add(
        commands,
        "demo",
        "train one network per activation on the digits data set",
        "Train MLPClassifier on scikit-learn's digits (1,797 images of 8 x 8, included with it) with several "
        "activations, using the same seed and number of epochs; print accuracy, time and dead units, and draw the "
        "loss curves.",
    )
    demo.add_argument("--epochs", type=options.positive, default=60, help="epochs per fit (default: %(default)s)")
    demo.add_argument(
        "--seed", type=options.seed, default=0, help="seed for the split and the weights (default: %(default)s)"
    )
    demo.add_argument(
        "--output", metavar="FILE", default="demo.png", help="picture of the loss curves (default: %(default)s)"
    )
    return demo


def _add_compare(commands: "Commands") -> argparse.ArgumentParser:
    compare = _add(commands, "compare", "compare activations on a data set, over several seeds", _COMPARE)
    compare.add_argument(
        "activations",
        nargs="*",
        type=options.activation,
        metavar="ACTIVATION",
        help="NAME or NAME:PARAMETER=VALUE; separate with commas to give one per hidden layer (default: those of "
        "pyrelu demo)",
    )
    compare.add_argument(
        "--data",
        default="digits",
        metavar="NAME|FILE",
        help=f"{', '.join(datasets.BUILT_IN)}, or a file (default: %(default)s)",
    )
    compare.add_argument("--target", metavar="COLUMN", help="column of the file to predict")
    _add_table(compare)
    compare.add_argument("--repeats", type=options.positive, default=5, help="number of seeds (default: %(default)s)")
    compare.add_argument(
        "--test-size",
        type=options.share,
        default=0.25,
        metavar="SHARE",
        help="share of rows to test on (default: %(default)s)",
    )
    _add_model(compare, "mlp")
    _add_network(compare, "first seed (default: 0)")
    return compare


def _add_plot(commands: "Commands") -> argparse.ArgumentParser:
    plot = _add(commands, "plot", "draw activations and their derivatives", _PLOT)
    plot.add_argument(
        "names",
        nargs="+",
        type=options.function,
        metavar="NAME",
        help="NAME or NAME:PARAMETER=VALUE, or all",
    )
    plot.add_argument("--together", action="store_true", help="draw all curves in the same axes, with a legend")
    plot.add_argument(
        "--output",
        metavar="FILE",
        help="picture to write; the extension sets the format (default: NAME.png, or activations.png for several)",
    )
    plot.add_argument(
        "--range",
        type=options.finite,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="range of x (default: wide enough to show all kinks)",
    )
    plot.add_argument("--no-derivative", action="store_true", help="leave out the derivatives")
    return plot


def _add_train(commands: "Commands") -> argparse.ArgumentParser:
    train = _add(commands, "train", "train a network on a CSV file and save it", _TRAIN)
    train.add_argument(
        "data",
        metavar="DATA",
        help="CSV, Parquet or Excel file, or folder of Parquet files; - for standard input (CSV)",
    )
    train.add_argument("--target", metavar="COLUMN", required=True, help="column to predict")
    train.add_argument("--output", metavar="MODEL", required=True, help="file to save the model to")
    _add_table(train)
    train.add_argument(
        "--activation",
        type=options.activation,
        help="activation of the hidden layers: NAME or NAME:PARAMETER=VALUE; separate with commas to give one per layer "
        "(default: the model's)",
    )
    _add_model(train, "tabular")
    train.add_argument(
        "--test-size",
        type=options.share,
        default=0.2,
        metavar="SHARE",
        help="share of rows to hold out for testing; 0 to train on all rows (default: %(default)s)",
    )
    _add_network(train, "seed for the split, the weights and the shuffling (default: a new one each time)")
    return train


def _add_predict(commands: "Commands") -> argparse.ArgumentParser:
    predict = _add(commands, "predict", "predict with a saved network", _PREDICT)
    predict.add_argument("model", metavar="MODEL", help="file with the model")
    predict.add_argument(
        "data",
        metavar="DATA",
        help="CSV, Parquet or Excel file, or folder of Parquet files; - for standard input (CSV)",
    )
    predict.add_argument("--output", metavar="FILE", help="file to write to (default: standard output)")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class")
    predict.add_argument(
        "--keep",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="copy these columns of DATA to the output; repeatable",
    )
    _add_format(predict, "Options that are not given are those of `pyrelu train`.")
    return predict


def _add_bench(commands: "Commands") -> argparse.ArgumentParser:
    bench = _add(commands, "bench", "time the functions against NumPy and SciPy", _BENCH)
    bench.add_argument("names", nargs="*", metavar="NAME", help="a function (default: all)")
    bench.add_argument("--size", type=options.positive, default=65_536, help="elements (default: %(default)s)")
    bench.add_argument(
        "--dtype", choices=("float32", "float64", "float16"), default="float32", help="default: %(default)s"
    )
    bench.add_argument(
        "--threads", type=options.positive, default=1, help="for pyrelu; the others have one (default: %(default)s)"
    )
    return bench


def _add_info(commands: "Commands") -> argparse.ArgumentParser:
    return _add(
        commands,
        "info",
        "show version, instruction set, threads and BLAS",
        "Print the version, instruction set, threads, BLAS and NumPy in use: what a bug report should include.",
    )


def _add_table(command: argparse.ArgumentParser) -> None:
    """Add the options that describe the columns of a file."""
    command.add_argument(
        "--ignore", metavar="COLUMN,...", action="append", default=[], help="columns to leave out; repeatable"
    )
    command.add_argument(
        "--text",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="columns to treat as text although they look like numbers, such as postcodes; repeatable",
    )
    command.add_argument(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="how to treat the target (default: %(default)s, depending on its values)",
    )
    command.add_argument("--drop-missing", action="store_true", help="leave out rows without a target")
    _add_format(command)


def _add_format(command: argparse.ArgumentParser, description: str | None = None) -> None:
    """Add the options that describe the format of a file."""
    group = command.add_argument_group("file format", description)
    group.add_argument(
        "--sep",
        "--delimiter",
        type=options.character,
        metavar="CHARACTER",
        help=r"separator of a CSV file's cells, \t for tab (default: found from the header)",
    )
    group.add_argument(
        "--decimal",
        type=options.character,
        metavar="CHARACTER",
        help="decimal point (default: .)",
    )
    group.add_argument(
        "--thousands", type=options.character, metavar="CHARACTER", help="thousands separator (default: none)"
    )
    group.add_argument(
        "--encoding",
        type=options.encoding,
        metavar="NAME",
        help="text encoding, such as cp1252 (default: UTF-8, or UTF-16 if the file has its byte order mark)",
    )
    group.add_argument(
        "--missing",
        metavar="TEXT,...",
        action="append",
        default=[],
        help="further text that stands for a missing value, in addition to an empty cell, NA, NaN and null; repeatable",
    )


def _add_model(command: argparse.ArgumentParser, default: str) -> None:
    """Add the option that says which estimators to train."""
    command.add_argument(
        "--model",
        choices=("tabular", "mlp"),
        default=default,
        help="tabular: networks that embed the columns, TabularMLPClassifier or TabularMLPRegressor; mlp: MLPClassifier or "
        "MLPRegressor on standardised and one-hot columns (default: %(default)s)",
    )


def _add_network(command: argparse.ArgumentParser, of_seed: str) -> None:
    """Add the options that become the estimator's parameters."""
    command.add_argument(
        "--hidden",
        type=options.sizes,
        metavar="N,N,...",
        help="units in each hidden layer (default: the model's; 100 for mlp)",
    )
    command.add_argument(
        "--epochs", type=options.positive, help="maximum number of epochs (default: the model's; 200 for mlp)"
    )
    command.add_argument("--seed", type=options.seed, help=of_seed)
    command.add_argument(
        "--set",
        type=options.setting,
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="any other parameter of the estimator, such as --set dropout=0.2; repeatable",
    )
