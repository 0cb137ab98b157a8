"""Kernels: one name, one specification in plain NumPy, and faster twins proven equal to it.

A kernel is a pure function on raw arrays. `@kernel` makes the reference the kernel itself; `@implements`
registers a twin of another backend under the same signature. Calling the kernel picks the twin of the
backend in force, if there is one and its condition holds for these arguments, and else the reference.
"""

import functools
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from inkgrad.errors import OptionError

__all__ = ["KERNELS", "Kernel", "active_backend", "implements", "kernel", "load_backend", "use_backend"]

P = ParamSpec("P")
R = TypeVar("R")

REFERENCE = "reference"
BACKENDS = {REFERENCE: "inkgrad.kernels.reference", "numba_cpu": "inkgrad.kernels.numba_cpu"}
KERNELS: dict[str, "Kernel[..., Any]"] = {}

_chosen: ContextVar[str | None] = ContextVar("inkgrad_backend", default=None)
_default: list[str] = [REFERENCE]
_loading = threading.Lock()


@dataclass(frozen=True)
class Twin(Generic[P, R]):
    """An implementation of a kernel for one backend and the arguments that it accepts."""

    function: Callable[P, R]
    accepts: Callable[P, bool]


class Kernel(Generic[P, R]):
    """A kernel: call it like the reference function; the backend in force does the work."""

    def __init__(self, reference: Callable[P, R]) -> None:
        functools.update_wrapper(self, reference)
        self.name = reference.__name__
        self.reference = reference
        self.twins: dict[str, Twin[P, R]] = {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the twin of the backend in force where it accepts these arguments, else the reference."""
        twin = self.twins.get(_chosen.get() or _default[0])
        if twin is not None and twin.accepts(*args, **kwargs):
            return twin.function(*args, **kwargs)
        return self.reference(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<kernel {self.name}: {', '.join([REFERENCE, *self.twins])}>"


def kernel(reference: Callable[P, R]) -> Kernel[P, R]:
    """Declare a kernel; the decorated function is its reference implementation."""
    name = reference.__name__
    if name in KERNELS:
        raise ValueError(f"a kernel named {name} is declared already")
    KERNELS[name] = made = Kernel(reference)
    return made


def implements(
    target: Kernel[P, R], *, backend: str, when: Callable[P, bool]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register the decorated function as the twin of `target` for `backend`, used where `when(...)` is true."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        expected, got = _parameters(target.reference), _parameters(function)
        if expected != got:
            raise TypeError(
                f"{backend} implements {target.name} with parameters {got}, but the reference has {expected}; "
                f"a twin has the reference's signature"
            )
        target.twins[backend] = Twin(function, when)
        return function

    return register


def _parameters(function: Callable[..., Any]) -> list[tuple[str, str, Any]]:
    return [(p.name, p.kind.name, p.default) for p in inspect.signature(function).parameters.values()]


def load_backend(name: str = "numba_cpu") -> None:
    """Import a backend's twins and make it the default of this process; again costs nothing.

    Training does this when it starts. A first prediction never waits for it.

    Raises:
        OptionError: no backend of this name.
    """
    with _loading:
        _register(name)
        _default[0] = name


def _register(name: str) -> None:
    """Import the module of a backend, which registers its twins."""
    if name not in BACKENDS:
        raise OptionError(f"no kernel backend is named {name!r}; there are {', '.join(BACKENDS)}")
    importlib.import_module(BACKENDS[name])


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Run the kernels of one backend inside the `with` block, in this thread or task only.

    >>> with use_backend("reference"):
    ...     active_backend()
    'reference'
    """
    _register(name)
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def active_backend() -> str:
    """The name of the backend that kernels called here would use."""
    return _chosen.get() or _default[0]
