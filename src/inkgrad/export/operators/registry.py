"""The table of ONNX operators that are understood."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from inkgrad.autodiff import Array, Tensor
from inkgrad.errors import ShapeError

__all__ = ["OPERATORS", "Attributes", "Operator", "Value", "operator", "plain", "whole"]

Value: TypeAlias = "Tensor | Array | None"
"""Floats are tensors, everything else is an array; None is an input that was left out."""


@dataclass(frozen=True)
class Attributes:
    """What a node says beside its inputs.

    Attributes:
        values: name -> number, text, list or array.
        version: of the operators that its file is written for.
        outputs: how many results are wanted.
    """

    values: dict[str, Any] = field(default_factory=dict)
    version: int = 17
    outputs: int = 1

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        return int(self._of(name, default, int))

    def number(self, name: str, default: float) -> float:
        """A number."""
        return float(self._of(name, default, float))

    def text(self, name: str, default: str) -> str:
        """A word."""
        return str(self._of(name, default, str))

    def integers(self, name: str, default: list[int]) -> list[int]:
        """Whole numbers."""
        value = self._of(name, default, list)
        if not all(isinstance(one, int) for one in value):
            raise ShapeError(f"its {name} is {value!r:.60}, expected whole numbers")
        return list(value)

    def _of(self, name: str, default: Any, kind: Any) -> Any:
        value = self.values.get(name, default)
        if not isinstance(value, kind):
            raise ShapeError(f"its {name} is {value!r:.60}, expected {kind.__name__}")
        return value


Operator = Callable[..., Any]
OPERATORS: dict[str, Operator] = {}
"""The name of an operator -> (attributes, *inputs) -> its result, or a tuple of them."""


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register an operator under its names."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def plain(value: Value) -> Any:
    """The array of a tensor, and an array as it is."""
    return value.data if isinstance(value, Tensor) else value


def whole(value: Value, what: str) -> list[int]:
    """The whole numbers in an input, such as a shape.

    Raises:
        ShapeError: other numbers, or too many.
    """
    array = np.asarray(plain(value))
    if array.dtype.kind not in "iu" or array.ndim > 1 or array.size > 64:
        raise ShapeError(f"its {what} is {array.dtype} of shape {array.shape}, expected a few whole numbers")
    return [int(one) for one in array.reshape(-1)]
