"""Several data sets to learn from at once, such as "mnist+3*usps+nondigits"."""

from collections.abc import Callable

import numpy as np

from inkgrad.data.dataset import DIGITS, Dataset, Splits
from inkgrad.data.hands import HANDS, load_hand
from inkgrad.data.nondigits import NO_DIGIT, TRAINED, nondigits
from inkgrad.errors import DataError
from inkgrad.random import default_rng

__all__ = ["NONDIGITS", "load_mixture"]

NONDIGITS = "nondigits"
"""The part of a mixture that is drawn: images of what is no digit."""

_OF_EACH_KIND = 2_000


def load_mixture(source: str, load: Callable[[str], Splits]) -> Splits:
    """Join what is to be learned from; validation and test are those of the first data set.

    Args:
        source: names joined by "+", each perhaps with a number of times before it, as in "mnist+3*usps". The first is
            what `load` knows, the others are sets of other hands, or `nondigits`: 2,000 of each kind that there is, as
            many times as its number says, always new ones, the pieces of digits among them taken from the first set.
        load: gives the splits of the first.

    Raises:
        DataError: a part that is not known, that is never learned from, or that misses its file.
    """
    parts = [_counted(part, source) for part in source.split("+")]
    for name, _ in parts[1:]:
        if name != NONDIGITS and (name not in HANDS or HANDS[name].held_out):
            why = "is kept to test by" if name in HANDS else "is not known"
            learned = [known for known, hand in HANDS.items() if not hand.held_out]
            raise DataError(f"{name!r} in {source!r} {why}; a mixture may add {', '.join([*learned, NONDIGITS])}")
    first = load(parts[0][0])
    if first.train.classes != DIGITS:
        raise DataError(f"{parts[0][0]!r} in {source!r} has other classes than the ten digits, so it cannot be mixed")
    found = [first.train, *(_part(name, times, first.train) for name, times in parts[1:])]
    repeated = [one for one, (name, times) in zip(found, parts, strict=True) for _ in range(_repeats(name, times))]
    train = Dataset(
        np.concatenate([one.images for one in repeated]),
        np.concatenate([one.labels for one in repeated]),
        f"{source} train",
        (*DIGITS, NO_DIGIT) if any(name == NONDIGITS for name, _ in parts) else DIGITS,
    )
    return first._replace(train=train)


def _part(name: str, times: int, digits: Dataset) -> Dataset:
    if name != NONDIGITS:
        return load_hand(name)
    rng = default_rng(0)
    return nondigits(list(TRAINED), _OF_EACH_KIND * times, digits, rng)


def _repeats(name: str, times: int) -> int:
    return 1 if name == NONDIGITS else times


def _counted(part: str, source: str) -> tuple[str, int]:
    """The name and the number of times of "3*usps"."""
    times, star, name = part.rpartition("*")
    if not star:
        return part, 1
    if not times.isascii() or not times.isdigit() or not 1 <= int(times) <= 100:
        raise DataError(f"{part!r} in {source!r} should be a number of times from 1 to 100 and a name, such as 3*usps")
    return name, int(times)
