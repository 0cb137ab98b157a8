"""Convolution with what follows it: folded normalization, ReLU, max pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.kernels.numba_cpu import elementwise, statistics, windows
from inkgrad.kernels.numba_cpu.multiply import START_AT_BIAS, START_AT_C, START_AT_ZERO
from inkgrad.kernels.numba_cpu.patches import (
    add_patches,
    list_gradients,
    pack_patches,
    sum_patches,
    unpack_patches,
)
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.products import emit_product
from inkgrad.plan.program import COUNT, Place, Program
from inkgrad.plan.rules.normalization import folded
from inkgrad.plan.rules.pooling import Window, pool_window
from inkgrad.plan.trace import Call, Unplannable


@dataclass(frozen=True)
class Geometry:
    """Sizes of a convolution of one image, in pixels; the input counts with its padding as `tall` by `wide`."""

    channels: int
    height: int
    width: int
    outputs: int
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def tall(self) -> int:
        """Rows of the padded input."""
        return self.height + 2 * self.padding[0]

    @property
    def wide(self) -> int:
        """Columns of the padded input."""
        return self.width + 2 * self.padding[1]

    @property
    def out(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        (kh, kw), (sy, sx) = self.window, self.stride
        return (self.tall - kh) // sy + 1, (self.wide - kw) // sx + 1

    @property
    def terms(self) -> int:
        """Products in one output number."""
        return self.window[0] * self.window[1] * self.channels

    def origins(self) -> Any:
        """Where the window of each output begins in the padded input, in floats."""
        rows, columns = self.out
        y, x = np.mgrid[:rows, :columns]
        return ((y * self.stride[0] * self.wide + x * self.stride[1]) * self.channels).reshape(-1)

    def offsets(self) -> Any:
        """Where the elements of a window lie behind its beginning."""
        y, x, c = np.mgrid[: self.window[0], : self.window[1], : self.channels]
        return ((y * self.wide + x) * self.channels + c).reshape(-1)


def _geometry(x: Value, weight: Any, options: dict[str, Any]) -> Geometry:
    if len(x.shape) != 3:
        raise Unplannable("a convolution of something that is no image")
    outputs, channels, kh, kw = weight.shape
    stride, padding = (_pair(options.get(name, default)) for name, default in (("stride", 1), ("padding", 0)))
    return Geometry(channels, x.shape[1], x.shape[2], outputs, (kh, kw), stride, padding)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


@rule("conv2d")
def conv2d(planner: Planner, call: Call) -> None:
    """y[o, i, j] = b[o] + sum over c, a, b of w[o, c, a, b] x[c, i s + a - p, j s + b - p]."""
    program = planner.program
    x, weight_tensor = planner.value(call.inputs[0]), call.inputs[1]
    bias_tensor = call.inputs[2] if len(call.inputs) > 2 else None
    weight = planner.parameter(weight_tensor, 4)
    bias = None if bias_tensor is None else planner.parameter(bias_tensor, 1)
    geometry = _geometry(x, weight_tensor, call.options)
    if "norm" in call.options:
        weight, bias = folded(planner, call.options["norm"], weight, bias, geometry.outputs, geometry.terms)
    relu = "relu" in call.options
    packed = program.shared_new(geometry.terms * geometry.outputs)
    _pack(planner, windows.pack_forward, geometry, weight, packed)
    source = _padded(planner, x, geometry)
    pool = pool_window(call.options["pool"], *geometry.out) if "pool" in call.options else None
    rows, columns = geometry.out
    pixels, o = rows * columns, geometry.outputs
    program.work += 2 * geometry.terms * pixels * o
    shape = (o, rows, columns) if pool is None else (o, *pool.out)
    y = Value(shape, planner.take(int(np.prod(shape))), planner.training)
    planner.set_value(call.output, y)
    start = START_AT_ZERO if bias is None else START_AT_BIAS
    product: dict[str, Any] = {
        "m": pixels,
        "t": geometry.terms,
        "n": o,
        "a": source,
        "rows": geometry.origins(),
        "steps": geometry.offsets(),
        "b": packed,
        "columns": np.arange(geometry.terms) * o,
        "ldc": o,
        "start": start,
        "bias": bias,
    }
    index = None
    if pool is None:
        stride = geometry.tall * geometry.wide * geometry.channels
        emit_product(program, images=COUNT, a_stride=stride, c=y.place, c_stride=pixels * o, relu=relu, **product)
    else:
        scratch, index = program.local(pixels * o), program.batch(y.size, np.uint8)
        with program.each_image():
            emit_product(program, c=scratch, **product)
            program.emit(
                windows.max_pool,
                1,
                rows,
                columns,
                o,
                pool.table(program, o, columns),
                scratch,
                y.place,
                index,
                int(relu),
            )

    def backward() -> None:
        _backward(planner, call, geometry, x, source, y, weight, pool, index)

    planner.later(backward)


def _pack(planner: Planner, instruction: Any, geometry: Geometry, weight: Place, packed: Place) -> None:
    """Bring the weights into the order in which they are used, a share by each thread."""
    window = geometry.window[0] * geometry.window[1]
    first, last = planner.program.share(geometry.outputs)
    with planner.beforehand():
        planner.program.emit(instruction, first, last, geometry.channels, window, geometry.outputs, weight, packed)


def _padded(planner: Planner, x: Value, geometry: Geometry) -> Place:
    if geometry.padding == (0, 0):
        return x.place
    place = planner.program.batch(geometry.tall * geometry.wide * geometry.channels)
    planner.program.emit(
        windows.spread, COUNT, geometry.height, geometry.width, geometry.channels, *geometry.padding, 1, 1, geometry.tall,
        geometry.wide, x.place, place,
    )  # fmt: skip
    return place


def _backward(
    planner: Planner,
    call: Call,
    geometry: Geometry,
    x: Value,
    source: Place,
    y: Value,
    weight: Place,
    pool: Window | None,
    index: Place | None,
) -> None:
    program, o = planner.program, geometry.outputs
    g = planner.arrived(y)
    if g is None:
        return
    if pool is not None and index is not None and (geometry.padding == (0, 0) or not x.differentiated):
        patch_gradients(planner, call, geometry, x, source, y, g, weight, pool, index)
        return
    relu = int("relu" in call.options)
    frame = Frame.of(geometry, x.differentiated)
    weight_gradient = planner.gradient_of_parameter(call.inputs[1])
    bias_gradient = (
        planner.gradient_of_parameter(call.inputs[2]) if len(call.inputs) > 2 and call.inputs[2] is not None else None
    )
    partial = program.local(geometry.terms * o)
    if x.differentiated:
        flipped = program.shared_new(geometry.terms * o)
        _pack(planner, windows.pack_backward, geometry, weight, flipped)
        out = planner.take(x.size)
    if weight_gradient is not None:
        program.emit(elementwise.zero, 1, geometry.terms * o, partial)
    if bias_gradient is not None:
        program.emit(elementwise.zero, 1, o, bias_gradient)
    if relu and pool is None:
        program.emit(elementwise.activate_backward, COUNT, y.size, 1, y.place, g)
    with program.each_image():
        dense = _dense_gradient(program, geometry, frame, y, g, pool, index, relu)
        if bias_gradient is not None:
            program.emit(statistics.sum_columns, 1, frame.tall * frame.wide, o, dense, bias_gradient, 1)
        if weight_gradient is not None:
            _emit_weight_gradient(program, geometry, frame, source, dense, partial)
        if x.differentiated:
            _emit_input_gradient(program, geometry, frame, dense, flipped, out)
    if weight_gradient is not None:
        window = geometry.window[0] * geometry.window[1]
        program.emit(windows.unpack_gradient, geometry.channels, window, o, partial, weight_gradient)
    planner.give(y.size, g)
    if x.differentiated:
        planner.hand_over(x, out)


@dataclass(frozen=True)
class Frame:
    """Where the gradient of the output lies among zeros, so that windows over it never leave it."""

    tall: int
    wide: int
    top: int
    left: int

    @staticmethod
    def of(geometry: Geometry, with_input_gradient: bool) -> "Frame":
        """As large as the gradient of the input needs it; else just the output."""
        (kh, kw), (py, px) = geometry.window, geometry.padding
        if not with_input_gradient:
            return Frame(*geometry.out, 0, 0)
        if py >= kh or px >= kw:
            raise Unplannable("a convolution's padding is as large as its window")
        return Frame(geometry.height + kh - 1, geometry.width + kw - 1, kh - 1 - py, kw - 1 - px)

    def stride(self, geometry: Geometry) -> tuple[int, int]:
        """How far two neighbouring gradients lie apart."""
        return (1, 1) if (self.tall, self.wide) == geometry.out else geometry.stride


def _dense_gradient(
    program: Program,
    geometry: Geometry,
    frame: Frame,
    y: Value,
    g: Place,
    pool: Window | None,
    index: Place | None,
    relu: int,
) -> Place:
    """The gradient of one image's convolution, before pooling, in its frame."""
    o = geometry.outputs
    if pool is None:
        if (frame.tall, frame.wide) == geometry.out:
            return g
        place = program.local(frame.tall * frame.wide * o)
        program.emit(
            windows.spread,
            1,
            *geometry.out,
            o,
            frame.top,
            frame.left,
            *frame.stride(geometry),
            frame.tall,
            frame.wide,
            g,
            place,
        )
        return place
    if frame.stride(geometry) != (1, 1):
        raise Unplannable("max pooling of a convolution with a stride")
    place = program.local(frame.tall * frame.wide * o)
    program.emit(
        windows.max_unpool, 1, o, pool.table(program, o, geometry.out[1]), y.place, index, g, place, frame.tall, frame.wide, frame.top, frame.left,
        relu,
    )  # fmt: skip
    return place


