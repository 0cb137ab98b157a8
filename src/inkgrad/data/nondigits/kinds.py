"""The kinds of things that are no digits: those that a network learns, and others by which it is tested."""

from collections.abc import Callable, Sequence

import numpy as np

from inkgrad.data.dataset import DIGITS, SIDE, Dataset, Images
from inkgrad.data.form import to_form
from inkgrad.data.nondigits import glyphs, parts, strokes, textures
from inkgrad.errors import OptionError

__all__ = ["NO_DIGIT", "TESTED", "TRAINED", "nondigits"]

NO_DIGIT = "none"
"""The name of the class behind the ten digits."""

Kind = Callable[[Dataset, np.random.Generator], Images]


def _formed(drawing: Callable[[np.random.Generator], Images]) -> Kind:
    """A drawing of any size, brought to MNIST's form."""
    return lambda _, rng: to_form(drawing(rng))


def _as_it_is(image: Callable[[np.random.Generator], Images]) -> Kind:
    return lambda _, rng: image(rng)


TRAINED: dict[str, Kind] = {
    "foreign letters": _formed(glyphs.foreign_letter),
    "letters of other scripts": _formed(glyphs.other_letter),
    "invented letters": _formed(strokes.invented_letter),
    "mathematical symbols": _formed(glyphs.mathematical_symbol),
    "figures": _formed(strokes.figure),
    "blots": _formed(strokes.blot),
    "curves": _formed(strokes.curve),
    "open rings": _formed(strokes.open_ring),
    "dotted strokes": _formed(strokes.dotted),
    "clouds": _as_it_is(textures.clouds),
    "gratings": _as_it_is(textures.gratings),
    "nothing": _as_it_is(textures.nothing),
    "pieces of 0, 2 and 3": lambda digits, rng: parts.piece(digits, (0, 2, 3), rng),
    "pieces of letters": parts.letter_piece,
    "opened zeros": parts.opened,
    "struck digits": parts.struck,
    "ringed digits": parts.ringed,
    "turned digits": parts.turned,
    "digits beside letters": parts.beside,
    "crowded digits": parts.crowd,
}
"""What a network learns not to be digits."""

TESTED: dict[str, Kind] = {
    "letters": _formed(glyphs.latin_letter),
    "letters of strokes": _formed(glyphs.stroke_letter),
    "symbols": _formed(glyphs.symbol),
    "scribbles": _formed(strokes.scribble),
    "patterns": _as_it_is(textures.patterns),
    "photographs": _as_it_is(textures.photographs),
    "pieces of 4, 5, 6, 8 and 9": lambda digits, rng: parts.remnant(digits, (4, 5, 6, 8, 9), rng),
    "pairs of digits": parts.pair,
}
"""Others, by which it is measured whether it refuses what it has never seen."""


def nondigits(kinds: Sequence[str], each: int, digits: Dataset, rng: np.random.Generator) -> Dataset:
    """Draw images of things that are no digits.

    Args:
        kinds: names from `TRAINED` or `TESTED`.
        each: how many of each kind, which come one after the other.
        digits: where pieces and crowds of digits are taken from.
        rng: where chance comes from.

    Returns:
        The images with label 10, which is `NO_DIGIT`, behind the ten digits.

    Raises:
        OptionError: a kind that is not there.
        DataError: a kind needs digits that are not among the given ones.

    >>> from inkgrad.data.digits import load_digits
    >>> drawn = nondigits(["figures", "pairs of digits"], 3, load_digits()[0], np.random.default_rng(0))
    >>> drawn.images.shape, drawn.labels, drawn.classes[-1]
    ((6, 28, 28), array([10, 10, 10, 10, 10, 10]), 'none')
    """
    known = TRAINED | TESTED
    for kind in kinds:
        if kind not in known:
            raise OptionError(f"there is no kind {kind!r} of things that are no digits; there are {', '.join(known)}")
    images = np.zeros((len(kinds) * each, SIDE, SIDE), np.uint8)
    for index in range(len(images)):
        images[index] = known[kinds[index // each]](digits, rng)
    labels = np.full(len(images), len(DIGITS), np.int64)
    return Dataset(images, labels, "nondigits", (*DIGITS, NO_DIGIT), rejects=True)
