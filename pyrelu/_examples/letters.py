"""Letters A to J in 28 x 28 pixels, drawn from the fonts that matplotlib ships; no font is in both training and test.

Made as notMNIST was, which has the glyphs of many fonts. The variety of thousands of fonts is made up for by turning,
shearing, scaling, shifting, blurring and noise.
"""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LETTERS = "ABCDEFGHIJ"
SIDE = 28
TEST_FONTS = (
    "DejaVuSerif-BoldItalic",
    "DejaVuSansMono-Bold",
    "STIXGeneralItalic",
    "STIXGeneralBol",
    "cmss10",
    "cmti10",
    "cmsy10",
)
TRAINING_FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique", "DejaVuSansMono", "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBolIta", "cmb10",
    "cmmi10", "cmr10", "cmtt10",
)  # fmt: skip
_DRAWN = 3 * SIDE  # glyphs are drawn three times as large as they end up


@cache
def _glyph(font: str, letter: str) -> Image.Image:
    """Return the glyph in the middle of a square, two thirds as large as that."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    square = Image.new("L", (_DRAWN, _DRAWN))
    shape = ImageFont.truetype(path, 2 * _DRAWN)
    left, top, right, bottom = map(round, shape.getbbox(letter))  # whole numbers, as floats
    glyph = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(glyph).text((-left, -top), letter, fill=255, font=shape)
    shrink = _DRAWN * 2 / 3 / max(glyph.size)
    width, height = (max(1, round(side * shrink)) for side in glyph.size)
    square.paste(glyph.resize((width, height), Image.Resampling.BOX), ((_DRAWN - width) // 2, (_DRAWN - height) // 2))
    return square


def draw(font: str, letter: str, rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.float32]:
    """Return one picture of the letter, in [0, 1]: turned, sheared, scaled, shifted, blurred, with noise."""
    turn, shear = rng.normal(0, 0.2 * strength), rng.normal(0, 0.2 * strength)
    width, height = np.exp(rng.normal(0, 0.15 * strength, 2))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inverse = rotation @ np.array([[1, shear], [0, 1]]) @ np.diag([1 / width, 1 / height])
    centre = _DRAWN / 2
    shift = centre - inverse @ (centre + rng.normal(0, 4.5 * strength, 2))
    coefficients = np.column_stack([inverse, shift]).ravel().tolist()
    image = _glyph(font, letter).transform(
        (_DRAWN, _DRAWN), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.5 * strength))).resize(
        (SIDE, SIDE), Image.Resampling.BOX
    )
    pixels = np.asarray(image, np.float32) / 255
    return np.clip(pixels + rng.normal(0, 0.15 * strength, pixels.shape), 0, 1)


def load(
    n_train: int = 10_000, n_test: int = 2_000, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return X_train, X_test, y_train, y_test; X in float32 of 784 columns, y from 0 (A) to 9 (J)."""
    rng = np.random.default_rng(seed)
    parts = []
    for fonts, n in ((TRAINING_FONTS, n_train), (TEST_FONTS, n_test)):
        y = rng.integers(len(LETTERS), size=n)
        X = np.empty((n, SIDE * SIDE), np.float32)
        for row, label in zip(X, y):
            row[:] = draw(fonts[rng.integers(len(fonts))], LETTERS[label], rng).ravel()
        parts.append((X, y))
    (X_train, y_train), (X_test, y_test) = parts
    return X_train, X_test, y_train, y_test
