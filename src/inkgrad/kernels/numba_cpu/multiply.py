"""The heart of a plan: products of matrices whose elements are found through tables of offsets.

A convolution, its two gradients and the gradients of a dense layer are all
    C[m, :] = sum over t of A[rows[m] + steps[t]] * B[columns[t], :],
with the columns of B and C in the lanes of the processor's vectors; the tables know where a window of an image lies,
so that no column matrix is ever written. The forward pass of a dense layer, whose weights lie the other way, is
    C[m, n] = sum over t of A[m, t] * B[n, t],
with t in the lanes. A tile of C stays in registers while t runs.
"""

from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import FLOAT, INT, LANES, OFFSETS, POINTER, VECTOR, Lanes, has_avx512
from inkgrad.kernels.numba_cpu.native import floats_at, instruction, words_at

__all__ = [
    "PANEL",
    "START_AT_BIAS",
    "START_AT_C",
    "START_AT_ZERO",
    "block_width",
    "column_tile",
    "multiply",
    "multiply_rows",
]

_WIDE = has_avx512()
VECTORS = 4 if _WIDE else 1  # vectors of 16 lanes across a tile
PANEL = LANES * VECTORS  # floats in a row of a panel

START_AT_ZERO, START_AT_BIAS, START_AT_C = 0, 1, 2


def column_tile(rows: int, vectors: int) -> Any:
    """An intrinsic: `rows` rows and 16 `vectors` columns of C, of which the last vector has `tail` columns."""

    @intrinsic
    def tile(typing_context, a, rows_at, steps, count, b, c, ldc, start, bias, relu, tail):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            a, rows_at, steps, count, b, c, ldc, start, bias, relu, tail = args
            lanes = Lanes(builder)
            mask = lanes.mask(tail)
            masks = [None] * (vectors - 1) + [mask]
            sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(vectors)] for _ in range(rows)]
            origins = []
            for m in range(rows):
                offset = builder.load(builder.gep(rows_at, [INT(m)], source_etype=INT), typ=INT)
                origins.append(lanes.at(a, offset))

            def place(m: int, v: int) -> Any:
                return lanes.at(c, builder.add(builder.mul(INT(m), ldc), INT(LANES * v)))

            for m in range(rows):
                for v in range(vectors):
                    builder.store(VECTOR(None), sums[m][v])
            with builder.if_then(builder.icmp_signed("==", start, INT(START_AT_C))):
                for m in range(rows):
                    for v in range(vectors):
                        builder.store(lanes.load(place(m, v), masks[v]), sums[m][v])
            with builder.if_then(builder.icmp_signed("==", start, INT(START_AT_BIAS))):
                for v in range(vectors):
                    value = lanes.load(lanes.at(bias, INT(LANES * v)), masks[v])
                    for m in range(rows):
                        builder.store(value, sums[m][v])
            with cgutils.for_range(builder, count) as loop:
                both = builder.load(builder.gep(steps, [loop.index], source_etype=INT), typ=INT)
                step = builder.and_(both, INT(0xFFFFFFFF))
                line = lanes.at(b, builder.lshr(both, INT(32)))
                columns = [lanes.load(lanes.at(line, INT(LANES * v)), masks[v]) for v in range(vectors)]
                for m in range(rows):
                    element = lanes.splat(builder.load(lanes.at(origins[m], step), align=4, typ=FLOAT))
                    for v in range(vectors):
                        total = builder.load(sums[m][v], typ=VECTOR)
                        builder.store(lanes.fma(element, columns[v], total), sums[m][v])
            wants_relu = builder.icmp_signed("!=", relu, INT(0))
            for m in range(rows):
                for v in range(vectors):
                    total = builder.load(sums[m][v], typ=VECTOR)
                    total = builder.select(wants_relu, lanes.positive(total), total)
                    lanes.store(total, place(m, v), masks[v])
            return context.get_dummy_value()

        i = types.int64
        return types.void(POINTER, OFFSETS, OFFSETS, i, POINTER, POINTER, i, i, POINTER, i, i), codegen

    return tile


