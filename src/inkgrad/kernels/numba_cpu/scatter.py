"""The input's gradient of a convolution behind a max pooling, window by window.

A window stays in registers while all outputs' weights, times their gradients, are added to it: for weights that a
core's nearest cache holds. `patches.add_patches` does it the other way round.
"""

import numpy as np

from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at
from inkgrad.kernels.numba_cpu.patches import sum_windows

__all__ = ["add_windows"]


@instruction
def add_windows(w):  # type: ignore[no-untyped-def]
    """(outputs, positions, rows, length, stride, size, origins, shifts, kinds, y, index, g, relu, weights, out, room).

    out (size,), from 0. Behind each position there are `kinds` windows, by which the gradients that are not zero are
    sorted first. `room` is of kinds * (2 * outputs + 1) words.
    """
    outputs, positions, rows, length, stride = w[0], w[1], w[2], w[3], w[4]
    origins, shifts, kinds, relu, out = words_at(w[6]), words_at(w[7]), w[8], w[12], floats_at(w[14])
    counts, chosen, values = words_at(w[15]), words_at(w[15] + 8 * kinds), floats_at(w[15] + 8 * kinds * (outputs + 1))
    zero = np.float32(0)
    for i in range(w[5]):
        out[i] = zero
    for p in range(positions):
        y, index, g = (
            floats_at(w[9] + 4 * p * outputs),
            bytes_at(w[10] + p * outputs),
            floats_at(w[11] + 4 * p * outputs),
        )
        for k in range(kinds):
            counts[k] = 0
        for o in range(outputs):
            k = index[o]
            at = np.int64(k) * outputs + counts[k]
            chosen[at] = o * rows * length
            values[at] = g[o]
            counts[k] += np.int64((g[o] != zero) & ((relu == 0) | (y[o] > zero)))
        for k in range(kinds):
            if counts[k] != 0:
                to = w[14] + 4 * (origins[p] + shifts[k])
                first, factors = (
                    words_at(w[15] + 8 * (kinds + k * outputs)),
                    floats_at(w[15] + 8 * kinds * (outputs + 1) + 4 * k * outputs),
                )
                sum_windows(rows, length, w[13], length, first, factors, counts[k], to, stride)
