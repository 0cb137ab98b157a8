"""`feature_maps`: what every layer of a network gives for some images."""

import copy
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, TensorLike, no_grad
from inkgrad.nn.module import Module

__all__ = ["feature_maps"]


def feature_maps(net: Module, images: TensorLike) -> dict[str, Array]:
    """What each layer gives in prediction mode, by its path, in the order in which the layers are computed.

    The network itself stays as it is, its mode too: copies of its modules run, which share its parameters. A module
    that hands on an array of another one is left out, so a `Sequential`, or dropout in prediction. A layer that is
    called several times comes several times, as "layers.1", "layers.1 (2)" and so on.

    Args:
        net: a network or a layer.
        images: what `net` takes, float32 (n, 1, 28, 28) for the named networks.

    Returns:
        path -> (n, c, h, w) after a layer for images, (n, d) after a dense one; the path of `net` itself is "".

    Raises:
        ShapeError: images that a layer does not take.

    >>> from inkgrad.nn import Conv2d, Flatten, MaxPool2d, ReLU, Sequential
    >>> from inkgrad.random import default_rng
    >>> net = Sequential(Conv2d(1, 6, 5, rng=default_rng(0)), ReLU(), MaxPool2d(2), Flatten())
    >>> for name, maps in feature_maps(net, np.zeros((1, 1, 28, 28), np.float32)).items():
    ...     print(name, maps.shape)
    layers.0 (1, 6, 24, 24)
    layers.1 (1, 6, 24, 24)
    layers.2 (1, 6, 12, 12)
    layers.3 (1, 864)
    """
    watcher = _Watcher()
    with no_grad():
        watcher.twin(net, "")(images)
    return watcher.found


class _Watcher:
    """Makes twins of modules, and takes note of what they give."""

    def __init__(self) -> None:
        self.found: dict[str, Array] = {}
        self._twins: dict[int, Any] = {}

    def twin(self, member: Any, path: str) -> Any:
        """`member`, or if it is or holds modules a copy of it with twins in their place."""
        if isinstance(member, Module):
            return self._twins[id(member)] if id(member) in self._twins else self._module(member, path)
        if isinstance(member, list):
            parts = copy.copy(member)
            parts[:] = (self.twin(part, f"{path}.{key}") for key, part in enumerate(member))
            return parts
        if isinstance(member, tuple):
            twins = [self.twin(part, f"{path}.{key}") for key, part in enumerate(member)]
            return member._make(twins) if hasattr(member, "_make") else tuple(twins)
        if isinstance(member, dict):
            named = copy.copy(member)
            named.update({key: self.twin(part, f"{path}.{key}") for key, part in member.items()})
            return named
        return member

    def _module(self, module: Module, path: str) -> Module:
        def call(twin: Module, *inputs: Any) -> Any:
            output = twin.forward(*inputs)
            self._note(path, output, inputs)
            return output

        # A class of its own also keeps Sequential from computing a Linear and the activation after it as one.
        kind = type(module)
        twin: Module = object.__new__(type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__}))
        self._twins[id(module)] = twin  # before its members, which may refer to it
        members = {name: self.twin(part, f"{path}.{name}".lstrip(".")) for name, part in vars(module).items()}
        vars(twin).update(members | {"training": False, "_label": path})
        return twin

    def _note(self, path: str, output: Any, inputs: tuple[Any, ...]) -> None:
        array = output.data if isinstance(output, Tensor) else output
        known = [part.data if isinstance(part, Tensor) else part for part in inputs] + list(self.found.values())
        if not isinstance(array, np.ndarray) or any(array is other for other in known):
            return
        name, times = path, 1
        while name in self.found:
            times += 1
            name = f"{path} ({times})".lstrip()
        self.found[name] = array
