"""Instructions that treat every element, or every pair of elements, alike."""

import math

import numba
import numpy as np

from inkgrad.kernels.numba_cpu.native import floats_at, instruction, integers_at, words_at

__all__ = [
    "accumulate",
    "activate",
    "activate_backward",
    "add",
    "drop",
    "sum_parts",
    "zero",
]


@instruction
def zero(w):  # type: ignore[no-untyped-def]
    """(count, size, y): y = 0."""
    y = floats_at(w[2])
    for i in range(w[0] * w[1]):
        y[i] = np.float32(0)


@instruction
def add(w):  # type: ignore[no-untyped-def]
    """(images, size, a, b, y, relu): y = a + b, and then ReLU where wanted."""
    a, b, y = floats_at(w[2]), floats_at(w[3]), floats_at(w[4])
    zero_ = np.float32(0)
    if w[5] != 0:
        for i in range(w[0] * w[1]):
            v = a[i] + b[i]
            y[i] = zero_ if v < zero_ else v
    else:
        for i in range(w[0] * w[1]):
            y[i] = a[i] + b[i]


@instruction
def accumulate(w):  # type: ignore[no-untyped-def]
    """(images, size, x, y): y += x."""
    x, y = floats_at(w[2]), floats_at(w[3])
    for i in range(w[0] * w[1]):
        y[i] += x[i]


@instruction
def copy(w):  # type: ignore[no-untyped-def]
    """(images, size, x, y): y = x."""
    x, y = floats_at(w[2]), floats_at(w[3])
    for i in range(w[0] * w[1]):
        y[i] = x[i]


@instruction
def activate(w):  # type: ignore[no-untyped-def]
    """(images, size, code, x, y): relu 1, sigmoid 2, tanh 3; x and y may be one array."""
    count, code, x, y = w[0] * w[1], w[2], floats_at(w[3]), floats_at(w[4])
    one, zero_ = np.float32(1), np.float32(0)
    if code == 1:
        for i in range(count):
            y[i] = zero_ if x[i] < zero_ else x[i]
    elif code == 2:
        for i in range(count):
            small = math.exp(-abs(x[i]))
            y[i] = (one if x[i] >= zero_ else small) / (one + small)
    else:
        for i in range(count):
            y[i] = math.tanh(x[i])


@instruction
def activate_backward(w):  # type: ignore[no-untyped-def]
    """(images, size, code, y, gradient): the gradient of the input, in place, from the output y."""
    count, code, y, g = w[0] * w[1], w[2], floats_at(w[3]), floats_at(w[4])
    one, zero_ = np.float32(1), np.float32(0)
    if code == 1:
        for i in range(count):
            g[i] = zero_ if y[i] <= zero_ else g[i]
    elif code == 2:
        for i in range(count):
            g[i] = g[i] * (y[i] * (one - y[i]))
    else:
        for i in range(count):
            g[i] = g[i] * (one - y[i] * y[i])


@instruction
def sum_parts(w):  # type: ignore[no-untyped-def]
    """(first, last, threads, parts, y, squares, resume): y[i] += what each other thread has.

    squares[0] = sum of y^2, or += where `resume` is set.
    """
    threads, parts, y, squares = w[2], words_at(w[3]), floats_at(w[4]), floats_at(w[5])
    for t in range(1, threads):
        part = floats_at(parts[t])
        for i in range(w[0], w[1]):
            y[i] += part[i]
    total = np.float32(0)
    for i in range(w[0], w[1]):
        total += y[i] * y[i]
    squares[0] = total if w[6] == 0 else squares[0] + total


@numba.njit(inline="always")
def _hash(h, second):  # type: ignore[no-untyped-def]
    """The hash of `kernels.dropout_mask`, of a number to which the first half of the seed has been added."""
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x21F0AAAD))
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0xD35A2D97))
    h = np.uint32((h ^ (h >> np.uint32(15))) ^ second)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x21F0AAAD))
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0xD35A2D97))
    return np.uint32(h ^ (h >> np.uint32(15)))


@instruction
def drop(w):  # type: ignore[no-untyped-def]
    """(start, images, pixels, channels, whole, seeds, threshold, scale, x, y): dropout, and its gradient.

    Element i of the batch, in (n, c, h, w) order, is kept where a hash of (seed, i) is at least the threshold
    (`kernels.dropout_mask`); with `whole` set i counts channels.
    """
    pixels, channels, whole, seeds = w[2], w[3], w[4], integers_at(w[5])
    threshold, scale = np.uint32(w[6]), floats_at(w[7])[0]
    first, second = seeds[0], seeds[1]
    zero_ = np.float32(0)
    in_place = w[8] == w[9]
    for image in range(w[1]):
        x = floats_at(w[8] + 4 * image * pixels * channels)
        y = floats_at(w[9] + 4 * image * pixels * channels)
        for p in range(pixels):
            origin = (w[0] + image) * channels if whole != 0 else (w[0] + image) * channels * pixels + p
            stride = np.uint32(1 if whole != 0 else pixels)
            base = np.uint32(origin) + first
            line = p * channels
            if in_place:  # a loop of its own, as one over two arrays is only vectorized where they lie apart
                for c in range(channels):
                    kept = _hash(np.uint32(base + np.uint32(c) * stride), second) >= threshold
                    y[line + c] = y[line + c] * scale if kept else zero_
            else:
                for c in range(channels):
                    kept = _hash(np.uint32(base + np.uint32(c) * stride), second) >= threshold
                    y[line + c] = x[line + c] * scale if kept else zero_
