"""Reverse-mode differentiation: one walk over the recorded graph, from the result to the leaves."""

import numpy as np

from inkgrad.autodiff.node import Node, node_of
from inkgrad.autodiff.tensor import Array, Tensor
from inkgrad.errors import GraphError, ShapeError

__all__ = ["backward"]


class _Sum:
    """A gradient that arrives in parts: the first is borrowed, the second makes a fresh sum, later ones add to it."""

    __slots__ = ("owned", "value")

    def __init__(self, value: Array) -> None:
        self.value = value
        self.owned = False

    def add(self, part: Array) -> None:
        if self.owned:
            self.value += part
        else:
            self.value = np.asarray(self.value + part)
            self.owned = True


def backward(result: Tensor, gradient: Array | None) -> None:
    """Send `gradient` = dL/d(result), 1 by default, back to every leaf. See `Tensor.backward`."""
    root = _root(result)
    if gradient is None:
        if result.size != 1:
            raise GraphError(
                f"backward starts from one number, but this tensor has shape {result.shape}; "
                f"reduce it with sum() or mean(), or pass the gradient"
            )
        gradient = np.ones(result.shape, result.dtype)
    elif gradient.shape != result.shape:
        raise ShapeError(f"backward needs a gradient of shape {result.shape}, but this has {gradient.shape}")
    waiting = _consumers(root)
    sums: dict[Node, _Sum] = {}
    ready = [(root, gradient)]
    while ready:
        node, total = ready.pop()
        if node.watched:
            node.gradient = total.copy()
        if node.leaf is not None:
            node.watched = False  # a leaf outlives this graph; the next pass belongs to another
            _deliver(node.leaf(), total)
            continue
        for position, (source, pullback) in enumerate(node.edges):
            if pullback is None:
                continue
            part = _checked(node, position, source, pullback(total))
            left = waiting[source] = waiting[source] - 1
            if source in sums:
                sums[source].add(part)
                if left == 0:
                    ready.append((source, sums.pop(source).value))
            elif left == 0:  # the only consumer
                ready.append((source, part))
            else:
                sums[source] = _Sum(part)
        node.release()


def _root(result: Tensor) -> Node:
    if not result.requires_grad:
        raise GraphError(
            "backward has nothing to do: this tensor was computed from none that requires a gradient, or under no_grad"
        )
    return node_of(result)


def _consumers(root: Node) -> dict[Node, int]:
    """For each node that takes part, how many gradients will arrive at it. Iterative: graphs may be deep."""
    counts = {root: 0}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.spent:
            raise GraphError(
                f"backward reached {node.op}, whose pull-backs an earlier backward pass has used and freed; "
                f"compute the result again, or add the losses and call backward once"
            )
        for source, pullback in node.edges:
            if pullback is None:
                continue
            if source not in counts:
                counts[source] = 0
                stack.append(source)
            counts[source] += 1
    return counts


def _checked(node: Node, position: int, source: Node, part: Array) -> Array:
    """`part` in the shape of the input it belongs to, or an error that names the op."""
    expected = source.value
    assert expected is not None  # released only after its own turn, which comes later
    if type(part) is np.ndarray and part.shape == expected.shape and part.dtype == expected.dtype:
        return part
    part = np.asarray(part)
    if node.broadcasts and part.shape != expected.shape and part.ndim >= expected.ndim:
        part = _unbroadcast(part, expected.shape)
    if part.shape != expected.shape or part.dtype != expected.dtype:
        raise ShapeError(
            f"the pull-back of {node.op}{f' in {node.scope}' if node.scope else ''} for input {position} must give "
            f"{expected.dtype} {expected.shape}, but gave {part.dtype} {part.shape}"
        )
    return part


def _unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which an input of `shape` was repeated."""
    added = gradient.ndim - len(shape)
    repeated = tuple(i + added for i, n in enumerate(shape) if n == 1 and gradient.shape[i + added] != 1)
    summed = gradient.sum(axis=(*range(added), *repeated), keepdims=True)
    return np.asarray(summed).reshape(summed.shape[added:])


def _deliver(leaf: Tensor | None, gradient: Array) -> None:
    """Add to the leaf's `grad`, which shares memory with no other gradient or value."""
    if leaf is None:  # the tensor is gone, so nobody can ask
        return
    if leaf.grad is not None:
        if leaf.grad.shape != gradient.shape or leaf.grad.dtype != gradient.dtype:
            raise ShapeError(
                f"{leaf.name or 'a tensor'} of {gradient.dtype} {gradient.shape} has been given a grad of "
                f"{leaf.grad.dtype} {leaf.grad.shape}; set grad to None before backward"
            )
        total = np.add(leaf.grad, gradient, out=leaf.grad if leaf.grad is leaf.grad_storage else None)
        leaf.grad = np.asarray(total)  # NumPy adds arrays without axes to a scalar
    elif leaf.grad_storage is not None:
        np.copyto(leaf.grad_storage, gradient)
        leaf.grad = leaf.grad_storage
    else:
        leaf.grad = np.array(gradient)