def _row_tile(rows: int, columns: int) -> Any:
    """An intrinsic: `rows` by `columns` elements of C, each the product of a row of A and a row of B."""

    @intrinsic
    def tile(typing_context, a, lda, b, ldb, count, c, ldc, bias, has_bias, relu):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            a, lda, b, ldb, count, c, ldc, bias, has_bias, relu = args
            lanes = Lanes(builder)
            sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(columns)] for _ in range(rows)]
            for line in sums:
                for total in line:
                    builder.store(VECTOR(None), total)
            lefts = [lanes.at(a, builder.mul(INT(m), lda)) for m in range(rows)]
            rights = [lanes.at(b, builder.mul(INT(n), ldb)) for n in range(columns)]

            def accumulate(index: Any, mask: Any) -> None:
                left = [lanes.load(lanes.at(p, index), mask) for p in lefts]
                for n in range(columns):
                    right = lanes.load(lanes.at(rights[n], index), mask)
                    for m in range(rows):
                        total = builder.load(sums[m][n], typ=VECTOR)
                        builder.store(lanes.fma(left[m], right, total), sums[m][n])

            full = builder.sdiv(count, INT(LANES))
            with cgutils.for_range(builder, full) as loop:
                accumulate(builder.mul(loop.index, INT(LANES)), None)
            done = builder.mul(full, INT(LANES))
            rest = builder.sub(count, done)
            with builder.if_then(builder.icmp_signed(">", rest, INT(0))):
                accumulate(done, lanes.mask(rest))
            wants_bias = builder.icmp_signed("!=", has_bias, INT(0))
            wants_relu = builder.icmp_signed("!=", relu, INT(0))
            for n in range(columns):
                offset = builder.select(wants_bias, INT(n), INT(0))
                added = builder.select(wants_bias, builder.load(lanes.at(bias, offset), align=4, typ=FLOAT), FLOAT(0.0))
                for m in range(rows):
                    total = builder.fadd(lanes.sum(builder.load(sums[m][n], typ=VECTOR)), added)
                    negative = builder.fcmp_ordered("<", total, FLOAT(0.0))
                    total = builder.select(builder.and_(wants_relu, negative), FLOAT(0.0), total)
                    builder.store(total, lanes.at(c, builder.add(builder.mul(INT(m), ldc), INT(n))), align=4)
            return context.get_dummy_value()

        i = types.int64
        return types.void(POINTER, i, POINTER, i, i, POINTER, i, POINTER, i, i), codegen

    return tile


# Rows and vectors of a tile: 24 sums where there are 32 registers of 16 lanes, else 6.
_tile_4, _tile_3, _tile_2, _tile_1 = (column_tile(r, v) for r, v in ((6, 4), (8, 3), (8, 2), (12 if _WIDE else 6, 1)))
_line_4, _line_3, _line_2, _line_1 = (column_tile(1, v) for v in (4, 3, 2, 1))
_ROWS_1 = 12 if _WIDE else 6


