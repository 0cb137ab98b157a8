"""Printed rules on a page: lines to write on, boxes, combs and tables."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers.strip import Strip
from inkgrad.data.projective import moved, warped

__all__ = ["Rules", "find_rules", "without_rules"]

_LENGTHS = (0.08, 100.0, 0.6)  # of the page's longer side, pixels and of it: how long a rule is at least
_SLIM = 22  # times its thickness that a rule is long at least
_CROSSED = 2  # one in so many of a rule's pixels may lie in thicker strokes
_WALL = 14  # pixels, the least height of a wall between two rules
_NEAR = 4  # pixels between a wall's end and a rule
_WALLS = 2  # of a box, alike, at least
_TEETH = 3  # of a comb, open above, at least

Mask = NDArray[np.bool_]


class Rules(NamedTuple):
    """Where printed lines run, bool (h, w) each."""

    level: Mask
    upright: Mask

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return bool(self.level.any() or self.upright.any())


def find_rules(ink: Mask) -> Rules:
    """Find long straight thin lines, and walls of boxes and combs between them.

    Args:
        ink: bool (h, w), what stands out from paper, on an upright page.

    >>> page = np.zeros((200, 300), bool)
    >>> page[100:102, 20:280] = page[60:90, 50:53] = page[70:101, 100:102] = page[60:101, 140:142] = True
    >>> page[60:101, 180:182] = page[60:101, 220:222] = True
    >>> rules = find_rules(page)
    >>> [bool(mask) for mask in (rules.level[100, 70], rules.upright[80, 51], rules.upright[80, 180])]
    [True, False, True]
    """
    seen = ink.astype(np.uint8)
    longest = max(ink.shape)
    length = round(max(_LENGTHS[0] * longest, min(_LENGTHS[1], _LENGTHS[2] * longest)))
    level = _runs(seen, length)
    upright = _runs(seen.T, length).T
    if level.any():
        upright = upright | _walls(seen, level)
    return Rules(level, upright)


def without_rules(strip: Strip, rules: Rules, to_rules: NDArray[np.float64]) -> Strip | None:
    """A strip without the rules that run through it; None if none does.

    Args:
        strip: the row as it is.
        rules: of the page.
        to_rules: float64 (3, 3), from the strip to the picture in which the rules were found.

    What crosses a rule stays: at a level rule, what goes on above and below it, at a wall, to the left and right.
    """
    shape = strip.pixels.shape
    pixels, changed = strip.pixels, False
    for mask, upright in ((rules.level, False), (rules.upright, True)):
        here = _seen_in(mask, to_rules, shape)
        if np.count_nonzero(here > 60) < 4:
            continue
        pixels, changed = _erased(pixels, here > 60, upright), True
    return Strip(pixels, strip.matrix) if changed else None


def _seen_in(mask: Mask, matrix: NDArray[np.float64], shape: tuple[int, ...]) -> Images:
    """A part of a mask in another picture, 0 to 255, from which a matrix leads to it."""
    height, width = shape
    ends = moved(np.array([[0.0, 0], [width, 0], [width, height], [0, height]]), matrix)
    left, top = np.clip(np.floor(ends.min(axis=0)) - 2, 0, mask.shape[::-1]).astype(int)
    right, bottom = np.clip(np.ceil(ends.max(axis=0)) + 2, 0, mask.shape[::-1]).astype(int)
    part = mask[top:bottom, left:right]
    if not part.any():
        return np.zeros(shape, np.uint8)
    there = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    return warped(part.astype(np.uint8) * 255, there, (width, height), outside=0)


def _erased(pixels: Images, rule: Mask, upright: bool) -> Images:
    """Pixels with a rule painted over by the fainter of what is on its two sides."""
    import cv2

    if upright:
        return np.ascontiguousarray(_erased(pixels.T, rule.T, False).T)
    wide = np.asarray(cv2.dilate(rule.astype(np.uint8), np.ones((3, 1), np.uint8)), np.uint8)
    thick = int(wide.sum(axis=0).max())
    kernel = np.ones((min(thick, 9) + 2, 1), np.uint8)
    opened = np.asarray(cv2.morphologyEx(pixels, cv2.MORPH_OPEN, kernel), np.uint8)
    return np.where(wide > 0, opened, pixels)


def _runs(seen: NDArray[np.uint8], length: int) -> Mask:
    """Level lines of at least a length that are thin."""
    import cv2

    # A line that is not quite level steps from row to row; its neighbors bridge the step.
    bridged = np.asarray(cv2.dilate(seen, np.ones((3, 1), np.uint8)), np.uint8)
    long = np.asarray(cv2.morphologyEx(bridged, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)), np.uint8)
    if not long.any():
        return long.astype(np.bool_)
    thickest = max(2, length // _SLIM) + 3
    solid = np.asarray(cv2.morphologyEx(bridged, cv2.MORPH_OPEN, np.ones((thickest, 1), np.uint8)), np.uint8)
    # Of each stretch of a line, the share that lies in thicker strokes.
    shares = [cv2.blur(255 * mask, (length, 3), borderType=cv2.BORDER_CONSTANT) for mask in (long & solid, long)]
    thin = np.asarray(shares[0]) <= np.asarray(shares[1]) // _CROSSED
    return np.asarray(thin & ((long & seen) > 0))


def _walls(seen: NDArray[np.uint8], level: Mask) -> Mask:
    """Thin upright lines that end at level rules, both ends or, for the teeth of a comb, the lower one."""
    import cv2

    first = level.copy()
    first[1:] &= ~level[:-1]
    thickest = round(1.5 * float(level.sum()) / max(int(first.sum()), 1)) + 1  # as thick as the level rules
    upright = np.asarray(cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((_WALL, 1), np.uint8)), np.uint8)
    thick = np.asarray(cv2.morphologyEx(upright, cv2.MORPH_OPEN, np.ones((1, thickest + 1), np.uint8)), np.uint8)
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(upright & (1 - thick), connectivity=8)
    near = np.asarray(cv2.dilate(level.astype(np.uint8), np.ones((2 * _NEAR + 1, 3), np.uint8)), np.bool_)
    chosen = np.zeros(count, np.bool_)
    boxes = stats[1:, :4]
    left, top, width, height = boxes.T
    middle = left + width // 2
    bottom = top + height - 1
    stands = (width <= thickest + 2) & (height >= _WALL) & (height >= 4 * width) & near[bottom, middle]
    hangs = stands & near[top, middle]
    chosen[1:] = _repeated(top, bottom, hangs, _WALLS) | _repeated(top, bottom, stands, _TEETH)
    return np.asarray(chosen[numbers])


def _repeated(top: NDArray[Any], bottom: NDArray[Any], among: Mask, least: int) -> Mask:
    """Those of some walls that have others of the same height at the same level."""
    if not 0 < np.count_nonzero(among) <= 500:
        return np.zeros(len(top), np.bool_)
    alike = (np.abs(top[:, None] - top[among]) <= _NEAR) & (np.abs(bottom[:, None] - bottom[among]) <= _NEAR)
    return np.asarray(among & (alike.sum(axis=1) >= least))
