"""Batches of rows, each made of its number and a seed alone."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers import STRIP_HEIGHT, Composer, labels_of, row_of_boxes, to_strip
from inkgrad.training.numbers.real import Real

__all__ = ["CANVAS", "Stream"]

CANVAS = 384
"""Pixels from left to right of what a network learns from: as many rows as there is room for."""

MOST_LABELS = 40
_APART = 14  # pixels at least between two rows on a canvas
_BLOCK = 8  # batches that share their composed rows
_ROWS = 1.25  # composed rows a canvas: of about 2.5 that it holds, each is there twice
_AHEAD = 4  # batches that are made while others are learned from

Row = tuple[Images, str]
Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


class Stream:
    """Composed numbers, and from some batch on real ones among them.

    Batch b depends on the seed, on b and on what real rows there are, and on nothing before: a training can go on from
    any batch. Composing costs as much as learning, so each composed row is learned from twice, in batches of one block.

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
        self._composed: tuple[int, list[Row]] = (-1, [])

    def batch(self, number: int) -> Batch:
        """Float32 (n, 1, 40, 384) from 0 paper to 1 ink, and labels int64 (n, l), -1 behind the last."""
        rng = np.random.Generator(np.random.PCG64([self.seed, number]))
        images = np.zeros((self.batch_size, 1, STRIP_HEIGHT, CANVAS), np.float32)
        labels = np.full((self.batch_size, MOST_LABELS), -1, np.int64)
        rows = self._rows(number)
        for canvas, row in zip(images, labels, strict=True):
            self._fill(canvas[0], row, rows, rng)
        return images, labels

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

    def _rows(self, number: int) -> Iterator[Row]:
        """The composed rows of a batch: those of its block, from another place on in each batch."""
        block, place = divmod(number, _BLOCK)
        if self._composed[0] != block:
            own = np.random.Generator(np.random.PCG64([self.seed, block, 1]))
            self._composed = block, [self._compose(own) for _ in range(round(_ROWS * _BLOCK * self.batch_size))]
        rows = self._composed[1]
        start = 2 * place * len(rows) // _BLOCK
        return (rows[index % len(rows)] for index in itertools.count(start))

    def _compose(self, rng: np.random.Generator) -> Row:
        made = self.composer.compose(rng)
        place = row_of_boxes(made.boxes, rng)
        return to_strip(made.gray, place, light_ink=made.light_ink).pixels, made.text

    def _fill(
        self,
        canvas: NDArray[np.float32],
        labels: NDArray[np.int64],
        rows: Iterator[Row],
        rng: np.random.Generator,
    ) -> None:
        """Rows beside each other until there is no more room."""
        left, used = int(rng.integers(0, 12)), 0
        while True:
            pixels, text = self._real(rng) if len(self.real) and rng.random() < self.share else next(rows)
            width = pixels.shape[1]
            room = CANVAS - left
            if width > room or used + len(text) > MOST_LABELS or _steps(text) * 4 > width:
                if used or left > 12:
                    return
                continue  # a row that is longer than a canvas: another one
            canvas[:, left : left + width] = _changed(pixels, rng)
            labels[used : used + len(text)] = labels_of(text)
            used += len(text)
            left += width + _APART + int(rng.exponential(10))
            if left > CANVAS - 50 or rng.random() < 0.1:
                return

    def _real(self, rng: np.random.Generator) -> Row:
        chosen = self.real[int(rng.integers(len(self.real)))]
        return chosen.strip(rng), chosen.text


def _steps(text: str) -> int:
    """The fewest steps that a text needs: equal neighbors need a blank between them."""
    return len(text) + sum(one == other for one, other in itertools.pairwise(text))


def _changed(pixels: Images, rng: np.random.Generator) -> NDArray[np.float32]:
    """As other scanners would have given it: fainter or fuller strokes, blur, noise."""
    import cv2

    ink = pixels.astype(np.float32) / 255
    if rng.random() < 0.5:
        ink = ink ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.2:
        ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9)), np.float32)
    if rng.random() < 0.3:
        ink = ink + rng.standard_normal(ink.shape, np.float32) * np.float32(rng.uniform(0, 0.08))
    return np.clip(ink, 0, 1)
