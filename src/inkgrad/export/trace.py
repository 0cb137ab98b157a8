"""What a network computes, as a list of operations whose shapes are known for two sizes of its input.

A dynamic axis is one whose length differs between the two. So what depends on the number of images can be told from
what is a constant, although a module's `forward` only ever sees numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, no_grad
from inkgrad.autodiff.modes import enter_scope, leave_scope, tracing
from inkgrad.errors import InkgradError, OptionError
from inkgrad.nn import Module
from inkgrad.nn.twins import Twins
from inkgrad.plan.trace import TracedTensor, Unplannable, array_of, full_name, traced_tensor

__all__ = ["Call", "Shape", "Traced", "contents", "lengths", "run", "traced"]

Shape = tuple[int | None, ...]  # of one input without its first axis; None where any length will do

_BATCHES = (2, 3)
_LENGTHS = (64, 96)  # of other axes of any length


@dataclass(frozen=True)
class Call:
    """One operation as it was called, in the module of path `scope`."""

    op: str
    scope: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    output: TracedTensor


@dataclass
class Traced:
    """A run of a network on inputs of one size."""

    inputs: list[TracedTensor]
    outputs: list[Any]
    calls: list[Call] = field(default_factory=list)


class _Recorder:
    """What operations tell when they are called."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.scope = ""

    def record(self, op: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
        arrays = [array_of(v) for v in inputs]
        dtype = next((v.dtype for v in inputs if isinstance(v, Tensor)), np.float32)
        arrays = [v if v is None or _is_choice(v) else np.asarray(v, dtype) for v in arrays]
        value, _ = op.body(*arrays, **options)
        output = traced_tensor(np.asarray(value))
        self.calls.append(Call(full_name(op), self.scope, inputs, options, output))
        return output

    def enter(self, twin: Module, path: str, inputs: tuple[Any, ...]) -> Any:
        outer, token = self.scope, enter_scope(path) if path else None
        self.scope = path
        try:
            return twin.forward(*inputs)
        finally:
            self.scope = outer
            if token is not None:
                leave_scope(token)


def _is_choice(value: Any) -> bool:
    return np.asarray(value).dtype == np.bool_


def traced(net: Module, shapes: Sequence[Shape], dtype: Any, *, count: int | None = None) -> tuple[Traced, Traced]:
    """The operations of a network in prediction mode, for inputs of two sizes; the network stays as it is.

    Args:
        net: the network.
        shapes: of one input each.
        dtype: of the inputs.
        count: the one number of inputs that it takes, where it does not take any.

    Raises:
        OptionError: it cannot run on inputs of these shapes, or its way depends on values or on their number.
    """
    first, second = (_sized(net, shapes, dtype, which, count) for which in (0, 1))
    if [call.op for call in first.calls] != [call.op for call in second.calls]:
        raise OptionError(
            f"{type(net).__name__} computes something else for another number of inputs, which ONNX cannot say"
        )
    return first, second


def run(net: Module, inputs: Sequence[Array]) -> Traced:
    """The operations of a network in prediction mode, for some inputs."""
    recorder = _Recorder()
    tensors = [traced_tensor(array) for array in inputs]
    with tracing(recorder), no_grad(), np.errstate(all="ignore"):
        given = Twins(recorder.enter).twin(net, "")(*tensors)
    return Traced(tensors, list(given) if isinstance(given, tuple | list) else [given], recorder.calls)


def _sized(net: Module, shapes: Sequence[Shape], dtype: Any, which: int, count: int | None) -> Traced:
    batch = count or _BATCHES[which]
    full = [(batch, *(_LENGTHS[which] if n is None else n for n in shape)) for shape in shapes]
    try:
        return run(net, [np.zeros(shape, dtype) for shape in full])
    except Unplannable as error:
        raise OptionError(
            f"{type(net).__name__} cannot become ONNX: its forward looks at values, and so may take another way for "
            "other inputs; compute with operations of inkgrad.ops alone"
        ) from error
    except (InkgradError, ValueError, TypeError, IndexError, AttributeError) as error:
        told = " and ".join(f"({', '.join(['n', *('any' if n is None else str(n) for n in s)])})" for s in shapes)
        raise OptionError(
            f"{type(net).__name__} cannot become ONNX: it does not run on inputs of shape {told} ({error}); say the "
            "shape of one input with input_shape"
        ) from error


def lengths(value: Any) -> tuple[int, ...]:
    """The shape of anything an operation takes."""
    return value.shape if isinstance(value, Tensor) else np.shape(value)


def contents(value: Any) -> Array:
    """The array of a constant."""
    return np.asarray(array_of(value))
