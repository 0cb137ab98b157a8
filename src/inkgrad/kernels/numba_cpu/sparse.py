"""Products with images of digits as they come, in which most pixels are 0: what is 0 everywhere is left out.

A term of a sum is left out where its pixel is 0 in every image of a tile, so 0 times infinity counts as 0 there.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, MASK, POINTER, VECTOR, Lanes
from inkgrad.kernels.numba_cpu.multiply import (
    START_AT_BIAS,
    START_AT_ZERO,
    block_width,
    tile,
    tile_height,
)
from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at
from inkgrad.kernels.numba_cpu.transpose import turn_square

__all__ = ["multiply_images", "multiply_with_images"]


@intrinsic
def _any(typing_context, x, count):  # type: ignore[no-untyped-def]
    """1 if one of the first `count` floats is not 0, of 16 at most; else 0."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        lanes = Lanes(builder)
        vector = lanes.load(args[0], lanes.mask(args[1]))
        differ = builder.fcmp_unordered("!=", vector, VECTOR(None))
        some = lanes.declare("llvm.vector.reduce.or.v16i1", ir.IntType(1), [MASK])
        return builder.zext(builder.call(some, [differ]), INT)

    return types.int64(POINTER, types.int64), codegen


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
        count += 1 if used[t] else 0
    return count


@instruction
def multiply_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, x, rows, turned, y, has_bias, bias, relu, used, steps, ldy, part, parts).

    y (n, o), with rows `ldy` apart, = x (n, p) W^T + b, from the weights transposed (p, o); `rows` holds i * pixels,
    `used` and `steps` are scratch of as many bytes and words as there are pixels, and one more. It begins with the
    images from `part` / `parts` of them on, so that threads that all read all images fetch different ones first.
    """
    images, pixels, outputs = w[0], w[1], w[2]
    used, steps = bytes_at(w[10]), words_at(w[11])
    ldy = w[12]
    start = START_AT_BIAS if w[7] != 0 else START_AT_ZERO
    across = block_width(outputs)
    tall = tile_height((min(across, outputs) + LANES - 1) // LANES)
    source = floats_at(w[3])
    middle = images * w[13] // w[14]
    for second in range(2):  # from the middle to the end, then from the beginning to the middle
        m, end = (0, middle) if second else (middle, images)
        room = end - m
        while m < end:
            if m + tall > end and room >= tall:
                m = end - tall
            rows = tall if m + tall <= end else 1
            count = _pixels_in_use(floats_at(w[3] + 4 * m * pixels), rows, pixels, outputs, used, steps)
            for n in range(0, outputs, across):
                width = min(outputs - n, across)
                vectors = (width + LANES - 1) // LANES
                tail = width - LANES * (vectors - 1)
                right, added = floats_at(w[5] + 4 * n), floats_at(w[8] + 4 * n)
                height = tile_height(vectors)
                if height > rows:  # a narrow last block has higher tiles
                    height = 1
                for k in range(0, rows, height):
                    at = m + min(k, rows - height)  # the last tile may do some rows again
                    out, here = floats_at(w[6] + 4 * (at * ldy + n)), words_at(w[4] + 8 * at)
                    tile(height > 1, vectors, source, here, steps, count, right, out, ldy, start, added, w[9], tail)
            m += rows


@instruction
def multiply_with_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, g, x, gradient, ldg, rows, steps, block): gradient (o, p) = g (n, o)^T x (n, p).

    16 pixels at a time, of the images in which one of them is not 0; the rows of g lie `ldg` apart. `rows` holds
    0..15, `steps` and `block` are scratch of a word for each image and of 16 floats for each output.
    """
    images, pixels, outputs, ldg, steps, block = w[0], w[1], w[2], w[6], words_at(w[8]), floats_at(w[9])
    across = block_width(outputs)
    for p in range(0, pixels, LANES):
        width = min(pixels - p, LANES)
        source = floats_at(w[4] + 4 * p)
        count = 0
        for i in range(images):
            steps[count] = i * pixels | (i * ldg) << 32
            count += _any(floats_at(w[4] + 4 * (p + i * pixels)), width)
        for n in range(0, outputs, across):
            columns = min(outputs - n, across)
            vectors = (columns + LANES - 1) // LANES
            tail = columns - LANES * (vectors - 1)
            tall = tile_height(vectors)
            right = floats_at(w[3] + 4 * n)
            m = 0
            while m < width:
                if m + tall > width and width >= tall:
                    m = width - tall
                full = m + tall <= width
                out, here = floats_at(w[9] + 4 * (m * outputs + n)), words_at(w[7] + 8 * m)
                tile(full, vectors, source, here, steps, count, right, out, outputs, START_AT_ZERO, right, 0, tail)
                m += tall if full else 1
        gradient = floats_at(w[5] + 4 * p)
        squares = outputs // LANES * LANES if width == LANES else 0
        for o in range(0, squares, LANES):
            turn_square(floats_at(w[9] + 4 * o), outputs, floats_at(w[5] + 4 * (o * pixels + p)), pixels)
        for o in range(squares, outputs):
            for j in range(width):
                gradient[o * pixels + j] = block[j * outputs + o]
