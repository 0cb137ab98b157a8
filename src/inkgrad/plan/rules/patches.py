"""The backward part of a convolution behind max pooling: gradient by gradient, as most outputs have none."""

from typing import TYPE_CHECKING

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.kernels.numba_cpu import patches as kernels
from inkgrad.kernels.numba_cpu.scatter import add_windows
from inkgrad.plan.words import Place

if TYPE_CHECKING:
    from inkgrad.plan.rules.convolution import Convolution

__all__ = ["backward"]

FITS_CACHE = 1 << 13  # floats, of a core's nearest


def backward(conv: "Convolution") -> None:
    """Lists each image's gradients that are not zero, and adds their windows to the gradients of weights and input."""
    planner, program, geometry = conv.planner, conv.planner.program, conv.geometry
    x, y, o = conv.x, conv.y, geometry.outputs
    g = planner.arrived(y)
    if g is None:
        return
    assert conv.pool is not None
    (kh, kw), positions = geometry.window, conv.pool.out[0] * conv.pool.out[1]
    weight_gradient, bias_gradient = conv.gradients()
    origins, shifts = _tables(conv)
    counts, offsets = program.local(o, np.int64), program.local(o * positions, np.int64)
    values, partial = program.local(o * positions), program.local(geometry.terms * o)
    found = (counts, offsets, values)
    sizes = (o, positions, kh, kw * geometry.channels, geometry.wide * geometry.channels)
    if weight_gradient is not None:
        program.emit(elementwise.zero, 1, geometry.terms * o, partial)
    if x.differentiated:
        packed, out = program.shared_new(geometry.terms * o), planner.take(x.size)
        kinds = conv.pool.size[0] * conv.pool.size[1]
        windows, scratch = (origins, shifts, kinds), program.local(kinds * (2 * o + 1), np.int64)
        conv.pack(kernels.pack_patches, packed)
    bias = 0 if bias_gradient is None else bias_gradient
    behind = (y.place, conv.index, g, int(conv.relu))
    with program.each_image():
        program.emit(kernels.list_gradients, o, positions, origins, shifts, *behind, *found, bias)
        if weight_gradient is not None:
            program.emit(kernels.sum_patches, *sizes, conv.source, *found, partial)
        if x.differentiated:
            if geometry.terms * o <= FITS_CACHE:
                program.emit(add_windows, *sizes, x.size, *windows, *behind, packed, out, scratch)
            else:
                program.emit(kernels.add_patches, *sizes, x.size, *found, packed, out)
    if weight_gradient is not None:
        program.emit(kernels.unpack_patches, geometry.channels, kh * kw, o, partial, weight_gradient)
    planner.give(y.size, g)
    if x.differentiated:
        planner.hand_over(x, out)


def _tables(conv: "Convolution") -> tuple[Place, Place]:
    """Where the first window behind each pooled number begins in the input, and how far each of the others lies on.

    A pooling's own padding is never the largest, so a beginning before the input is never used without its shift.
    """
    assert conv.pool is not None
    program, pool, geometry = conv.planner.program, conv.pool, conv.geometry
    (py, px), (sy, sx), (dy, dx) = pool.padding, pool.stride, geometry.stride
    i, j = np.mgrid[: pool.out[0], : pool.out[1]]
    rows, columns = (i * sy - py) * dy, (j * sx - px) * dx
    k = np.arange(pool.size[0] * pool.size[1])
    shifts = k // pool.size[1] * dy * geometry.wide + k % pool.size[1] * dx
    origins = rows * geometry.wide + columns
    return program.table((origins * geometry.channels).reshape(-1)), program.table(shifts * geometry.channels)
