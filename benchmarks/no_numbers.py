"""Pictures in which there is no number: what a reader must leave alone."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.fonts import DIGIT_FONTS, FONTS, printed
from inkgrad.data.numbers.paper import Paper, on_sheet
from inkgrad.data.numbers.words import random_word

Images = NDArray[np.uint8]
FACES = [font for font in DIGIT_FONTS if font not in FONTS]  # the others are learned from
_NONE = np.zeros((0, 4))


def blank(rng: np.random.Generator) -> Images:
    """Paper alone, of any color and light, perhaps ruled."""
    ink = np.zeros((int(rng.integers(200, 900)), int(rng.integers(200, 1200))), np.float32)
    return on_sheet(ink, _NONE, Paper(boxes=0.0, stamp=0.0, pattern=0.3, ruled=0.3), rng)


def words(rng: np.random.Generator) -> Images:
    """Lines of printed words, of any letters, in fonts that the reader has not learned from."""
    h, w = int(rng.integers(200, 700)), int(rng.integers(400, 1000))
    ink = np.zeros((h, w), np.float32)
    size, font = int(rng.integers(16, 60)), FACES[rng.integers(len(FACES))]
    for top in range(10, h - 2 * size, int(1.8 * size)):
        left = 15
        while left < w - 6 * size:
            glyphs = printed(random_word(rng), font, size)
            if left + glyphs.shape[1] < w - 10 and top + glyphs.shape[0] < h:
                ink[top : top + glyphs.shape[0], left : left + glyphs.shape[1]] = glyphs / np.float32(255)
            left += glyphs.shape[1] + size // 2
    return on_sheet(ink, _NONE, Paper(boxes=0.0, stamp=0.0, pattern=0.0), rng)


def drawing(rng: np.random.Generator) -> Images:
    """Curves, polygons and hatching of a pen."""
    import cv2

    h, w = int(rng.integers(300, 700)), int(rng.integers(300, 900))
    canvas = np.zeros((h, w), np.uint8)
    for _ in range(rng.integers(2, 9)):
        corners = rng.uniform(0, 1, (rng.integers(3, 9), 2)) * (w, h)
        closed, pen = bool(rng.random() < 0.4), int(rng.integers(2, 6))
        if rng.random() < 0.5:  # a smooth curve through the corners
            steps = np.linspace(0, len(corners) - 1, 80)
            corners = np.stack([np.interp(steps, range(len(corners)), corners[:, axis]) for axis in (0, 1)], axis=1)
            corners = cv2.GaussianBlur(corners, (1, 31), 0, sigmaY=6).reshape(-1, 2)
        cv2.polylines(canvas, [np.rint(corners).astype(np.int32)], closed, 255, pen, cv2.LINE_AA)
    return on_sheet(canvas.astype(np.float32) / 255, _NONE, Paper(boxes=0.0, stamp=0.0, pattern=0.0, ruled=0.0), rng)


def photograph(rng: np.random.Generator) -> Images:
    """A part of one of scikit-learn's sample photographs."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    gray = np.asarray(photos[rng.integers(len(photos))] @ np.array([0.299, 0.587, 0.114]), np.uint8)
    h, w = rng.integers(150, gray.shape[0] + 1), rng.integers(150, gray.shape[1] + 1)
    top, left = rng.integers(0, gray.shape[0] - h + 1), rng.integers(0, gray.shape[1] - w + 1)
    return np.ascontiguousarray(gray[top : top + h, left : left + w])


def noise(rng: np.random.Generator) -> Images:
    """Noise, smooth or not."""
    import cv2

    h, w = int(rng.integers(100, 600)), int(rng.integers(100, 800))
    drawn = rng.normal(0, 1, (h, w))
    if rng.random() < 0.5:
        drawn = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.5, 5))
    drawn = drawn / drawn.std() * rng.uniform(5, 60) + rng.uniform(60, 200)
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


KINDS: dict[str, Callable[[np.random.Generator], Images]] = {
    "blank paper": blank,
    "printed words": words,
    "drawings": drawing,
    "photographs": photograph,
    "noise": noise,
}
