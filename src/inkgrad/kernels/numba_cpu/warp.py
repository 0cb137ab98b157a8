"""The value of an image at any point between its pixels."""

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, is_float32, jit, readonly
from inkgrad.kernels.reference import warp as reference
from inkgrad.kernels.registry import implements

_READ = readonly(types.float32, 3)


@jit(types.void(_READ, _READ, _READ, array(types.float32, 3)), exact=True)  # factored, infinity would become NaN
def _warp(images, rows, columns, out):  # type: ignore[no-untyped-def]
    h, w = images.shape[1], images.shape[2]
    one, last_row, last_column = np.float32(1), np.float32(h - 1), np.float32(w - 1)
    for i in range(out.shape[0]):
        image = images[i]
        for a in range(out.shape[1]):
            for b in range(out.shape[2]):
                y, x = rows[i, a, b], columns[i, a, b]
                if y >= 0 and y < last_row and x >= 0 and x < last_column:  # among four pixels, as nearly all are
                    up, to = np.uint32(y), np.uint32(x)  # unsigned: numbers from the end are not looked for
                    down, right = y - np.float32(up), x - np.float32(to)
                    next_up, next_to = up + np.uint32(1), to + np.uint32(1)
                    upper = image[up, to] * (one - right) + image[up, next_to] * right
                    lower = image[next_up, to] * (one - right) + image[next_up, next_to] * right
                    out[i, a, b] = upper * (one - down) + lower * down
                    continue
                total = np.float32(0)
                if y >= -1 and y < h and x >= -1 and x < w:  # NaN lies outside
                    top, left = math.floor(y), math.floor(x)
                    down, right = y - np.float32(top), x - np.float32(left)
                    if top >= 0:
                        if left >= 0:
                            total += image[top, left] * (one - down) * (one - right)
                        if left + 1 < w:
                            total += image[top, left + 1] * (one - down) * right
                    if top + 1 < h:
                        if left >= 0:
                            total += image[top + 1, left] * down * (one - right)
                        if left + 1 < w:
                            total += image[top + 1, left + 1] * down * right
                out[i, a, b] = total


def _fits(images: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> bool:
    alike = images.ndim == rows.ndim == 3 and rows.shape == columns.shape and len(rows) == len(images)
    return alike and is_float32(images, rows, columns)


@implements(reference.warp, backend="numba_cpu", when=_fits)
def warp(images: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty(rows.shape, np.float32)
    _warp(images, rows, columns, out)
    return out
