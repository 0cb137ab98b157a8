"""What instructions are given: numbers and places, which differ from thread to thread and from batch to batch."""

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from inkgrad.kernels.numba_cpu.native import Instruction

__all__ = ["COUNT", "START", "TOTAL", "Holder", "Part", "Place", "Word"]


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
