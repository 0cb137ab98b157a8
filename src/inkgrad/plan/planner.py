"""From a trace to a program: every operation by the rule of its name, forward and, for training, backward."""

import contextlib
import ctypes
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.kernels.numba_cpu import control, elementwise
from inkgrad.plan.program import Program
from inkgrad.plan.trace import Call, Trace, TracedTensor, Unplannable, full_name
from inkgrad.plan.words import COUNT, Place

__all__ = ["RULES", "Planner", "Value", "rule"]

Shape = tuple[int, ...]
Rule = Callable[["Planner", Call], None]

RULES: dict[str, Rule] = {}


def rule(op: Any) -> Callable[[Rule], Rule]:
    """Register how an operation is planned: it emits its forward part and defers its backward part.

    Args:
        op: the operation, or the name of one of the package's.
    """
    name = op if isinstance(op, str) else full_name(op)

    def register(function: Rule) -> Rule:
        if name in RULES:
            raise ValueError(f"{name} has a rule already")
        RULES[name] = function
        return function

    return register


@dataclass
class Value:
    """An intermediate result: one row an image.

    Attributes:
        shape: of one image: (d,), (c, h, w), which lies in memory as (h, w, c), or (t, c), which lies as it is.
        place: where it lies.
        differentiated: whether a parameter lies behind it.
        gradient: where dL/d(value) lies, once a consumer has written it.
    """

    shape: Shape
    place: Place
    differentiated: bool = False
    gradient: Place | None = None

    @property
    def size(self) -> int:
        """Numbers of one image."""
        return int(np.prod(self.shape))


