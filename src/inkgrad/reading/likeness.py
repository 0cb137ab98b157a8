"""A second look at short numbers: is what was read a digit at all?"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import SIDE, Images
from inkgrad.data.form import to_form
from inkgrad.data.numbers import Strip
from inkgrad.data.projective import moved
from inkgrad.models import Classifier, pretrained
from inkgrad.reading.page import Digit, Number

__all__ = ["Likeness", "digit_likeness", "doubted"]

Likeness: TypeAlias = Callable[[Images], NDArray[np.float64]]
"""How probable it is that images, uint8 (n, 28, 28) in MNIST's form, are digits: float64 (n,)."""

_NETWORKS = ("tiny", "digits")
_SHORT = 2  # digits: things and letters are taken for such numbers, hardly ever for longer ones
_FAINTEST = 40  # of 255: what is paler in a strip is paper


def digit_likeness(images: Images) -> NDArray[np.float64]:
    """What the networks `tiny` and `digits` say, which have learned what is no digit: the product, as both must agree.

    Each takes other things for digits: of what one lets pass the other stops a third.
    """
    return np.asarray(np.prod([_network(name).digit_probability(images) for name in _NETWORKS], axis=0), np.float64)


@functools.cache
def _network(name: str) -> Classifier:
    return pretrained(name)


def doubted(number: Number, strip: Strip, likeness: Likeness) -> Number:
    """A number of one or two digits with its confidence times the probability that these are digits.

    The reader of rows sees what stands side by side, and takes a letter, a tool in a photograph or a drawing for a lone
    digit now and then. Networks that know single digits, and what is none, have the last word there.

    Args:
        number: with confidences.
        strip: of which it was read.
        likeness: of single images to digits; the mean over the digits counts.
    """
    if len(number.digits) > _SHORT:
        return number
    images = np.stack([_cut_out(digit, strip) for digit in number.digits])
    sure = float(likeness(images).mean())
    digits = tuple(replace(digit, confidence=digit.confidence * sure) for digit in number.digits)
    return replace(number, confidence=number.confidence * sure, digits=digits)


def _cut_out(digit: Digit, strip: Strip) -> Images:
    """The ink of a digit in MNIST's form; nothing where there is none."""
    to_strip = np.asarray(np.linalg.inv(strip.matrix), np.float64)
    corners = moved(np.array(digit.box, np.float64), to_strip)
    left, top = np.maximum(np.rint(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.rint(corners.max(axis=0)).astype(int)
    part = strip.pixels[top:bottom, left:right]
    ink = np.where(part >= _FAINTEST, part, 0).astype(np.uint8)
    return to_form(ink) if ink.any() else np.zeros((SIDE, SIDE), np.uint8)
