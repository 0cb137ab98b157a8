"""Transposing a matrix by squares of 16 by 16, in registers."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, POINTER, Lanes
from inkgrad.kernels.numba_cpu.native import floats_at, instruction

__all__ = ["transpose", "turn_square"]


@intrinsic
def turn_square(typing_context, x, from_row, y, to_row):  # type: ignore[no-untyped-def]
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


@instruction
def transpose(w):  # type: ignore[no-untyped-def]
    """(images, first, last, rows, columns, x, y): y (columns, rows) = x (rows, columns)^T, for rows first..last."""
    first, last, rows, columns = w[1], w[2], w[3], w[4]
    for image in range(w[0]):
        x, y = w[5] + 4 * image * rows * columns, w[6] + 4 * image * rows * columns
        whole_rows = first + (last - first) // LANES * LANES
        whole_columns = columns // LANES * LANES
        for i in range(first, whole_rows, LANES):
            for j in range(0, whole_columns, LANES):
                turn_square(floats_at(x + 4 * (i * columns + j)), columns, floats_at(y + 4 * (j * rows + i)), rows)
        source, target = floats_at(x), floats_at(y)
        for i in range(first, last):
            for j in range(whole_columns if i < whole_rows else 0, columns):
                target[j * rows + i] = source[i * columns + j]
