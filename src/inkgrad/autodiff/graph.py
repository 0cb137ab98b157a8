"""`graph`: the computation behind a result as nodes and edges, with every value and every gradient."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from inkgrad.autodiff.node import Node, Pullback
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import GraphError, OptionError
from inkgrad.files import write_atomically

__all__ = ["Direction", "Graph", "GraphEdge", "GraphNode", "graph"]

Kind: TypeAlias = Literal["leaf", "constant", "op"]
Direction: TypeAlias = Literal["right", "down"]

DEEP = 12  # more layers than this fit a page better downwards


class GraphEdge(NamedTuple):
    """An input of an operation: the ids of the two nodes, and which of its inputs it is, from 0."""

    source: int
    target: int
    position: int


@dataclass(frozen=True, eq=False)
class GraphNode:
    """A leaf, a constant or an operation of a graph.

    Attributes:
        id: its place in `Graph.nodes`.
        op: the operation's name, "leaf" or "constant".
        scope: the name scopes around it, joined by dots; a constant's are those of the operation that takes it.
        name: the name of a leaf's or constant's tensor; None if it has none, and for operations.
        kind: "leaf" for a tensor that takes a gradient, "constant" for any other input, "op" for a result.
    """

    id: int
    op: str
    scope: str
    name: str | None
    kind: Kind
    _node: Node

    @property
    def value(self) -> Array:
        """The array: what was put in or computed."""
        return np.asarray(self._node.value)

    @property
    def gradient(self) -> Array | None:
        """dL/d(value), of the shape of the value; None before `backward`, and always for constants."""
        return self._node.gradient

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @property
    def pullbacks(self) -> tuple[Pullback | None, ...]:
        """One for each input, from dL/d(value) to what goes to that input; None for constants, and after `backward`."""
        return tuple(pullback for _, pullback in self._node.edges)

    @property
    def title(self) -> str:
        """What it is called in pictures: a leaf's name, or the operation's."""
        return self.name or self.op

    def __repr__(self) -> str:
        where = f" in {self.scope}" if self.scope else ""
        return f"<{self.kind} {self.id} {self.title}{where} {self.shape}>"


class Graph:
    """A computational graph; values and gradients are read when asked for, so gradients appear with `backward`.

    In a notebook it shows itself as a picture.

    Attributes:
        nodes: every node after those that it was computed from; the last is the result.
        edges: every input of every operation, in the order of the nodes.

    See `graph` for an example.
    """

    def __init__(self, nodes: tuple[GraphNode, ...], edges: tuple[GraphEdge, ...]) -> None:
        self.nodes = nodes
        self.edges = edges

    def __repr__(self) -> str:
        ops = sum(node.kind == "op" for node in self.nodes)
        filled = " and gradients" if self.nodes[-1].gradient is not None else ", no gradients yet"
        return f"<Graph of {ops} operations on {len(self.nodes) - ops} inputs: values{filled}>"

    @property
    def direction(self) -> Direction:
        """Where a picture flows unless told: to the right as in textbooks, downwards if the graph is deep."""
        depth = [0] * len(self.nodes)
        for source, target, _ in self.edges:
            depth[target] = max(depth[target], depth[source] + 1)
        return "down" if max(depth) > DEEP else "right"

    def to_dot(self, direction: Direction | None = None) -> str:
        """The graph in Graphviz's DOT language, a cluster for each name scope.

        Args:
            direction: "right" or "down"; by default `Graph.direction`.

        Raises:
            OptionError: another direction.
        """
        from inkgrad.autodiff.graph_dot import to_dot  # here and below: computing needs no pictures

        return to_dot(self, _checked(direction or self.direction))

    def to_svg(self, direction: Direction | None = None) -> str:
        """The graph as a standalone SVG picture.

        Graphviz places the nodes if its program `dot` is installed, the package grandalf if not.

        Args:
            direction: "right" or "down"; by default `Graph.direction`.

        Raises:
            OptionError: another direction.
        """
        from inkgrad.autodiff.graph_svg import to_svg

        return to_svg(self, _checked(direction or self.direction))

    def save(self, path: str | os.PathLike[str], direction: Direction | None = None) -> Path:
        """Write the picture (.svg) or its DOT source (.dot, .gv), as the suffix says.

        Raises:
            OptionError: another suffix or direction.
            StorageError: the file could not be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".svg":
            return write_atomically(path, self.to_svg(direction))
        if suffix in (".dot", ".gv"):
            return write_atomically(path, self.to_dot(direction))
        raise OptionError(f"a graph is saved as .svg, .dot or .gv, but {path.name} ends in {suffix or 'no suffix'}")

    def _repr_svg_(self) -> str:
        return self.to_svg()


def graph(result: Tensor) -> Graph:
    """The graph that `result` was computed by; call it before `backward`.

    From then on its nodes keep their values and, once `backward` has run, their gradients. Leaves outlive a
    graph: a leaf's node shows the tensor's present data, and its gradient in the graph looked at last.

    Args:
        result: a tensor of any shape, computed from one with `requires_grad`.

    Raises:
        GraphError: `result` was not computed, or its graph was used and freed by `backward`.

    >>> apple = Tensor(100.0, requires_grad=True, name="apple")
    >>> price = apple * 2 * 1.1
    >>> g = graph(price)
    >>> price.backward()
    >>> for node in g.nodes:
    ...     print(node.title, node.value, node.gradient)
    apple 100.0 2.2
    constant 2 None
    multiply 200.0 1.1
    constant 1.1 None
    multiply 220.0 1.0
    """
    if not isinstance(result, Tensor) or result.node is None or result.node.leaf is not None:
        raise GraphError(
            "this tensor has no graph: it was not computed from one that requires a gradient, or under no_grad; "
            "call ig.graph on the result of a computation"
        )
    order, constant_scopes = _topological(result.node)
    ids = {node: i for i, node in enumerate(order)}
    edges = tuple(GraphEdge(ids[s], ids[n], p) for n in order for p, (s, _) in enumerate(n.edges))
    for node in order:
        node.watched = True
        if not result.node.spent and node.leaf is not None:
            node.gradient = None  # that of an earlier graph
    return Graph(tuple(_view(ids[n], n, constant_scopes.get(n, n.scope)) for n in order), edges)


def _topological(root: Node) -> tuple[list[Node], dict[Node, str]]:
    """All nodes, each after its inputs, and the scopes of constants. Iterative: graphs may be deep."""
    order: list[Node] = []
    entered: set[Node] = set()
    scopes: dict[Node, str] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
            continue
        if node in entered:
            continue
        if node.spent and not node.watched:
            raise GraphError(
                f"the graph was used and freed by backward ({node.op} has lost its value); "
                f"call ig.graph(loss) before loss.backward()"
            )
        entered.add(node)
        stack.append((node, True))
        for source, _ in reversed(node.edges):
            if source not in entered:
                stack.append((source, False))
            if not source.edges and source.leaf is None:
                scopes[source] = node.scope
    return order, scopes


def _view(i: int, node: Node, scope: str) -> GraphNode:
    if node.leaf is not None:
        tensor = node.leaf()
        return GraphNode(i, node.op, scope, node.name if tensor is None else tensor.name, "leaf", node)
    return GraphNode(i, node.op, scope, node.name, "op" if node.edges else "constant", node)


def _checked(direction: Direction) -> Direction:
    if direction not in ("right", "down"):
        raise OptionError(f"a picture of a graph flows 'right' or 'down', but got {direction!r}")
    return direction
