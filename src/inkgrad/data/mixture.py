"""Several data sets to learn from at once, such as "mnist+3*usps+nondigits"."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inkgrad.data.dataset import DIGITS, Dataset, Splits
from inkgrad.data.fonts import printed_digits
from inkgrad.data.hands import HANDS, load_hand
from inkgrad.data.nondigits import TRAINED, nondigits
from inkgrad.data.rings import rings
from inkgrad.errors import DataError
from inkgrad.random import default_rng

__all__ = ["NONDIGITS", "PRINTED", "RINGS", "Part", "load_mixture", "mixture_parts"]

NONDIGITS, RINGS, PRINTED = "nondigits", "rings", "printed"
"""The parts of a mixture that are drawn: images of what is no digit, round zeros, and digits of fonts."""

_DRAWN = {NONDIGITS: 0.04, RINGS: 0.04, PRINTED: 0.004}
"""How many of each kind, or of each digit, for each image of the first set to learn from."""


class Part(NamedTuple):
    """One data set of a mixture, and how many times each of its images is learned from."""

    name: str
    times: int


def mixture_parts(source: str | os.PathLike[str]) -> list[Part]:
    """The parts of a mixture; of anything else, and of a path that is there, the one that it is.

    Raises:
        DataError: a part has no name, or a number of times that is none.

    >>> mixture_parts("mnist+3*usps"), mixture_parts("digits")
    ([Part(name='mnist', times=1), Part(name='usps', times=3)], [Part(name='digits', times=1)])
    """
    source = os.fspath(source)
    if "+" not in source or _is_there(source):
        return [Part(source, 1)]
    return [_part(part, source) for part in source.split("+")]


def load_mixture(source: str, load: Callable[[str], Splits]) -> Splits:
    """Join what is to be learned from; validation and test are those of the first data set.

    Args:
        source: names joined by "+", each perhaps with a number of times before it, as in "mnist+3*usps". The first is
            what `load` knows, the others are sets of other hands, or drawn from a fixed seed: `printed`, digits of many
            fonts, 4 of each digit for 1,000 images of the first set, `rings`, 4 round zeros for 100 images, and
            `nondigits`, 4 of each kind for 100 images, with pieces and crowds of digits of the first set.
            `2*nondigits` are twice as many.
        load: gives the splits of the first.

    Raises:
        DataError: a part that is not known, that is never learned from, that is named twice, or that misses its file.
    """
    parts = mixture_parts(source)
    _check(parts, source)
    first = load(parts[0].name)
    if first.train.classes != DIGITS:
        raise DataError(f"{parts[0].name!r} in {source!r} has other classes than the ten digits; it cannot be mixed")
    others = [one for part in parts[1:] for one in _loaded(part, first.train)]
    together = [first.train] * parts[0].times + others
    rejects = any(one.rejects for one in together)
    train = Dataset(
        np.concatenate([one.images for one in together]),
        np.concatenate([one.labels for one in together]),
        f"{source} train",
        next((one.classes for one in together if one.rejects), DIGITS),
        rejects,
    )
    return first._replace(train=train)


def _check(parts: list[Part], source: str) -> None:
    known = [*(hand for hand in HANDS if not HANDS[hand].held_out), *reversed(_DRAWN)]
    for place, part in enumerate(parts):
        why = ""
        if part.name in HANDS and HANDS[part.name].held_out:
            why = "is kept to test by"
        elif [other.name for other in parts].count(part.name) > 1:
            why = "is named twice"
        elif place and part.name not in known:
            first = part.name in ("mnist", "digits") or _is_there(part.name)
            why = "can only be the first" if first else "is not known"
        if why:
            raise DataError(f"{part.name!r} in {source!r} {why}; a mixture may add {', '.join(known)} to its first")


def _loaded(part: Part, digits: Dataset) -> list[Dataset]:
    if part.name not in _DRAWN:
        return [load_hand(part.name)] * part.times
    each = max(1, round(_DRAWN[part.name] * len(digits))) * part.times
    if part.name == PRINTED:
        return [printed_digits(each, default_rng(0))]
    if part.name == RINGS:
        return [rings(each, default_rng(0))]
    return [nondigits(list(TRAINED), each, digits, default_rng(0))]


def _part(part: str, source: str) -> Part:
    """The name and the number of times of "3*usps"."""
    times, star, name = part.rpartition("*")
    if not name:
        raise DataError(f"a part of {source!r} has no name; join names by + as in mnist+3*usps")
    if not star:
        return Part(part, 1)
    if not times.isascii() or not times.isdigit() or not 1 <= int(times) <= 100:
        raise DataError(f"{part!r} in {source!r} should be a number of times from 1 to 100 and a name, such as 3*usps")
    return Part(name, int(times))


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # no name that a file could have
        return False
