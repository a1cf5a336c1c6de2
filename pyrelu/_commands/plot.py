"""`pyrelu plot`: activations and their derivatives as a picture."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyrelu import registry
from pyrelu._commands.options import check_output, label
from pyrelu._text import show
from pyrelu.exceptions import InvalidParameterError
from pyrelu.plot import ActivationDisplay, ActivationGridDisplay, ActivationOverlayDisplay
from pyrelu.plot._activation import checked_range
from pyrelu.plot._style import new_figure, save

if TYPE_CHECKING:
    import argparse


def command(options: argparse.Namespace) -> int:
    """Draw as the options say."""
    names = list(registry.activations) if options.names == ["all"] else options.names
    output = options.output or ("activations.png" if len(names) > 1 else f"{label(names[0]).split(':')[0]}.png")
    check_output(output)
    if options.range:
        try:
            checked_range(options.range)
        except ValueError:
            low, high = options.range
            raise InvalidParameterError(
                f"--range {low:g} {high:g}: the first number must be smaller, and less than 1e300 away"
            ) from None
    drawing = {"x_range": options.range, "derivative": not options.no_derivative}
    panels = 1 if options.no_derivative else 2
    try:
        if options.together:
            figure = new_figure(figsize=(0.4 + 4 * panels, 3.6 + 0.2 * -(-len(names) // (3 * panels - 1))))
            overlay = ActivationOverlayDisplay.from_names(names, figure=figure, **drawing)
            displays = list(overlay.displays.values())
        elif len(names) == 1:
            figure = new_figure(figsize=(5.2, 3.6))
            displays = [ActivationDisplay.from_name(names[0], ax=figure.subplots(), **drawing)]
        else:
            n_columns = min(len(names), 6)
            n_rows = -(-len(names) // n_columns)
            figure = new_figure(figsize=(2.1 * n_columns, 1.85 * n_rows + 0.3))
            displays = ActivationGridDisplay.from_names(names, columns=n_columns, figure=figure, **drawing).displays_
    except ValueError as error:
        raise InvalidParameterError(str(error)) from None
    save(figure, output)
    if options.json:
        show({"output": output, "activations": list(map(_data, displays))}, as_json=True)
    else:
        print(
            f"{displays[0].name if len(displays) == 1 else f'{len(displays)} activations'}: {output}", file=sys.stderr
        )
    return 0


def _data(display: ActivationDisplay) -> dict[str, Any]:
    """Return the points of the curves, with None at each jump."""
    curves = {"function": display.function, "derivative": display.slope}
    return {
        "name": display.name,
        "parameters": dict(display.parameters),
        "formula": display.formula,
        **{name: {"x": _numbers(curve.x), "y": _numbers(curve.y)} for name, curve in curves.items()},
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
