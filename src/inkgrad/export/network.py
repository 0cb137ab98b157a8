"""`OnnxNetwork`: a network that came from an ONNX file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor
from inkgrad.errors import InkgradError, ShapeError
from inkgrad.export.budget import Budget, budget, claim
from inkgrad.export.operators import OPERATORS, Attributes
from inkgrad.nn import AveragePool2d, Conv2d, MaxPool2d, Module

__all__ = ["OnnxNetwork", "OperatorLayer", "Program", "ProgramStep"]

Axes = tuple[int | None, ...]


class OperatorLayer(Module):
    """An operator of ONNX that has no layer of its own in `inkgrad.nn`.

    Attributes:
        kind: its name.
        attributes: what its node says.
    """

    def __init__(self, kind: str, attributes: Attributes) -> None:
        self.kind = kind
        self.attributes = attributes

    def forward(self, *inputs: Any) -> Any:
        """The operator's result, or a tuple of them."""
        return OPERATORS[self.kind](self.attributes, *inputs)

    def __repr__(self) -> str:
        return f"OperatorLayer({self.kind})"


@dataclass(frozen=True)
class ProgramStep:
    """One node: which layer computes what of what.

    Attributes:
        layer: the attribute of the network that holds it.
        kind: the operator.
        inputs: names of values; "" for one that is left out.
        outputs: likewise, for those that it gives.
        last: values that nothing needs after it.
    """

    layer: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """What a network computes, in order.

    Attributes:
        inputs: (name, dtype, lengths of the axes or None) each.
        outputs: (name, dtype) each.
        steps: the nodes.
        weights: value -> the attribute of the network that holds it.
        constants: value -> tensor or array that is not trained.
    """

    inputs: tuple[tuple[str, Any, Axes | None], ...]
    outputs: tuple[tuple[str, Any], ...]
    steps: tuple[ProgramStep, ...]
    weights: Mapping[str, str]
    constants: Mapping[str, Any]


class OnnxNetwork(Module):
    """A network as `from_onnx` gives it: it predicts, trains, can be looked at, and exported again.

    Its layers and weights are attributes under the names that they have in the file, such as "conv1" and
    "conv1.weight". Where the package has a layer for a node, it is that layer; else an `OperatorLayer`.
    """

    def __init__(self, program: Program, members: Mapping[str, Any]) -> None:
        self.program = program
        for name, member in members.items():
            setattr(self, name, member)

    @property
    def inputs(self) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
        """The name and the lengths of the axes of each input, None for any length."""
        return tuple((name, axes or (None,)) for name, _, axes in self.program.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The name of each output."""
        return tuple(name for name, _ in self.program.outputs)

    def forward(self, *inputs: Any) -> Any:
        """Inputs, as the file has them -> its output, or a tuple of them.

        Raises:
            ShapeError: inputs that the network does not take.
        """
        values = self._given(inputs)
        values.update(self.program.constants)
        values.update({name: vars(self)[member] for name, member in self.program.weights.items()})
        shapes = [x.shape if isinstance(x, Tensor) else np.shape(x) for x in inputs[:1]]
        allowed = Budget(shapes[0][0] if shapes and shapes[0] else 1)
        token = budget.set(allowed)
        try:
            for step in self.program.steps:
                for name, value in zip(step.outputs, self._computed(step, values), strict=True):
                    if name:
                        allowed.take(value.size if isinstance(value, np.ndarray) else int(np.prod(value.shape)))
                        values[name] = value
                for name in step.last:
                    values.pop(name, None)
        finally:
            budget.reset(token)
        results = tuple(values[name] for name in self.outputs)
        return results[0] if len(results) == 1 else results

    def _given(self, inputs: tuple[Any, ...]) -> dict[str, Any]:
        known = self.program.inputs
        if len(inputs) != len(known):
            raise ShapeError(
                f"the network takes {len(known)} inputs, {', '.join(name for name, *_ in known)}, but got {len(inputs)}"
            )
        values = {}
        for (name, dtype, axes), given in zip(known, inputs, strict=True):
            value = given if isinstance(given, Tensor) else _as_value(given, dtype)
            if axes is not None:
                fits = len(axes) == len(value.shape) and all(
                    a in (None, n) for a, n in zip(axes[1:], value.shape[1:], strict=True)
                )
                if not fits:
                    expected = ", ".join("n" if i == 0 or a is None else str(a) for i, a in enumerate(axes))
                    raise ShapeError(f"the network's input {name} is ({expected}), but got {value.shape}")
            values[name] = value
        return values

    def _computed(self, step: ProgramStep, values: Mapping[str, Any]) -> tuple[Any, ...]:
        layer = vars(self)[step.layer]
        given = [values[name] if name else None for name in step.inputs]
        try:
            _foresee(layer, given)
            result = layer(*(given[:1] if not isinstance(layer, OperatorLayer) else given))
        except InkgradError as error:
            raise type(error)(f"the node {step.layer} ({step.kind}) cannot run: {error}") from error
        except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError, RecursionError) as error:
            raise ShapeError(f"the node {step.layer} ({step.kind}) cannot run: {error}") from error
        results = result if isinstance(result, tuple) else (result,)
        if len(results) < len(step.outputs):
            raise ShapeError(f"the node {step.layer} ({step.kind}) cannot run: it gives {len(results)} results")
        return results[: len(step.outputs)]


def _foresee(layer: Module, given: list[Any]) -> None:
    """Ask for the room that a layer with a window takes; an operator asks by itself."""
    images = given and given[0] is not None and len(given[0].shape) == 4
    if images and isinstance(layer, Conv2d | MaxPool2d | AveragePool2d):
        n, c, h, w = given[0].shape
        high, wide = (length + 2 * pad for length, pad in zip((h, w), layer.padding, strict=True))
        claim((n, max(c, layer.weight.shape[0] if isinstance(layer, Conv2d) else 0), high, wide))


def _as_value(given: Any, dtype: Any) -> Any:
    """Floats as a tensor, everything else as an array of the input's dtype."""
    if np.dtype(dtype).kind == "f":
        return Tensor(given, dtype=dtype)
    array: Array = np.asarray(given)
    if array.dtype.kind not in "iub":
        raise ShapeError(f"an input of {np.dtype(dtype)} got {array.dtype}; give whole numbers")
    return array.astype(dtype)
