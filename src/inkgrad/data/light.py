"""The light on what was written on, and whether the ink on it is dark or light."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.form import quantile

__all__ = ["grain", "ink_sign", "paper_and_shadows", "paper_under", "skewness"]

Floats = NDArray[np.float32]


def grain(lit: Images) -> float:
    """The standard deviation of noise from pixel to pixel, by a mask that cancels smooth light and edges.

    Source: J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996).
    """
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return 1.4826 * float(np.median(np.abs(cv2.filter2D(lit.astype(np.float32), -1, mask)))) / 6


def _small(gray: Images, longest: int) -> Images:
    import cv2

    scale = min(1.0, longest / max(gray.shape))
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def ink_sign(gray: Images) -> int:
    """-1 for dark ink, 1 for light ink: the side on which the light's trend leaves the longer tail."""
    import cv2

    small = _small(gray, 96)
    window = min(max(3, min(small.shape) // 2), 95) | 1
    skew = 0.0
    for paper in (cv2.medianBlur(small, window), _trend(small, 6000, everything=True)):
        rest = small.astype(np.float64) - paper
        skew += float((rest**3).mean()) / max(float((rest**2).mean()) ** 1.5, 1e-9)
    return 1 if skew > 0 else -1


def skewness(gray: Images | Floats, reach: float, where: NDArray[np.bool_] | None = None) -> float:
    """The skewness of how pixels differ from their surroundings: above 0 where the fewer are the lighter ones.

    Args:
        gray: uint8 or float32 (h, w).
        reach: standard deviation of what counts as surroundings, in pixels.
        where: bool (h, w), the pixels to look at.

    Strokes are fewer than what they are drawn on. A step from light to dark has no skewness.

    >>> paper = np.full((40, 60), 50, np.uint8)
    >>> paper[10:30, 20:23] = 200
    >>> skewness(paper, 10.0) > 0, skewness(255 - paper, 10.0) < 0
    (True, True)
    """
    import cv2

    levels = np.asarray(gray, np.float32)
    window = max(3, round(reach * 6**0.5)) | 1  # two boxes of width w blur by sqrt(2 w^2 / 12)
    around = cv2.blur(cv2.blur(levels, (window, window)), (window, window))
    rest = levels - np.asarray(around, np.float32)
    rest = rest if where is None else rest[where]
    rest = rest - rest.mean() if rest.size else rest
    squares = rest * rest
    return float((squares * rest).mean()) / max(float(squares.mean()) ** 1.5, 1e-6) if rest.size else 0.0


def paper_under(lit: Images, samples: int = 6000) -> Floats:
    """The paper under dark ink: the light's trend, and what a closing wider than any stroke leaves of the rest.

    The trend is fitted to so many pixels.
    """
    small = _small(lit, 256)
    trend = _trend(small, samples)
    level = np.clip(small - trend + 192, 0, 255).astype(np.uint8)
    return _as_large(_without_strokes(level).astype(np.float32) - 192 + trend, lit)


def paper_and_shadows(lit: Images) -> Floats:
    """The paper under dark ink where shadows with sharp edges fall, which no smooth trend follows."""
    import cv2

    small = _small(lit, 256)
    # Enlarged, a shadow's edge is softer than it is: a pixel less of light keeps it from looking like ink.
    dark_edges = np.asarray(cv2.erode(_without_strokes(small), np.ones((3, 3), np.uint8)), np.float32)
    return np.minimum(paper_under(lit, 600), _as_large(dark_edges, lit))


def _without_strokes(small: Images) -> Images:
    import cv2

    window = max(3, round(0.3 * min(small.shape))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window, window))
    return np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), np.uint8)


def _as_large(small: Floats, picture: Images) -> Floats:
    import cv2

    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _trend(small: Images, samples: int, *, everything: bool = False) -> Floats:
    """A cubic surface through the picture, or, ink being darker, through its paper."""
    up, along = (np.vander(np.linspace(-1, 1, side), 4, increasing=True) for side in small.shape)
    values = small.ravel().astype(np.float64)
    step = max(1, len(values) // samples)
    target = values[::step]
    rows, columns = np.divmod(np.arange(0, len(values), step), small.shape[1])
    exponents = np.array([(i, j) for i in range(4) for j in range(4 - i)])
    basis = np.ascontiguousarray((along[columns][:, exponents[:, 0]] * up[rows][:, exponents[:, 1]]).T)
    # A little of a ridge keeps the surface flat where hardly any paper is left to see.
    ridge = 1e-3 * len(target) * np.diag([0.0] + [1.0] * 9)
    kept = np.ones(len(target), np.bool_)
    for _ in range(1 if everything else 8):
        some = basis * kept
        factors = np.linalg.solve(some @ basis.T + ridge, some @ target)
        rest = target - factors @ basis
        spread = quantile(np.abs(rest[kept]), 0.5) * 1.4826
        before, kept = kept, rest > -max(4.0, 1.5 * spread)
        if np.array_equal(kept, before):
            break
    cubic = np.zeros((4, 4))
    cubic[exponents[:, 1], exponents[:, 0]] = factors
    surface: Floats = (up @ cubic @ along.T).astype(np.float32)
    return surface
