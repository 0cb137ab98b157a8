"""Letters and symbols of free fonts, and letters of single strokes."""

import functools
from pathlib import Path

import numpy as np

from inkgrad.data.dataset import Images

__all__ = ["foreign_letter", "latin_letter", "mathematical_symbol", "stroke_letter", "symbol"]

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
)
"""Those that come with Matplotlib, under a free licence."""

LATIN = "ACEFGHKLMNPRUVWXYacdefhkmnprtuvwxy"
"""Without those that are digits to any eye: O o Q D I i l J j S s Z z B b q g T."""

FOREIGN = "ΓΔΛΞΠΣΦΨΩγλπφψДЖИЙЛФЦШЩЫЭЮЯждлфцшщыэюя"
"""Greek and Cyrillic letters that are neither Latin ones nor digits."""

SYMBOLS = "!?#%&*+=<>@$€£¥§©®~^-:;★☆♥♠♣✓✗☎☼♪"
"""Without the slashes and bars, which are ones."""

MATHEMATICAL = "←↑→↓↔⇒⇔∀∃∇∈∋∏∑∓√∝∞∠≈≠≡≤≥⊆⊕⊗⊥▲▼◆■"

_SIZE = 72
_THICKNESS = (1, 5)


def latin_letter(rng: np.random.Generator) -> Images:
    """A Latin letter of a font, black (255) on white (0)."""
    return _chosen(LATIN, rng)


def foreign_letter(rng: np.random.Generator) -> Images:
    """A Greek or Cyrillic letter of a font."""
    return _chosen(FOREIGN, rng)


def symbol(rng: np.random.Generator) -> Images:
    """Punctuation, a currency or a picture of a font."""
    return _chosen(SYMBOLS, rng)


def mathematical_symbol(rng: np.random.Generator) -> Images:
    """An arrow, a sign of mathematics or a filled shape of a font."""
    return _chosen(MATHEMATICAL, rng)


def stroke_letter(rng: np.random.Generator) -> Images:
    """A Latin letter drawn by OpenCV with strokes of one width."""
    import cv2

    faces = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
    letter, face = LATIN[rng.integers(len(LATIN))], faces[rng.integers(len(faces))]
    canvas = np.zeros((160, 160), np.uint8)
    cv2.putText(canvas, letter, (40, 110), face, 2.6, 255, int(rng.integers(*_THICKNESS)), cv2.LINE_AA)
    return canvas


def _chosen(characters: str, rng: np.random.Generator) -> Images:
    return _drawn(characters[rng.integers(len(characters))], FONTS[rng.integers(len(FONTS))])


@functools.cache
def _drawn(character: str, font: str) -> Images:
    """A character, cut to its ink; in the first of the fonts where another lacks it."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    face = ImageFont.truetype(str(folder / f"{font}.ttf"), _SIZE)
    if font != FONTS[0] and _same(face.getmask(character), face.getmask("\uffff")):
        return _drawn(character, FONTS[0])
    picture = Image.new("L", (3 * _SIZE, 3 * _SIZE))
    ImageDraw.Draw(picture).text((_SIZE, _SIZE), character, fill=255, font=face)
    return np.asarray(picture.crop(picture.getbbox()))


def _same(one: object, other: object) -> bool:
    """Whether two masks of Pillow's look alike: a font draws all that it lacks as the same box."""
    return bytes(one) == bytes(other)  # type: ignore[call-overload,no-any-return]
