"""Bringing ink to MNIST's form: 20 pixels on the longest side, the center of mass in the middle of 28x28."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import SIDE, Images

__all__ = ["crop_to_ink", "has_form", "quantile", "to_form"]

_BOX = 20
_RIM = 64
_THINNEST = 1.7  # pixels in the finished picture; MNIST's strokes are 2 to 4 wide


def to_form(ink: Images) -> Images:
    """Center white ink on black as MNIST's authors did.

    The ink is cropped, scaled (antialiased, gray levels kept) so that its longest side is 20 pixels, and
    shifted by whole pixels so that its center of mass is in the middle. Strokes that would become thinner
    than any pen in MNIST are widened first. What has the form already comes back as it was.

    Args:
        ink: uint8 (h, w), 0 where there is no ink; some ink.

    Returns:
        uint8 (28, 28).

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits" (1998).

    >>> bar = np.zeros((60, 50), np.uint8)
    >>> bar[10:50, 20:26] = 255
    >>> form = to_form(bar)
    >>> rows, columns = np.nonzero(form)
    >>> rows.min(), rows.max(), columns.min(), columns.max()
    (np.int64(4), np.int64(23), np.int64(13), np.int64(15))
    """
    crop = crop_to_ink(ink)
    if max(crop.shape) > SIDE:
        # In a large picture the pale rim, and what JPEG leaves there, is not part of the stroke.
        crop = crop_to_ink(crop, min(_RIM, int(crop.max()) - 1))
    longest = max(crop.shape)
    if longest != _BOX:
        crop = _resample(crop, _BOX / longest)
    return _center(crop)


def has_form(gray: Images) -> bool:
    """Whether an image is what `to_form` makes of it, so that there is nothing to be done.

    >>> has_form(np.zeros((28, 28), np.uint8)), has_form(to_form(np.eye(50, dtype=np.uint8)))
    (False, True)
    """
    return gray.shape == (SIDE, SIDE) and bool(gray.any()) and np.array_equal(to_form(gray), gray)


def quantile(values: NDArray[Any], share: float) -> float:
    """The quantile of some numbers, as NumPy's: between two neighbors it is interpolated, but many times as fast."""
    place = share * (values.size - 1)
    below = int(place)
    parts = np.partition(values.ravel(), (below, min(below + 1, values.size - 1)))
    low, high = float(parts[below]), float(parts[min(below + 1, values.size - 1)])
    return low + (place - below) * (high - low)


def crop_to_ink(ink: Images, paler_than: int = 0) -> Images:
    """The box of what is brighter than `paler_than`."""
    seen = ink > paler_than
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    crop: Images = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return crop


def _resample(crop: Images, scale: float) -> Images:
    import cv2

    if scale < 1:
        crop = _widen(crop, scale)
        scale = _BOX / max(crop.shape)
    height, width = (max(1, round(side * scale)) for side in crop.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(crop, (width, height), interpolation=method).astype(np.float32)
    # Averaging pales thin strokes; a pen's full black is white again.
    full = quantile(small[small > 0.4 * small.max()], 0.8)
    return np.asarray(np.clip(small * (255 / max(full, 1)), 0, 255), np.uint8)


def _widen(crop: Images, scale: float) -> Images:
    import cv2

    mask = np.pad((crop > 100).astype(np.uint8), 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    # In a stroke of width w the depth runs evenly from 0 to w/2: its mean is w/4.
    stroke = 4 * float(depth[mask > 0].mean()) - 1 if mask.any() else 0.0
    missing = round(_THINNEST / scale - stroke)
    if missing < 1:
        return crop
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (missing + 1, missing + 1))
    return crop_to_ink(np.asarray(cv2.dilate(np.pad(crop, missing), kernel), np.uint8))


def _center(crop: Images) -> Images:
    weights = crop.astype(np.float64)
    total = weights.sum()
    picture = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, side in enumerate(crop.shape):
        middle = float((weights.sum(axis=1 - axis) * np.arange(side)).sum() / total)
        # The middle of MNIST's pictures is pixel 14. Ink that leans far to a side still stays inside.
        corner.append(min(max(round(SIDE / 2 - middle), 0), SIDE - side))
    top, left = corner
    picture[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    return picture
