"""Several data sets to learn from at once, such as "mnist+3*usps+nondigits"."""

from collections.abc import Callable

import numpy as np

from inkgrad.data.dataset import DIGITS, Dataset, Splits
from inkgrad.data.fonts import printed_digits
from inkgrad.data.hands import HANDS, load_hand
from inkgrad.data.nondigits import NO_DIGIT, TRAINED, nondigits
from inkgrad.errors import DataError
from inkgrad.random import default_rng

__all__ = ["NONDIGITS", "PRINTED", "load_mixture"]

NONDIGITS, PRINTED = "nondigits", "printed"
"""The parts of a mixture that are drawn: images of what is no digit, and digits of fonts."""

_OF_EACH_KIND, _OF_EACH_DIGIT = 2_000, 200


def load_mixture(source: str, load: Callable[[str], Splits]) -> Splits:
    """Join what is to be learned from; validation and test are those of the first data set.

    Args:
        source: names joined by "+", each perhaps with a number of times before it, as in "mnist+3*usps". The first is
            what `load` knows, the others are sets of other hands, or drawn: `printed`, 200 of each digit in many fonts,
            and `nondigits`, 2,000 of each kind that there is, the pieces of digits among them taken from the first set.
            Of what is drawn a number of times there are as many different images.
        load: gives the splits of the first.

    Raises:
        DataError: a part that is not known, that is never learned from, or that misses its file.
    """
    parts = [_counted(part, source) for part in source.split("+")]
    for name, _ in parts[1:]:
        if name not in (NONDIGITS, PRINTED) and (name not in HANDS or HANDS[name].held_out):
            why = "is kept to test by" if name in HANDS else "is not known"
            learned = [hand for hand in HANDS if not HANDS[hand].held_out]
            raise DataError(
                f"{name!r} in {source!r} {why}; a mixture may add {', '.join([*learned, PRINTED, NONDIGITS])}"
            )
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
    if name == PRINTED:
        return printed_digits(_OF_EACH_DIGIT * times, default_rng(0))
    if name == NONDIGITS:
        return nondigits(list(TRAINED), _OF_EACH_KIND * times, digits, default_rng(0))
    return load_hand(name)


def _repeats(name: str, times: int) -> int:
    return 1 if name in (NONDIGITS, PRINTED) else times


def _counted(part: str, source: str) -> tuple[str, int]:
    """The name and the number of times of "3*usps"."""
    times, star, name = part.rpartition("*")
    if not star:
        return part, 1
    if not times.isascii() or not times.isdigit() or not 1 <= int(times) <= 100:
        raise DataError(f"{part!r} in {source!r} should be a number of times from 1 to 100 and a name, such as 3*usps")
    return name, int(times)
