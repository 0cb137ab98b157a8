"""Random masks that depend on a seed and on an element's place alone."""

import math

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.registry import kernel

WORD = 0xFFFFFFFF


@kernel
def dropout_mask(seed: int, shape: tuple[int, ...], p: float) -> NDArray[np.float32]:
    """0 with probability p, else 1 / (1 - p), float32 of the given shape; the same for the same seed.

    Element i, counted in row-major order, is kept where h(i) >= floor(p 2^32), with

        h(i) = mix(mix(i + low) ^ high),    seed = high 2^32 + low

    and all arithmetic modulo 2^32: a counter-based generator, so that any part of a mask can be made alone, by any
    number of threads, and comes out the same. `mix` is the 32-bit finalizer with the constants that TheIronBorn
    found with C. Wellons' hash prospector (bias 0.108; github.com/skeeto/hash-prospector, issue 19).
    Draw the seeds at random: two with the same high half give the same numbers, shifted.

    Args:
        seed: 0..2^64-1.
        shape: of the mask.
        p: in [0, 1).
    """
    h = np.arange(math.prod(shape), dtype=np.uint64).astype(np.uint32)
    h += np.uint32(seed & WORD)
    _mix(h)
    h ^= np.uint32((seed >> 32) & WORD)
    _mix(h)
    kept = h >= np.uint32(math.floor(p * 2**32))
    return (kept * np.float32(1 / (1 - p))).reshape(shape)


def _mix(x: NDArray[np.uint32]) -> None:
    """In place: every bit of the result depends on every bit of x."""
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x21F0AAAD)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0xD35A2D97)
    x ^= x >> np.uint32(15)
