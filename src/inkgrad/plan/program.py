"""A list of instructions with the arrays they work on, laid out for each thread's part of a batch."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.memory import aligned
from inkgrad.kernels.numba_cpu import control
from inkgrad.kernels.numba_cpu.native import Instruction
from inkgrad.kernels.numba_cpu.threads import address_of_pause
from inkgrad.plan.tables import Table
from inkgrad.plan.words import Part, Place, Word

__all__ = ["Program", "is_few"]

MANY = 16  # images of a thread from which on it pays to bring weights into another order first


def is_few(images: int, threads: int) -> bool:
    """Whether a batch is so small that products are computed another way, with another rounding."""
    return images < MANY * threads


class Program:
    """Collects instructions and arrays; `lay_out` turns them into tables of numbers, one for each thread.

    Args:
        capacity: images in the largest batch.
        threads: how many threads run it.
    """

    def __init__(self, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self.few = is_few(capacity, threads)
        self.threads = threads
        self.main = Part([])
        self._open = self.main
        self._prologue = Part([])
        self._kept: list[Any] = []  # arrays whose addresses stand in words
        self._state = self.shared(np.zeros(2, np.int64))
        self._pause = address_of_pause()
        self._tables: list[Table] = []
        self._entries: tuple[int, ...] = ()
        self.bytes = 0
        self.bytes_per_image = 0
        self.unmet_gradients = False  # whether threads have written shares of gradients since they last met
        self.work = 0  # floating-point operations of the products for one image, as rules count them

    # Arrays

    def _new(self, size: int, dtype: Any) -> NDArray[Any]:
        """An array that begins at a cache line, so that no two arrays share one."""
        array = aligned(max(size, 1), dtype)
        self.bytes += array.nbytes
        self._kept.append(array)
        return array

    def batch(self, size: int, dtype: Any = np.float32) -> Place:
        """Room for `size` elements for each image of a batch: each thread has an array of its own for its part."""
        most = -(-self.capacity // self.threads)
        self.bytes_per_image += size * np.dtype(dtype).itemsize
        return Place(self.local(size * most, dtype).base, size * np.dtype(dtype).itemsize)

    def whole_batch(self, size: int) -> Place:
        """Room for `size` floats for each image of a batch in one array, which all threads see."""
        return Place(self._new(size * self.capacity, np.float32).ctypes.data, 4 * size, whole=True)

    def shared(self, array: NDArray[Any]) -> Place:
        """An array that all threads see whole."""
        self._kept.append(array)
        return Place(array.ctypes.data)

    def shared_new(self, size: int, dtype: Any = np.float32) -> Place:
        """Room for `size` elements that all threads see."""
        return Place(self._new(size, dtype).ctypes.data)

    def local(self, size: int, dtype: Any = np.float32) -> Place:
        """Room for `size` elements, one for each thread."""
        return Place(tuple(self._new(size, dtype).ctypes.data for _ in range(self.threads)))

    def local_arrays(self, size: int, dtype: Any = np.float32) -> tuple[list[NDArray[Any]], Place]:
        """As `local`, with the arrays themselves."""
        arrays = [self._new(size, dtype) for _ in range(self.threads)]
        return arrays, Place(tuple(a.ctypes.data for a in arrays))

    def table(self, offsets: Any) -> Place:
        """A table of integers."""
        return self.shared(np.ascontiguousarray(offsets, np.int64))

    def share(self, total: int) -> tuple[Word, Word]:
        """(first, last) of each thread's share of `total` things."""
        ends = [total * t // self.threads for t in range(self.threads + 1)]
        return Word(tuple(ends[:-1])), Word(tuple(ends[1:]))

    # Instructions

    def emit(self, instruction: Instruction, *items: Any) -> None:
        """Append an instruction; items are integers, words or places."""
        words = [w if isinstance(w, Word) else w.word() if isinstance(w, Place) else Word(int(w)) for w in items]
        self._open.instructions.append((instruction, words, None))

    def meet(self) -> None:
        """Let all threads wait here for each other."""
        if self.threads > 1:
            self.emit(control.meet, self._state, self.threads, self._pause)
            self.unmet_gradients = False

    @contextlib.contextmanager
    def each_image(self) -> Iterator[None]:
        """Run what is emitted inside the block once for each image, one after the other, so that scratch stays small.

        Inside, `COUNT` is 1 and places that hold a row for each image point to the image's own.
        """
        outer, self._open = self._open, Part([])
        try:
            yield
            inner = self._open
        finally:
            self._open = outer
        if inner.instructions:
            outer.instructions.append((control.each_image, [], inner))

    @contextlib.contextmanager
    def prologue(self) -> Iterator[None]:
        """What is emitted inside the block runs before all else, each thread its share; then the threads meet."""
        outer, self._open = self._open, self._prologue
        try:
            yield
        finally:
            self._open = outer

    def only_first(self) -> Word:
        """1 on the first thread, 0 on the others."""
        return Word((1, *([0] * (self.threads - 1))))

    # Laying out

    def lay_out(self) -> None:
        """Compile what is needed and write the tables; no instruction may be added afterwards."""
        if self._prologue.instructions:
            body, self.main.instructions = self.main.instructions, self._prologue.instructions
            self._open = self.main
            self.meet()
            self.main.instructions += body
        self._tables = [Table(self.main, thread) for thread in range(self.threads)]
        self._entries = tuple(table.entry for table in self._tables)

    def bind(self, count: int, addresses: dict[str, int]) -> tuple[int, ...]:
        """Fill in the words for a batch of `count` images; gives each thread's address of words for `control.run`.

        Raises:
            Unplannable: a holder's array has another dtype, shape or layout than when the program was laid out.
        """
        size, more = divmod(count, self.threads)  # the first threads take one more, so that the first is never idle
        for thread, table in enumerate(self._tables):
            table.bind(thread * size + min(thread, more), size + (thread < more), count, addresses)
        return self._entries

    def instructions(self) -> list[Instruction]:
        """Every instruction in use, once."""
        found: dict[str, Instruction] = {control.run.name: control.run}
        parts = [self.main]
        while parts:
            for instruction, _, inner in parts.pop().instructions:
                found[instruction.name] = instruction
                if inner is not None:
                    parts.append(inner)
        return list(found.values())
