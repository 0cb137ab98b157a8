"""A list of instructions with the arrays they work on, laid out for each thread's part of a batch."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu import control
from inkgrad.kernels.numba_cpu.native import Instruction
from inkgrad.kernels.numba_cpu.threads import address_of_pause
from inkgrad.plan.trace import Unplannable

__all__ = ["COUNT", "START", "TOTAL", "Holder", "Part", "Place", "Program", "Word", "is_few"]

ALIGNMENT = 64
MANY = 16  # images of a thread from which on it pays to bring weights into another order first


class Holder(Protocol):
    """Whoever owns an array that may be replaced between two runs: a parameter or a buffer."""

    data: NDArray[Any]


@dataclass(frozen=True)
class Word:
    """A number in an instruction: base + start * per_start + count * per_count + total * per_total.

    `start` and `count` are those of a thread's part of the batch, `total` is the number of images in all.

    Attributes:
        base: the same for all threads, or one number a thread.
        per_start: how much it grows with the number of the part's first image.
        per_count: how much it grows with the number of images in the part.
        source: the name of an array given at each run, or a holder: its address is added.
        per_image: how much it grows from image to image inside `each_image`.
        per_total: how much it grows with the number of images in the whole batch.
    """

    base: int | tuple[int, ...] = 0
    per_start: int = 0
    per_count: int = 0
    source: Any = None
    per_image: int = 0
    per_total: int = 0


COUNT = Word(per_count=1)
TOTAL = Word(per_total=1)
START = Word(per_start=1, per_image=1)


@dataclass(frozen=True)
class Place:
    """Where an array lies: for all threads or, as `base` of several addresses, for each thread its own.

    Attributes:
        base: the address or addresses.
        per_image: bytes from one image's row to the next, 0 where there are no such rows.
        source: as for a word; then the rows are those of the whole batch.
        whole: whether the rows are those of the whole batch, so that a thread's part begins at its first image.
    """

    base: int | tuple[int, ...]
    per_image: int = 0
    source: Any = None
    whole: bool = False

    def word(self) -> Word:
        """Its address."""
        per_start = self.per_image if self.whole or self.source is not None else 0
        return Word(self.base, per_start, 0, self.source, self.per_image)

    def first_row(self, offset: int | tuple[int, ...] = 0) -> "Place":
        """Where the row of the batch's first image lies, so many bytes on, for whoever sees all images."""
        if isinstance(offset, int):
            base = self.base + offset if isinstance(self.base, int) else tuple(b + offset for b in self.base)
        else:
            bases = (self.base,) * len(offset) if isinstance(self.base, int) else self.base
            base = tuple(b + o for b, o in zip(bases, offset, strict=True))
        return Place(base, 0, self.source)


@dataclass
class Part:
    """Instructions in order, with their words."""

    instructions: list[tuple[Instruction, list[Word], "Part | None"]]


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
        self._tables: list[_Table] = []
        self.bytes = 0
        self.bytes_per_image = 0
        self.unmet_gradients = False  # whether threads have written shares of gradients since they last met
        self.work = 0  # floating-point operations of the products for one image, as rules count them

    # Arrays

    def _new(self, size: int, dtype: Any) -> NDArray[Any]:
        """An array that begins at a cache line, so that no two arrays share one."""
        nbytes = max(size, 1) * np.dtype(dtype).itemsize
        raw = np.empty(nbytes + ALIGNMENT, np.uint8)
        skip = -raw.ctypes.data % ALIGNMENT
        self.bytes += nbytes
        array: NDArray[Any] = raw[skip : skip + nbytes].view(dtype)
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
        self._tables = [_Table(self.main, thread, self) for thread in range(self.threads)]

    def bind(self, count: int, addresses: dict[str, int]) -> list[int]:
        """Fill in the words for a batch of `count` images; gives each thread's address of words for `control.run`.

        Raises:
            Unplannable: a holder's array has another dtype, shape or layout than when the program was laid out.
        """
        entries = []
        for thread, table in enumerate(self._tables):
            size, more = divmod(count, self.threads)  # the first threads take one more, so that the first is never idle
            table.bind(thread * size + min(thread, more), size + (thread < more), count, addresses)
            entries.append(table.entry)
        return entries

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


class _Table:
    """A part of a program as numbers, for one thread."""

    def __init__(self, part: Part, thread: int, program: Program, *, inner: bool = False) -> None:
        flat = [word for _, words, _ in part.instructions for word in words]
        self._base = np.array([_base(word, thread) for word in flat], np.int64)
        self._per_start = np.array([word.per_start for word in flat], np.int64)
        self._per_count = np.array([word.per_count for word in flat], np.int64)
        self._per_total = np.array([word.per_total for word in flat], np.int64)
        self._per_image = np.array([word.per_image for word in flat], np.int64)
        self._named = [(i, word.source) for i, word in enumerate(flat) if isinstance(word.source, str)]
        self._held = [(i, word.source) for i, word in enumerate(flat) if word.source is not None]
        self._held = [(i, source) for i, source in self._held if not isinstance(source, str)]
        self._fixed = self._base.copy()
        self._seen: dict[str, int] = {}
        self._holders: list[Any] = [None] * len(self._held)
        self._kinds = [(holder.data.dtype, holder.data.shape) for _, holder in self._held]
        self.first = np.zeros(max(len(flat), 1), np.int64)  # the words of the first image
        self.words = np.zeros_like(self.first) if inner else self.first
        self._inner: list[tuple[_Table, NDArray[np.int64]]] = []
        self._nested = inner
        self._last: tuple[int, int, int] | None = None
        rows, offset = [], 0
        for instruction, words, nested in part.instructions:
            address = self.words.ctypes.data + 8 * offset
            if nested is not None:
                table = _Table(nested, thread, program, inner=True)
                loop = table.loop_words()
                self._inner.append((table, loop))
                address = loop.ctypes.data
            rows.append((instruction.address, address))
            offset += len(words)
        self.table = np.array(rows, np.int64).reshape(-1, 2)
        self._entry = np.array([len(rows), self.table.ctypes.data], np.int64)
        self.entry = self._entry.ctypes.data

    def loop_words(self) -> NDArray[np.int64]:
        """The words of `each_image`; the first is the number of images."""
        values = (0, len(self.table), self.table.ctypes.data, self._base.size, self.words.ctypes.data)
        return np.array([*values, self.first.ctypes.data, self._per_image.ctypes.data], np.int64)

    def bind(self, start: int, count: int, total: int, addresses: dict[str, int]) -> None:
        changed = False
        for i, name in self._named:
            if self._seen.get(name) != addresses[name]:
                changed = True
            self._fixed[i] = self._base[i] + addresses[name]
        self._seen = dict(addresses) if changed else self._seen
        for k, (i, holder) in enumerate(self._held):
            array = holder.data
            if array is not self._holders[k]:
                if (array.dtype, array.shape) != self._kinds[k] or not array.flags.c_contiguous:
                    raise Unplannable("a parameter was replaced by an array of another kind")
                self._holders[k] = array
                self._fixed[i] = self._base[i] + array.ctypes.data
                changed = True
        for table, loop in self._inner:  # which may name arrays that this one does not
            loop[0] = count
            table.bind(start, count, total, addresses)
        if not changed and self._last == (start, count, total):
            return
        self._last = (start, count, total)
        images = 1 if self._nested else count
        if self._base.size:
            self.first[:] = self._fixed + start * self._per_start + images * self._per_count + total * self._per_total


def _base(word: Word, thread: int) -> int:
    return word.base if isinstance(word.base, int) else word.base[thread]
