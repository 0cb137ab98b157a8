"""What changes the look of images and leaves their pixels where they are; float32 (n, h, w) in 0..1, ink as 1."""

import functools

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "blurred",
    "coarsened",
    "inverted",
    "lined",
    "noisy",
    "on_paper",
    "speckled",
    "thickened",
    "with_cutout",
    "with_strokes",
]

Images = NDArray[np.float32]

NEGLIGIBLE = 1e-9
"""Weights below this are 0: they change no pixel, and arithmetic with subnormal numbers is many times slower."""


def _drawn(n: int, low: float, high: float, rng: np.random.Generator) -> Images:
    """(n, 1, 1): a number for each image."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def thickened(images: Images, most: float, rng: np.random.Generator) -> Images:
    """Part of the way towards the brightest, or the darkest, of each pixel and its eight neighbours."""
    return with_strokes(images, _drawn(len(images), -most, most, rng))


def with_strokes(images: Images, share: Images) -> Images:
    """Thicker by a share (n, 1, 1) above 0 of a pixel on every side, thinner by one below 0."""
    import cv2

    n, h, w = images.shape
    if images.size == 0:
        return images
    # One above the other, with a line of paper between them; there is no ink beyond an image's sides either.
    column = np.zeros((n, h + 1, w), np.float32)
    column[:, :h] = images
    thick, thin = (
        change(column.reshape(-1, w), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
        for change in (cv2.dilate, cv2.erode)
    )
    towards = np.where(share > 0, thick.reshape(column.shape)[:, :h], thin.reshape(column.shape)[:, :h])
    return np.asarray(images + np.abs(share) * (towards - images), np.float32)


def blurred(images: Images, most: float, rng: np.random.Generator) -> Images:
    """A Gaussian blur with a standard deviation of up to `most` pixels; the paper goes on beyond the image."""
    n, h, w = images.shape
    sigma = np.maximum(_drawn(n, 0, most, rng)[:, 0], np.float32(1e-3))
    weights = np.exp(-0.5 * (np.arange(max(h, w), dtype=np.float32) / sigma) ** 2)
    weights[weights < NEGLIGIBLE] = 0

    def smoothing(size: int) -> Images:
        distance = np.abs(np.arange(size)[:, None] - np.arange(size))
        matrices: Images = weights.take(distance, axis=1)
        matrices /= matrices.sum(axis=2, keepdims=True)
        return matrices

    down = smoothing(h)
    across = down if h == w else smoothing(w)
    return np.asarray(down @ images @ across.transpose(0, 2, 1), np.float32)


def noisy(images: Images, most: float, rng: np.random.Generator) -> Images:
    """Normal noise of a standard deviation of up to `most`; what leaves 0..1 is cut off.

    16 random bits choose one of the quantiles, which takes a third of the time of drawing exactly.
    """
    bits = rng.integers(0, 2**64, -(-images.size // 4), np.uint64).view(np.uint16)
    noise = _normal_quantiles().take(bits[: images.size]).reshape(images.shape)
    noise *= _drawn(len(images), 0, most, rng)
    noise += images
    result: Images = np.clip(noise, 0, 1, out=noise)
    return result


@functools.cache
def _normal_quantiles() -> Images:
    """(65536,): the middles, by probability, of as many equally likely parts of the standard normal distribution."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(2**16) + 0.5) / 2**16), np.float32)


def on_paper(images: Images, contrast: float, background: float, rng: np.random.Generator) -> Images:
    """Paler ink, on paper whose brightness, up to `background`, changes evenly from one side to the other."""
    n, h, w = images.shape
    strength = _drawn(n, 1 - contrast, 1, rng)
    level, angle = _drawn(n, 0, background, rng), _drawn(n, 0, 2 * np.pi, rng)
    y, x = (np.linspace(-0.5, 0.5, size, dtype=np.float32) for size in (h, w))
    slope = (np.cos(angle) * x + np.sin(angle) * y[:, None]) / np.float32(np.sqrt(2)) + np.float32(0.5)
    paper = level * slope
    return np.asarray(paper + strength * images * (1 - paper), np.float32)


def lined(images: Images, probability: float, rng: np.random.Generator) -> Images:
    """With a probability one or two lines from side to side, upright or level but for a slope of up to 1 in 10."""
    import cv2

    n, h, w = images.shape
    images = np.array(images)
    for index in np.flatnonzero(rng.random(n) < probability):
        for _ in range(rng.integers(1, 3)):
            upright = rng.random() < 0.5
            length, breadth = (h, w) if upright else (w, h)
            begin = rng.uniform(0, breadth - 1)
            end = begin + rng.uniform(-0.1, 0.1) * length
            points = np.array([[begin, 0], [end, length - 1]] if upright else [[0, begin], [length - 1, end]])
            line = np.zeros((h, w), np.uint8)
            ends = np.rint(points * 16).astype(np.int32)
            cv2.polylines(line, [ends], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
            images[index] = np.maximum(images[index], line * np.float32(rng.uniform(0.3, 1) / 255))
    return images


def coarsened(images: Images, probability: float, rng: np.random.Generator) -> Images:
    """As a coarse scan gives it: 12 to 24 pixels a side, half of the time black and white, enlarged again."""
    import cv2

    result = images.copy()
    h, w = images.shape[1:]
    for index in np.flatnonzero(rng.random(len(images)) < probability):
        side = int(rng.integers(12, 25))
        small = np.asarray(cv2.resize(images[index], (side, side), interpolation=cv2.INTER_AREA), np.float32)
        if rng.random() < 0.5:
            small = (small > rng.uniform(0.25, 0.6)).astype(np.float32)
        way = (cv2.INTER_NEAREST, cv2.INTER_LINEAR)[int(rng.random() < 0.5)]
        result[index] = cv2.resize(small, (w, h), interpolation=way)
    return result


def speckled(images: Images, most: float, rng: np.random.Generator) -> Images:
    """A share of up to `most` of the pixels black or white, either as often as the other."""
    drawn = rng.random(images.shape, np.float32)
    share = _drawn(len(images), 0, most, rng)
    white = np.where(drawn < share / 2, np.float32(1), images)
    result: Images = np.where(drawn > 1 - share / 2, np.float32(0), white)
    return result


def with_cutout(images: Images, side: int, rng: np.random.Generator) -> Images:
    """A square of `side` pixels wiped out somewhere inside each image (DeVries and Taylor 2017, arXiv 1708.04552)."""
    n, h, w = images.shape
    top, left = (rng.integers(max(size - side, 0) + 1, size=(n, 1)) for size in (h, w))
    rows, columns = np.arange(h), np.arange(w)
    tall, wide = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    result: Images = np.where(tall[:, :, None] & wide[:, None, :], np.float32(0), images)
    return result


def inverted(images: Images, probability: float, rng: np.random.Generator) -> Images:
    """Dark ink on bright paper, with a probability."""
    chosen = rng.random((len(images), 1, 1)) < probability
    result: Images = np.where(chosen, 1 - images, images)
    return result
