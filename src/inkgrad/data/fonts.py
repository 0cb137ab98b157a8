"""Characters of free fonts and of single strokes, and the printed digits among them."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inkgrad.data.dataset import DIGITS, SIDE, Dataset, Images
from inkgrad.data.form import to_form

if TYPE_CHECKING:
    from PIL import ImageFont

__all__ = ["DIGIT_FONTS", "FONTS", "drawn", "printed", "printed_digits", "stroked"]

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
)
"""Those that come with Matplotlib, under free licences, and have letters of many alphabets."""

DIGIT_FONTS = (
    *FONTS,
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmss10", "cmtt10", "cmb10", "cmti10"),
)
"""Those and others, with digits of as many shapes."""

_SIZE = 72
_STROKED = 3  # of so many digits one is drawn in strokes


@functools.cache
def drawn(character: str, font: str) -> Images:
    """A character, white on black, cut to its ink; in the first of the fonts where another lacks it."""
    from PIL import Image, ImageDraw

    face = _face(font, _SIZE)
    if font != FONTS[0] and _same(face.getmask(character), face.getmask("\uffff")):
        return drawn(character, FONTS[0])
    picture = Image.new("L", (3 * _SIZE, 3 * _SIZE))
    ImageDraw.Draw(picture).text((_SIZE, _SIZE), character, fill=255, font=face)
    return np.asarray(picture.crop(picture.getbbox()))


def printed(words: str, font: str, size: int) -> Images:
    """Words in a line, white on black, cut to their ink; `size` is the font's, in pixels.

    >>> printed("page", FONTS[0], 20).shape[0] in range(14, 24)
    True
    """
    from PIL import Image, ImageDraw

    face = _face(font, size)
    left, top, right, bottom = (int(side) for side in face.getbbox(words))
    picture = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(picture).text((-left, -top), words, fill=255, font=face)
    return np.asarray(picture)


@functools.cache
def _face(font: str, size: int) -> "ImageFont.FreeTypeFont":
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / f"{font}.ttf"), size)


def stroked(character: str, rng: np.random.Generator) -> Images:
    """A character as OpenCV draws it, with strokes of one width; white on black."""
    import cv2

    faces = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
    canvas = np.zeros((160, 160), np.uint8)
    face = faces[rng.integers(len(faces))]
    cv2.putText(canvas, character, (40, 110), face, 2.6, 255, int(rng.integers(1, 5)), cv2.LINE_AA)
    return canvas


def printed_digits(each: int, rng: np.random.Generator) -> Dataset:
    """Digits of free fonts, wider or narrower at random, in MNIST's form.

    Args:
        each: how many of each digit; first all zeros, then all ones, ...
        rng: where chance comes from.

    >>> printed_digits(2, np.random.default_rng(0)).labels[:5]
    array([0, 0, 1, 1, 2])
    """
    import cv2

    labels = np.repeat(np.arange(len(DIGITS)), each)
    images = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    for index, label in enumerate(labels):
        if rng.integers(_STROKED) == 0:
            character = stroked(DIGITS[label], rng)
        else:
            character = drawn(DIGITS[label], DIGIT_FONTS[rng.integers(len(DIGIT_FONTS))])
        factor = float(np.exp(rng.uniform(-0.3, 0.3)))
        images[index] = to_form(
            np.asarray(cv2.resize(character, None, fx=factor, fy=1, interpolation=cv2.INTER_LINEAR), np.uint8)
        )
    return Dataset(images, labels.astype(np.int64), "printed")


def _same(one: object, other: object) -> bool:
    """Whether two masks of Pillow's look alike: a font draws all that it lacks as the same box."""
    return bytes(one) == bytes(other)  # type: ignore[call-overload,no-any-return]
