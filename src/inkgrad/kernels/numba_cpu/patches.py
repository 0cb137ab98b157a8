"""The gradients of a convolution behind a max pooling, where at most one output in each window has a gradient.

Instead of products with matrices that are mostly zero, each gradient g that is not zero is taken by itself: its
window of the input, times g, is added to the gradient of its weights; its weights, times g, are added to its window
of the input's gradient. A window is kh rows of kw * c neighbouring floats.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, OFFSETS, POINTER, VECTOR, Lanes
from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at

__all__ = ["add_patches", "list_gradients", "pack_patches", "sum_patches", "sum_windows", "unpack_patches"]


@instruction
def list_gradients(w):  # type: ignore[no-untyped-def]
    """(outputs, positions, origins, shifts, y, index, g, relu, counts, offsets, values, bias_gradient).

    For each output the gradients that are not zero, with where their windows begin: origins[p] + shifts[index].
    Adds them to the bias's gradient too, unless that is at address 0.
    """
    outputs, positions, origins, shifts = w[0], w[1], words_at(w[2]), words_at(w[3])
    relu, counts, offsets, values = w[7], words_at(w[8]), words_at(w[9]), floats_at(w[10])
    zero = np.float32(0)
    for o in range(outputs):
        counts[o] = 0
    for p in range(positions):
        y, index, g = floats_at(w[4] + 4 * p * outputs), bytes_at(w[5] + p * outputs), floats_at(w[6] + 4 * p * outputs)
        origin = origins[p]
        for o in range(outputs):
            at = o * positions + counts[o]
            offsets[at] = origin + shifts[index[o]]
            values[at] = g[o]
            counts[o] += np.int64((g[o] != zero) & ((relu == 0) | (y[o] > zero)))
    if w[11] != 0:
        bias = floats_at(w[11])
        for o in range(outputs):
            total = zero
            for i in range(counts[o]):
                total += values[o * positions + i]
            bias[o] += total


def _sum_tile(rows: int, vectors: int) -> Any:
    """An intrinsic: out[r, :] += sum over i of values[i] * x[offsets[i] + r * stride :]."""

    @intrinsic
    def tile(typing_context, x, stride, offsets, values, count, out, length, tail):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            x, stride, offsets, values, count, out, length, tail = args
            lanes = Lanes(builder)
            masks = [None] * (vectors - 1) + [lanes.mask(tail)]
            sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(vectors)] for _ in range(rows)]

            def place(r: int, v: int) -> Any:
                return lanes.at(out, builder.add(builder.mul(INT(r), length), INT(LANES * v)))

            for r in range(rows):
                for v in range(vectors):
                    builder.store(lanes.load(place(r, v), masks[v]), sums[r][v])
            with cgutils.for_range(builder, count) as loop:
                offset = builder.load(builder.gep(offsets, [loop.index], source_etype=INT), typ=INT)
                value = lanes.splat(lanes.scalar(values, loop.index))
                window = lanes.at(x, offset)
                for r in range(rows):
                    line = lanes.at(window, builder.mul(INT(r), stride))
                    for v in range(vectors):
                        total = builder.load(sums[r][v], typ=VECTOR)
                        part = lanes.load(lanes.at(line, INT(LANES * v)), masks[v])
                        builder.store(lanes.fma(value, part, total), sums[r][v])
            for r in range(rows):
                for v in range(vectors):
                    lanes.store(builder.load(sums[r][v], typ=VECTOR), place(r, v), masks[v])
            return context.get_dummy_value()

        i = types.int64
        return types.void(POINTER, i, OFFSETS, POINTER, i, POINTER, i, i), codegen

    return tile


def _add_tile(rows: int, vectors: int) -> Any:
    """An intrinsic: out[offsets[i] + r * stride :] += values[i] * weights[r, :] for every i."""

    @intrinsic
    def tile(typing_context, out, stride, offsets, values, count, weights, length, tail):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            out, stride, offsets, values, count, weights, length, tail = args
            lanes = Lanes(builder)
            masks = [None] * (vectors - 1) + [lanes.mask(tail)]

            def part(r: int, v: int) -> Any:
                return lanes.at(weights, builder.add(builder.mul(INT(r), length), INT(LANES * v)))

            held = [[lanes.load(part(r, v), masks[v]) for v in range(vectors)] for r in range(rows)]
            with cgutils.for_range(builder, count) as loop:
                offset = builder.load(builder.gep(offsets, [loop.index], source_etype=INT), typ=INT)
                value = lanes.splat(lanes.scalar(values, loop.index))
                window = lanes.at(out, offset)
                for r in range(rows):
                    line = lanes.at(window, builder.mul(INT(r), stride))
                    for v in range(vectors):
                        place = lanes.at(line, INT(LANES * v))
                        lanes.store(lanes.fma(value, held[r][v], lanes.load(place, masks[v])), place, masks[v])
            return context.get_dummy_value()

        i = types.int64
        return types.void(POINTER, i, OFFSETS, POINTER, i, POINTER, i, i), codegen

    return tile


_sum_1_1, _sum_1_2, _sum_1_4 = _sum_tile(1, 1), _sum_tile(1, 2), _sum_tile(1, 4)
_sum_3_2, _sum_3_6 = _sum_tile(3, 2), _sum_tile(3, 6)
_sum_5_1, _sum_5_2, _sum_5_3 = _sum_tile(5, 1), _sum_tile(5, 2), _sum_tile(5, 3)
_add_1_1, _add_1_2, _add_1_4 = _add_tile(1, 1), _add_tile(1, 2), _add_tile(1, 4)
_add_3_6 = _add_tile(3, 6)


@numba.njit
def sum_windows(rows, length, x, stride, offsets, values, count, out, out_stride):  # type: ignore[no-untyped-def]
    """Lines of `length` floats: out[r, :] += sum over i of values[i] * x[offsets[i] + r * stride :].

    x and out are addresses; the lines of out lie `out_stride` apart.
    """
    vectors = (length + LANES - 1) // LANES
    tail = length - LANES * (vectors - 1)
    source, to = floats_at(x), floats_at(out)
    if rows == 3 and vectors == 6:
        _sum_3_6(source, stride, offsets, values, count, to, out_stride, tail)
    elif rows == 3 and vectors == 2:
        _sum_3_2(source, stride, offsets, values, count, to, out_stride, tail)
    elif rows == 5 and vectors == 3:
        _sum_5_3(source, stride, offsets, values, count, to, out_stride, tail)
    elif rows == 5 and vectors == 2:
        _sum_5_2(source, stride, offsets, values, count, to, out_stride, tail)
    elif rows == 5 and vectors == 1:
        _sum_5_1(source, stride, offsets, values, count, to, out_stride, tail)
    else:
        for r in range(rows):
            v = 0
            while v < vectors:
                line = floats_at(x + 4 * (r * stride + v * LANES))
                place = floats_at(out + 4 * (r * out_stride + v * LANES))
                rest = length - v * LANES
                if vectors - v >= 4:
                    _sum_1_4(line, stride, offsets, values, count, place, out_stride, min(rest - 3 * LANES, LANES))
                    v += 4
                elif vectors - v >= 2:
                    _sum_1_2(line, stride, offsets, values, count, place, out_stride, min(rest - LANES, LANES))
                    v += 2
                else:
                    _sum_1_1(line, stride, offsets, values, count, place, out_stride, rest)
                    v += 1


@instruction
def sum_patches(w):  # type: ignore[no-untyped-def]
    """(outputs, positions, rows, length, stride, x, counts, offsets, values, out): out (outputs, rows, length)."""
    outputs, positions, rows, length, stride, counts = w[0], w[1], w[2], w[3], w[4], words_at(w[6])
    for o in range(outputs):
        offsets, values = words_at(w[7] + 8 * o * positions), floats_at(w[8] + 4 * o * positions)
        sum_windows(rows, length, w[5], stride, offsets, values, counts[o], w[9] + 4 * o * rows * length, length)


@instruction
def add_patches(w):  # type: ignore[no-untyped-def]
    """(outputs, positions, rows, length, stride, size, counts, offsets, values, weights, out): out (size,), from 0.

    Output by output, whose weights stay in registers: for more weights than a core's nearest cache holds.
    """
    outputs, positions, rows, length, stride = w[0], w[1], w[2], w[3], w[4]
    counts, out = words_at(w[6]), floats_at(w[10])
    vectors = (length + LANES - 1) // LANES
    tail = length - LANES * (vectors - 1)
    for i in range(w[5]):
        out[i] = np.float32(0)
    for o in range(outputs):
        offsets, values = words_at(w[7] + 8 * o * positions), floats_at(w[8] + 4 * o * positions)
        weights, n = floats_at(w[9] + 4 * o * rows * length), counts[o]
        if rows == 3 and vectors == 6:
            _add_3_6(out, stride, offsets, values, n, weights, length, tail)
        else:
            for r in range(rows):
                v = 0
                while v < vectors:
                    line = floats_at(w[10] + 4 * (r * stride + v * LANES))
                    part = floats_at(w[9] + 4 * ((o * rows + r) * length + v * LANES))
                    rest = length - v * LANES
                    if vectors - v >= 4:
                        _add_1_4(line, stride, offsets, values, n, part, length, min(rest - 3 * LANES, LANES))
                        v += 4
                    elif vectors - v >= 2:
                        _add_1_2(line, stride, offsets, values, n, part, length, min(rest - LANES, LANES))
                        v += 2
                    else:
                        _add_1_1(line, stride, offsets, values, n, part, length, rest)
                        v += 1


@instruction
def pack_patches(w):  # type: ignore[no-untyped-def]
    """(first, last, channels, window, outputs, weight, packed): (o, c, k) -> (o, k, c), for o in first..last."""
    channels, window = w[2], w[3]
    weight, packed = floats_at(w[5]), floats_at(w[6])
    for o in range(w[0], w[1]):
        for k in range(window):
            for c in range(channels):
                packed[(o * window + k) * channels + c] = weight[(o * channels + c) * window + k]


@instruction
def unpack_patches(w):  # type: ignore[no-untyped-def]
    """(channels, window, outputs, packed, gradient): (o, k, c) -> (o, c, k)."""
    channels, window, outputs = w[0], w[1], w[2]
    packed, gradient = floats_at(w[3]), floats_at(w[4])
    for o in range(outputs):
        for c in range(channels):
            for k in range(window):
                gradient[(o * channels + c) * window + k] = packed[(o * window + k) * channels + c]
