"""`Step`: a traced operation with the names that its inputs have in the graph, and the table of what writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkgrad.errors import OptionError
from inkgrad.export.graph import Graph
from inkgrad.export.trace import Call, lengths

__all__ = ["EMITTERS", "Emitter", "Step", "emits", "same"]


@dataclass(frozen=True)
class Step:
    """One operation to write.

    Attributes:
        call: the operation as called on inputs of the first size.
        other: the same on inputs of the second.
        names: what each input is called in the graph; "" for None.
        dtype: in which the network computes.
    """

    call: Call
    other: Call
    names: tuple[str, ...]
    dtype: Any

    @property
    def options(self) -> dict[str, Any]:
        """The operation's options, which must not depend on the size of the input.

        Raises:
            OptionError: they do.
        """
        for name, value in self.call.options.items():
            if not same(value, self.other.options.get(name)):
                raise self.refused(f"its {name} depends on the size of the input: {value}")
        return self.call.options

    def shapes(self, i: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape of an input for both sizes."""
        return lengths(self.call.inputs[i]), lengths(self.other.inputs[i])

    @property
    def results(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape of the result for both sizes."""
        return self.call.output.shape, self.other.output.shape

    def refused(self, why: str) -> OptionError:
        """An error that says why this operation cannot be written."""
        where = f" in {self.call.scope}" if self.call.scope else ""
        return OptionError(f"the operation {self.call.op}{where} cannot become ONNX: {why}")


def same(a: Any, b: Any) -> bool:
    """Whether two options or constants are equal, arrays elementwise."""
    if a is b:
        return True
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return bool(a == b)


Emitter = Callable[[Graph, Step], str]
EMITTERS: dict[str, Emitter] = {}
"""The name of each operation that can be written -> what writes it and returns the name of its result."""


def emits(*ops: str) -> Callable[[Emitter], Emitter]:
    """Register what writes some operations."""

    def register(emitter: Emitter) -> Emitter:
        EMITTERS.update(dict.fromkeys(ops, emitter))
        return emitter

    return register
