"""`Node`: one recorded operation, or one leaf, of a computational graph."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from inkgrad.autodiff.modes import current_scope

if TYPE_CHECKING:
    from inkgrad.autodiff.tensor import Array, Tensor

__all__ = ["Edge", "Node", "Pullback", "constant_node", "node_of"]

Pullback: TypeAlias = Callable[["Array"], "Array"]
Edge: TypeAlias = "tuple[Node, Pullback | None]"


class Node:
    """One operation: its inputs with a pull-back each, and its value until the backward pass has used it.

    Attributes:
        op: the operation's name; "leaf" for a tensor that was not computed, "constant" for an input that
            needs no gradient.
        scope: the name scopes it was recorded in.
        name: the tensor's name, for a leaf or constant that has one.
        edges: the node of each input with its pull-back, None where no gradient is wanted.
        value: the result; after the backward pass None unless `watched`.
        gradient: dL/d(value) after the backward pass, if `watched`.
        watched: set by `ig.graph`: keep value and gradient.
        spent: the backward pass has used it, its pull-backs are gone.
        leaf: for a leaf, a weak reference to the tensor that takes the gradient; None for other nodes.
        broadcasts: whether the op's inputs were broadcast, so that their gradients are summed back.
    """

    __slots__ = ("broadcasts", "edges", "gradient", "leaf", "name", "op", "scope", "spent", "value", "watched")

    def __init__(
        self,
        op: str,
        value: "Array",
        edges: tuple[Edge, ...] = (),
        *,
        scope: str = "",
        broadcasts: bool = False,
        leaf: "Tensor | None" = None,
        name: str | None = None,
    ) -> None:
        self.op = op
        self.name = name
        self.scope = scope
        self.value: Array | None = value
        self.edges = edges
        self.gradient: Array | None = None
        self.watched = False
        self.spent = False
        self.leaf = None if leaf is None else weakref.ref(leaf)
        self.broadcasts = broadcasts

    def __repr__(self) -> str:
        where = f" in {self.scope}" if self.scope else ""
        return f"<node {self.op}{where}>"

    def release(self) -> None:
        """Drop the pull-backs with the arrays they hold; the value too unless someone looks at this node."""
        self.spent = True
        if not self.watched:
            self.value = None
            self.edges = ()
        else:
            self.edges = tuple((source, None) for source, _ in self.edges)


def node_of(tensor: "Tensor") -> Node:
    """The node that a tensor came from; for one that was not computed its leaf, made once."""
    if tensor.node is None:
        tensor.node = Node("leaf", tensor.data, leaf=tensor, scope=current_scope(), name=tensor.name)
    elif tensor.node.leaf is not None:
        tensor.node.value = tensor.data  # its owner may have put another array there
    return tensor.node


def constant_node(value: Any, name: str | None = None) -> Node:
    """The node of an input that needs no gradient; it only matters to whoever looks at the graph."""
    return Node("constant", value, name=name)
