"""Through a graph of numbers one node at a time: values forward, gradients backward, with the rule of each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inkgrad.autodiff.graph import Graph, GraphNode, graph
from inkgrad.autodiff.node import Pullback
from inkgrad.autodiff.tensor import Tensor
from inkgrad.errors import DivergenceError
from inkgrad.lessons.rules import RULES, filled

__all__ = ["Backward", "Forward", "Part", "Walk", "walk"]


@dataclass(frozen=True)
class Forward:
    """A node computes its value.

    Attributes:
        node: its id in the graph.
        rule: the formula, x and y being the inputs.
        filled: the same with numbers.
        value: the result.
    """

    node: int
    rule: str
    filled: str
    value: float


@dataclass(frozen=True)
class Part:
    """What a node sends back to one of its inputs.

    Attributes:
        target: the id of that input's node.
        rule: the formula, g being the gradient that arrived and z the node's value.
        filled: the same with numbers.
        value: what the pull-back gave.
        total: the sum of all that has reached the input so far.
    """

    target: int
    rule: str
    filled: str
    value: float
    total: float


@dataclass(frozen=True)
class Backward:
    """A node sends its gradient on, to each input by that input's pull-back.

    Attributes:
        node: its id in the graph.
        gradient: dL/d(value), all of whose parts have arrived.
        parts: one for each input that takes a gradient.
    """

    node: int
    gradient: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Walk:
    """A whole way forward and backward.

    Attributes:
        graph: of the engine, with values and gradients.
        result: the value of the last node.
        gradients: d(result)/d(input) by the input's name.
        forward: a step for each operation, in the order of computing.
        backward: a step for each operation, in reverse order.
    """

    graph: Graph
    result: float
    gradients: dict[str, float]
    forward: tuple[Forward, ...]
    backward: tuple[Backward, ...]


def walk(result: Tensor, inputs: Mapping[str, Tensor]) -> Walk:
    """Run `backward`, and tell each step of it.

    Args:
        result: a tensor of shape (), computed in float64 from the inputs by the operations of `RULES`.
        inputs: the leaves by name.

    Raises:
        DivergenceError: a gradient is not finite.

    >>> x = Tensor(3.0, dtype="float64", requires_grad=True, name="x")
    >>> steps = walk(x * x, {"x": x})
    >>> [(part.filled, part.value, part.total) for part in steps.backward[0].parts]
    [('1 · 3', 3.0, 3.0), ('1 · 3', 3.0, 6.0)]
    """
    seen = graph(result)
    pullbacks = [node.pullbacks for node in seen.nodes]  # backward lets go of them
    result.backward()
    sources: list[list[int]] = [[] for _ in seen.nodes]
    for edge in seen.edges:
        sources[edge.target].append(edge.source)
    for node in seen.nodes:
        _check(node)
    forward = tuple(_forward(seen, node, sources[node.id]) for node in seen.nodes if node.kind == "op")
    totals = [0.0] * len(seen.nodes)
    backward = tuple(
        _backward(seen, node, sources[node.id], pullbacks[node.id], totals)
        for node in reversed(seen.nodes)
        if node.kind == "op"
    )
    gradients = {name: 0.0 if leaf.grad is None else float(leaf.grad) for name, leaf in inputs.items()}
    return Walk(seen, float(result.data), gradients, forward, backward)


def _check(node: GraphNode) -> None:
    gradient = node.gradient
    if gradient is not None and not np.isfinite(gradient).all():
        raise DivergenceError(
            f"the gradient of {node.title} is {float(gradient)} at these inputs, because the function rises there "
            f"without limit or has no slope; change the inputs"
        )


def _letters(seen: Graph, node: GraphNode, sources: list[int]) -> dict[str, float]:
    inputs = zip("xy", sources, strict=False)
    return {letter: float(seen.nodes[source].value) for letter, source in inputs} | {"z": float(node.value)}


def _forward(seen: Graph, node: GraphNode, sources: list[int]) -> Forward:
    rule = RULES[node.op].forward
    return Forward(node.id, rule, filled(rule, _letters(seen, node, sources)), float(node.value))


def _backward(
    seen: Graph, node: GraphNode, sources: list[int], pullbacks: tuple[Pullback | None, ...], totals: list[float]
) -> Backward:
    gradient = np.zeros(()) if node.gradient is None else node.gradient
    letters = _letters(seen, node, sources) | {"g": float(gradient)}
    parts = []
    for source, pullback, rule in zip(sources, pullbacks, RULES[node.op].backward, strict=True):
        if pullback is None:  # a constant
            continue
        with np.errstate(all="ignore"):
            value = float(pullback(gradient))
        totals[source] += value
        parts.append(Part(source, rule, filled(rule, letters), value, totals[source]))
    return Backward(node.id, float(gradient), tuple(parts))
