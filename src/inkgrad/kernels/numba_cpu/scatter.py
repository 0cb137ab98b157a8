"""The input's gradient of a convolution behind a max pooling, window by window.

A window stays in registers while all outputs' weights, times their gradients, are added to it: for weights that a
core's nearest cache holds. `patches.add_patches` does it the other way round.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, OFFSETS, POINTER, VECTOR, Lanes
from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at

__all__ = ["add_windows"]


def _add_tile(rows: int, vectors: int) -> Any:
    """An intrinsic: out[r * stride :] += sum over i of values[i] * weights[chosen[i] + r * length :]."""

    @intrinsic
    def tile(typing_context, out, stride, chosen, values, count, weights, length, tail):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            out, stride, chosen, values, count, weights, length, tail = args
            lanes = Lanes(builder)
            masks = [None] * (vectors - 1) + [lanes.mask(tail)]
            sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(vectors)] for _ in range(rows)]

            def place(r: int, v: int) -> Any:
                return lanes.at(out, builder.add(builder.mul(INT(r), stride), INT(LANES * v)))

            for r in range(rows):
                for v in range(vectors):
                    builder.store(lanes.load(place(r, v), masks[v]), sums[r][v])
            with cgutils.for_range(builder, count) as loop:
                offset = builder.load(builder.gep(chosen, [loop.index], source_etype=INT), typ=INT)
                value = lanes.splat(lanes.scalar(values, loop.index))
                first = lanes.at(weights, offset)
                for r in range(rows):
                    line = lanes.at(first, builder.mul(INT(r), length))
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


_add_1_1, _add_1_2, _add_1_4 = _add_tile(1, 1), _add_tile(1, 2), _add_tile(1, 4)
_add_3_2, _add_5_1, _add_5_2, _add_5_3 = _add_tile(3, 2), _add_tile(5, 1), _add_tile(5, 2), _add_tile(5, 3)


@numba.njit
def _add_window(rows, length, stride, out, chosen, values, n, weights):  # type: ignore[no-untyped-def]
    vectors = (length + LANES - 1) // LANES
    tail = length - LANES * (vectors - 1)
    to, of = floats_at(out), floats_at(weights)
    if rows == 3 and vectors == 2:
        _add_3_2(to, stride, chosen, values, n, of, length, tail)
    elif rows == 5 and vectors == 3:
        _add_5_3(to, stride, chosen, values, n, of, length, tail)
    elif rows == 5 and vectors == 2:
        _add_5_2(to, stride, chosen, values, n, of, length, tail)
    elif rows == 5 and vectors == 1:
        _add_5_1(to, stride, chosen, values, n, of, length, tail)
    else:
        for r in range(rows):
            v = 0
            while v < vectors:
                to, of = (
                    floats_at(out + 4 * (r * stride + v * LANES)),
                    floats_at(weights + 4 * (r * length + v * LANES)),
                )
                rest = length - v * LANES
                if vectors - v >= 4:
                    _add_1_4(to, stride, chosen, values, n, of, length, min(rest - 3 * LANES, LANES))
                    v += 4
                elif vectors - v >= 2:
                    _add_1_2(to, stride, chosen, values, n, of, length, min(rest - LANES, LANES))
                    v += 2
                else:
                    _add_1_1(to, stride, chosen, values, n, of, length, rest)
                    v += 1


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
                _add_window(rows, length, stride, to, first, factors, counts[k], w[13])
