"""Numbers written at random: whose digits, which text, how it stands, and on what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers.alphabet import OTHER
from inkgrad.data.numbers.hands import Hands
from inkgrad.data.numbers.paper import Paper, on_sheet
from inkgrad.data.numbers.texts import random_text
from inkgrad.data.numbers.words import beside_words, printed_words
from inkgrad.data.numbers.writing import Row, Style, write_row
from inkgrad.errors import OptionError

__all__ = ["Composed", "Composer", "random_style"]


@dataclass(frozen=True)
class Composed:
    """A picture of one number.

    Attributes:
        gray: uint8 (h, w).
        text: what stands there, with its signs.
        boxes: (digits, 4), left, top, width and height of each in pixels; of words, too, where there are some.
        light_ink: whether the ink is lighter than the paper.
        labels: of all characters from left to right, those of words and of what is no digit, too.
        middles: (characters, 2), x and y of their middles in pixels, NaN where nobody knows.
    """

    gray: Images
    text: str
    boxes: NDArray[np.float64]
    light_ink: bool
    labels: tuple[int, ...]
    middles: NDArray[np.float64]


class Composer:
    """Writes numbers of one hand each.

    Args:
        hands: whose digits.
        shares: how often each of them writes; equally often by default.
        paper: what may happen to a number.
        bare: pictures of empty paper, uint8 (h, w), on which `on_bare` of the numbers are written.
        on_bare: this share.
        strange: rows of images, uint8 (n, 28, 28), that are no digits: of these `without` of the rows are made.
        without: the share of rows in which nothing is a number.
        words: the share of rows that are printed words.
        beside: the share of numbers that have a printed word beside them.

    Raises:
        OptionError: no hands, or not one share for each.
    """

    def __init__(
        self,
        hands: Sequence[Hands],
        *,
        shares: Sequence[float] | None = None,
        paper: Paper | None = None,
        bare: Sequence[Images] = (),
        on_bare: float = 0.0,
        strange: Images | None = None,
        without: float = 0.0,
        words: float = 0.0,
        beside: float = 0.0,
    ) -> None:
        shares = [1.0] * len(hands) if shares is None else shares
        if not hands or len(shares) != len(hands) or min(shares) < 0 or sum(shares) <= 0:
            raise OptionError(f"a composer of {len(hands)} hands needs one share for each, but got {list(shares)}")
        self.hands = list(hands)
        self.paper = Paper() if paper is None else paper
        self.bare = list(bare)
        self.on_bare = on_bare if self.bare else 0.0
        self.strange = strange
        self.without = without if strange is not None else 0.0
        self.words, self.beside = words, beside
        self._shares = np.array(shares, np.float64) / sum(shares)

    def compose(self, rng: np.random.Generator, text: str | None = None, style: Style | None = None) -> Composed:
        """A number on paper.

        Args:
            rng: where chance comes from.
            text: digits and signs; `random_text` by default.
            style: `random_style` by default.
        """
        style = random_style(rng) if style is None else style
        if text is not None:
            return self._on_paper(self._number(text, style, rng), text, style, rng)
        chance = rng.random()
        if chance < self.without + self.words:
            row = self._strange(style, rng) if chance < self.without else printed_words(style.height, rng)
            return self._on_paper(row, "", style, rng)
        text = random_text(rng)
        row = self._number(text, style, rng)
        if rng.random() < self.beside:
            row = beside_words(row, style.height, rng)
        return self._on_paper(row, text, style, rng)

    def _number(self, text: str, style: Style, rng: np.random.Generator) -> Row:
        digits = [int(character) for character in text if character.isdigit()]
        hands = self.hands[int(rng.choice(len(self.hands), p=self._shares))]
        return write_row(text, hands.write(digits, rng), style, rng)

    def _strange(self, style: Style, rng: np.random.Generator) -> Row:
        assert self.strange is not None
        some = self.strange[rng.integers(0, len(self.strange), rng.integers(1, 9))]
        row = write_row("0" * len(some), list(some), style, rng)
        return replace(row, labels=(OTHER,) * len(some))

    def _on_paper(self, row: Row, text: str, style: Style, rng: np.random.Generator) -> Composed:
        above, below, before, behind = (style.height * rng.uniform(0.1, most) for most in (0.5, 0.5, 0.8, 0.8))
        pad = [(round(above), round(below)), (round(before), round(behind))]
        ink = np.pad(row.ink, pad)
        corner = np.array([round(before), round(above)])
        boxes = row.boxes + np.append(corner, [0, 0])
        light_ink = bool(rng.random() < self.paper.negative)
        paper = replace(self.paper, negative=0.0)
        if rng.random() < self.on_bare:
            gray = _written_on(self.bare[int(rng.integers(len(self.bare)))], ink, paper, boxes, rng)
        else:
            gray = on_sheet(ink, boxes, paper, rng)
        shown = 255 - gray if light_ink else gray
        return Composed(shown, text, boxes, light_ink, row.labels, row.middles + corner)


def random_style(rng: np.random.Generator) -> Style:
    """As hands differ: close or apart, even or not, level or not, in any size that can be read."""
    return Style(
        height=float(np.exp(rng.uniform(np.log(16), np.log(48)))),
        gap=max(float(rng.normal(0.12, 0.13)), -0.1),
        unevenness=float(rng.uniform(0.02, 0.12)),
        wobble=float(rng.uniform(0.0, 0.09)),
        sizes=float(rng.uniform(0.02, 0.12)),
        zeros=float(rng.choice([1.0, 1.0, rng.uniform(0.6, 1.0)])),
        squeeze=float(np.exp(rng.normal(0, 0.15))),
        rise=float(rng.normal(0, 0.02)),
    )


def _written_on(
    bare: Images, ink: NDArray[np.float32], paper: Paper, boxes: NDArray[np.float64], rng: np.random.Generator
) -> Images:
    """Ink on paper that was photographed: it lets through a share of the light that the paper sends."""
    h, w = ink.shape
    back = bare[:, ::-1] if rng.random() < 0.5 else bare
    scale = max(1.0, h / back.shape[0]) * rng.uniform(1.0, 1.3)
    import cv2

    grown = np.asarray(cv2.resize(back, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)
    times = -(-w // grown.shape[1])
    wide = np.concatenate([grown if index % 2 == 0 else grown[:, ::-1] for index in range(times + 1)], axis=1)
    top, left = rng.integers(0, grown.shape[0] - h + 1), rng.integers(0, wide.shape[1] - w + 1)
    light = wide[top : top + h, left : left + w].astype(np.float32) / 255
    plain = replace(paper, dark=0.0, shade=paper.shade / 2, pattern=0.0)
    own = on_sheet(ink, boxes, plain, rng).astype(np.float32) / 255
    return np.clip(np.rint(255 * light * own), 0, 255).astype(np.uint8)