def _emit_weight_gradient(
    program: Program, geometry: Geometry, frame: Frame, source: Place, dense: Place, partial: Place
) -> None:
    o, (rows, columns) = geometry.outputs, geometry.out
    sy, sx = frame.stride(geometry)
    i, j = np.mgrid[:rows, :columns]
    lies = (((frame.top + i * sy) * frame.wide + frame.left + j * sx) * o).reshape(-1)
    emit_product(
        program,
        m=geometry.terms,
        t=rows * columns,
        n=o,
        a=source,
        rows=geometry.offsets(),
        steps=geometry.origins(),
        b=dense,
        columns=lies,
        c=partial,
        ldc=o,
        start=START_AT_C,
    )


def _emit_input_gradient(
    program: Program, geometry: Geometry, frame: Frame, dense: Place, flipped: Place, out: Place
) -> None:
    o, c, (kh, kw) = geometry.outputs, geometry.channels, geometry.window
    y, x = np.mgrid[: geometry.height, : geometry.width]
    i, j, k = np.mgrid[:kh, :kw, :o]
    offsets = (i * frame.wide + j) * o + k
    emit_product(
        program,
        m=geometry.height * geometry.width,
        t=offsets.size,
        n=c,
        a=dense,
        rows=(y * frame.wide + x) * o,
        steps=offsets,
        b=flipped,
        columns=np.arange(offsets.size) * c,
        c=out,
        ldc=c,
    )


