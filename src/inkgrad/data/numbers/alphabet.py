"""What a reader of numbers tells apart: a blank, ten digits and the signs among them, each with a label."""

from collections.abc import Iterable

from inkgrad.data.numbers.signs import SIGNS
from inkgrad.errors import OptionError

__all__ = ["BLANK", "LABELS", "NAMED_SIGNS", "OTHER", "WRITABLE", "digits_of", "is_digit", "labels_of", "written_as"]

BLANK = 0
"""The label that means no character."""

WRITABLE = "0123456789" + SIGNS
"""What a number can be written with; the label of each is its place here, counted from 1."""

LABELS = 1 + len(WRITABLE)
"""How many labels there are, with the blank."""

OTHER = LABELS
"""The label of any other character, such as a letter: networks know it, numbers have none."""

NAMED_SIGNS = " ".join(SIGNS)
"""The signs as messages name them."""

_LABEL = {character: label for label, character in enumerate(WRITABLE, 1)}


def labels_of(written: str) -> list[int]:
    """The labels of a number as it stands on paper.

    Raises:
        OptionError: a character that is not `WRITABLE`.

    >>> labels_of("10.5")
    [2, 1, 11, 6]
    """
    unknown = [character for character in written if character not in _LABEL]
    if unknown:
        raise OptionError(f"{written!r} has {unknown[0]!r}, but numbers are written with digits and {NAMED_SIGNS}")
    return [_LABEL[character] for character in written]


def written_as(labels: Iterable[int]) -> str:
    """The number of which these are the labels, with its signs; blanks are left out.

    >>> written_as([2, 0, 1, 11, 6])
    '10.5'
    """
    return "".join(WRITABLE[label - 1] for label in labels if label != BLANK)


def digits_of(written: str) -> str:
    """A number without its signs.

    >>> digits_of("1.234,56")
    '123456'
    """
    return "".join(character for character in written if character.isdigit())


def is_digit(label: int) -> bool:
    """Whether a label is that of a digit."""
    return 1 <= label <= 10
