"""`Graph`: an ONNX graph while it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.export.extra import onnx_module

__all__ = ["OPSET", "Graph"]

OPSET = 17
"""The version of ONNX's operators that files are written for: of 2022, so that old runtimes read them too."""

_SMALL = 64  # numbers of a constant that is written once, wherever it is used


class Graph:
    """Nodes in the order in which they compute, and the constants that they use.

    Attributes:
        scope: the path of the module whose operations are being written; names of nodes begin with it.
        nodes: the nodes.
        constants: name -> array.
    """

    def __init__(self) -> None:
        self.scope = ""
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self._names: set[str] = set()
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def name(self, wanted: str) -> str:
        """A name that nothing else has."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Write a node of one output; returns the output's name, which is the node's too."""
        name = self.name(f"{self.scope}/{kind}" if self.scope else kind)
        self.node(kind, inputs, [name], name, attributes)
        return name

    def node(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], name: str, attributes: Mapping[str, Any]
    ) -> None:
        """Write a node."""
        helper = onnx_module("onnx.helper")
        self.nodes.append(helper.make_node(kind, list(inputs), list(outputs), name=name, **attributes))

    def constant(self, value: Any, dtype: Any, name: str = "") -> str:
        """A constant, under the given name if it has one; small ones without a name are written once."""
        array = np.ascontiguousarray(np.asarray(value, dtype)).reshape(np.shape(value))
        if name:
            chosen = self.name(name)
            self.constants[chosen] = array
            return chosen
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= _SMALL else None
        if key is not None and key in self._shared:
            return self._shared[key]
        chosen = self.name("constant")
        self.constants[chosen] = array
        if key is not None:
            self._shared[key] = chosen
        return chosen

    def integers(self, values: Sequence[int]) -> str:
        """A constant of whole numbers, (k,)."""
        return self.constant(np.asarray(values, np.int64), np.int64)

    def slice(self, x: str, start: int, stop: int, axis: int) -> str:
        """Write the part of `x` from `start` to before `stop` along an axis."""
        return self.add("Slice", x, *(self.integers([number]) for number in (start, stop, axis)))

    def rename(self, old: str, new: str) -> None:
        """Give the output of a node the name of an output of the graph."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name == old:
                        names[i] = new
        self._names.add(new)
