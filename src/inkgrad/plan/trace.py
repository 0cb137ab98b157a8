"""Recording which operations a function of tensors calls, without computing anything that matters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inkgrad.autodiff import Array, Tensor, no_grad
from inkgrad.autodiff.modes import tracing
from inkgrad.autodiff.tensor import OPS

__all__ = ["Call", "Trace", "TracedTensor", "Unplannable", "array_of", "full_name", "trace", "traced_tensor"]

SAMPLES = 2  # images in a trial run: the least that batch normalization takes


class Unplannable(Exception):  # noqa: N818  no mistake of anyone: the eager way runs
    """Why there is no plan for something; the message goes to whoever asks."""


@dataclass(frozen=True)
class Call:
    """One operation as it was called.

    Attributes:
        op: its name.
        inputs: tensors, arrays, numbers or None, in the op's order.
        options: its keyword-only arguments.
        output: what it gave.
    """

    op: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    output: "TracedTensor"


@dataclass
class Trace:
    """A function of images (and labels and weights) as the list of its operations."""

    images: Tensor
    labels: Any
    weights: Any
    output: Tensor
    calls: list[Call] = field(default_factory=list)


class TracedTensor(Tensor):
    """A tensor whose shape may be looked at, but not its values, as they are not those of the next step."""

    __slots__ = ("hidden",)

    @property
    def data(self) -> Array:  # type: ignore[override]
        """Refused."""
        raise Unplannable("forward looks at the values of a tensor")

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.hidden.shape  # type: ignore[attr-defined,no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """float32 or float64."""
        return self.hidden.dtype  # type: ignore[attr-defined]


def traced_tensor(value: Array) -> TracedTensor:
    """A traced tensor of these values."""
    tensor = TracedTensor.__new__(TracedTensor)
    tensor.hidden = value  # type: ignore[attr-defined]
    tensor.requires_grad = False
    tensor.node = tensor.grad = tensor.grad_storage = tensor.name = None
    return tensor


class _Recorder:
    """What operations tell when they are called while a trace is made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def record(self, op: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
        quiet = {name: _QUIET[name] for name in options if name in _QUIET}
        raw = [array_of(v) for v in inputs]
        value, _ = op.body(*raw, **(options | quiet))
        output = traced_tensor(np.asarray(value))
        self.calls.append(Call(full_name(op), inputs, options, output))
        return output


def full_name(op: Any) -> str:
    """An operation's name, with its module behind it if it is none of the package's: a namesake is another function."""
    ours: Any = OPS.get(op.name)
    same = ours is not None and ours.body is op.body
    return op.name if same else f"{op.name} of {op.__module__}"


# Options through which an op has effects on the world, and what a trial run puts in their place.
_QUIET: dict[str, Any] = {"observe": None, "mask": np.float32(1), "add": lambda _: None}


def array_of(v: Any) -> Any:
    """What the body of an operation gets for an input."""
    if isinstance(v, TracedTensor):
        return v.hidden  # type: ignore[attr-defined]
    return v.data if isinstance(v, Tensor) else v


def trace(
    function: Callable[..., Tensor], images: Array, labels: Array | None = None, weights: Array | None = None
) -> Trace:
    """Run `function` on a few images and write down its operations.

    Args:
        function: (images), (images, labels) or (images, labels, weights) -> tensor.
        images: float32 (n, ...), n >= 1.
        labels: (n,) or None.
        weights: (n,) or None.

    Raises:
        Unplannable: the function looks at values, so that it may take another way next time.
    """
    few = traced_tensor(np.zeros((SAMPLES, *images.shape[1:]), images.dtype))
    some = None if labels is None else np.resize(labels, (SAMPLES, *labels.shape[1:]))
    even = None if weights is None else np.ones(SAMPLES, weights.dtype)
    recorder = _Recorder()
    with tracing(recorder), no_grad(), np.errstate(all="ignore"):
        output = function(few, *(given for given in (some, even) if given is not None))
    return Trace(few, some, even, output, recorder.calls)
