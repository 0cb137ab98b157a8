"""Writing the operations of a network into a graph."""

from typing import Any

import numpy as np

from inkgrad.autodiff import Tensor
from inkgrad.errors import OptionError
from inkgrad.export.emit import EMITTERS, Step, same
from inkgrad.export.graph import Graph
from inkgrad.export.trace import Call, Traced, contents
from inkgrad.nn import Module
from inkgrad.plan.trace import TracedTensor

__all__ = ["write_calls"]

_TRAINING = {"batch_norm": "it normalizes by the statistics of the batch", "dropout": "it drops units"}


class _Writer:
    """Names of what has been written, by the identity of the tensor or array."""

    def __init__(self, net: Module, graph: Graph, dtype: Any) -> None:
        self.graph = graph
        self.dtype = dtype
        self.written: dict[int, str] = {}
        self.known = {id(member.data): name for name, member in net.named_state()}  # what constants are called
        self.folded: set[int] = set()  # results that depend on no input: constants

    def name(self, value: Any, other: Any, step: Call) -> str:
        """What an input of an operation is called; a constant is written when it is first used."""
        if value is None:
            return ""
        key = _key(value)
        if key in self.written:
            return self.written[key]
        array = contents(value)
        if not same(array, contents(other)):
            raise OptionError(
                f"the operation {step.op} in {step.scope or 'the network'} cannot become ONNX: a constant of it "
                "depends on the size of the input"
            )
        dtype = np.bool_ if array.dtype == np.bool_ else self.dtype
        name = self.graph.constant(array, dtype, self.known.get(key, ""))
        if isinstance(value, Tensor) or key in self.known:  # its array lives as long as the network
            self.written[key] = name
        return name

    def write(self, call: Call, other: Call) -> None:
        """Write one operation, or keep its result as a constant if no input goes into it."""
        if all(id(v) in self.folded or not isinstance(v, TracedTensor) for v in call.inputs):
            self.folded.add(id(call.output))
            sources = [_key(v) for v in call.inputs]
            if found := next((self.known[key] for key in sources if key in self.known), ""):
                self.known[id(call.output)] = found  # a weight that was masked or reshaped keeps its name
            return
        if call.op not in EMITTERS:
            why = _TRAINING.get(call.op, "ONNX export does not know it")
            raise OptionError(f"the operation {call.op} in {call.scope or 'the network'} cannot become ONNX: {why}")
        self.graph.scope = call.scope
        names = [self.name(v, w, call) for v, w in zip(call.inputs, other.inputs, strict=True)]
        if call.op == "batch_norm_inference":  # its statistics are options here, inputs there
            names += [self.name(call.options[key], other.options[key], call) for key in ("mean", "variance")]
        self.written[id(call.output)] = EMITTERS[call.op](self.graph, Step(call, other, tuple(names), self.dtype))


def _key(value: Any) -> int:
    """What a tensor is known by: a traced one by itself, another by its array."""
    return id(value.data) if isinstance(value, Tensor) and not isinstance(value, TracedTensor) else id(value)


def write_calls(net: Module, graph: Graph, runs: tuple[Traced, Traced], inputs: list[str], dtype: Any) -> list[str]:
    """Write what a network computes of inputs with these names; returns the names of its outputs.

    Raises:
        OptionError: an operation that ONNX cannot express, or that depends on the size of the input.
    """
    first, second = runs
    writer = _Writer(net, graph, dtype)
    for tensor, name in zip(first.inputs, inputs, strict=True):
        writer.written[id(tensor)] = name
    for call, other in zip(first.calls, second.calls, strict=True):
        writer.write(call, other)
    graph.scope = ""
    last = Call("output", "", (), {}, first.inputs[0])
    return [writer.name(a, b, last) for a, b in zip(first.outputs, second.outputs, strict=True)]
