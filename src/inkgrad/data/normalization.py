"""Making digits alike before a network sees them: upright, in the middle, of one size, with strokes of one width.

All take and give uint8 (n, 28, 28) with white ink on black; an image without ink stays as it is.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.appearance import with_strokes
from inkgrad.errors import OptionError, ShapeError
from inkgrad.kernels import warp

__all__ = ["NORMALIZATIONS", "center", "deskew", "deskew_ink", "normalize", "normalize_size", "normalize_stroke"]

Images = NDArray[np.uint8]
Map = tuple[NDArray[np.float32], NDArray[np.float32]]
SPREAD = 6.7  # pixels of root mean square distance of ink from its center; nine in ten of MNIST have 5.7 to 7.8
STROKE = 2.6  # pixels; nine in ten of MNIST have 2.0 to 3.9
TOGETHER = 2000  # images at a time, as memory goes


def deskew(images: Images) -> Images:
    """Shear each digit so that its ink does not lean, and move its center of mass to the middle.

    The rows are shifted by x = m_xy / m_yy y, with the central moments of the ink: the slope of the line that its
    pixels lie closest to, taken along the rows.
    """
    return _moved(images, _upright)


def deskew_ink(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """As `deskew`, of float32 (n, h, w) with paper as 0 and more where there is ink, on any scale."""
    parts = [_seen_through(ink[i : i + TOGETHER], _upright) for i in range(0, max(len(ink), 1), TOGETHER)]
    return np.concatenate(parts)


def _upright(moments: "_Moments") -> Map:
    y, x = moments.grid
    slant = moments.xy / np.maximum(moments.yy, 1e-6)
    return y + moments.y, x + slant * y + moments.x


def center(images: Images) -> Images:
    """Move the center of mass of each digit to the middle."""
    return _moved(images, lambda m: (m.grid[0] + m.y, m.grid[1] + m.x))


def normalize_size(images: Images) -> Images:
    """Scale each digit about its center so that its ink lies 6.7 pixels from it, as a root mean square."""

    def map_back(moments: "_Moments") -> Map:
        y, x = moments.grid
        scale = np.clip(np.sqrt(np.maximum(moments.yy + moments.xx, 1e-6)) / SPREAD, 0.4, 2.5)
        return y * scale + moments.y, x * scale + moments.x

    return _moved(images, map_back)


def normalize_stroke(images: Images) -> Images:
    """Thicken or thin the strokes of each digit, by a pixel on every side at most, towards 2.6 pixels.

    A stroke's width is twice the ink over the length of its rim, which is the sum of the gradient's absolute value.
    """
    parts = []
    for part in _parts(images):
        ink = np.asarray(part.astype(np.float32) / 255, np.float32)
        down, right = np.gradient(ink, axis=(1, 2))
        rim = np.hypot(down, right).sum((1, 2))
        width = 2 * ink.sum((1, 2)) / np.maximum(rim, 1e-6)
        share = np.clip((STROKE - width) / 2, -1, 1)[:, None, None]
        changed = with_strokes(ink, np.asarray(share, np.float32))
        parts.append(np.rint(255 * np.clip(changed, 0, 1)).astype(np.uint8))
    return _joined(parts, images)


NORMALIZATIONS: dict[str, Callable[[Images], Images]] = {
    "deskew": deskew,
    "center": center,
    "size": normalize_size,
    "stroke": normalize_stroke,
}
"""Names of normalizations, as `--normalize` takes them."""


def normalize(images: Images, names: Sequence[str]) -> Images:
    """One normalization after the other.

    Raises:
        OptionError: no normalization of that name.

    >>> bar = np.zeros((1, 28, 28), np.uint8)
    >>> bar[0, 4:14, 3:6] = 255
    >>> rows, columns = np.nonzero(normalize(bar, ["center"])[0])
    >>> rows.mean(), columns.mean()
    (np.float64(13.5), np.float64(13.5))
    """
    for name in names:
        if name not in NORMALIZATIONS:
            raise OptionError(f"no normalization is named {name!r}; there are {', '.join(NORMALIZATIONS)}")
    for name in names:
        images = NORMALIZATIONS[name](images)
    return images


class _Moments:
    """The ink's center of mass and central second moments, each (n, 1, 1), and the grid about the middle.

    `y` and `x` are where the center lies, `grid` is what the middle's distance is to each pixel.
    """

    def __init__(self, ink: NDArray[np.float32]) -> None:
        n, h, w = ink.shape
        rows, columns = (axis.astype(np.float32) for axis in np.mgrid[:h, :w])
        mass = np.maximum(ink.sum((1, 2), keepdims=True), 1e-6)
        self.y, self.x = ((ink * at).sum((1, 2), keepdims=True) / mass for at in (rows, columns))
        down, right = rows - self.y, columns - self.x
        self.yy, self.xx, self.xy = (
            (ink * a * b).sum((1, 2), keepdims=True) / mass for a, b in ((down, down), (right, right), (down, right))
        )
        shape = (n, h, w)
        middle = (np.float32((h - 1) / 2), np.float32((w - 1) / 2))
        self.grid = (np.broadcast_to(rows - middle[0], shape), np.broadcast_to(columns - middle[1], shape))


def _seen_through(ink: NDArray[np.float32], map_back: Callable[[_Moments], Map]) -> NDArray[np.float32]:
    """Each image seen through a map from a place of the result to its origin."""
    y, x = (np.ascontiguousarray(axis, np.float32) for axis in map_back(_Moments(ink)))
    return warp(np.ascontiguousarray(ink), y, x)


def _moved(images: Images, map_back: Callable[[_Moments], Map]) -> Images:
    parts = []
    for part in _parts(images):
        changed = np.rint(np.clip(_seen_through(part.astype(np.float32), map_back), 0, 255)).astype(np.uint8)
        parts.append(np.where(part.any((1, 2), keepdims=True), changed, part))
    return _joined(parts, images)


def _parts(images: Images) -> list[Images]:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ShapeError(f"a normalization takes uint8 images (n, h, w), but got {images.dtype} {images.shape}")
    return [images[i : i + TOGETHER] for i in range(0, len(images), TOGETHER)]


def _joined(parts: list[Images], images: Images) -> Images:
    return np.concatenate(parts) if parts else images.copy()
