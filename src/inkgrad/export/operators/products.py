"""Matrix products, normalization, and convolution over one, two or three axes."""

from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor, ops
from inkgrad.errors import ShapeError
from inkgrad.export.budget import claim
from inkgrad.export.operators.elementwise import floats
from inkgrad.export.operators.registry import Attributes, Value, operator, plain
from inkgrad.export.operators.window import Window


@operator("MatMul")
def _matmul(a: Attributes, x: Value, y: Value) -> Any:
    x, y = floats(x), floats(y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError("it cannot multiply numbers")
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    claim([*lead, x.shape[-2] if x.ndim > 1 else 1, y.shape[-1] if y.ndim > 1 else 1])
    return ops.matmul(x, y)


@operator("Gemm")
def _gemm(a: Attributes, x: Value, y: Value, c: Value = None) -> Any:
    """alpha x y + beta c."""
    x, y = (floats(one) for one in (x, y))
    if x.ndim != 2 or y.ndim != 2:
        raise ShapeError(f"it multiplies matrices, but got {x.shape} and {y.shape}")
    x, y = (ops.transpose(one) if a.integer(name, 0) else one for one, name in ((x, "transA"), (y, "transB")))
    claim((x.shape[0], y.shape[1]))
    product = ops.matmul(x, y)
    alpha, beta = a.number("alpha", 1.0), a.number("beta", 1.0)
    product = product if alpha == 1 else product * alpha
    if c is None:
        return product
    added = floats(c)
    if np.broadcast_shapes(product.shape, added.shape) != product.shape:
        raise ShapeError(f"it adds {added.shape} to {product.shape}")
    return product + (added if beta == 1 else added * beta)


@operator("BatchNormalization")
def _batch_norm(a: Attributes, x: Value, scale: Value, shift: Value, mean: Value, variance: Value) -> Any:
    """By given statistics, or where the node says so by those of the batch, with the running ones after it."""
    x, scale, shift = (floats(one) for one in (x, scale, shift))
    eps, before = a.number("epsilon", 1e-5), (plain(mean), plain(variance))
    if a.version < 9 and not a.integer("spatial", 1):
        raise ShapeError("it normalizes each pixel on its own, which is not known")
    if not a.integer("training_mode", 0):
        return ops.batch_norm_inference(x, scale, shift, mean=before[0], variance=before[1], eps=eps)
    seen: list[Any] = []
    y = ops.batch_norm(x, scale, shift, eps=eps, observe=lambda m, v, _: seen.extend((m, v)))
    keep = a.number("momentum", 0.9)
    after = [(keep * old + (1 - keep) * new).astype(old.dtype) for old, new in zip(before, seen, strict=True)]
    return y if a.outputs == 1 else (y, *(Tensor(one) for one in after))


@operator("LayerNormalization")
def _layer_norm(a: Attributes, x: Value, scale: Value, shift: Value = None) -> Any:
    x, scale = floats(x), floats(scale)
    axis = a.integer("axis", -1)
    axes = -axis if axis < 0 else x.ndim - axis
    if a.outputs > 1 or scale.ndim != axes:
        raise ShapeError("only the result itself is known, with a scale of as many axes as are normalized")
    offset = Tensor(np.zeros(scale.shape, scale.dtype)) if shift is None else floats(shift)
    return ops.layer_norm(x, scale, offset, eps=a.number("epsilon", 1e-5))


@operator("Conv")
def _conv(a: Attributes, x: Value, weight: Value, bias: Value = None) -> Any:
    x, weight = floats(x), floats(weight)
    axes = x.ndim - 2
    if axes not in (1, 2, 3) or weight.ndim != x.ndim:
        raise ShapeError(f"it takes images of one to three axes with weights alike, but got {x.shape}, {weight.shape}")
    if a.integers("kernel_shape", list(weight.shape[2:])) != list(weight.shape[2:]):
        raise ShapeError(f"its kernel_shape is not that of its weight {weight.shape}")
    window = Window.of(a, x.shape[2:], weight.shape[2:])
    groups, outputs = a.integer("group", 1), weight.shape[0]
    if groups < 1 or outputs % groups or weight.shape[1] * groups != x.shape[1]:
        raise ShapeError(f"{groups} groups do not divide {x.shape[1]} channels for weights {weight.shape}")
    claim((x.shape[0], outputs, *window.counts))
    claim((x.shape[0], x.shape[1], *(n + b + e for n, (b, e) in zip(x.shape[2:], window.pads, strict=True))))
    claim((*weight.shape[:2], *window.spans))
    weight = _dilated(weight, window.dilations)
    across, into = x.shape[1] // groups, outputs // groups
    shift = None if bias is None else floats(bias)
    parts = []
    for g in range(groups):
        channels, kernels = slice(g * across, (g + 1) * across), slice(g * into, (g + 1) * into)
        part = x if groups == 1 else ops.getitem(x, index=(slice(None), channels))
        kernel = weight if groups == 1 else ops.getitem(weight, index=kernels)
        offset = shift if shift is None or groups == 1 else ops.getitem(shift, index=kernels)
        parts.append(_convolved(part, kernel, offset, window))
    return parts[0] if groups == 1 else ops.concatenate(parts, axis=1)


def _dilated(weight: Tensor, dilations: tuple[int, ...]) -> Tensor:
    """Kernels with zeros between their elements."""
    for axis, apart in enumerate(dilations, start=2):
        n = weight.shape[axis]
        if apart > 1 and n > 1:
            split = ops.reshape(weight, shape=(*weight.shape[: axis + 1], 1, *weight.shape[axis + 1 :]))
            pads = [(0, 0)] * split.ndim
            pads[axis + 1] = (0, apart - 1)
            wide = ops.pad(split, width=pads)
            shape = (*weight.shape[:axis], n * apart, *weight.shape[axis + 1 :])
            cut = (*([slice(None)] * axis), slice(0, (n - 1) * apart + 1))
            weight = ops.getitem(ops.reshape(wide, shape=shape), index=cut)
    return weight


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """One group; what is not over two axes is brought there."""
    if x.ndim == 4:
        stride: Any = window.strides
        if window.symmetric:
            return ops.conv2d(x, weight, bias, stride=stride, padding=[b for b, _ in window.pads])
        return ops.conv2d(ops.pad(x, width=[(0, 0), (0, 0), *window.pads]), weight, bias, stride=stride)
    x = ops.pad(x, width=[(0, 0), (0, 0), *window.pads]) if any(map(any, window.pads)) else x
    n, c = x.shape[:2]
    if x.ndim == 3:
        image, kernel = ops.reshape(x, shape=(n, c, 1, x.shape[2])), _flat(weight)
        y = ops.conv2d(image, kernel, bias, stride=(1, *window.strides))
        return ops.reshape(y, shape=(n, y.shape[1], y.shape[3]))
    return _convolved_3d(x, weight, bias, window)


def _flat(weight: Tensor) -> Tensor:
    return ops.reshape(weight, shape=(*weight.shape[:2], 1, weight.shape[2]))


def _convolved_3d(x: Tensor, weight: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """The sum of convolutions over two axes, one for each layer of the kernel."""
    n, c, _, h, w = x.shape
    deep, step = window.counts[0], window.strides[0]
    total: Any = None
    for i in range(weight.shape[2]):
        layers = ops.getitem(x, index=(slice(None), slice(None), slice(i, i + (deep - 1) * step + 1, step)))
        images = ops.reshape(ops.transpose(layers, axes=(0, 2, 1, 3, 4)), shape=(n * deep, c, h, w))
        kernel = ops.getitem(weight, index=(slice(None), slice(None), i))
        y = ops.conv2d(images, kernel, bias if i == 0 else None, stride=window.strides[1:])
        total = y if total is None else total + y
    o, *rest = total.shape[1:]
    return ops.transpose(ops.reshape(total, shape=(n, deep, o, *rest)), axes=(0, 2, 1, 3, 4))
