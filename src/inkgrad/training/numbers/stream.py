"""Batches of rows, each made of its number and a seed alone."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.numbers import STRIP_HEIGHT, Composer, row_of_boxes
from inkgrad.models.rows import STEP
from inkgrad.training.numbers.real import Real
from inkgrad.training.numbers.shown import Shown, changed, shown

__all__ = ["CANVAS", "STEPS", "Stream"]

CANVAS = 384
"""Pixels from left to right of what a network learns from: as many rows as there is room for."""

STEPS = CANVAS // STEP
"""Of a network's output, on a canvas."""

MOST_LABELS = 40
_APART = 14  # pixels at least between two rows on a canvas
_BLOCK = 8  # batches that share their composed rows
_USES = 4  # times that each of them is learned from, changed in another way each time
_SHOWN = 2.5  # rows that a canvas holds, about
_TRIED = 4  # rows that find no room before a canvas is full
_PLACES = 8  # ways in which a real row is found
_AHEAD = 8  # batches that are made while others are learned from

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


class Stream:
    """Composed numbers, and from some batch on real ones among them.

    Batch b depends on the seed, on b and on what real rows there are, and on nothing before: a training can go on from
    any batch. Composing costs as much as learning, so each composed row is learned from four times, in batches of one
    block.

    Args:
        composer: writes numbers.
        batch_size: canvases a batch.
        seed: where chance comes from.

    Attributes:
        real: rows of real numbers whose signs are known; none at first.
        share: of the rows, how many are real.
    """

    def __init__(self, composer: Composer, *, batch_size: int, seed: int) -> None:
        self.composer = composer
        self.batch_size = batch_size
        self.seed = seed
        self.real: Sequence[Real] = ()
        self.share = 0.0
        self._composed: tuple[int, list[Shown]] = (-1, [])

    def batch(self, number: int) -> Batch:
        """Float32 (n, 1, 40, 384) from 0 paper to 1 ink, and what `guided_ctc_loss` is told of it, int64 (n, 96 + l).

        The first 96 are the labels that stand at the steps, -1 where that is not known; then come all labels from left
        to right, -1 behind the last.
        """
        rng = np.random.Generator(np.random.PCG64([self.seed, number]))
        images = np.zeros((self.batch_size, 1, STRIP_HEIGHT, CANVAS), np.float32)
        told = np.full((self.batch_size, STEPS + MOST_LABELS), -1, np.int64)
        composed, waiting = self._rows(number), list[Shown]()
        for canvas, row in zip(images, told, strict=True):
            rows = self._mixed(itertools.chain(waiting, composed), rng)
            waiting = self._fill(canvas[0], row[:STEPS], row[STEPS:], rows, rng)
        return images, told

    def batches(self, start: int, end: int) -> Iterator[Batch]:
        """From one number to another; the next ones are made beside."""
        with ThreadPoolExecutor(1) as pool:
            made: list[Future[Batch]] = []
            try:
                for number in range(start, end):
                    while len(made) < _AHEAD and number + len(made) < end:
                        made.append(pool.submit(self.batch, number + len(made)))
                    yield made.pop(0).result()
            finally:
                for future in made:
                    future.cancel()

    def _rows(self, number: int) -> Iterator[Shown]:
        """The composed rows of a batch: a part of those of its block, in an order of its own."""
        block, place = divmod(number, _BLOCK)
        if self._composed[0] != block:
            own = np.random.Generator(np.random.PCG64([self.seed, block, 1]))
            count = max(1, round(_SHOWN * _BLOCK * self.batch_size / _USES))
            self._composed = block, [self._compose(own) for _ in range(count)]
        rows = self._composed[1]
        each = np.random.Generator(np.random.PCG64([self.seed, block, 2]))
        order = np.concatenate([each.permutation(len(rows)) for _ in range(_USES)])
        start = place * len(order) // _BLOCK
        return (rows[order[index % len(order)]] for index in itertools.count(start))

    def _compose(self, rng: np.random.Generator) -> Shown:
        made = self.composer.compose(rng)
        place = row_of_boxes(made.boxes, rng)
        return shown(made.gray, place, made.labels, made.middles, light_ink=made.light_ink)

    def _mixed(self, composed: Iterator[Shown], rng: np.random.Generator) -> Iterator[Shown]:
        """Real rows among composed ones."""
        while True:
            if len(self.real) and rng.random() < self.share:
                yield self.real[int(rng.integers(len(self.real)))].shown(int(rng.integers(_PLACES)))
            else:
                yield next(composed)

    def _fill(
        self,
        canvas: NDArray[np.float32],
        guides: NDArray[np.int64],
        labels: NDArray[np.int64],
        rows: Iterator[Shown],
        rng: np.random.Generator,
    ) -> list[Shown]:
        """Rows beside each other until there is no more room; gives those that found none."""
        left, used, waiting = int(rng.integers(0, 12)), 0, list[Shown]()
        while len(waiting) < _TRIED and left <= CANVAS - 50:
            row = next(rows)
            ink, middles = changed(row, rng)
            width, count = ink.shape[1], len(row.labels)
            if width > CANVAS - 12 or count > MOST_LABELS or _steps(row.labels) * STEP > width:
                continue  # it would not even fit alone
            if width > CANVAS - left or used + count > MOST_LABELS:
                waiting.append(row)
                continue
            canvas[:, left : left + width] = ink
            labels[used : used + count] = row.labels
            _guide(guides, row.labels, left + middles)
            used += count
            left += width + _APART + int(rng.exponential(10))
            if rng.random() < 0.1:
                break
        return waiting


def _guide(guides: NDArray[np.int64], labels: Sequence[int], middles: NDArray[np.float64]) -> None:
    """Tell at the step in the middle of each label that it stands there."""
    for label, middle in zip(labels, middles, strict=True):
        if np.isfinite(middle) and 0 <= (step := int(middle // STEP)) < len(guides):
            guides[step] = label


def _steps(labels: Sequence[int]) -> int:
    """The fewest steps that labels need: equal neighbors need a blank between them."""
    return len(labels) + sum(one == other for one, other in itertools.pairwise(labels))
