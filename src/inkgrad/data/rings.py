"""Zeros as round as people draw them, which sets of scanned digits have few of."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import DIGITS, SIDE, Dataset, Images
from inkgrad.data.form import to_form

__all__ = ["rings"]

_SIDE = 112
_ROUND = 0.42 * _SIDE  # half of its height
_GAP = 0.3  # radians that the ends may be apart; wider open, a ring is taken for a C or a 6
_OVERLAP = 0.7  # radians that the end may go beyond the beginning


def rings(count: int, rng: np.random.Generator) -> Dataset:
    """Zeros of one stroke with a pen of even width, from narrow ovals to circles, in MNIST's form.

    A ring leans, is uneven, and ends a little before its beginning, on it, or beyond it and beside it.

    Args:
        count: how many.
        rng: where chance comes from.

    >>> drawn = rings(3, np.random.default_rng(0))
    >>> drawn.images.shape, drawn.labels
    ((3, 28, 28), array([0, 0, 0]))
    """
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        images[index] = to_form(_ring(rng))
    return Dataset(images, np.zeros(count, np.int64), "rings", DIGITS)


def _ring(rng: np.random.Generator) -> Images:
    import cv2

    turn = 2 * np.pi * rng.choice([-1, 1])  # either way around
    beyond = rng.uniform(-_GAP, _OVERLAP) / (2 * np.pi) if rng.random() < 0.7 else 0.0
    way = np.linspace(0, 1 + beyond, 100)
    angles = rng.normal(0, 0.5) + turn * way  # from near the top
    radius = 1 + _waves(angles, rng) + rng.normal(0, 0.05) * way  # the end does not meet the beginning
    wide, lean = rng.uniform(0.4, 1.15), rng.normal(0, 0.15)
    x, y = radius * np.sin(angles), -radius * np.cos(angles)
    path = _SIDE / 2 + _ROUND * 0.85 * np.stack([wide * x - lean * y, y], axis=1)
    canvas = np.zeros((_SIDE, _SIDE), np.uint8)
    pen = int(rng.integers(3, 15))
    cv2.polylines(canvas, [np.rint(path * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
    return canvas


def _waves(angles: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """How far a hand strays from an oval: slow waves around it."""
    times = np.array([2, 3, 4])
    sizes = rng.normal(0, 0.045, 3) / np.sqrt(times)
    waves: NDArray[np.float64] = np.cos(np.outer(angles, times) + rng.uniform(0, 2 * np.pi, 3)) @ sizes
    return waves
