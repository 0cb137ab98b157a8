"""`@differentiable`: a function of arrays that gives its value and one pull-back per input becomes an operation."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np

from inkgrad.autodiff.modes import current_scope, is_recording, recorder_in_force
from inkgrad.autodiff.node import Edge, Node, Pullback, constant_node, node_of
from inkgrad.autodiff.tensor import OPS, Array, Tensor, as_array, result_tensor
from inkgrad.errors import GraphError, InkgradError, ShapeError

__all__ = ["Op", "Recorded", "differentiable", "shared"]

Recorded: TypeAlias = tuple[Any, Sequence[Pullback | None]]


class Op:
    """A differentiable operation: call it with tensors, arrays and numbers; it returns a tensor.

    The body sees raw arrays of one dtype, never a tensor. Positional inputs are differentiated, except those
    named in `constants`, which reach the body as they came; None stays None. Keyword-only arguments are never
    differentiated.
    """

    def __init__(self, body: Callable[..., Recorded], *, broadcasts: bool, constants: Sequence[str]) -> None:
        functools.update_wrapper(self, body)
        self.name = body.__name__.strip("_")
        self.body = body
        self.broadcasts = broadcasts
        self.signature = inspect.signature(body)
        positional = [p for p in self.signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        self._names = {p.name for p in positional}
        self._constants = tuple(i for i, p in enumerate(positional) if p.name in constants)

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Run the body on arrays of one dtype and, if anyone will ask for gradients, record it."""
        if kwargs and not self._names.isdisjoint(kwargs):  # inputs given by name
            bound = self.signature.bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        recorder = recorder_in_force.get()
        if recorder is not None:
            return recorder.record(self, args, kwargs)  # type: ignore[no-any-return]
        inputs: Sequence[Any] = args
        if self._constants:
            inputs = [value for i, value in enumerate(args) if i not in self._constants]
        dtype, wanted = self._survey(inputs)
        arrays = [v.data if isinstance(v, Tensor) else None if v is None else as_array(v, dtype) for v in inputs]
        for i in self._constants:  # in rising order, so that each finds its place
            if i < len(args):
                arrays.insert(i, self._raw(args[i]))
        try:
            value, pullbacks = self._returned(self.body(*arrays, **kwargs))
        except InkgradError as error:  # says what is wrong; we know where
            if not current_scope():
                raise
            raise type(error)(f"in {current_scope()}: {error}") from error
        except ValueError as error:  # NumPy's complaint about shapes, without the op's name
            raise self._refused(error, arrays) from error
        value = np.asarray(value)
        if value.dtype != dtype:
            raise TypeError(f"{self.name} made {value.dtype} out of {dtype}; an op keeps the dtype")
        if not (wanted and is_recording()):
            return result_tensor(value, None)
        return result_tensor(value, self._record(inputs, pullbacks, value))

    def _returned(self, result: Any) -> Recorded:
        """What the body gave, or an error that says how it should look."""
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], tuple | list):
            return result
        raise TypeError(f"{self.name} must return its value and a tuple of pull-backs: return value, (lambda g: ...,)")

    def __repr__(self) -> str:
        return f"<op {self.name}{self.signature}>"

    def _record(self, inputs: Sequence[Any], pullbacks: Sequence[Pullback | None], value: Array) -> Node:
        if len(pullbacks) < len(inputs):
            raise TypeError(f"{self.name} has {len(inputs)} inputs to differentiate, but {len(pullbacks)} pull-backs")
        edges: list[Edge] = []
        for source, pullback in zip(inputs, pullbacks, strict=False):
            if source is None:
                continue
            if isinstance(source, Tensor) and source.requires_grad:
                if pullback is None:
                    raise TypeError(f"{self.name} has no pull-back for an input that requires a gradient")
                edges.append((node_of(source), pullback))
            elif isinstance(source, Tensor):
                edges.append((constant_node(source.data, source.name), None))
            else:
                edges.append((constant_node(source), None))
        return Node(self.name, value, tuple(edges), scope=current_scope(), broadcasts=self.broadcasts)

    def _raw(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if value.requires_grad and is_recording():
            raise GraphError(
                f"{self.name} does not differentiate for this input, but it requires a gradient; detach() it"
            )
        return value.data

    def _survey(self, inputs: Sequence[Any]) -> tuple[np.dtype[Any], bool]:
        """The dtype to compute in, that of the tensors, and whether any of them wants a gradient."""
        dtype: np.dtype[Any] | None = None
        wanted = False
        for value in inputs:
            if not isinstance(value, Tensor):
                continue
            wanted = wanted or value.requires_grad
            if dtype is None:
                dtype = value.data.dtype
            elif value.data.dtype != dtype:
                raise ShapeError(
                    f"{self.name}{_where()} got tensors of {dtype} and {value.data.dtype}; make them one dtype, "
                    f"for instance with Tensor(x.data, dtype=numpy.{dtype})"
                )
        if dtype is None:
            arrays = [as_array(v) for v in inputs if v is not None]
            dtype = np.result_type(*arrays) if arrays else np.dtype(np.float32)
        return dtype, wanted

    def _refused(self, error: ValueError, arrays: list[Any]) -> ShapeError:
        shapes = " and ".join(str(a.shape) for a in arrays if isinstance(a, np.ndarray))
        return ShapeError(f"{self.name}{_where()} cannot work on shapes {shapes}: {error}")


def _where() -> str:
    return f" in {current_scope()}" if current_scope() else ""


@overload
def differentiable(body: Callable[..., Recorded], /) -> Op: ...
@overload
def differentiable(
    *, broadcasts: bool = False, constants: Sequence[str] = ()
) -> Callable[[Callable[..., Recorded]], Op]: ...
def differentiable(
    body: Callable[..., Recorded] | None = None, /, *, broadcasts: bool = False, constants: Sequence[str] = ()
) -> Any:
    """Make an operation out of a function that returns its value and one pull-back for each input.

    A pull-back takes g = dL/d(value) and returns dL/d(input); it never writes to g. Those of inputs that need no
    gradient are dropped at once, with the arrays they hold.

    Args:
        body: a function of arrays; keyword-only arguments are options.
        broadcasts: the inputs broadcast as in NumPy; the engine sums each gradient back to its input's shape.
        constants: names of positional inputs that are never differentiated, such as labels or conditions; they
            get no pull-back.

    >>> @differentiable
    ... def cube(x):
    ...     return x**3, (lambda g: g * 3 * x**2,)
    >>> x = Tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> float(x.grad)
    12.0
    """

    def make(function: Callable[..., Recorded]) -> Op:
        op = Op(function, broadcasts=broadcasts, constants=constants)
        if op.__module__.startswith("inkgrad."):  # a user's op is theirs, not ours to list
            OPS[op.name] = op
        return op

    return make if body is None else make(body)


def shared(compute: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """One backward computation for several pull-backs: computed for the first, kept until the last has asked.

    All pull-backs of an op get the same g in one backward pass.
    """
    kept: list[tuple[Array, Any]] = []

    def once(g: Array) -> Any:
        if not kept or kept[0][0] is not g:
            kept[:] = [(g, compute(g))]
        return kept[0][1]

    return once
