"""Prediction as a plan: a network's forward pass as compiled instructions, block after block of images."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor
from inkgrad.kernels.numba_cpu import elementwise
from inkgrad.kernels.numba_cpu.threads import run_on_threads, thread_count
from inkgrad.plan import rules
from inkgrad.plan.fusion import fuse
from inkgrad.plan.planner import Planner, Value
from inkgrad.plan.program import Program
from inkgrad.plan.trace import SAMPLES, Trace, Unplannable, trace
from inkgrad.plan.training import check_batch, input_place, output_shape
from inkgrad.plan.words import COUNT, Place

__all__ = ["PredictionPlan"]

_ = rules  # registers every rule
SCRATCH = 2_000_000  # bytes of intermediate results that a thread works on at a time
LEAST, MOST = 16, 512  # images in a block
WORTH_SHARING = 8_000_000  # floating-point operations


class PredictionPlan:
    """The forward pass of a network in prediction mode, for images of one shape.

    Weights are read where they lie at every run, and what is made of them (packed, or folded with a batch
    normalization) is made anew, so that changed weights count at once. Several threads may predict; they take turns.

    Args:
        net: (images) -> (n, k) or (n, t, k), in prediction mode.
        images: some images, float32 (n, c, h, w) or (n, d).
        holders: parameters and buffers by the id of their arrays.

    Raises:
        Unplannable: why the eager way must run.
    """

    def __init__(self, net: Callable[[Any], Tensor], images: NDArray[Any], holders: Mapping[int, Any]) -> None:
        check_batch(images)
        self._traced = trace(net, images)
        self._holders = holders
        self.shape = images.shape[1:]
        self._lock = threading.Lock()
        self._alone = _Blocks(self._traced, self.shape, holders, 1, 1)
        self._shared: dict[int, _Blocks] = {}

    def fits(self, images: NDArray[Any]) -> bool:
        """Whether this plan can take the batch."""
        return images.shape[1:] == self.shape and images.dtype == np.float32 and len(images) > 0

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, ...) -> a new array (n, k) or (n, t, k)."""
        images = np.ascontiguousarray(images)
        with self._lock:
            return self._blocks_for(images).run(images)

    def _blocks_for(self, images: NDArray[np.float32]) -> "_Blocks":
        count = len(images)
        if count == 1:
            return self._alone
        threads = thread_count() if count * self._alone.program.work >= WORTH_SHARING else 1
        if threads not in self._shared:
            block = min(max(SCRATCH // max(self._alone.program.bytes_per_image, 1), LEAST), MOST)
            self._shared[threads] = _Blocks(self._traced, self.shape, self._holders, threads, block)
        return self._shared[threads]


class _Blocks:
    """A program for blocks of a number of images for each thread."""

    def __init__(
        self, traced: Trace, shape: tuple[int, ...], holders: Mapping[int, Any], threads: int, block: int
    ) -> None:
        self.capacity = threads * block
        self.program = program = Program(self.capacity, threads)
        planner = Planner(program, False, holders=dict(holders))
        self._per_image = 4 * int(np.prod(shape))
        planner.set_value(traced.images, Value(shape, input_place("images", shape)))
        planner.plan(traced, fuse(traced))
        if planner.before or planner.observers:
            raise Unplannable("a layer within the network is in training mode")
        result = planner.value(traced.output)
        self._output = output_shape(result)
        if traced.output.shape != (SAMPLES, *self._output):
            raise Unplannable("the result is not (n, k) or (n, t, k)")
        self._size = result.size
        program.emit(elementwise.copy, COUNT, result.size, result.place, Place(0, 4 * result.size, "output"))
        program.lay_out()

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        output = np.empty((len(images), *self._output), np.float32)
        come, go = images.ctypes.data, output.ctypes.data
        for start in range(0, len(images), self.capacity):
            addresses = {"images": come + start * self._per_image, "output": go + 4 * start * self._size}
            run_on_threads(self.program.bind(min(self.capacity, len(images) - start), addresses))
        return output
