"""Where the digits of a number stand on the page."""

import itertools

import numpy as np

from inkgrad.data.numbers import STRIP_HEIGHT, Strip
from inkgrad.reading.page import Box
from inkgrad.reading.recognizer import position
from inkgrad.reading.spelling import Spelled

__all__ = ["box_between", "edges_of"]

_INK = 70  # of 255, from which on a pixel belongs to a digit's box


def edges_of(places: list[Spelled], strip: Strip) -> list[tuple[float, float]]:
    """From where to where each label reaches: to its ink, and at most half way to its neighbors."""
    width = strip.pixels.shape[1]
    middles = [position((place.start + place.end - 1) / 2) for place in places]
    between = [(one + other) / 2 for one, other in itertools.pairwise(middles)]
    borders = [max(0.0, middles[0] - STRIP_HEIGHT / 2), *between, min(float(width), middles[-1] + STRIP_HEIGHT / 2)]
    edges = []
    for left, right in itertools.pairwise(borders):
        low, high = int(max(left, 0)), int(np.ceil(min(right, width)))
        inked = np.flatnonzero(strip.pixels[:, low:high].max(axis=0, initial=0) >= _INK)
        edges.append((low + float(inked[0]), low + float(inked[-1]) + 1) if inked.size else (left, right))
    return edges


def box_between(strip: Strip, left: float, right: float) -> Box:
    """The ink between two columns of a strip, as four corners in the page."""
    low, high = max(int(left), 0), max(int(np.ceil(right)), int(left) + 1)
    inked = np.flatnonzero(strip.pixels[:, low:high].max(axis=1, initial=0) >= _INK)
    top, bottom = (float(inked[0]), float(inked[-1]) + 1) if inked.size else (6.0, float(STRIP_HEIGHT - 6))
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ strip.matrix.T
    first, second, third, fourth = ((float(x / w), float(y / w)) for x, y, w in corners)
    return first, second, third, fourth
