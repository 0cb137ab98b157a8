"""Copies of modules that are called in another way, while the modules themselves stay as they are."""

import copy
from collections.abc import Callable
from typing import Any

from inkgrad.nn.module import Module

__all__ = ["Twins"]


class Twins:
    """Makes twins of modules: they share parameters, are in prediction mode, and each call goes through `call`.

    Args:
        call: (twin, its path, its inputs) -> what the call gives; `twin.forward(*inputs)` is the module's own value.

    >>> from inkgrad.nn import ReLU, Sequential
    >>> paths = []
    >>> twins = Twins(lambda twin, path, inputs: paths.append(path) or twin.forward(*inputs))
    >>> float(twins.twin(Sequential(ReLU()), "")([-1.0]).data[0]), paths
    (0.0, ['', 'layers.0'])
    """

    def __init__(self, call: Callable[[Module, str, tuple[Any, ...]], Any]) -> None:
        self._call = call
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
            return self._call(twin, path, inputs)

        # A class of its own also keeps Sequential from computing a Linear and the activation after it as one.
        kind = type(module)
        twin: Module = object.__new__(type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__}))
        self._twins[id(module)] = twin  # before its members, which may refer to it
        members = {name: self.twin(part, f"{path}.{name}".lstrip(".")) for name, part in vars(module).items()}
        vars(twin).update(members | {"training": False, "_label": path})
        return twin
