"""Arrays that begin where the processor's caches like them to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CACHE_LINE", "aligned"]

CACHE_LINE = 64  # bytes


def aligned(size: int, dtype: Any) -> NDArray[Any]:
    """(size,) zeros that begin at a cache line, so that two threads that share the array evenly share no line.

    >>> aligned(3, "float32"), aligned(3, "float32").ctypes.data % CACHE_LINE
    (array([0., 0., 0.], dtype=float32), 0)
    """
    nbytes = size * np.dtype(dtype).itemsize
    room = np.zeros(nbytes + CACHE_LINE, np.uint8)
    skip = -room.ctypes.data % CACHE_LINE
    array: NDArray[Any] = room[skip : skip + nbytes].view(dtype)
    return array
