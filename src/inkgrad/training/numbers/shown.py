"""A row as it is learned from: its strip, and where its labels stand, changed a little each time."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers import STRIP_HEIGHT, to_strip
from inkgrad.data.projective import moved

__all__ = ["Shown", "changed", "shown"]

_SLANT = 0.12  # standard deviation: pixels to the right for each upwards
_STRETCH = 0.08  # of the logarithm of the width
_WAVE = 0.9  # pixels, standard deviation of what bends strokes
_WAVE_EVERY = 9  # pixels


class Shown(NamedTuple):
    """A row in normal form.

    Attributes:
        pixels: uint8 (40, w).
        labels: of its characters, from left to right.
        middles: float64 (characters,), how far their middles are from the left edge in pixels, NaN where nobody knows.
    """

    pixels: Images
    labels: tuple[int, ...]
    middles: NDArray[np.float64]


def shown(
    gray: Images,
    place: NDArray[np.float64],
    labels: tuple[int, ...],
    middles: NDArray[np.float64],
    *,
    light_ink: bool,
) -> Shown:
    """A row that lies in a picture, without the signs behind or before it that are cut off with the rest of the page.

    Args:
        gray: the picture.
        place: the corners of the row.
        labels: of its characters.
        middles: (characters, 2), x and y of their middles in the picture, NaN where nobody knows.
        light_ink: whether ink is lighter than paper.
    """
    strip = to_strip(gray, place, light_ink=light_ink)
    along = moved(middles, np.asarray(np.linalg.inv(strip.matrix), np.float64))[:, 0] if labels else np.empty(0)
    seen = ~((along < 0) | (along >= strip.pixels.shape[1]))
    return Shown(strip.pixels, tuple(itertools.compress(labels, seen)), along[seen])


def changed(row: Shown, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """As another hand and another scanner would have given it.

    Strokes are bent, slanted and stretched, fainter or fuller, blurred and noisy.

    Returns:
        ink, float32 (40, w), 0 paper to 1 ink, of another width; where the middles of the labels are then.
    """
    import cv2

    bent, middles = _bent(row, rng)
    ink = bent.astype(np.float32) / 255
    if rng.random() < 0.5:
        ink = ink ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.2:
        ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9)), np.float32)
    if rng.random() < 0.3:
        ink = ink + rng.standard_normal(ink.shape, np.float32) * np.float32(rng.uniform(0, 0.08))
    return np.clip(ink, 0, 1), middles


def _bent(row: Shown, rng: np.random.Generator) -> tuple[Images, NDArray[np.float64]]:
    """Stretched along, slanted around the middle of its height, and bent by smooth random waves.

    Simard, Steinkraus and Platt 2003, "Best Practices for Convolutional Neural Networks".
    """
    import cv2

    width = row.pixels.shape[1]
    stretch, slant = float(np.exp(rng.normal(0, _STRETCH))), rng.normal(0, _SLANT)
    wide = max(1, round(width * stretch))
    coarse = rng.normal(0, _WAVE, (2, STRIP_HEIGHT // _WAVE_EVERY + 2, wide // _WAVE_EVERY + 2)).astype(np.float32)
    waves = [cv2.resize(one, (wide, STRIP_HEIGHT), interpolation=cv2.INTER_CUBIC) for one in coarse]
    y, x = np.arange(STRIP_HEIGHT, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)
    from_x = (x + np.float32(0.5)) * np.float32(width / wide) - np.float32(0.5)
    from_x = from_x + np.float32(slant) * (y - STRIP_HEIGHT / 2) + waves[0]
    from_y = np.asarray(y + waves[1], np.float32)
    bent = cv2.remap(
        row.pixels, np.asarray(from_x, np.float32), from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8), row.middles * (wide / width)
