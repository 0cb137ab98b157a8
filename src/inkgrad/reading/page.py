"""What was read: pages of numbers of digits, each with its place and its confidence."""

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

__all__ = ["Box", "Digit", "Number", "Page"]

Box: TypeAlias = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Four corners (x, y) in pixels of the page, clockwise from the digit's own upper left."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit of a number.

    Attributes:
        value: 0 to 9.
        confidence: the probability that the value is right, 0 to 1; no less than that of its number.
        alternatives: other values with their probabilities, the most probable first.
        box: where it stands.
    """

    value: int
    confidence: float
    alternatives: tuple[tuple[int, float], ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands on a page.

    Attributes:
        text: its digits only; the most probable that fit what was expected.
        written: with separators and signs, as in "1.234,56".
        confidence: the probability that all of its digits are right, 0 to 1; 0 if it cannot be what was expected, and
            its text is then what it would have been read as without.
        box: where it stands.
        digits: one by one, as many as `text` has.
        free: what it would have been read as without what was expected; None if nothing was expected.
    """

    text: str
    written: str
    confidence: float
    box: Box
    digits: tuple[Digit, ...]
    free: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """All numbers of one image, or of one page of a document.

    Attributes:
        numbers: those of which one may be sure enough, in reading order.
        doubtful: the others, in reading order.
        width: of the image as it was read, upright, in pixels.
        height: of the image.
    """

    numbers: tuple[Number, ...]
    doubtful: tuple[Number, ...]
    width: int
    height: int

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and strings, as JSON takes them."""
        return asdict(self)
