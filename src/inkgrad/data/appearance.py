"""What changes the look of images and leaves their pixels where they are; float32 (n, h, w) in 0..1, ink as 1."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["blurred", "inverted", "noisy", "on_paper", "thickened", "with_cutout", "with_strokes"]

Images = NDArray[np.float32]


def _drawn(n: int, low: float, high: float, rng: np.random.Generator) -> Images:
    """(n, 1, 1): a number for each image."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def thickened(images: Images, most: float, rng: np.random.Generator) -> Images:
    """Part of the way towards the brightest, or the darkest, of each pixel and its eight neighbours."""
    return with_strokes(images, _drawn(len(images), -most, most, rng))


def with_strokes(images: Images, share: Images) -> Images:
    """Thicker by a share (n, 1, 1) above 0 of a pixel on every side, thinner by one below 0."""
    thick, thin = _extreme(images, np.maximum), _extreme(images, np.minimum)
    return np.asarray(images + np.where(share > 0, share * (thick - images), -share * (thin - images)), np.float32)


def _extreme(images: Images, choose: np.ufunc) -> Images:
    """np.maximum or np.minimum of each pixel and its eight neighbours; beyond the image there is no ink."""
    rows = np.pad(images, ((0, 0), (1, 1), (0, 0)))
    lines = choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    columns = np.pad(lines, ((0, 0), (0, 0), (1, 1)))
    found: Images = choose(choose(columns[:, :, :-2], columns[:, :, 1:-1]), columns[:, :, 2:])
    return found


def blurred(images: Images, most: float, rng: np.random.Generator) -> Images:
    """A Gaussian blur with a standard deviation of up to `most` pixels; the paper goes on beyond the image."""
    n, h, w = images.shape
    sigma = np.maximum(_drawn(n, 0, most, rng), np.float32(1e-3))

    def smoothing(size: int) -> Images:
        distance = (np.arange(size)[:, None] - np.arange(size)).astype(np.float32)
        weights = np.exp(-0.5 * (distance / sigma) ** 2)
        return np.asarray(weights / weights.sum(axis=2, keepdims=True), np.float32)

    return np.asarray(smoothing(h) @ images @ smoothing(w).transpose(0, 2, 1), np.float32)


def noisy(images: Images, most: float, rng: np.random.Generator) -> Images:
    """Normal noise of a standard deviation of up to `most`; what leaves 0..1 is cut off."""
    noise = rng.standard_normal(images.shape, np.float32)
    noise *= _drawn(len(images), 0, most, rng)
    noise += images
    result: Images = np.clip(noise, 0, 1, out=noise)
    return result


def on_paper(images: Images, contrast: float, background: float, rng: np.random.Generator) -> Images:
    """Paler ink, on paper whose brightness, up to `background`, changes evenly from one side to the other."""
    n, h, w = images.shape
    strength = _drawn(n, 1 - contrast, 1, rng)
    level, angle = _drawn(n, 0, background, rng), _drawn(n, 0, 2 * np.pi, rng)
    y, x = (np.linspace(-0.5, 0.5, size, dtype=np.float32) for size in (h, w))
    slope = (np.cos(angle) * x + np.sin(angle) * y[:, None]) / np.float32(np.sqrt(2)) + np.float32(0.5)
    paper = level * slope
    return np.asarray(paper + strength * images * (1 - paper), np.float32)


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
