"""A training step as a plan: forward, loss and backward as compiled instructions on every thread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.kernels.numba_cpu import control, elementwise
from inkgrad.kernels.numba_cpu.threads import forks, run_on_threads, thread_count
from inkgrad.kernels.numba_cpu.update import UPDATES
from inkgrad.plan import rules
from inkgrad.plan.fusion import fuse
from inkgrad.plan.planner import Planner, Value
from inkgrad.plan.program import Program, is_few
from inkgrad.plan.trace import Unplannable, trace
from inkgrad.plan.words import COUNT, Place, Word

__all__ = ["TrainingPlan"]

Stretch = tuple[Word, Word, int]

_ = rules  # registers every rule


class TrainingPlan:
    """What one step of a network and its loss does, for batches of images of one shape.

    Args:
        net: (images) -> logits (n, k) or (n, t, k), as a tensor.
        loss: (logits, labels) -> a tensor of one element, a mean over the images; also takes `sample_weights` where
            there are weights.
        images: a batch, float32 (n, c, h, w) or (n, d); the plan takes batches up to its size.
        labels: int64 (n,), or targets as the loss takes them.
        parameters: the parameters, each float32, whose gradients lie one after the other in `gradient`.
        gradient: (all elements,), filled by each run.
        holders: parameters and buffers by the id of their arrays.
        update: the kernel of an optimizer's update and its arrays, weights and state, if a run shall end with it.
        weights: float32 (n,), those of the images; None where they count alike.

    Attributes:
        logits: those of the last run, (n, k) or (n, t, k).
        used: whether each parameter has a gradient.
        updates: whether a run updates the weights, which it does where every parameter has one.

    Raises:
        Unplannable: why the eager way must run.
    """

    def __init__(
        self,
        net: Callable[[Any], Tensor],
        loss: Callable[..., Tensor],
        images: NDArray[Any],
        labels: NDArray[Any],
        parameters: Sequence[Any],
        gradient: NDArray[np.float32],
        holders: Mapping[int, Any],
        update: tuple[str, Sequence[NDArray[Any]]] | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        check_batch(images)
        if gradient.dtype != np.float32:
            raise Unplannable(f"the parameters are {gradient.dtype}; plans are for float32")
        logits: list[Tensor] = []

        def whole(some_images: Any, some_labels: Any, *some_weights: Any) -> Tensor:
            logits[:] = [net(some_images)]
            return loss(logits[0], some_labels, **({"sample_weights": some_weights[0]} if some_weights else {}))

        traced = trace(whole, images, labels, weights)
        self.shape = images.shape[1:]
        self.capacity, self.threads, self._forks = len(images), thread_count(), forks()
        program = Program(self.capacity, self.threads)
        self.few = program.few
        places, parts = _gradient_places(program, parameters, gradient)
        self._planner = Planner(program, True, places, holders=dict(holders))
        self._planner.set_value(traced.images, Value(self.shape, input_place("images", self.shape)))
        self._kind = labels.shape[1:], labels.dtype
        bytes_each = labels.dtype.itemsize * int(np.prod(labels.shape[1:]))
        self._planner.set_value(traced.labels, Value(labels.shape[1:] or (1,), Place(0, bytes_each, "labels")))
        self._weighted = weights is not None
        if self._weighted:
            self._planner.set_value(traced.weights, Value((1,), Place(0, 4, "weights")))
        self._planner.plan(traced, fuse(traced))
        if self._planner.ending is None or traced.calls[-1].output is not traced.output:
            raise Unplannable("what is differentiated is no loss with a planned form")
        if program.unmet_gradients:
            program.meet()
        self._squares, squares = program.local_arrays(16)
        flat = program.shared(gradient)
        stretches = self._stretches(parameters)
        for number, (first, last, threads) in enumerate(stretches):
            program.emit(elementwise.sum_parts, first, last, threads, parts, flat, squares, number)
        self.used = [id(p) in self._planner.used for p in parameters]
        self.updates = update is not None and all(self.used)
        if update is not None and self.updates:
            self._emit_update(program, *update, flat, squares, stretches)
        result = self._planner.value(logits[0])
        program.emit(elementwise.copy, COUNT, result.size, result.place, Place(0, 4 * result.size, "logits"))
        program.lay_out()
        self._program, self._output = program, output_shape(result)
        self.logits = np.empty(0, np.float32)
        self._drawn: list[Any] = []

    def _emit_update(
        self,
        program: Program,
        kernel: str,
        arrays: Sequence[NDArray[Any]],
        gradient: Place,
        squares: Place,
        stretches: "Sequence[Stretch]",
    ) -> None:
        """Where everything is finite, each thread updates its share of the weights."""
        compiled, self._numbers_of = UPDATES[kernel]
        self._numbers = np.zeros(8, np.float32)
        weights, *state = (program.shared(array) for array in arrays)
        go, losses = program.local(8, np.int64), self._planner.ending_place
        assert losses is not None
        program.meet()
        program.emit(control.judge, program.threads, program.table(squares.base), program.table(losses.base), go)
        numbers = program.shared(self._numbers)
        for first, last, _ in stretches:
            program.emit(compiled, go, first, last, numbers, weights, gradient, *state)

    def _stretches(self, parameters: Sequence[Any]) -> "list[Stretch]":
        """(first, last, threads to sum over) of each thread's shares of the flat buffers.

        A parameter divided among the threads stays so; the others in between are shared evenly.
        """
        stretches: list[Stretch] = []
        offset = begin = 0

        def close(end: int) -> None:
            if end > begin:
                cuts = [begin + (end - begin) * t // self.threads for t in range(self.threads + 1)]
                stretches.append((Word(tuple(cuts[:-1])), Word(tuple(cuts[1:])), self.threads))

        for parameter in parameters:
            divided = self._planner.divided.get(id(parameter))
            if divided is not None:
                close(offset)
                begin = offset + parameter.size
                first, last = (Word(tuple(offset + d[k] for d in divided)) for k in (0, 1))
                stretches.append((first, last, 1))
            offset += parameter.size
        close(offset)
        return stretches

    def fits(self, images: NDArray[Any], labels: NDArray[Any], weights: NDArray[Any] | None = None) -> bool:
        """Whether this plan can take the batch."""
        return (
            (weights is not None) == self._weighted
            and images.shape[1:] == self.shape
            and self._planner.least <= len(images) <= self.capacity
            and labels.shape[:1] == images.shape[:1]
            and (labels.shape[1:], labels.dtype) == self._kind
            and images.dtype == np.float32
            and images.flags.c_contiguous
            and labels.flags.c_contiguous
            and thread_count() == self.threads
            and is_few(len(images), self.threads) == self.few  # or rounding would depend on batches before this one
            and forks() == self._forks
        )

    def run(
        self,
        images: NDArray[np.float32],
        labels: NDArray[Any],
        arguments: Sequence[float] = (),
        weights: NDArray[np.float32] | None = None,
        share: float = 1.0,
    ) -> tuple[float, float, bool]:
        """Compute loss and gradients, and update the weights where the plan does that and everything is finite.

        Args:
            images: float32 (n, ...).
            labels: of the kind that the plan was made for.
            arguments: what the kernel of the update takes behind its arrays.
            weights: float32 (n,), not negative, whose sum is above 0; where the plan was made for weights.
            share: what the gradients are multiplied by, where the batch is a part of a larger one.

        Returns:
            The loss, the sum of the gradients' squares, and whether all labels were in range.
        """
        count = len(images)
        self.logits = np.empty((count, *self._output), np.float32)
        addresses = {"images": _address(images), "labels": _address(labels), "logits": _address(self.logits)}
        mass: float = count
        if weights is not None:
            addresses["weights"], mass = _address(weights), float(np.add.reduce(weights, dtype=np.float64))
        entries = self._program.bind(count, addresses)
        if self.updates:
            numbers = self._numbers_of(*arguments)
            self._numbers[: len(numbers)] = numbers
        self._drawn = [rng.bit_generator.state for rng in self._planner.generators]
        for prepare in self._planner.before:
            prepare(count)
        ending, scale = self._planner.ending, self._planner.scale
        assert ending is not None and scale is not None
        scale[0] = share / mass
        self._planner.failures.clear()
        run_on_threads(entries)
        for failure in self._planner.failures:
            raise failure
        loss = float(np.float32(sum(float(part[0]) for part in ending) / mass))
        squares = sum(float(part[0]) for part in self._squares)
        return loss, squares, not any(part[1] for part in ending)

    def take_back(self) -> None:
        """Put the random generators where they were before the last run, whose results are not used."""
        for rng, state in zip(self._planner.generators, self._drawn, strict=True):
            rng.bit_generator.state = state

    def observe(self, count: int) -> None:
        """Tell the layers what they want to know of the last run, such as a batch's statistics."""
        for observer in self._planner.observers:
            observer(count)


