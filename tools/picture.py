"""Draws the picture at the head of README.md."""

from pathlib import Path

import matplotlib

from pyrelu.plot import ActivationOverlayDisplay

PICTURE = Path(__file__).parent.parent / "docs" / "_static" / "activations.png"

if __name__ == "__main__":
    matplotlib.use("agg")
    overlay = ActivationOverlayDisplay.from_names(["relu", "elu", "gelu", "tanh"])
    overlay.figure_.set_size_inches(8.4, 3.4)
    overlay.figure_.savefig(PICTURE, dpi=110)
