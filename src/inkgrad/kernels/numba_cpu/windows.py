"""Instructions on images, (n, h, w, c) with the channels last: padding, pooling, and the packing of weights."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from inkgrad.kernels.numba_cpu.lanes import BYTES, INT, LANES, OFFSETS, POINTER, Lanes
from inkgrad.kernels.numba_cpu.native import bytes_at, floats_at, instruction, words_at

__all__ = [
    "max_pool",
    "max_unpool",
    "mean_pool",
    "mean_unpool",
    "pack_backward",
    "pack_forward",
    "spread",
    "unpack_gradient",
]


@instruction
def pack_forward(w):  # type: ignore[no-untyped-def]
    """(first, last, channels, window, outputs, weight, packed): (o, c, k) -> (k, c, o), for o in first..last."""
    channels, window, outputs = w[2], w[3], w[4]
    weight, packed = floats_at(w[5]), floats_at(w[6])
    for k in range(window):
        for c in range(channels):
            for o in range(w[0], w[1]):
                packed[(k * channels + c) * outputs + o] = weight[(o * channels + c) * window + k]


@instruction
def pack_backward(w):  # type: ignore[no-untyped-def]
    """(first, last, channels, window, outputs, weight, packed): (o, c, k) -> (k from behind, o, c)."""
    channels, window, outputs = w[2], w[3], w[4]
    weight, packed = floats_at(w[5]), floats_at(w[6])
    for k in range(window):
        for o in range(w[0], w[1]):
            for c in range(channels):
                packed[((window - 1 - k) * outputs + o) * channels + c] = weight[(o * channels + c) * window + k]


@instruction
def unpack_gradient(w):  # type: ignore[no-untyped-def]
    """(channels, window, outputs, packed, gradient): (k, c, o) -> (o, c, k)."""
    channels, window, outputs = w[0], w[1], w[2]
    packed, gradient = floats_at(w[3]), floats_at(w[4])
    for o in range(outputs):
        for c in range(channels):
            for k in range(window):
                gradient[(o * channels + c) * window + k] = packed[(k * channels + c) * outputs + o]


@instruction
def spread(w):  # type: ignore[no-untyped-def]
    """(images, h, w, c, top, left, stride_y, stride_x, H, W, x, y): x at every stride-th place of a y of zeros.

    With strides of 1 this is padding.
    """
    height, width, channels, top, left = w[1], w[2], w[3], w[4], w[5]
    stride_y, stride_x, tall, wide = w[6], w[7], w[8], w[9]
    for image in range(w[0]):
        x = floats_at(w[10] + 4 * image * height * width * channels)
        y = floats_at(w[11] + 4 * image * tall * wide * channels)
        for i in range(tall * wide * channels):
            y[i] = np.float32(0)
        for i in range(height):
            if stride_x == 1:  # a row is one stretch
                to, come = ((top + i * stride_y) * wide + left) * channels, i * width * channels
                for k in range(width * channels):
                    y[to + k] = x[come + k]
                continue
            for j in range(width):
                to = ((top + i * stride_y) * wide + left + j * stride_x) * channels
                come = (i * width + j) * channels
                for c in range(channels):
                    y[to + c] = x[come + c]


def _largest(places: int) -> Any:
    """An intrinsic: the largest of `places` vectors x[offsets[k]:], its k, and of the first `tail` lanes."""

    @intrinsic
    def tile(typing_context, x, offsets, y, index, relu, tail):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            x, offsets, y, index, relu, tail = args
            lanes = Lanes(builder)
            mask = lanes.mask(tail)
            best = which = None
            for k in range(places):
                offset = builder.load(builder.gep(offsets, [INT(k)], source_etype=INT), typ=INT)
                v = lanes.load(lanes.at(x, offset), mask)
                number = BYTES([k] * LANES)
                if best is None:
                    best, which = v, number
                    continue
                larger = builder.or_(builder.fcmp_ordered(">", v, best), builder.fcmp_unordered("uno", v, v))
                best, which = builder.select(larger, v, best), builder.select(larger, number, which)
            wanted = builder.icmp_signed("!=", relu, INT(0))
            lanes.store(builder.select(wanted, lanes.positive(best), best), y, mask)
            lanes.store_bytes(which, index, mask)
            return context.get_dummy_value()

        return types.void(POINTER, OFFSETS, POINTER, types.CPointer(types.uint8), types.int64, types.int64), codegen

    return tile


_largest_of_4 = _largest(4)


@instruction
def max_pool(w):  # type: ignore[no-untyped-def]
    """(images, h, w, c, geometry, x, y, index, relu): the largest of each window, and which it was.

    geometry: oh, ow, window height and width, strides, padding, and where the window's pixels lie in x. Of equal
    ones the first is chosen; NaN is the largest, and of several the last is chosen.
    """
    height, width, channels, relu = w[1], w[2], w[3], w[8]
    shape = words_at(w[4])
    tall, wide, window_y, window_x = shape[0], shape[1], shape[2], shape[3]
    stride_y, stride_x, pad_y, pad_x = shape[4], shape[5], shape[6], shape[7]
    zero = np.float32(0)
    offsets = words_at(w[4] + 64)
    four = window_y == 2 and window_x == 2 and pad_y == 0 and pad_x == 0
    for image in range(w[0]):
        x = floats_at(w[5] + 4 * image * height * width * channels)
        for i in range(tall):
            for j in range(wide):
                place = ((image * tall + i) * wide + j) * channels
                y, index = floats_at(w[6] + 4 * place), bytes_at(w[7] + place)
                if four:
                    corner = 4 * ((image * height + i * stride_y) * width + j * stride_x) * channels
                    for c in range(0, channels, LANES):
                        come, tail = floats_at(w[5] + corner + 4 * c), min(channels - c, LANES)
                        to, number = floats_at(w[6] + 4 * (place + c)), bytes_at(w[7] + place + c)
                        _largest_of_4(come, offsets, to, number, relu, tail)
                    continue
                fresh = True
                for a in range(max(0, pad_y - i * stride_y), min(window_y, height + pad_y - i * stride_y)):
                    for b in range(max(0, pad_x - j * stride_x), min(window_x, width + pad_x - j * stride_x)):
                        place_x = ((i * stride_y + a - pad_y) * width + j * stride_x + b - pad_x) * channels
                        k = np.uint8(a * window_x + b)
                        if fresh:
                            for c in range(channels):
                                y[c] = x[place_x + c]
                                index[c] = k
                            fresh = False
                        else:
                            for c in range(channels):
                                v = x[place_x + c]
                                larger = (v > y[c]) | (v != v)
                                y[c] = v if larger else y[c]
                                index[c] = k if larger else index[c]
                if relu != 0:
                    for c in range(channels):
                        y[c] = zero if y[c] < zero else y[c]


@instruction
def max_unpool(w):  # type: ignore[no-untyped-def]
    """(images, c, geometry, y, index, g, out, H, W, top, left, relu): each gradient to where its maximum was.

    out (n, H, W, c) is the gradient of the pooling's input, shifted by top and left within zeros; windows may
    overlap. With `relu` set gradients count only where y > 0.
    """
    channels, relu, tall, wide, top, left = w[1], w[11], w[7], w[8], w[9], w[10]
    shape = words_at(w[2])
    rows, columns, window_x = shape[0], shape[1], shape[3]
    stride_y, stride_x, pad_y, pad_x = shape[4], shape[5], shape[6], shape[7]
    zero = np.float32(0)
    for image in range(w[0]):
        out = floats_at(w[6] + 4 * image * tall * wide * channels)
        for i in range(tall * wide * channels):
            out[i] = zero
        for i in range(rows):
            for j in range(columns):
                place = ((image * rows + i) * columns + j) * channels
                y, index, g = floats_at(w[3] + 4 * place), bytes_at(w[4] + place), floats_at(w[5] + 4 * place)
                corner = (top + i * stride_y - pad_y) * wide + left + j * stride_x - pad_x
                for c in range(channels):
                    k = np.int64(index[c])
                    to = (corner + k // window_x * wide + k % window_x) * channels + c
                    out[to] += g[c] if relu == 0 or y[c] > zero else zero


@instruction
def mean_pool(w):  # type: ignore[no-untyped-def]
    """(images, h, w, c, geometry, x, y): the mean of each window, padding counted as zeros."""
    height, width, channels = w[1], w[2], w[3]
    shape = words_at(w[4])
    tall, wide, window_y, window_x = shape[0], shape[1], shape[2], shape[3]
    stride_y, stride_x, pad_y, pad_x = shape[4], shape[5], shape[6], shape[7]
    scale = np.float32(1) / np.float32(window_y * window_x)
    for image in range(w[0]):
        x = floats_at(w[5] + 4 * image * height * width * channels)
        for i in range(tall):
            for j in range(wide):
                y = floats_at(w[6] + 4 * ((image * tall + i) * wide + j) * channels)
                for c in range(channels):
                    y[c] = np.float32(0)
                for a in range(max(0, pad_y - i * stride_y), min(window_y, height + pad_y - i * stride_y)):
                    for b in range(max(0, pad_x - j * stride_x), min(window_x, width + pad_x - j * stride_x)):
                        come = ((i * stride_y + a - pad_y) * width + j * stride_x + b - pad_x) * channels
                        for c in range(channels):
                            y[c] += x[come + c]
                for c in range(channels):
                    y[c] *= scale


@instruction
def mean_unpool(w):  # type: ignore[no-untyped-def]
    """(images, h, w, c, geometry, g, out): each gradient shared equally by its window."""
    height, width, channels = w[1], w[2], w[3]
    shape = words_at(w[4])
    tall, wide, window_y, window_x = shape[0], shape[1], shape[2], shape[3]
    stride_y, stride_x, pad_y, pad_x = shape[4], shape[5], shape[6], shape[7]
    scale = np.float32(1) / np.float32(window_y * window_x)
    for image in range(w[0]):
        out = floats_at(w[6] + 4 * image * height * width * channels)
        for i in range(height * width * channels):
            out[i] = np.float32(0)
        for i in range(tall):
            for j in range(wide):
                g = floats_at(w[5] + 4 * ((image * tall + i) * wide + j) * channels)
                for a in range(max(0, pad_y - i * stride_y), min(window_y, height + pad_y - i * stride_y)):
                    for b in range(max(0, pad_x - j * stride_x), min(window_x, width + pad_x - j * stride_x)):
                        to = ((i * stride_y + a - pad_y) * width + j * stride_x + b - pad_x) * channels
                        for c in range(channels):
                            out[to + c] += g[c] * scale