def patch_gradients(
    planner: Planner,
    call: Call,
    geometry: Geometry,
    x: Value,
    source: Place,
    y: Value,
    g: Place,
    weight: Place,
    pool: Window,
    index: Place,
) -> None:
    """The backward part behind max pooling: gradient by gradient, as most outputs have none."""
    program, o = planner.program, geometry.outputs
    (kh, kw), c = geometry.window, geometry.channels
    positions, length, stride = pool.out[0] * pool.out[1], kw * c, geometry.wide * c
    weight_gradient = planner.gradient_of_parameter(call.inputs[1])
    bias_gradient = None
    if len(call.inputs) > 2 and call.inputs[2] is not None:
        bias_gradient = planner.gradient_of_parameter(call.inputs[2])
    (py, px), (sy, sx) = pool.padding, pool.stride
    i, j = np.mgrid[: pool.out[0], : pool.out[1]]
    at, (dy, dx) = np.arange(pool.size[0] * pool.size[1]), geometry.stride
    origins = program.table((((i * sy - py) * dy * geometry.wide + (j * sx - px) * dx) * c).reshape(-1))
    shifts = program.table((at // pool.size[1] * dy * geometry.wide + at % pool.size[1] * dx) * c)
    counts, offsets = program.local(o, np.int64), program.local(o * positions, np.int64)
    values, partial = program.local(o * positions), program.local(geometry.terms * o)
    if weight_gradient is not None:
        program.emit(elementwise.zero, 1, geometry.terms * o, partial)
    if bias_gradient is not None:
        program.emit(elementwise.zero, 1, o, bias_gradient)
    if x.differentiated:
        patches, out = program.shared_new(geometry.terms * o), planner.take(x.size)
        _pack(planner, pack_patches, geometry, weight, patches)
    with program.each_image():
        program.emit(
            list_gradients, o, positions, origins, shifts, y.place, index, g, int("relu" in call.options), counts, offsets,
            values, 0 if bias_gradient is None else bias_gradient,
        )  # fmt: skip
        if weight_gradient is not None:
            program.emit(sum_patches, o, positions, kh, length, stride, source, counts, offsets, values, partial)
        if x.differentiated:
            program.emit(add_patches, o, positions, kh, length, stride, x.size, counts, offsets, values, patches, out)
    if weight_gradient is not None:
        program.emit(unpack_patches, c, kh * kw, o, partial, weight_gradient)
    planner.give(y.size, g)
    if x.differentiated:
        planner.hand_over(x, out)
