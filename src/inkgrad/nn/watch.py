"""Whether a network is still what it was when something was made for it, and trying it out without consequences."""

from collections.abc import Iterable, Iterator
from operator import is_
from typing import Any
from weakref import ref

import numpy as np

from inkgrad.nn.module import LABELS, Module, changes, modes
from inkgrad.plan.trace import Unplannable

__all__ = ["Trial", "Watch", "check_plannable"]


class Watch:
    """Remembers a network: the attributes of its modules, what is in their lists and arrays, and the mode of each.

    >>> from inkgrad.nn import Linear
    >>> from inkgrad.random import default_rng
    >>> net = Linear(2, 1, rng=default_rng(0))
    >>> watch = Watch(net)
    >>> watch.same(), net.eval() is net and watch.same(), watch.same()
    (True, False, True)
    """

    def __init__(self, net: Module) -> None:
        self._net = ref(net)
        self._look()

    def _look(self) -> None:
        self._changes, self._modes = changes(), modes()
        net = self._net()
        modules = [] if net is None else [module for _, module in net.named_modules()]
        self._flags = [module.training for module in modules]
        self._attributes = [(id(module), _without_mode(module)) for module in modules]
        self._lists = [(found, _copy(found)) for module in modules for found in _contents(vars(module).values())]

    def same(self) -> bool:
        """Whether nothing has changed since the last time this was asked, or since the beginning."""
        kept = all(_identical(found, copy) for found, copy in self._lists)
        if kept and changes() == self._changes and modes() == self._modes:
            return True
        before, flags = self._attributes, self._flags
        self._look()
        return kept and flags == self._flags and _alike(before, self._attributes)


def _without_mode(module: Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name != "training" and name not in LABELS}


def _alike(some: list[tuple[int, dict[str, Any]]], others: list[tuple[int, dict[str, Any]]]) -> bool:
    """Whether the same modules have the same attributes; those of other networks have changed then."""
    return len(some) == len(others) and all(
        a == b and _identical(x, y) for (a, x), (b, y) in zip(some, others, strict=True)
    )


def _contents(values: Iterable[Any]) -> Iterator[Any]:
    """The lists, dicts and arrays among some values, and those within them."""
    for value in values:
        if isinstance(value, list | dict | np.ndarray):
            yield value
        if isinstance(value, list | tuple | dict):
            yield from _contents(value.values() if isinstance(value, dict) else value)


def _copy(found: Any) -> Any:
    return found.tobytes() if isinstance(found, np.ndarray) else found.copy()


def _identical(a: Any, b: Any) -> bool:
    """Whether two lists or dicts hold the same objects, or an array the same bytes."""
    if isinstance(a, np.ndarray):
        return bool(a.tobytes() == b)
    if len(a) != len(b) or not all(map(is_, a, b)):
        return False
    return not isinstance(a, dict) or all(map(is_, a.values(), b.values()))


def check_plannable(net: Module) -> None:
    """Raise Unplannable if a module of the network says that it depends on more than a plan sees."""
    for name, module in net.named_modules():
        if not module.plannable:
            raise Unplannable(f"{type(module).__name__} {name}".rstrip() + " is marked as not plannable")


class Trial:
    """A `with` block after which the attributes and the random generators of a network are as they were before.

    Attributes:
        changed: after the block, whether an attribute had been changed in it.
    """

    def __init__(self, net: Module) -> None:
        self._net = net
        self.changed = False

    def __enter__(self) -> "Trial":
        self._attributes = [(vars(module), dict(vars(module))) for _, module in self._net.named_modules()]
        found = (one for values, _ in self._attributes for one in _contents(values.values()))
        self._held = [(one, one.copy()) for one in found if not isinstance(one, np.ndarray)]
        self._generators = [(rng, rng.bit_generator.state) for _, rng in self._net.named_generators()]
        return self

    def __exit__(self, *_: Any) -> None:
        for now, before in self._attributes:
            for name in [name for name in now if name not in before]:
                del now[name]
                self.changed = True
            for name, value in before.items():
                if name not in now or now[name] is not value:
                    now[name] = value
                    self.changed = True
        for one, held in self._held:
            if not _identical(one, held):
                one.clear()
                one.extend(held) if isinstance(one, list) else one.update(held)
                self.changed = True
        for rng, state in self._generators:
            rng.bit_generator.state = state
