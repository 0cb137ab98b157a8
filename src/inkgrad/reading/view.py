"""One look at a page, or at a part of it brought upright: its printed rules, its ink, and the rows found there."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.projective import moved, warped
from inkgrad.reading.contrast import Contrast, contrast_of, has_light_ink
from inkgrad.reading.lines import find_lines, without_frames
from inkgrad.reading.pieces import Pieces, find_pieces
from inkgrad.reading.places import place_rows
from inkgrad.reading.rules import Rules, find_rules

__all__ = ["PAGE", "Found", "View", "look"]

PAGE = 200
"""Pixels: a picture whose shorter side has as many is a page, not a tight crop of a row."""

_LEVEL = 0.012  # radians by which a page may be turned and still be called level

Corners = NDArray[np.float64]


class Found(NamedTuple):
    """A row in a view.

    Attributes:
        corners: float64 (4, 2), in the page.
        height: in pixels of the view.
        pieces: the indices of its pieces among the view's `shown`.
    """

    corners: Corners
    height: float
    pieces: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """What is seen in a picture.

    Attributes:
        light: whether its ink is lighter than its paper.
        to_page: float64 (3, 3), from the picture to the page.
        rules: its printed lines.
        ruled: whether there are any.
        pieces: of ink, all of them.
        shown: those that may be digits.
        rows: what looks like a row.
    """

    light: bool
    to_page: NDArray[np.float64]
    rules: Rules
    ruled: bool
    pieces: Pieces
    shown: Pieces
    rows: list[Found]


def look(picture: Images, to_page: NDArray[np.float64]) -> View:
    """Look for rows in a picture, uint8 (h, w), whose way to the page is known."""
    light = has_light_ink(picture)
    contrast = contrast_of(255 - picture if light else picture)
    view, slant = _seen(contrast, light, to_page)
    if min(picture.shape) >= PAGE and abs(slant) >= _LEVEL:
        contrast, back = _leveled(contrast, slant)
        view, _ = _seen(contrast, light, to_page @ back)
    return view


def _seen(contrast: Contrast, light: bool, to_page: NDArray[np.float64]) -> tuple[View, float]:
    """What is seen, and the angle along which most rows run."""
    rules = find_rules(contrast.height > contrast.floor)
    pieces = find_pieces(contrast, rules)
    shown = without_frames(pieces)
    lines, slant = find_lines(shown)
    rows = [
        Found(moved(corners, to_page), float(np.linalg.norm(corners[3] - corners[0])), line)
        for corners, line in zip(place_rows(shown, lines, slant), lines, strict=True)
    ]
    return View(light, to_page, rules, rules.any, pieces, shown, rows), slant


def _leveled(contrast: Contrast, slant: float) -> tuple[Contrast, NDArray[np.float64]]:
    """A page turned so that what runs along an angle becomes level, none of it cut off, and the way back."""
    height, width = contrast.height.shape
    cos, sin = float(np.cos(slant)), float(np.sin(slant))
    wide, high = (round(width * abs(cos) + height * abs(sin)), round(height * abs(cos) + width * abs(sin)))
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    back[:2, 2] = np.array([width / 2, height / 2]) - back[:2, :2] @ [wide / 2, high / 2]
    return Contrast(warped(contrast.height, back, (wide, high), outside=0), contrast.floor), back
