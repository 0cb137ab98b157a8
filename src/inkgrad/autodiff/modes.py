"""Whether operations are recorded, and under which name: per thread and task, never global."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Protocol

__all__ = ["current_scope", "is_recording", "name_scope", "no_grad", "recorder_in_force", "tracing"]

_recording: ContextVar[bool] = ContextVar("inkgrad_recording", default=True)
_scope: ContextVar[str] = ContextVar("inkgrad_scope", default="")
recorder_in_force: ContextVar["Recorder | None"] = ContextVar("inkgrad_recorder", default=None)


def is_recording() -> bool:
    """Whether operations on tensors are recorded for a later backward pass."""
    return _recording.get()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results carry no graph, and nothing is kept for a backward pass.

    Works as a `with` block and as a decorator.

    >>> import inkgrad as ig
    >>> x = ig.Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     (x * 3).requires_grad
    False
    """
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


def current_scope() -> str:
    """The names of the scopes around this point, joined by dots; empty outside any."""
    return _scope.get()


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Give the operations recorded inside a name, shown by `ig.graph`; scopes nest as "outer.inner".

    >>> with name_scope("encoder"), name_scope("layers.0"):
    ...     current_scope()
    'encoder.layers.0'
    """
    token = enter_scope(name)
    try:
        yield
    finally:
        leave_scope(token)


def enter_scope(name: str) -> Token[str]:
    """Begin what `name_scope` does; for every call of every module, where a generator would cost too much."""
    outer = _scope.get()
    return _scope.set(f"{outer}.{name}" if outer else name)


def leave_scope(token: Token[str]) -> None:
    """End the scope that gave this token."""
    _scope.reset(token)


class Recorder(Protocol):
    """Who wants to know of the operations that are called."""

    def record(self, op: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Take note of a call; returns what the op shall return."""
        ...


@contextmanager
def tracing(recorder: Recorder) -> Iterator[None]:
    """Hand every operation called inside the block to `recorder` instead of running it."""
    token = recorder_in_force.set(recorder)
    try:
        yield
    finally:
        recorder_in_force.reset(token)
