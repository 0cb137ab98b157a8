"""Copy rows of bytes out of the data set and scale them in the same pass."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, jit, readonly
from inkgrad.kernels.reference.gather import gather_scaled
from inkgrad.kernels.registry import implements

BLOCK = 128  # rows that are fetched into the cache together, before they are scaled
LINE = 64  # bytes of a cache line


@jit(
    types.int64(
        readonly(types.uint8, 2),
        readonly(types.int64, 1),
        types.float32,
        types.float32,
        array(types.float32, 2),
    ),
    exact=True,
)
def _gather(pixels, indices, scale, shift, out):  # type: ignore[no-untyped-def]
    for i in range(indices.size):  # compiled code does not check its bounds
        if indices[i] < 0 or indices[i] >= pixels.shape[0]:
            return -1
    touched = 0
    for start in range(0, indices.size, BLOCK):
        stop = min(start + BLOCK, indices.size)
        for i in range(start, stop):  # nothing but loads, so that many are under way at once
            for j in range(0, pixels.shape[1], LINE):
                touched += pixels[indices[i], j]
        for i in range(start, stop):
            row = indices[i]
            for j in range(pixels.shape[1]):
                out[i, j] = np.float32(pixels[row, j]) * scale + shift
    return touched  # or the compiler would drop the fetching


def _fits(pixels: NDArray[np.uint8], indices: NDArray[np.int64], scale: float, shift: float) -> bool:
    if pixels.dtype != np.uint8 or indices.dtype != np.int64:
        return False
    return pixels.flags.c_contiguous and indices.flags.c_contiguous


@implements(gather_scaled, backend="numba_cpu", when=_fits)
def gather(pixels: NDArray[np.uint8], indices: NDArray[np.int64], scale: float, shift: float) -> NDArray[np.float32]:
    out = np.empty((indices.size, pixels.shape[1]), np.float32)
    if _gather(pixels, indices, np.float32(scale), np.float32(shift), out) < 0:
        return gather_scaled.reference(pixels, indices, scale, shift)  # wraps negative indices, refuses others
    return out
