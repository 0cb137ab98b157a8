"""Arithmetic, activations and their like."""

from collections.abc import Callable
from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor, ops
from inkgrad.errors import ShapeError
from inkgrad.export.budget import claim
from inkgrad.export.operators.registry import OPERATORS, Attributes, Value, operator, plain

__all__: list[str] = []


_UNARY: dict[str, Callable[[Any], Any]] = {
    "Abs": ops.abs,
    "Erf": ops.erf,
    "Exp": ops.exp,
    "Log": ops.log,
    "Neg": ops.negative,
    "Relu": ops.relu,
    "Sigmoid": ops.sigmoid,
    "Softplus": ops.softplus,
    "Sqrt": ops.sqrt,
    "Tanh": ops.tanh,
}
_BINARY: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {  # of floats, and of whole numbers
    "Add": (ops.add, np.add),
    "Sub": (ops.subtract, np.subtract),
    "Mul": (ops.multiply, np.multiply),
    "Div": (ops.divide, np.floor_divide),
    "Pow": (ops.power, np.power),
    "Max": (ops.maximum, np.maximum),
    "Min": (ops.minimum, np.minimum),
}


def floats(x: Value) -> Tensor:
    """An input that has to be of floats.

    Raises:
        ShapeError: it is not.
    """
    if not isinstance(x, Tensor):
        raise ShapeError(f"it takes floats here, but got {'nothing' if x is None else x.dtype}")
    return x


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda a, x: function(floats(x))


def _binary(of_floats: Callable[..., Any], of_numbers: Callable[..., Any]) -> Callable[..., Any]:
    def run(a: Attributes, *inputs: Value) -> Any:
        if not inputs or any(x is None for x in inputs):
            raise ShapeError("an input is missing")
        result: Any = inputs[0]
        for other in inputs[1:]:
            second = _aligned(a, result, other)
            claim(np.broadcast_shapes(result.shape, second.shape))
            chosen = of_floats if isinstance(result, Tensor) else of_numbers
            if isinstance(second, Tensor) != isinstance(result, Tensor):
                raise ShapeError("its inputs are of different types")
            result = chosen(result, second)
        return result

    return run


def _aligned(a: Attributes, x: Any, y: Any) -> Any:
    """Before version 7 the second input could be laid along axes from a given one on."""
    axis = a.integer("axis", x.ndim - y.ndim)
    behind = x.ndim - axis - y.ndim
    if "axis" not in a or behind <= 0:
        return y
    shape = (*y.shape, *([1] * behind))
    return ops.reshape(y, shape=shape) if isinstance(y, Tensor) else y.reshape(shape)


OPERATORS.update({name: _unary(function) for name, function in _UNARY.items()})
OPERATORS.update({name: _binary(*functions) for name, functions in _BINARY.items()})


@operator("LeakyRelu")
def _leaky_relu(a: Attributes, x: Value) -> Any:
    return ops.leaky_relu(floats(x), slope=a.number("alpha", 0.01))


@operator("Gelu")
def _gelu(a: Attributes, x: Value) -> Any:
    if a.text("approximate", "none") != "none":
        raise ShapeError("only the exact form of Gelu is known")
    return ops.gelu(floats(x))


@operator("Softmax")
def _softmax(a: Attributes, x: Value) -> Any:
    return _over_axis(ops.softmax, a, floats(x))


@operator("LogSoftmax")
def _log_softmax(a: Attributes, x: Value) -> Any:
    return _over_axis(ops.log_softmax, a, floats(x))


def _over_axis(function: Any, a: Attributes, x: Tensor) -> Any:
    """Over one axis, or before version 13 over all axes from a given one on."""
    if a.version >= 13:
        return function(x, axis=a.integer("axis", -1))
    axis = a.integer("axis", 1) % max(x.ndim, 1)
    flat = ops.reshape(x, shape=(*x.shape[:axis], -1)) if x.ndim - axis > 1 else x
    return ops.reshape(function(flat, axis=-1), shape=x.shape)


@operator("Clip")
def _clip(a: Attributes, x: Value, low: Value = None, high: Value = None) -> Any:
    bounds = [plain(low), plain(high)]
    if a.version < 11:
        bounds = [a.number(name, np.nan) if name in a else None for name in ("min", "max")]
    if any(np.ndim(bound) > 0 and np.size(bound) != 1 for bound in bounds if bound is not None):
        raise ShapeError("its bounds are arrays, expected a number each")
    one, other = (None if bound is None else np.asarray(bound).reshape(()) for bound in bounds)
    if isinstance(x, Tensor):
        return ops.clip(x, one, other)
    result: Any = x
    result = result if one is None else np.maximum(result, one)
    return result if other is None else np.minimum(result, other)


@operator("Where")
def _where(a: Attributes, condition: Value, x: Value, y: Value) -> Any:
    chosen = plain(condition)
    if chosen is None or chosen.dtype != np.bool_:
        raise ShapeError("its condition is not of booleans")
    first, second = floats(x), floats(y)
    claim(np.broadcast_shapes(chosen.shape, first.shape, second.shape))
    return ops.where(chosen, first, second)


@operator("Identity")
def _identity(a: Attributes, x: Value) -> Any:
    return x


@operator("Dropout")
def _dropout(a: Attributes, x: Value, *rest: Value) -> Any:
    """As in prediction: nothing is dropped. In training a layer of `inkgrad.nn` stands in its place."""
    return (x, np.ones(x.shape, bool)) if x is not None and a.outputs > 1 else x


@operator("Cast")
def _cast(a: Attributes, x: Value) -> Any:
    from inkgrad.export.tensors import dtype_name

    kind = dtype_name(a.integer("to", 0))
    if kind is None or x is None:
        raise ShapeError("it casts to a type that is not known")
    if isinstance(x, Tensor):
        if x.dtype == kind:
            return x
        array = x.data
    else:
        array = x
    with np.errstate(invalid="ignore"):
        changed = array.astype(kind)
    return Tensor(changed) if changed.dtype.kind == "f" else changed