@numba.njit
def tile(full, vectors, a, rows, steps, count, b, c, ldc, start, bias, relu, tail):  # type: ignore[no-untyped-def]
    """One tile of C, of `tile_height(vectors)` rows if `full`, else of one."""
    if full:
        if vectors == 1:
            _tile_1(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
        elif VECTORS == 4:
            if vectors == 4:
                _tile_4(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
            elif vectors == 3:
                _tile_3(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
            else:
                _tile_2(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 1:
        _line_1(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif VECTORS == 4:
        if vectors == 4:
            _line_4(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
        elif vectors == 3:
            _line_3(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
        else:
            _line_2(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)


@numba.njit
def tile_height(vectors):  # type: ignore[no-untyped-def]
    """Rows of a tile of so many vectors."""
    return _ROWS_1 if vectors == 1 else (6 if vectors == 4 else 8)


@numba.njit
def block_width(columns, most):  # type: ignore[no-untyped-def]
    """Columns of a tile of at most so many vectors, so that all blocks of columns are about as wide."""
    whole = (columns + LANES - 1) // LANES
    blocks = max((whole + most - 1) // most, 1)
    return LANES * max((whole + blocks - 1) // blocks, 1)


@instruction
def multiply(w):  # type: ignore[no-untyped-def]
    """(images, m, t, n, a, a_stride, rows, steps, b, b_stride, c, ldc, c_stride, start, bias, relu, panel, order).

    For each image C (m, n) with rows `ldc` apart; sums begin at 0, at the bias or at C by `start`, and where images
    share C (c_stride 0) from the second on at C. A `panel` of 64 t floats takes, where it is not at address 0, each
    64 columns of B before they are used, for a B whose rows lie far apart; `order` is then the table of steps for it.
    """
    images, m_count, t_count, n_count = w[0], w[1], w[2], w[3]
    a, a_stride, b, b_stride = w[4], w[5], w[8], w[9]
    c, ldc, c_stride, start, bias, relu = w[10], w[11], w[12], w[13], w[14], w[15]
    across = block_width(n_count, VECTORS)
    for image in range(images):
        begin = START_AT_C if image > 0 and c_stride == 0 else start
        source = floats_at(a + 4 * image * a_stride)
        for n in range(0, n_count, across):
            width = min(n_count - n, across)
            vectors = (width + LANES - 1) // LANES
            tail = width - LANES * (vectors - 1)
            right, steps = floats_at(b + 4 * (image * b_stride + n)), words_at(w[7])
            if w[16] != 0:
                panel = floats_at(w[16])
                for t in range(t_count):
                    line = floats_at(b + 4 * (image * b_stride + n + (steps[t] >> 32)))
                    for i in range(width):
                        panel[t * LANES * VECTORS + i] = line[i]
                right, steps = panel, words_at(w[17])
            first = floats_at(bias + 4 * n)
            tall = tile_height(vectors)
            m = 0
            while m < m_count:
                if m + tall > m_count and m_count >= tall and begin != START_AT_C:
                    m = m_count - tall  # some rows again, which costs less than rows one by one
                out = floats_at(c + 4 * (image * c_stride + m * ldc + n))
                here = words_at(w[6] + 8 * m)
                full = m + tall <= m_count
                tile(full, vectors, source, here, steps, t_count, right, out, ldc, begin, first, relu, tail)
                m += tall if full else 1


_square = _row_tile(4, 6 if _WIDE else 2)
_strip = _row_tile(1, 6 if _WIDE else 2)
_upright = _row_tile(4, 1)
_single = _row_tile(1, 1)
_ACROSS = 6 if _WIDE else 2


@instruction
def multiply_rows(w):  # type: ignore[no-untyped-def]
    m_count, n_count, t_count = w[0], w[1], w[2]
    a, lda, b, ldb, c, ldc = w[3], w[4], w[5], w[6], w[7], w[8]
    has_bias, bias, relu = w[9], w[10], w[11]
    n = 0
    while n < n_count:
        across = _ACROSS if n + _ACROSS <= n_count else 1
        right = floats_at(b + 4 * n * ldb)
        added = floats_at(bias + 4 * n) if has_bias != 0 else right  # loaded in any case, so never at address 0
        m = 0
        while m < m_count:
            left = floats_at(a + 4 * m * lda)
            out = floats_at(c + 4 * (m * ldc + n))
            if m + 4 <= m_count:
                if across > 1:
                    _square(left, lda, right, ldb, t_count, out, ldc, added, has_bias, relu)
                else:
                    _upright(left, lda, right, ldb, t_count, out, ldc, added, has_bias, relu)
                m += 4
            else:
                if across > 1:
                    _strip(left, lda, right, ldb, t_count, out, ldc, added, has_bias, relu)
                else:
                    _single(left, lda, right, ldb, t_count, out, ldc, added, has_bias, relu)
                m += 1
        n += across