def _address(array: NDArray[Any]) -> int:
    """As `array.ctypes.data`, which takes longer."""
    return int(array.__array_interface__["data"][0])


def check_batch(images: NDArray[Any]) -> None:
    """Raise Unplannable unless a batch can go to a plan."""
    if images.dtype != np.float32:
        raise Unplannable(f"the images are {images.dtype}; plans are for float32")
    if images.ndim not in (2, 4) or images.size == 0:
        raise Unplannable(f"a batch of shape {images.shape}; plans take (n, d) or (n, c, h, w)")
    if images.ndim == 4 and images.shape[1] != 1:
        raise Unplannable("images of several channels")


def output_shape(result: Value) -> tuple[int, ...]:
    """The shape of what a network gives for one image.

    Raises:
        Unplannable: images, whose numbers lie in another order than those of an array.
    """
    if len(result.shape) > 2 and 1 not in (result.shape[0], result.size // result.shape[0]):
        raise Unplannable("the result is not (n, k) or (n, t, k)")
    return result.shape


def input_place(name: str, shape: tuple[int, ...]) -> Place:
    """Where the images of a run lie."""
    return Place(0, 4 * int(np.prod(shape)), name)


def _gradient_places(
    program: Program, parameters: Sequence[Any], gradient: NDArray[np.float32]
) -> tuple[dict[int, Place], Place]:
    """Where each thread puts each parameter's gradient: the first straight into the flat one."""
    others = [np.zeros_like(gradient) for _ in range(program.threads - 1)]
    for array in others:
        program.shared(array)
    bases = [gradient.ctypes.data, *(array.ctypes.data for array in others)]
    places, offset = {}, 0
    for parameter in parameters:
        places[id(parameter)] = Place(tuple(base + 4 * offset for base in bases))
        offset += parameter.data.size
    return places, program.table(bases)