@dataclass
class Planner:
    """What rules work with.

    Attributes:
        program: takes the instructions.
        training: whether a backward pass follows.
        gradients: for training, where each parameter's gradient lies, by id.
        observers: called after each run, for instance with a batch's statistics.
        before: called before each run, for instance to draw a dropout's seed.
        generators: what `before` draws from.
        least: images in the smallest batch that there is a result for.
        failures: what functions that a run calls have raised; a run that finds one ends with it.
        scale: (1,), what the loss multiplies gradients by: 1 over the images, or over the sum of their weights.
    """

    program: Program
    training: bool
    gradients: dict[int, Place] = field(default_factory=dict)
    observers: list[Callable[[int], None]] = field(default_factory=list)
    before: list[Callable[[int], None]] = field(default_factory=list)
    generators: list[np.random.Generator] = field(default_factory=list)
    least: int = 1
    callbacks: list[Any] = field(default_factory=list)  # that stand in words
    failures: list[BaseException] = field(default_factory=list)
    scale: NDArray[np.float32] | None = None
    used: set[int] = field(default_factory=set)
    divided: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # parameter -> each thread's stretch of it
    holders: dict[int, Any] = field(default_factory=dict)
    ending_place: Place | None = None
    ending: list[NDArray[np.float64]] | None = None  # each thread's sum of losses, and whether a label was wrong
    _values: dict[int, Value] = field(default_factory=dict)
    _backward: list[Callable[[], None]] = field(default_factory=list)
    _free: list[tuple[int, Place]] = field(default_factory=list)

    # Values

    def value(self, tensor: Any) -> Value:
        """The value behind a tensor of the trace."""
        found = self._values.get(id(tensor))
        if found is None:
            raise Unplannable("an operation takes an array that is neither an input, a parameter nor a result")
        return found

    def set_value(self, tensor: Any, value: Value) -> None:
        """Say where the result of an operation lies."""
        self._values[id(tensor)] = value

    def parameter(self, tensor: Any, ndim: int) -> Place:
        """Where a parameter lies; rules read it where it is, so that changed weights count at once."""
        if isinstance(tensor, TracedTensor) or not isinstance(tensor, Tensor):
            raise Unplannable("a weight is computed, not a parameter")
        if tensor.data.dtype != np.float32 or tensor.ndim != ndim:
            raise Unplannable(f"a parameter is {tensor.data.dtype} of {tensor.ndim} axes; plans are for float32")
        if not tensor.data.flags.c_contiguous:
            raise Unplannable("a parameter does not lie in one piece")
        return Place(0, 0, tensor)

    def constant(self, array: NDArray[Any]) -> Place:
        """Where a buffer lies, such as running statistics."""
        holder = self.holders.get(id(array))
        if holder is None or array.dtype != np.float32 or not array.flags.c_contiguous:
            raise Unplannable("an operation takes an array that is no float32 buffer of the network")
        return Place(0, 0, holder)

    def gradient_of_parameter(self, tensor: Any) -> Place | None:
        """Where each thread puts its share of a parameter's gradient; None where none is wanted."""
        place = self._claim(tensor)
        self.program.unmet_gradients |= place is not None
        return place

    def _claim(self, tensor: Any) -> Place | None:
        place = self.gradients.get(id(tensor))
        if place is None or not tensor.requires_grad:
            return None
        if id(tensor) in self.used:
            raise Unplannable("a parameter is used twice")
        self.used.add(id(tensor))
        return place

    def divided_gradient(self, tensor: Any, first: list[int], sizes: list[int]) -> Place | None:
        """Where each thread puts the gradient of its rows of a parameter, which no other thread adds to."""
        place = self._claim(tensor)
        if place is None:
            return None
        assert isinstance(place.base, tuple)
        row = tensor.size // len(tensor)
        self.divided[id(tensor)] = [(a * row, (a + n) * row) for a, n in zip(first, sizes, strict=True)]
        return Place(tuple(place.base[0] + 4 * a * row for a in first))

    # Python within a run

    def ask(self, act: Callable[[], None]) -> None:
        """Let the first thread call a function between two meetings of all; after a failure none is called any more."""

        def guarded(words: int) -> None:
            del words
            if not self.failures:
                try:
                    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite ends in an error
                        act()
                except BaseException as error:  # Ctrl-C's too: compiled code cannot pass it on
                    self.failures.append(error)

        callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(guarded)
        self.callbacks.append(callback)
        address = ctypes.cast(callback, ctypes.c_void_p).value or 0
        self.program.meet()
        self.program.emit(control.ask, 1 if self.program.threads == 1 else self.program.only_first(), address)
        self.program.meet()

    # Gradients of values

    def later(self, backward: Callable[[], None]) -> None:
        """Defer the backward part of an operation; the last deferred runs first."""
        if self.training:
            self._backward.append(backward)

    def take(self, size: int) -> Place:
        """Room for `size` floats an image, used before where possible."""
        fitting = [entry for entry in self._free if size <= entry[0] <= 2 * size]
        if fitting:
            best = min(fitting, key=lambda entry: entry[0])
            self._free.remove(best)
            return Place(best[1].base, 4 * size)
        return self.program.batch(size)

    def give(self, size: int, place: Place) -> None:
        """Let others use a place that `take` gave; one of all threads together never becomes each thread's own."""
        if not place.whole:
            self._free.append((size, place))

    def deliver(self, value: Value, write: Callable[[Place], None]) -> None:
        """Let `write` write dL/d(value) to a place, adding it to what other consumers have delivered."""
        if not value.differentiated:
            return
        place = self.take(value.size)
        write(place)
        self.hand_over(value, place)

    def hand_over(self, value: Value, place: Place) -> None:
        """Make a place, which nobody else uses any more, dL/d(value), or add it to what is there."""
        if not value.differentiated:
            self.give(value.size, place)
        elif value.gradient is None:
            value.gradient = place
        else:
            self.program.emit(elementwise.accumulate, COUNT, value.size, place, value.gradient)
            self.give(value.size, place)

    def arrived(self, value: Value) -> Place | None:
        """dL/d(value), to read and to write over; None where nothing arrived."""
        place, value.gradient = value.gradient, None
        return place

    @contextlib.contextmanager
    def beforehand(self) -> Iterator[None]:
        """What is emitted inside the block runs before everything else; then the threads meet."""
        with self.program.prologue():
            yield

    def _release(self, call: Call, left: "Counter[int]") -> None:
        """Let others use what no later call reads; in training the backward pass still does."""
        for v in call.inputs:
            value = self._values.get(id(v))
            left[id(v)] -= 1
            if value is None or left[id(v)] or value.place.source is not None:
                continue
            del self._values[id(v)]
            if not any(other.place.base == value.place.base for other in self._values.values()):
                self.give(value.size, value.place)

    # The whole

    def plan(self, trace: Trace, calls: list[Call]) -> None:
        """Emit the forward parts of all calls and then, for training, the backward parts from behind."""
        left = Counter(id(v) for call in calls for v in call.inputs)
        left[id(trace.output)] += 1
        for call in calls:
            planned = RULES.get(call.op)
            if planned is None:
                raise Unplannable(f"the operation {call.op} has no planned form")
            planned(self, call)
            if not self.training:
                self._release(call, left)
        for backward in reversed(self._backward):
            backward()
