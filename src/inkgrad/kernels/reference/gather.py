"""A mini-batch out of a data set that stays in memory as bytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel


@kernel
def gather_scaled(
    pixels: NDArray[np.uint8], indices: NDArray[np.int64], scale: float, shift: float
) -> NDArray[np.float32]:
    """pixels[indices] * scale + shift as float32: pixels uint8 (n, d), indices int64 (b,) -> (b, d).

    The two constants are rounded to float32 first, as is every product and sum.
    """
    rows: NDArray[Any] = pixels[indices].astype(np.float32)
    rows *= np.float32(scale)
    rows += np.float32(shift)
    return rows
