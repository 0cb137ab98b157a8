"""Transposing a matrix by squares of 16 by 16, in registers."""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, POINTER, Lanes
from inkgrad.kernels.numba_cpu.native import floats_at, instruction

__all__ = ["transpose", "turn"]


@intrinsic
def _turn_square(typing_context, x, from_row, y, to_row):  # type: ignore[no-untyped-def]
    """y[j, i] = x[i, j] for 16 by 16 floats, with rows so far apart."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        x, from_row, y, to_row = args
        lanes = Lanes(builder)
        lines = [lanes.load(lanes.at(x, builder.mul(INT(i), from_row))) for i in range(LANES)]
        step = LANES // 2
        while step:  # swap ever smaller squares beside the diagonal
            for i in range(LANES):
                if i & step:
                    continue
                a, b = lines[i], lines[i + step]
                lines[i] = builder.shuffle_vector(a, b, _pick(lambda j, s=step: j if not j & s else LANES + j - s))
                lines[i + step] = builder.shuffle_vector(
                    a, b, _pick(lambda j, s=step: j + s if not j & s else LANES + j)
                )
            step //= 2
        for i in range(LANES):
            lanes.store(lines[i], lanes.at(y, builder.mul(INT(i), to_row)))
        return context.get_dummy_value()

    return types.void(POINTER, types.int64, POINTER, types.int64), codegen


def _pick(index: Any) -> Any:
    kind = ir.VectorType(ir.IntType(32), LANES)
    return kind([index(j) for j in range(LANES)])


@numba.njit
def turn(x, from_row, first, last, columns, y, to_row):  # type: ignore[no-untyped-def]
    """y[j, i] = x[i, j] for rows first..last of x; `from_row` and `to_row` floats lie from one row to the next."""
    whole_rows = first + (last - first) // LANES * LANES
    whole_columns = columns // LANES * LANES
    for i in range(first, whole_rows, LANES):
        for j in range(0, whole_columns, LANES):
            _turn_square(floats_at(x + 4 * (i * from_row + j)), from_row, floats_at(y + 4 * (j * to_row + i)), to_row)
    source, target = floats_at(x), floats_at(y)
    for i in range(first, last):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            target[j * to_row + i] = source[i * from_row + j]


@instruction
def transpose(w):  # type: ignore[no-untyped-def]
    """(images, first, last, rows, columns, x, y): y (columns, rows) = x (rows, columns)^T, for rows first..last."""
    rows, columns = w[3], w[4]
    for image in range(w[0]):
        at = 4 * image * rows * columns
        turn(w[5] + at, columns, w[1], w[2], columns, w[6] + at, rows)
