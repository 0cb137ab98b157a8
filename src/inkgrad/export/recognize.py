"""Which nodes are layers of `inkgrad.nn`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.errors import InputError
from inkgrad.export.operators import Attributes
from inkgrad.nn import (
    GELU,
    AveragePool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    LogSoftmax,
    MaxPool2d,
    Module,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from inkgrad.nn.init import zeros
from inkgrad.random import default_rng

__all__ = ["layer_for"]

Weights = list[Array | None]  # of each input of the node; None for what is computed or left out
Maker = Callable[[Attributes, Weights], Module | None]


class AnyBatchNorm(BatchNorm2d):
    """Batch normalization of (n, c, ...) with any number of axes: a node does not say how many."""

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) in (2, 3, 5) and shape[1] == self.weight.shape[0]:
            return
        super()._check(shape)


def layer_for(kind: str, attributes: Attributes, weights: Weights) -> Module | None:
    """The layer that computes what a node does, with its weights; None where there is none.

    Args:
        kind: the operator.
        attributes: what the node says.
        weights: the constant inputs that nothing else uses.
    """
    maker = _MAKERS.get(kind)
    if maker is None:
        return None
    try:
        return maker(attributes, weights)
    except InputError:  # what the layer refuses, the operator refuses in its own words, or can
        return None


def _filled(layer: Any, arrays: Mapping[str, Array | None]) -> Any:
    for name, array in arrays.items():
        if array is not None:
            getattr(layer, name).data = np.ascontiguousarray(array)
    return layer


def _symmetric(a: Attributes) -> tuple[Any, Any] | None:
    """Strides and padding of a window over two axes, if inkgrad's windows can do it."""
    pads = a.integers("pads", [0, 0, 0, 0])
    plain = a.text("auto_pad", "NOTSET") in ("NOTSET", "VALID") and not a.integer("ceil_mode", 0)
    if not plain or len(pads) != 4 or pads[:2] != pads[2:] or set(a.integers("dilations", [1, 1])) != {1}:
        return None
    return a.integers("strides", [1, 1]), [0, 0] if a.text("auto_pad", "NOTSET") == "VALID" else pads[:2]


def _conv(a: Attributes, weights: Weights) -> Module | None:
    _, weight, bias = (*weights, None)[:3]
    window = _symmetric(a)
    if weight is None or weight.ndim != 4 or window is None or a.integer("group", 1) != 1 or min(weight.shape) < 1:
        return None
    if len(weights) > 2 and (bias is None or bias.shape != weight.shape[:1] or bias.dtype != weight.dtype):
        return None
    if a.integers("kernel_shape", list(weight.shape[2:])) != list(weight.shape[2:]):
        return None
    outputs, inputs, *size = weight.shape
    given: Any = {"stride": window[0], "padding": window[1], "bias": bias is not None}
    layer = Conv2d(inputs, outputs, size, rng=default_rng(0), init=zeros, **given)
    return _filled(layer, {"weight": weight, "bias": bias})  # type: ignore[no-any-return]


def _gemm(a: Attributes, weights: Weights) -> Module | None:
    _, weight, bias = (*weights, None)[:3]
    plain = a.number("alpha", 1.0) == a.number("beta", 1.0) == 1 and not a.integer("transA", 0)
    if weight is None or weight.ndim != 2 or min(weight.shape) < 1 or not plain:
        return None
    weight = weight if a.integer("transB", 0) else weight.T
    if len(weights) > 2 and (bias is None or bias.shape != weight.shape[:1] or bias.dtype != weight.dtype):
        return None
    outputs, inputs = weight.shape
    layer = Linear(inputs, outputs, rng=default_rng(0), bias=bias is not None, init=zeros)
    return _filled(layer, {"weight": weight, "bias": bias})  # type: ignore[no-any-return]


def _batch_norm(a: Attributes, weights: Weights) -> Module | None:
    arrays = weights[1:]
    if len(arrays) != 4 or a.integer("training_mode", 0) or a.outputs > 1 or not a.integer("spatial", 1):
        return None
    if any(one is None or one.ndim != 1 or one.shape != weights[1].shape for one in arrays):  # type: ignore[union-attr]
        return None
    momentum = min(max(1 - a.number("momentum", 0.9), 0.0), 1.0)  # there it is the share that is kept
    layer = AnyBatchNorm(len(arrays[0]), eps=a.number("epsilon", 1e-5), momentum=momentum)  # type: ignore[arg-type]
    names = ("weight", "bias", "running_mean", "running_var")
    return _filled(layer, dict(zip(names, arrays, strict=True)))  # type: ignore[no-any-return]


def _pool(kind: Any, a: Attributes) -> Module | None:
    window, size = _symmetric(a), a.integers("kernel_shape", [])
    if window is None or len(size) != 2 or a.outputs > 1:
        return None
    return kind(size, *window)  # type: ignore[no-any-return]


def _average_pool(a: Attributes, weights: Weights) -> Module | None:
    counted = a.integer("count_include_pad", 0) or not any(a.integers("pads", [0]))
    return _pool(AveragePool2d, a) if counted else None


def _dropout(a: Attributes, weights: Weights) -> Module | None:
    """Its share is an attribute before version 12 and an input since."""
    ratio = weights[1] if len(weights) > 1 else np.asarray(a.number("ratio", 0.5))
    if a.outputs > 1 or ratio is None or ratio.size != 1 or len(weights) > 2:
        return None
    return Dropout(float(ratio.reshape(())), rng=default_rng(0))


def _along(kind: Any) -> Maker:
    return lambda a, _: kind(a.integer("axis", -1)) if a.version >= 13 else None


_MAKERS: dict[str, Maker] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "MaxPool": lambda a, _: _pool(MaxPool2d, a),
    "AveragePool": _average_pool,
    "Dropout": _dropout,
    "Flatten": lambda a, _: Flatten() if a.integer("axis", 1) == 1 else None,
    "Relu": lambda a, _: ReLU(),
    "LeakyRelu": lambda a, _: LeakyReLU(a.number("alpha", 0.01)),
    "Sigmoid": lambda a, _: Sigmoid(),
    "Tanh": lambda a, _: Tanh(),
    "Gelu": lambda a, _: GELU() if a.text("approximate", "none") == "none" else None,
    "Softplus": lambda a, _: Softplus(),
    "Softmax": _along(Softmax),
    "LogSoftmax": _along(LogSoftmax),
}
