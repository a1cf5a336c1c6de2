"""Parsers of command-line arguments, with errors that name what is allowed."""

from __future__ import annotations

import argparse
import ast
import codecs
import math
import os
from typing import TYPE_CHECKING, Any, TypeVar

from pyrelu._mlp.activation import ValueMissing, resolve
from pyrelu.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from pyrelu._commands.table_file import Format

One = str | tuple[str, dict[str, Any]]  # a name, or with its parameters
Named = One | list[One]  # what the command line names of what the estimators call `activation`
E = TypeVar("E")  # an estimator


def positive(text: str) -> int:
    """An integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def seed(text: str) -> int:
    """Parse an integer that is a valid seed for NumPy."""
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is not in the range [0, {2**32 - 1}]")
    return number


def share(text: str) -> float:
    """A number in [0, 1)."""
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{number:g} is not in the range [0, 1)")
    return number


def finite(text: str) -> float:
    """A finite number."""
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{number:g} is not finite")
    return number


def character(text: str) -> str:
    r"""Parse a single character, such as the separator of a CSV file; tab may be written as \t."""
    one = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(one) != 1 or one in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is not a single character (write tab as \\t)")
    return one


def encoding(text: str) -> str:
    """The name of an encoding that Python knows."""
    from pyrelu._commands.table_file import is_encoding

    if not is_encoding(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an encoding; utf-8, cp1252 and utf-16 are some")
    return codecs.lookup(text).name


def format_of(options: argparse.Namespace, default: Format | None = None) -> Format:
    """Return the Format of a file: that of the options, completed by `default`."""
    from dataclasses import replace

    from pyrelu._commands.table_file import PLAIN

    default = default or PLAIN
    given = {name: getattr(options, name) for name in ("sep", "decimal", "thousands", "encoding")}
    missing = [text for texts in options.missing for text in (texts, *texts.split(","))]
    format = replace(
        default,
        **{name: value for name, value in given.items() if value is not None},
        missing=tuple(dict.fromkeys((*default.missing, *missing))),
    )
    if format.decimal == format.thousands:
        raise InvalidParameterError(
            f"--decimal and --thousands are both {format.decimal!r}; they must be different characters"
        )
    return format


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `datasets.from_file` other than the file and the target."""
    return {
        "ignored": options.ignore,
        "task": options.task,
        "format": format_of(options),
        "texts": options.text,
        "drop_missing": options.drop_missing,
    }


def sizes(text: str) -> tuple[int, ...]:
    """Units of the hidden layers.

    Examples
    --------
    >>> sizes("64,32"), sizes("")
    ((64, 32), ())
    """
    try:
        return tuple(positive(size) for size in text.split(",")) if text else ()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of integers, such as 64,32") from None


def activation(text: str) -> Named:
    """What the estimators call `activation`.

    Examples
    --------
    >>> activation("leaky_relu:negative_slope=0.2")
    ('leaky_relu', {'negative_slope': 0.2})
    >>> activation("relu,tanh")
    ['relu', 'tanh']
    """
    layers = [_one(layer) for layer in text.split(",")]
    try:
        resolve(layers, len(layers))
    except ValueMissing as error:
        example = "".join(f":{parameter}=0.25" for parameter in error.parameters)
        raise argparse.ArgumentTypeError(f"{error.name!r} needs a value, as in {error.name}{example}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return layers[0] if len(layers) == 1 else layers


def function(text: str) -> Named:
    """One activation to be drawn, or "all"."""
    if "," in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME or NAME:PARAMETER=VALUE[:PARAMETER=VALUE]")
    return text if text == "all" else activation(text)


def _one(text: str) -> One:
    name, *given = text.strip().split(":")
    if not given:
        return name
    if bad := [setting for setting in given if "=" not in setting]:
        raise argparse.ArgumentTypeError(f"{text!r}: {bad[0]!r} is not of the form PARAMETER=VALUE")
    return name, {parameter: _value(value) for parameter, value in (setting.split("=", 1) for setting in given)}


def label(activation: Named) -> str:
    """Return an activation in the words of the command line.

    Examples
    --------
    >>> label(["relu", ("elu", {"alpha": 2.0})])
    'relu,elu:alpha=2.0'
    """
    if isinstance(activation, list):
        return ",".join(map(label, activation))
    if isinstance(activation, str):
        return activation
    name, given = activation
    return ":".join([name, *(f"{parameter}={value}" for parameter, value in given.items())])


def setting(text: str) -> tuple[str, Any]:
    """A parameter of an estimator and its value.

    Examples
    --------
    >>> setting("dropout=0.2"), setting("solver=sgd"), setting("early_stopping=True")
    (('dropout', 0.2), ('solver', 'sgd'), ('early_stopping', True))
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form PARAMETER=VALUE")
    return name, _value(value)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def network_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Return the estimator's parameters that were given by --hidden, --epochs, --seed and --set."""
    named = {"hidden_layer_sizes": options.hidden, "max_iter": options.epochs, "random_state": options.seed}
    return {name: value for name, value in named.items() if value is not None} | dict(options.set)


def network_class(options: argparse.Namespace, classification: bool) -> type[Any]:
    """Return the class of the estimators that --model names."""
    if options.model == "tabular":
        from pyrelu.tabular import TabularMLPClassifier, TabularMLPRegressor

        return TabularMLPClassifier if classification else TabularMLPRegressor
    from pyrelu.neural_network import MLPClassifier, MLPRegressor

    return MLPClassifier if classification else MLPRegressor


def estimator(cls: type[E], **parameters: Any) -> E:
    """Return cls(**parameters); InvalidParameterError names a parameter that it has not."""
    empty: Any = cls()
    known = empty.get_params()
    for name in parameters:
        if name not in known:
            raise InvalidParameterError(f"{cls.__name__} has no parameter {name!r}; it has: {', '.join(known)}")
    return cls(**parameters)


def check_output(path: str, *inputs: str) -> None:
    """Raise OSError, before any work starts, if a file cannot be written or is also an input."""
    from pyrelu._storage.files import is_special

    if is_special(path):
        return
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder, not a file")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {folder}")
    if os.path.exists(path) and any(os.path.exists(file) and os.path.samefile(path, file) for file in inputs):
        raise FileExistsError(f"{path} is an input file; write to another one")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{path} cannot be written: no permission to write to {folder}")
