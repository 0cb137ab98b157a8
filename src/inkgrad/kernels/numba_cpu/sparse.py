"""Products with images of digits as they come, in which most pixels are 0: what is 0 everywhere is left out.

A term of a sum is left out where its pixel is 0 in every image of a tile, so 0 times infinity counts as 0 there. Tiles
are low, 3 images or 4 pixels high, as the lower a tile, the more is 0 all over it.
"""

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import INT, LANES, OFFSETS, POINTER, VECTOR, Lanes
from inkgrad.kernels.numba_cpu.multiply import (
    START_AT_BIAS,
    START_AT_C,
    START_AT_ZERO,
    VECTORS,
    block_width,
    column_tile,
)
from inkgrad.kernels.numba_cpu.native import floats_at, instruction, integers_at, words_at
from inkgrad.kernels.numba_cpu.transpose import turn

__all__ = ["SLACK", "multiply_images", "multiply_with_images"]

SLACK = 32  # words more in a table of steps than there can be steps: 16 to write over, and the rows of a tile
TOGETHER = 512  # images whose part of a page of memory each is still at hand for the next 16 pixels
_WIDE = VECTORS > 1
_HALF = ir.VectorType(INT, LANES // 2)
_WORD32 = ir.IntType(32)


@intrinsic
def _nonzero(typing_context, x, count):  # type: ignore[no-untyped-def]
    """A bit for each of the first `count` floats, 16 at most: whether it is not 0."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        lanes = Lanes(builder)
        vector = lanes.load(args[0], lanes.mask(args[1]))
        return builder.zext(builder.bitcast(builder.fcmp_unordered("!=", vector, VECTOR(None)), ir.IntType(16)), INT)

    return types.int64(POINTER, types.int64), codegen


@intrinsic
def _fetch(typing_context, x):  # type: ignore[no-untyped-def]
    """Let the processor bring x nearer, if there is anything."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        lanes = Lanes(builder)
        function = lanes.declare("llvm.prefetch.p0", ir.VoidType(), [lanes.pointer, _WORD32, _WORD32, _WORD32])
        builder.call(function, [args[0], _WORD32(0), _WORD32(2), _WORD32(1)])
        return context.get_dummy_value()

    return types.void(POINTER), codegen


@intrinsic
def _having(typing_context, patterns, wanted):  # type: ignore[no-untyped-def]
    """A bit for each of 16 patterns: whether it has one of the wanted bits."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        kind = ir.VectorType(_WORD32, LANES)
        vector = builder.load(builder.bitcast(args[0], kind.as_pointer()), align=4)
        first = builder.insert_element(kind(ir.Undefined), builder.trunc(args[1], _WORD32), _WORD32(0))
        spread = builder.shuffle_vector(first, kind(ir.Undefined), kind(None))
        found = builder.icmp_unsigned("!=", builder.and_(vector, spread), kind(None))
        return builder.zext(builder.bitcast(found, ir.IntType(16)), INT)

    return types.int64(types.CPointer(types.uint32), types.int64), codegen


@intrinsic
def _append(typing_context, steps, count, first, each, bits):  # type: ignore[no-untyped-def]
    """Write first + i * each to steps[count] and on, for each i of 0..15 whose bit is set; returns the new count.

    Up to 16 words behind are written over.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        steps, count, first, each, bits = args
        if not _WIDE:
            for i in range(LANES):
                place = builder.gep(steps, [count], source_etype=INT)
                builder.store(builder.add(first, builder.mul(each, INT(i))), place)
                count = builder.add(count, builder.and_(builder.lshr(bits, INT(i)), INT(1)))
            return count
        lanes = Lanes(builder)
        chosen = ir.VectorType(ir.IntType(1), LANES // 2)
        compress = lanes.declare("llvm.x86.avx512.mask.compress.v8i64", _HALF, [_HALF, _HALF, chosen])
        bits_set = lanes.declare("llvm.ctpop.i8", ir.IntType(8), [ir.IntType(8)])

        def spread(scalar):  # type: ignore[no-untyped-def]
            only = builder.insert_element(_HALF(ir.Undefined), scalar, _WORD32(0))
            return builder.shuffle_vector(only, _HALF(ir.Undefined), ir.VectorType(_WORD32, LANES // 2)(None))

        for half in (0, LANES // 2):
            ramp = builder.mul(spread(each), _HALF(list(range(half, half + LANES // 2))))
            mask = builder.trunc(builder.lshr(bits, INT(half)), ir.IntType(8))
            values = [builder.add(spread(first), ramp), _HALF(None), builder.bitcast(mask, chosen)]
            place = builder.gep(steps, [count], source_etype=INT)
            builder.store(builder.call(compress, values), builder.bitcast(place, _HALF.as_pointer()), align=8)
            count = builder.add(count, builder.zext(builder.call(bits_set, [mask]), INT))
        return count

    i = types.int64
    return types.int64(OFFSETS, i, i, i, i), codegen


_HEIGHT = 3 if _WIDE else 6
_VECTORS = 8 if _WIDE else 1
_low_8, _low_7, _low_6, _low_5, _low_4, _low_3, _low_2, _low_1 = (column_tile(_HEIGHT, v) for v in range(8, 0, -1))
_high_2, _high_1 = column_tile(6, 2), column_tile(12, 1)


@numba.njit
def _tile_height(vectors):  # type: ignore[no-untyped-def]
    """Rows of a tile of so many vectors: enough that no sum waits for the one before."""
    if _WIDE and vectors <= 2:
        return 12 if vectors == 1 else 6
    return _HEIGHT


@numba.njit
def _tile(height, vectors, a, rows, steps, count, b, c, ldc, start, bias, relu, tail):  # type: ignore[no-untyped-def]
    if not _WIDE:
        _low_1(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif height == 12:
        _high_1(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif height == 6:
        _high_2(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 8:
        _low_8(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 7:
        _low_7(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 6:
        _low_6(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 5:
        _low_5(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 4:
        _low_4(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 3:
        _low_3(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    elif vectors == 2:
        _low_2(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)
    else:
        _low_1(a, rows, steps, count, b, c, ldc, start, bias, relu, tail)


@numba.njit
def _pixels_in_use(x, images, pixels, each, steps):  # type: ignore[no-untyped-def]
    """Fill `steps` with t * each for each pixel t that is not 0 in every one of the images; returns how many."""
    count, line = 0, 4 * pixels
    whole = pixels // LANES * LANES
    for t in range(0, whole, LANES):
        here = x + 4 * t
        bits = 0
        if images == 3:
            bits |= _nonzero(floats_at(here), LANES)
            bits |= _nonzero(floats_at(here + line), LANES)
            bits |= _nonzero(floats_at(here + 2 * line), LANES)
            _fetch(floats_at(here + 6 * line))
            _fetch(floats_at(here + 7 * line))
            _fetch(floats_at(here + 8 * line))
        else:
            for k in range(images):
                bits |= _nonzero(floats_at(here + k * line), LANES)
                _fetch(floats_at(here + (k + 2 * images) * line))
        count = _append(steps, count, t * each, each, bits)
    if whole < pixels:
        bits = 0
        for k in range(images):
            bits |= _nonzero(floats_at(x + 4 * whole + k * line), pixels - whole)
        count = _append(steps, count, whole * each, each, bits)
    return count


@instruction
def multiply_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, x, turned, y, ldy, has_bias, bias, relu, steps): y = x W^T + b.

    y is (n, o), with rows `ldy` apart, x (n, p), and `turned` W^T (p, o). `steps` is scratch of as many words as there
    are pixels and `SLACK`.
    """
    images, pixels, outputs, ldy = w[0], w[1], w[2], w[6]
    source, steps, rows = floats_at(w[3]), words_at(w[10]), words_at(w[10] + 8 * (pixels + LANES))
    start = START_AT_BIAS if w[7] != 0 else START_AT_ZERO
    across = block_width(outputs, _VECTORS)
    height = _tile_height((min(across, outputs) + LANES - 1) // LANES)
    each = 1 | outputs << 32
    m = 0
    while m < images:
        alone = images < height  # then image by image, in a tile whose rows are all the same
        if not alone:
            m = min(m, images - height)  # the last tile may do some rows again
        for k in range(height):
            rows[k] = (m if alone else m + k) * pixels
        count = _pixels_in_use(w[3] + 4 * rows[0], 1 if alone else height, pixels, each, steps)
        for n in range(0, outputs, across):
            columns = min(outputs - n, across)
            vectors = (columns + LANES - 1) // LANES
            tail = columns - LANES * (vectors - 1)
            right, added, out = floats_at(w[4] + 4 * n), floats_at(w[8] + 4 * n), floats_at(w[5] + 4 * (m * ldy + n))
            ldc = 0 if alone else ldy
            _tile(height, vectors, source, rows, steps, count, right, out, ldc, start, added, w[9], tail)
        m += 1 if alone else height


_PIXELS = 4  # pixels of a tile of the gradient
_four_4, _four_3, _four_2, _four_1 = (column_tile(_PIXELS, v) for v in (4, 3, 2, 1))


@numba.njit
def _pixel_tile(vectors, a, rows, steps, count, b, c, ldc, start, tail):  # type: ignore[no-untyped-def]
    if vectors == 1:
        _four_1(a, rows, steps, count, b, c, ldc, start, b, 0, tail)
    elif _WIDE:
        if vectors == 4:
            _four_4(a, rows, steps, count, b, c, ldc, start, b, 0, tail)
        elif vectors == 3:
            _four_3(a, rows, steps, count, b, c, ldc, start, b, 0, tail)
        else:
            _four_2(a, rows, steps, count, b, c, ldc, start, b, 0, tail)


@instruction
def multiply_with_images(w):  # type: ignore[no-untyped-def]
    """(images, pixels, outputs, g, ldg, x, gradient, steps, patterns, block): gradient = g^T x.

    The gradient is (o, p), g (n, o), with rows `ldg` apart, x (n, p); 4 pixels at a time, of the images in which one of
    them is not 0. `steps` is scratch of a word for each of at most 512 images and `SLACK`, `patterns` of 4
    bytes for each and 16, `block` of 16 floats for each output.
    """
    images, pixels, outputs, ldg = w[0], w[1], w[2], w[4]
    most = min(images, TOGETHER)
    steps, rows, patterns = words_at(w[7]), words_at(w[7] + 8 * (most + LANES)), integers_at(w[8])
    each = pixels | ldg << 32
    across = block_width(outputs, VECTORS)
    for first in range(0, max(images, 1), TOGETHER):
        many = min(images - first, TOGETHER)
        start = START_AT_C if first else START_AT_ZERO
        for p in range(0, pixels, LANES):
            width = min(pixels - p, LANES)
            source = floats_at(w[5] + 4 * p)
            if width == LANES:  # the compiler makes a better loop of a constant
                for i in range(many):
                    patterns[i] = _nonzero(floats_at(w[5] + 4 * (p + (first + i) * pixels)), LANES)
            else:
                for i in range(many):
                    patterns[i] = _nonzero(floats_at(w[5] + 4 * (p + (first + i) * pixels)), width)
            for i in range(many, (many + LANES - 1) // LANES * LANES):
                patterns[i] = 0
            if first:
                turn(w[6] + 4 * p, pixels, 0, outputs, width, w[9], outputs)
            for j in range(0, width, _PIXELS):
                count = 0
                for i in range(0, many, LANES):
                    bits = _having(integers_at(w[8] + 4 * i), 15 << j)
                    count = _append(steps, count, (first + i) * each, each, bits)
                for k in range(_PIXELS):
                    rows[k] = min(j + k, width - 1)  # the last pixel again, where there are fewer
                for n in range(0, outputs, across):
                    columns = min(outputs - n, across)
                    vectors = (columns + LANES - 1) // LANES
                    tail = columns - LANES * (vectors - 1)
                    right, out = floats_at(w[3] + 4 * n), floats_at(w[9] + 4 * (j * outputs + n))
                    _pixel_tile(vectors, source, rows, steps, count, right, out, outputs, start, tail)
            turn(w[9], outputs, 0, width, outputs, w[6] + 4 * p, pixels)
