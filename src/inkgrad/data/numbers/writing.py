"""A row of digits and signs as ink: how they stand beside each other, touch, lean and rise."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import crop_to_ink
from inkgrad.data.numbers.alphabet import labels_of
from inkgrad.data.numbers.hands import slant_and_width
from inkgrad.data.numbers.signs import SIGNS, drawn_sign

__all__ = ["Row", "Style", "write_row"]

Ink: TypeAlias = NDArray[np.float32]

_HIDDEN = 0.08  # share of a glyph's ink that may lie on that of others


@dataclass(frozen=True)
class Style:
    """How a hand sets digits into a row; lengths in shares of a digit's height.

    Attributes:
        height: of a digit, in pixels.
        gap: between the ink of neighbors, below 0 where they overlap.
        unevenness: standard deviation of the gaps.
        wobble: standard deviation of the digits' places above the line.
        sizes: standard deviation of the digits' sizes.
        zeros: size of zeros.
        squeeze: width of the digits, 1 as they are.
        rise: how far the row goes up, in pixels for each to the right.
    """

    height: float = 28.0
    gap: float = 0.12
    unevenness: float = 0.08
    wobble: float = 0.05
    sizes: float = 0.06
    zeros: float = 1.0
    squeeze: float = 1.0
    rise: float = 0.0


@dataclass(frozen=True)
class Row:
    """What is written.

    Attributes:
        ink: float32 (h, w), in 0..1.
        boxes: (digits, 4), left, top, width and height of each in pixels.
        labels: of all characters, in their order.
        middles: (characters, 2), x and y of their middles in pixels, NaN where nobody knows.
    """

    ink: Ink
    boxes: NDArray[np.float64]
    labels: tuple[int, ...]
    middles: NDArray[np.float64]


def write_row(text: str, images: list[Images], style: Style, rng: np.random.Generator) -> Row:
    """Set digits, and the signs between them, into a row.

    Args:
        text: digits and `SIGNS`.
        images: (28, 28) for each digit of the text, in its order.
        style: how.
        rng: where chance comes from.
    """
    digits, glyphs, raised = iter(images), [], []
    pen = (
        style.height / 20 * float(slant_and_width(np.stack(images))[:, 1].mean()) * rng.uniform(0.6, 0.9)
        if images
        else style.height / 12
    )
    for character in text:
        if character in SIGNS:
            glyph, above = drawn_sign(character, style.height, pen, rng)
        else:
            glyph = _digit(next(digits), character, style, rng)
            above = rng.normal(0, style.wobble) * style.height
        glyphs.append(glyph)
        raised.append(above)
    return _set(text, glyphs, raised, style, rng)


def _digit(image: Images, character: str, style: Style, rng: np.random.Generator) -> Ink:
    import cv2

    cut = crop_to_ink(image).astype(np.float32) / 255
    size = float(np.exp(rng.normal(0, style.sizes))) * (style.zeros if character == "0" else 1.0)
    # In MNIST's form the longest side is 20: a flat digit stays flat.
    scale = style.height * size / 20
    shape = max(2, round(cut.shape[1] * scale * style.squeeze)), max(2, round(cut.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.clip(np.asarray(cv2.resize(cut, shape, interpolation=method), np.float32), 0, 1)


def _set(text: str, glyphs: list[Ink], raised: list[float], style: Style, rng: np.random.Generator) -> Row:
    """Side by side, each as near to what is there already as the gap says."""
    height = style.height
    width = sum(glyph.shape[1] for glyph in glyphs) + round(len(glyphs) * 2 * height) + 8
    rise = abs(style.rise) * width
    base = round(2 * height + (rise if style.rise > 0 else 0))
    ink = np.zeros((round(3.2 * height + rise) + 4, width), np.float32)
    edge = np.full(len(ink), -np.inf)  # of each row, the rightmost ink so far
    boxes, middles = [], []
    for character, glyph, above in zip(text, glyphs, raised, strict=True):
        gap = height * (style.gap + rng.normal(0, style.unevenness))
        left, top = _beside(edge, glyph, gap, base - above, style.rise)
        top = min(max(top, 0), len(ink) - glyph.shape[0])
        left = _legible(ink[top : top + glyph.shape[0]], glyph, max(left, 0))
        place = ink[top : top + glyph.shape[0], left : left + glyph.shape[1]]
        np.maximum(place, glyph[:, : place.shape[1]], out=place)
        seen = glyph > 0.2
        reach = np.where(seen.any(axis=1), left + glyph.shape[1] - seen[:, ::-1].argmax(axis=1), -np.inf)
        rows = slice(top, top + glyph.shape[0])
        edge[rows] = np.maximum(edge[rows], reach)
        middles.append((left + glyph.shape[1] / 2, top + glyph.shape[0] / 2))
        if character not in SIGNS:
            boxes.append((left, top, glyph.shape[1], glyph.shape[0]))
    whole = Row(ink, np.array(boxes, np.float64).reshape(-1, 4), tuple(labels_of(text)), np.array(middles))
    return _cut(whole)


def _beside(edge: NDArray[np.float64], glyph: Ink, gap: float, base: float, rise: float) -> tuple[int, int]:
    """Where a glyph goes: as far left as leaves the gap to the ink in its rows and those near them."""
    known = edge[np.isfinite(edge)]
    if not known.size:
        return 2, round(base - glyph.shape[0])
    top = round(base - rise * float(known.max()) - glyph.shape[0])
    top = min(max(top, 0), len(edge) - glyph.shape[0])
    seen = glyph > 0.2
    begin = np.where(seen.any(axis=1), seen.argmax(axis=1), np.inf)
    rows = edge[top : top + glyph.shape[0]]
    near = float(np.max(rows - begin, initial=-np.inf))
    # Never so far under an overhanging neighbor that the order gets lost.
    least = float(known.max()) - 0.45 * glyph.shape[1] if np.isfinite(near) else float(known.max())
    return round(max(near if np.isfinite(near) else least, least) + gap), top


def _legible(ink: Ink, glyph: Ink, left: int) -> int:
    """As far left, or a little to the right of it, as lets a glyph be seen: strokes may cross, but not hide it."""
    for at in range(left, ink.shape[1] - glyph.shape[1] + 1):
        if float(np.minimum(ink[:, at : at + glyph.shape[1]], glyph).sum()) <= _HIDDEN * float(glyph.sum()):
            return at
    return left


def _cut(row: Row) -> Row:
    """Without the empty rows and columns around."""
    rows, columns = np.flatnonzero(row.ink.any(axis=1)), np.flatnonzero(row.ink.any(axis=0))
    corner = np.array([columns[0], rows[0]], np.float64)
    ink = np.ascontiguousarray(row.ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return Row(ink, row.boxes - np.append(corner, [0, 0]), row.labels, row.middles - corner)
