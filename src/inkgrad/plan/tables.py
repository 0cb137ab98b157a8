"""A part of a program as numbers: what a thread reads when it runs instructions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.plan.trace import Unplannable
from inkgrad.plan.words import Part, Word

__all__ = ["Table"]


class Table:
    """The instructions of a part of a program with their words, for one thread.

    Attributes:
        entry: the address of what `control.run` takes.
        first: the words of the part's first image.
        words: those that the instructions read; inside `each_image` they move on from image to image.
    """

    def __init__(self, part: Part, thread: int, *, inner: bool = False) -> None:
        flat = [word for _, words, _ in part.instructions for word in words]
        self._base = np.array([_base(word, thread) for word in flat], np.int64)
        self._per_start = np.array([word.per_start for word in flat], np.int64)
        self._per_count = np.array([word.per_count for word in flat], np.int64)
        self._per_total = np.array([word.per_total for word in flat], np.int64)
        self._per_image = np.array([word.per_image for word in flat], np.int64)
        self._named = [(i, word.source) for i, word in enumerate(flat) if isinstance(word.source, str)]
        named = {i for i, _ in self._named}
        self._held = [(i, w.source) for i, w in enumerate(flat) if w.source is not None and i not in named]
        self._kinds = [(holder.data.dtype, holder.data.shape) for _, holder in self._held]
        self.first = np.zeros(max(len(flat), 1), np.int64)
        self.words = np.zeros_like(self.first) if inner else self.first
        self._inner: list[tuple[Table, NDArray[np.int64]]] = []
        self._nested = inner
        self._batch: tuple[int, int, int] | None = None
        rows, offset = [], 0
        for instruction, words, nested in part.instructions:
            address = self.words.ctypes.data + 8 * offset
            if nested is not None:
                table = Table(nested, thread, inner=True)
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
        """Fill in the words for `count` images from `start` on, of `total`; few of them change from run to run.

        Raises:
            Unplannable: a holder's array is of another kind than when the program was laid out.
        """
        if self._batch != (start, count, total):
            self._begin(start, count, total)
        for k, (i, name) in enumerate(self._named):
            address = addresses[name]
            if address != self._addresses[k]:
                self._addresses[k] = address
                self.first[i] = self._named_offsets[k] + address
        for k, (i, holder) in enumerate(self._held):
            array = holder.data
            if array is not self._arrays[k]:
                if (array.dtype, array.shape) != self._kinds[k] or not array.flags.c_contiguous:
                    raise Unplannable("a parameter was replaced by an array of another kind")
                self._arrays[k] = array
                self.first[i] = self._held_offsets[k] + array.ctypes.data
        for table, loop in self._inner:
            loop[0] = count
            table.bind(start, count, total, addresses)

    def _begin(self, start: int, count: int, total: int) -> None:
        """All words but for the addresses of what is given at each run."""
        self._batch = (start, count, total)
        images = 1 if self._nested else count
        if self._base.size:
            self.first[:] = self._base + start * self._per_start + images * self._per_count + total * self._per_total
        self._named_offsets, self._held_offsets = (
            [int(self.first[i]) for i, _ in some] for some in (self._named, self._held)
        )
        self._addresses: list[int | None] = [None] * len(self._named)
        self._arrays: list[Any] = [None] * len(self._held)


def _base(word: Word, thread: int) -> int:
    return word.base if isinstance(word.base, int) else word.base[thread]
