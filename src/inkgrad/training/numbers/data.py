"""What a reader of numbers learns from: whose digits, on which paper, and which real numbers."""

from dataclasses import dataclass

import numpy as np

from inkgrad.data import TRAINED, Amount, load, load_amounts, load_hand, load_writers, nondigits
from inkgrad.data.amounts import digits_of, folds
from inkgrad.data.numbers import Composer, Hands, without_ink
from inkgrad.errors import OptionError
from inkgrad.random import default_rng

__all__ = ["FOLDS", "NumberData", "number_data"]

FOLDS = 5
_STRANGE = (
    *("foreign letters", "letters of other scripts", "invented letters", "pieces of letters"),
    *("mathematical symbols", "figures", "curves", "blots"),
)
_SHARES = {"mnist": 0.4, "usps": 0.12, "ardis": 0.18, "orand_car": 0.3}


@dataclass(frozen=True)
class NumberData:
    """Composed numbers and real ones.

    Attributes:
        composer: of numbers to learn from.
        train: real numbers to learn from.
        kept: real numbers that are kept out, those of a fold.
    """

    composer: Composer
    train: list[Amount]
    kept: list[Amount]


def number_data(fold: int | None = None, *, with_amounts: bool = True) -> NumberData:
    """The first 50,000 digits of MNIST with their writers, USPS, ARDIS and amounts of cheques.

    Args:
        fold: of the amounts, 0 to 4, that is kept out; None keeps none.
        with_amounts: whether amounts are learned from at all: their digits, their paper, and they themselves.

    Raises:
        OptionError: no such fold.
        DataError: a set is missing.
    """
    if fold is not None and not 0 <= fold < FOLDS:
        raise OptionError(f"the amounts have folds 0 to {FOLDS - 1}, but fold {fold} was to be left out")
    amounts = load_amounts()
    of = folds(len(amounts), FOLDS)
    train = [amount for amount, part in zip(amounts, of, strict=True) if part != fold and with_amounts]
    kept = [amount for amount, part in zip(amounts, of, strict=True) if part == fold]
    mnist = load("mnist").train
    hands = {
        "mnist": Hands(mnist, load_writers()[: len(mnist)]),
        "usps": Hands(load_hand("usps")),
        "ardis": Hands(load_hand("ardis")),
    }
    if train:
        hands["orand_car"] = Hands(digits_of(train, "orand_car"))
    kinds = [kind for kind in TRAINED if kind in _STRANGE]
    strange = nondigits(kinds, 500, mnist, default_rng(0)).images
    composer = Composer(
        list(hands.values()),
        shares=[_SHARES[name] for name in hands],
        bare=[without_ink(amount.gray) for amount in train],
        on_bare=0.4,
        strange=strange[np.asarray(strange.max(axis=(1, 2)) > 80)],
        without=0.08,
        words=0.05,
        beside=0.05,
    )
    return NumberData(composer, train, kept)
