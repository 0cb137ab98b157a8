"""Images 28x28 without any single thing in them."""

import functools

import numpy as np

from inkgrad.data.dataset import SIDE, Images

__all__ = ["clouds", "gratings", "nothing", "patterns", "photographs"]


def clouds(rng: np.random.Generator) -> Images:
    """Noise that is smooth over one to five pixels, as gray levels or cut to black and white."""
    import cv2

    noise = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), rng.uniform(0.3, 5))
    level = float(np.quantile(noise, rng.uniform(0.3, 0.9)))
    if rng.random() < 0.5:
        return np.where(noise > level, 255, 0).astype(np.uint8)
    return _stretched(np.maximum(noise, level))


def gratings(rng: np.random.Generator) -> Images:
    """One or two waves across the image."""
    y, x = np.mgrid[:SIDE, :SIDE]
    total = np.zeros((SIDE, SIDE))
    for _ in range(rng.integers(1, 3)):
        angle, length = rng.uniform(0, np.pi), rng.uniform(2.5, 12)
        wave = (np.cos(angle) * x + np.sin(angle) * y) / length
        total += np.sin(2 * np.pi * (wave + rng.random()))
    return _stretched(np.sign(total) if rng.random() < 0.5 else total)


def nothing(rng: np.random.Generator) -> Images:
    """An empty sheet, at most with a few specks or with dust."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    kind = rng.integers(4)
    if kind == 1:
        for row, column in rng.integers(0, SIDE - 2, (rng.integers(1, 6), 2)):
            image[row : row + rng.integers(1, 4), column : column + rng.integers(1, 4)] = 255
    elif kind == 2:
        image[rng.random(image.shape) < rng.uniform(0, 0.3)] = 255
    elif kind == 3:
        image[:] = rng.integers(0, 256) * rng.random(image.shape) ** rng.uniform(0, 2)
    return image


def patterns(rng: np.random.Generator) -> Images:
    """Squares of a chess board, dots in rows, bricks or hatching."""
    y, x = np.mgrid[:SIDE, :SIDE]
    size = int(rng.integers(2, 7))
    y, x = y + rng.integers(size), x + rng.integers(size)
    drawn = (
        lambda: (y // size + x // size) % 2 == 0,
        lambda: (y % (size + 2) - 1) ** 2 + (x % (size + 2) - 1) ** 2 <= size / 2,
        lambda: (y % size == 0) | ((x + y // size % 2 * size) % (2 * size) == 0),
        lambda: ((x + y) % size == 0) | ((x - y) % size == 0),
    )
    return np.where(drawn[rng.integers(4)](), 255, 0).astype(np.uint8)


def photographs(rng: np.random.Generator) -> Images:
    """A piece of one of scikit-learn's two photographs."""
    import cv2

    photo = _photos()[rng.integers(2)]
    side = int(rng.integers(SIDE, 200))
    top, left = (int(rng.integers(length - side)) for length in photo.shape)
    piece = cv2.resize(photo[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return _stretched(piece.astype(np.float64))


@functools.cache
def _photos() -> list[Images]:
    from sklearn import datasets

    weights = np.array([0.299, 0.587, 0.114])
    return [(photo @ weights).astype(np.uint8) for photo in datasets.load_sample_images().images]


def _stretched(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Images:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) * (255 / max(high - low, 1e-6)), np.uint8)
