"""Copy rows of bytes out of the data set and scale them in the same pass."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.jit import array, jit, readonly
from inkgrad.kernels.reference.gather import gather_scaled
from inkgrad.kernels.registry import implements


@jit(
    types.void(
        readonly(types.uint8, 2),
        readonly(types.int64, 1),
        types.float32,
        types.float32,
        array(types.float32, 2),
    ),
    exact=True,
)
def _gather(pixels, indices, scale, shift, out):  # type: ignore[no-untyped-def]
    for i in range(indices.size):
        row = indices[i]
        for j in range(pixels.shape[1]):
            out[i, j] = np.float32(pixels[row, j]) * scale + shift


def _fits(pixels: NDArray[np.uint8], indices: NDArray[np.int64], scale: float, shift: float) -> bool:
    if pixels.dtype != np.uint8 or indices.dtype != np.int64:
        return False
    if not (pixels.flags.c_contiguous and indices.flags.c_contiguous):
        return False
    # Compiled code does not check its bounds; the reference wraps negative indices and refuses others.
    return indices.size == 0 or bool(indices.min() >= 0 and indices.max() < len(pixels))


@implements(gather_scaled, backend="numba_cpu", when=_fits)
def gather(pixels: NDArray[np.uint8], indices: NDArray[np.int64], scale: float, shift: float) -> NDArray[np.float32]:
    out = np.empty((indices.size, pixels.shape[1]), np.float32)
    _gather(pixels, indices, np.float32(scale), np.float32(shift), out)
    return out
