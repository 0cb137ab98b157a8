"""Printed words: what stands beside numbers and is none."""

import string

import numpy as np

from inkgrad.data.fonts import FONTS, printed
from inkgrad.data.numbers.alphabet import OTHER
from inkgrad.data.numbers.writing import Row

__all__ = ["beside_words", "printed_words", "random_word"]

_COMMON = "eaioutnsrl"
_RARE = 0.3  # of the letters may be any
_FAR = (0.8, 2.0)  # heights of the number between it and words beside it
_SIZE = (0.7, 1.2)  # of a font, in heights of the number


def random_word(rng: np.random.Generator) -> str:
    """Three to ten letters, common ones more often, in lower case, in capitals or with one of these first.

    >>> from inkgrad.random import default_rng
    >>> random_word(default_rng(0)).isalpha()
    True
    """
    count = int(rng.integers(3, 11))
    if rng.random() < 0.1:  # what abbreviations and codes look like
        return "".join(rng.choice(list(string.ascii_uppercase), count))
    rare, common = (rng.choice(list(letters), count) for letters in (string.ascii_lowercase, _COMMON))
    word = "".join(np.where(rng.random(count) < _RARE, rare, common))
    case = rng.random()
    return word.upper() if case < 0.2 else word.capitalize() if case < 0.5 else word


def printed_words(height: float, rng: np.random.Generator) -> Row:
    """One to three words in a line, each letter another character; the one box is that of all of them.

    Args:
        height: of the font, in pixels.
        rng: where chance comes from.
    """
    text = " ".join(random_word(rng) for _ in range(rng.integers(1, 4)))
    return _printed(text, max(8, round(height)), rng)


def beside_words(row: Row, height: float, rng: np.random.Generator) -> Row:
    """A number with a printed word before or behind it, as forms have: its boxes, and that of the word.

    Args:
        row: the number.
        height: of its digits, in pixels.
        rng: where chance comes from.
    """
    size = max(8, round(height * rng.uniform(*_SIZE)))
    text = random_word(rng) + str(rng.choice(["", ":", "."]))
    word = _printed(text, size, rng)
    gap = round(height * rng.uniform(*_FAR))
    parts = [word, row] if rng.random() >= 0.4 else [row, word]
    tall = max(part.ink.shape[0] for part in parts)
    ink = np.zeros((tall, word.ink.shape[1] + gap + row.ink.shape[1]), np.float32)
    boxes, middles = [], []
    left = 0
    for part in parts:
        high, wide = part.ink.shape
        top = (tall - high) // 2
        ink[top : top + high, left : left + wide] = part.ink
        boxes.append(part.boxes + np.array([left, top, 0, 0]))
        middles.append(part.middles + np.array([left, top]))
        left += wide + gap
    labels = parts[0].labels + parts[1].labels
    return Row(ink, np.concatenate(boxes), labels, np.concatenate(middles))


def _printed(text: str, size: int, rng: np.random.Generator) -> Row:
    """Words in a font that chance chooses."""
    ink = printed(text, FONTS[rng.integers(len(FONTS))], size).astype(np.float32) / np.float32(255)
    letters = sum(character.isalpha() for character in text)
    box = np.array([[0, 0, ink.shape[1], ink.shape[0]]], np.float64)
    return Row(ink, box, (OTHER,) * letters, np.full((letters, 2), np.nan))
