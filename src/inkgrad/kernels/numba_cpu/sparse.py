"""Products with images of digits as they come, in which most pixels are 0: what is 0 everywhere is left out.

A term of a sum is left out where its pixel is 0 in every image of a tile, so 0 times infinity counts as 0 there.
"""

import numba
import numpy as np

from inkgrad.kernels.numba_cpu.lanes import LANES
from inkgrad.kernels.numba_cpu.multiply import (
    PANEL,
    START_AT_BIAS,
    START_AT_ZERO,
    block_width,
    tile,
    tile_height,
)
from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at

__all__ = ["multiply_images", "multiply_with_images"]


@numba.njit
def _pixels_in_use(x, images, pixels, width, used, steps):  # type: ignore[no-untyped-def]
    """Fill `steps` with (pixel, pixel * width) for each pixel that is not 0 in every image; returns how many."""
    for t in range(pixels):
        used[t] = np.uint8(x[t] != 0)
    for i in range(1, images):
        for t in range(pixels):
            used[t] |= np.uint8(x[i * pixels + t] != 0)
    count = 0
    for t in range(pixels):
        steps[count] = t | (t * width) << 32
        count += np.int64(used[t])
    return count


@instruction
def multiply_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, x, rows, turned, y, has_bias, bias, relu, used, steps).

    y (n, o) = x (n, p) W^T + b, from the weights transposed (p, o); `rows` holds i * pixels, `used` and `steps` are
    scratch of `pixels` bytes and words.
    """
    images, pixels, outputs = w[0], w[1], w[2]
    used, steps = bytes_at(w[10]), words_at(w[11])
    start = START_AT_BIAS if w[7] != 0 else START_AT_ZERO
    across = block_width(outputs)
    tall = tile_height((min(across, outputs) + LANES - 1) // LANES)
    source = floats_at(w[3])
    m = 0
    while m < images:
        if m + tall > images and images >= tall:
            m = images - tall
        full = m + tall <= images
        rows = tall if full else 1
        count = _pixels_in_use(floats_at(w[3] + 4 * m * pixels), rows, pixels, outputs, used, steps)
        for n in range(0, outputs, across):
            width = min(outputs - n, across)
            vectors = (width + LANES - 1) // LANES
            tail = width - LANES * (vectors - 1)
            right, added = floats_at(w[5] + 4 * n), floats_at(w[8] + 4 * n)
            for k in range(0, rows, tile_height(vectors) if full else 1):  # the last block may have higher tiles
                first = m + min(k, max(rows - tile_height(vectors), 0)) if full else m
                out = floats_at(w[6] + 4 * (first * outputs + n))
                here = words_at(w[4] + 8 * first)
                whole = full and rows >= tile_height(vectors)
                if whole or not full:
                    tile(whole, vectors, source, here, steps, count, right, out, outputs, start, added, w[9], tail)
                else:
                    for r in range(rows):
                        line, at = floats_at(w[6] + 4 * ((m + r) * outputs + n)), words_at(w[4] + 8 * (m + r))
                        tile(False, vectors, source, at, steps, count, right, line, outputs, start, added, w[9], tail)
        m += rows


@instruction
def multiply_with_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, g, rows, x, gradient, panel, steps): gradient (o, p) = g (n, o)^T x (n, p).

    `rows` holds 0..o-1; `panel` and `steps` are scratch of `PANEL` floats and a word for each image.
    """
    images, pixels, outputs = w[0], w[1], w[2]
    panel, steps, source = floats_at(w[7]), words_at(w[8]), floats_at(w[3])
    across = block_width(pixels)
    for n in range(0, pixels, across):
        width = min(pixels - n, across)
        vectors = (width + LANES - 1) // LANES
        tail = width - LANES * (vectors - 1)
        count = 0
        for i in range(images):
            line, to = floats_at(w[5] + 4 * (i * pixels + n)), floats_at(w[7] + 4 * count * PANEL)
            some = np.uint8(0)
            for j in range(width):
                to[j] = line[j]
                some |= np.uint8(line[j] != 0)
            steps[count] = i * outputs | (count * PANEL) << 32
            count += np.int64(some)
        tall = tile_height(vectors)
        m = 0
        while m < outputs:
            if m + tall > outputs and outputs >= tall:
                m = outputs - tall
            full = m + tall <= outputs
            out, here = floats_at(w[6] + 4 * (m * pixels + n)), words_at(w[4] + 8 * m)
            tile(full, vectors, source, here, steps, count, panel, out, pixels, START_AT_ZERO, panel, 0, tail)
            m += tall if full else 1
