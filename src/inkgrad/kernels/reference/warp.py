"""Moving an image's pixels: the value at any point between them."""

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel


@kernel
def warp(images: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """out[i, p] = images[i] at (rows[i, p], columns[i, p]), between pixels by bilinear interpolation.

    images (n, h, w), rows and columns (n, a, b) in pixels, the first pixel's middle at 0 -> (n, a, b); 0 outside the
    image, and where a coordinate is NaN.
    """
    n, h, w = images.shape
    padded = np.zeros((n, h + 4, w + 4), images.dtype)
    padded[:, 2:-2, 2:-2] = images
    nowhere = np.isnan(rows) | np.isnan(columns)
    y, x = (np.where(nowhere, -2, np.clip(at, -2, most)) for at, most in ((rows, h), (columns, w)))  # all 0 there
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    down, right = (y - top).astype(images.dtype), (x - left).astype(images.dtype)
    i = np.arange(n)[:, None, None]
    upper = padded[i, top + 2, left + 2] * (1 - right) + padded[i, top + 2, left + 3] * right
    lower = padded[i, top + 3, left + 2] * (1 - right) + padded[i, top + 3, left + 3] * right
    return np.asarray(upper * (1 - down) + lower * down, images.dtype)
