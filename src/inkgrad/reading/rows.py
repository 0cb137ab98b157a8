"""From the picture of a page to the rows of digits on it, as strips that a recognizer reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.numbers.strip import Strip, to_strip
from inkgrad.data.projective import projective, warped
from inkgrad.reading.edges import narrowed
from inkgrad.reading.nearby import points_within
from inkgrad.reading.page import Box
from inkgrad.reading.rules import without_rules
from inkgrad.reading.sheet import find_sheet, marks_beside, polygon
from inkgrad.reading.small import BLOCK, find_small_rows
from inkgrad.reading.view import PAGE, View, look

__all__ = ["Row", "find_rows"]

_MOST_PIXELS = 2_200_000  # of the picture on which rows are looked for
_LOWEST = 7.0  # pixels that a row is high
_SMALL = 10.0  # pixels, of that picture: lower rows are looked for in the page itself
_TIGHT = 0.35  # of the picture's height, from which on a row fills it
_AROUND = 0.02  # of its longer side that a sheet's surroundings begin beyond it
_BESIDE = 0.3  # heights around a row in which marks are its own

Corners = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Row:
    """A row of digits, or of what looks like it.

    Attributes:
        strips: the row in normal form, as it is, and, where printed lines or boxes run through it, without them.
        box: its four corners in the page.
        light_ink: whether its ink is lighter than its paper.
    """

    strips: tuple[Strip, ...]
    box: Box
    light_ink: bool


def find_rows(gray: Images) -> list[Row]:
    """Find the rows of digits on a page.

    Args:
        gray: uint8 (h, w), upright to within 45 degrees.

    Returns:
        Rows in reading order: from top to bottom, and from left to right where they stand beside each other.

    >>> page = np.full((300, 200), 230, np.uint8)
    >>> page[100:140, 50:54] = page[100:140, 70:74] = 40
    >>> row, = find_rows(page)
    >>> np.array(row.box).round().tolist()
    [[50.0, 100.0], [74.0, 100.0], [74.0, 140.0], [50.0, 140.0]]
    """
    pixel = max(1.0, (gray.size / _MOST_PIXELS) ** 0.5)
    views, where = _views(gray, pixel)
    found = [_Placed(row.corners, view.light, view, row.height < _SMALL) for view in views for row in view.rows]
    found = _without_remnants(found, gray.shape, pixel)
    if pixel > 1:
        found = _with_small(gray, found, views, where, pixel)
    rows = []
    for corners, light, view, _ in _in_order(found):
        strip = to_strip(gray, corners, light_ink=light)
        cleaned = None
        if view is not None and view.ruled:
            cleaned = without_rules(strip, view.rules, np.linalg.inv(view.to_page) @ strip.matrix)
        rows.append(Row((strip,) if cleaned is None else (strip, cleaned), _box(corners), light))
    return rows


class _Placed(NamedTuple):
    """A row: its corners in the page, whether its ink is light, its view, if any, and whether it is small there."""

    corners: Corners
    light: bool
    view: View | None
    small: bool = False

    @property
    def height(self) -> float:
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


def _views(gray: Images, pixel: float) -> tuple[list[View], Corners | None]:
    """The page in fewer pixels, or the sheet that lies on it, and what is beside it if there are marks.

    Returns:
        The views; the corners of the part of the page that they show, None for all of it.
    """
    import cv2

    width, height = max(1, round(gray.shape[1] / pixel)), max(1, round(gray.shape[0] / pixel))
    work = gray
    if pixel > 1:
        work = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    to_page = np.diag([gray.shape[1] / width, gray.shape[0] / height, 1.0])
    corners = find_sheet(work)
    if corners is None:
        return [look(work, to_page)], None
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = round((top + bottom) / 2), round((left + right) / 2)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    to_work = projective(frame, corners)
    sheet = look(warped(work, to_work, (width, height)), to_page @ to_work)
    if not marks_beside(work, corners):
        return [sheet], corners * np.diag(to_page)[:2]
    covered = polygon(narrowed(corners, np.full(4, -_AROUND * max(work.shape))), work.shape)
    bare = work.copy()
    bare[covered] = np.median(work[~covered]) if not covered.all() else 0
    beside = look(bare, to_page)
    return [sheet, beside], None


def _with_small(
    gray: Images, found: "list[_Placed]", views: list[View], within: Corners | None, pixel: float
) -> "list[_Placed]":
    """What was found, with what can only be seen in all the page's pixels; this takes the place of what is small."""
    kept = [row for row in found if not row.small]
    h, w = gray.shape
    shape = -(-h // BLOCK), -(-w // BLOCK)
    where = np.ones(shape, np.bool_) if within is None else polygon(within / BLOCK, shape)
    for view in views:
        where &= ~_taken(view, shape)
    for row in kept:
        where &= ~polygon(narrowed(row.corners, np.full(4, -_BESIDE * row.height)) / BLOCK, shape)
    rows = [_Placed(*row, None) for row in find_small_rows(gray, _SMALL * pixel, where)]
    rows = [row for row in rows if row.height >= _LOWEST]
    again = [row for row in found if row.small]
    met = _meet(np.array([row.corners for row in again]), np.array([row.corners for row in rows]))
    return kept + rows + [row for row, known in zip(again, met, strict=True) if not known]


def _meet(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some rows (n, 4, 2) have their middle within the bounds of another (m, 4, 2), or hold one's middle."""
    met = np.zeros(len(ones), np.bool_)
    if len(ones) and len(others):
        met[points_within(others.mean(axis=1), ones.min(axis=1), ones.max(axis=1))[0]] = True
        met[points_within(ones.mean(axis=1), others.min(axis=1), others.max(axis=1))[1]] = True
    return met


def _taken(view: View, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which blocks of a page hold rules or ink that is no small row's."""
    import cv2

    boxes = view.pieces.boxes
    names = view.pieces.names[(boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= _SMALL]
    small = [row.pieces for row in view.rows if row.height < _SMALL]
    if small:
        names = np.setdiff1d(names, view.shown.names[np.concatenate(small)])
    numbers = view.pieces.numbers
    chosen = np.zeros(int(numbers.max(initial=0)) + 1, np.uint8)
    chosen[names] = 255
    ink = chosen[numbers]
    ink[view.rules.level | view.rules.upright] = 255
    ink = np.asarray(cv2.dilate(ink, np.ones((7, 7), np.uint8)), np.uint8)
    to_view = np.asarray(np.linalg.inv(view.to_page) @ np.diag([BLOCK, BLOCK, 1.0]), np.float64)
    return warped(ink, to_view, shape[::-1], outside=0) > 0


def _box(corners: Corners) -> Box:
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return first, second, third, fourth


def _without_remnants(rows: Sequence[_Placed], shape: tuple[int, ...], pixel: float) -> list[_Placed]:
    """Rows that may hold digits: none that are tiny, nothing small beside a row that fills a tight crop.

    Args:
        rows: in the page.
        shape: of the page.
        pixel: of the picture that they were found in, in pixels of the page.
    """
    rows = sorted((row for row in rows if row.height >= _LOWEST * pixel), key=lambda row: row.height, reverse=True)
    tight = bool(rows) and rows[0].height >= _TIGHT * shape[0]
    kept = []
    for row in rows:
        (left, top), (right, bottom) = row.corners.min(axis=0), row.corners.max(axis=0)
        cut = min(left, top) <= 2 * pixel or right >= shape[1] - 2 * pixel or bottom >= shape[0] - 2 * pixel
        if not (tight and (cut or min(shape) < PAGE) and row.height < 0.5 * rows[0].height):
            kept.append(row)
    return kept


def _in_order(rows: list[_Placed]) -> list[_Placed]:
    """Lines from top to bottom; what overlaps in height, from left to right; both along the slope of most rows."""
    if not rows:
        return []
    along = np.array([row.corners[1] - row.corners[0] for row in rows])
    angle = float(np.median(np.arctan2(along[:, 1], along[:, 0])))
    level = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middles = np.array([level @ row.corners.mean(axis=0) for row in rows])
    rest = [int(place) for place in np.argsort(middles[:, 1], kind="stable")]
    ordered: list[_Placed] = []
    while rest:
        below = middles[rest[0], 1] + 0.5 * rows[rest[0]].height
        beside = [place for place in rest if middles[place, 1] < below]
        ordered += [rows[place] for place in sorted(beside, key=lambda place: float(middles[place, 0]))]
        rest = rest[len(beside) :]
    return ordered
