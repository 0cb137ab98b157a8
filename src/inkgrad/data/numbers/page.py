"""Whole pages of numbers with the place of each digit: what finding rows is measured on."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import Images
from inkgrad.data.fonts import FONTS, printed
from inkgrad.data.numbers.hands import Hands
from inkgrad.data.numbers.paper import Paper, boxed, on_sheet, taken
from inkgrad.data.numbers.writing import Row, Style, write_row
from inkgrad.errors import OptionError

__all__ = ["ComposedPage", "Layout", "Written", "compose_page"]

FORMS = ("plain", "ruled", "boxed", "cells")
"""Nothing printed; lines to write on; a box or a comb around each number; a table with a number in each cell."""

_WORDS = ("amount", "Date", "Name", "total", "please sign here", "received", "Invoice", "score", "meter", "street")

Gray: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """What stands where on a page.

    Attributes:
        width: of the page, in pixels.
        height: of the page.
        rows: lines of numbers.
        columns: numbers in a line.
        digits: least and most digits of a number.
        size: height of a digit, in pixels.
        form: what is printed around the numbers, one of `FORMS`.
        words: printed words above and beside the numbers, how many at most.
        angle: degrees that the page is turned by, clockwise.
        table: whether the page is a sheet on a darker table, seen at an angle.
        shadow: whether a shadow with a sharp edge falls on it.
    """

    width: int = 1000
    height: int = 700
    rows: int = 1
    columns: int = 1
    digits: tuple[int, int] = (3, 7)
    size: float = 40.0
    form: str = "plain"
    words: int = 0
    angle: float = 0.0
    table: bool = False
    shadow: bool = False

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise OptionError(f"the form of a page must be one of {', '.join(FORMS)}, but is {self.form!r}")
        if self.rows * self.size * 1.3 > self.height:
            raise OptionError(
                f"{self.rows} rows of digits {self.size:g} pixels high do not fit on a page of {self.height} pixels; "
                "ask for fewer or a higher page"
            )


@dataclass(frozen=True, eq=False)
class Written:
    """A number on a page.

    Attributes:
        text: its digits.
        corners: float64 (digits, 4, 2), of each digit's box, clockwise from its upper left.
    """

    text: str
    corners: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComposedPage:
    """A picture, uint8 (h, w), and the numbers on it, line by line."""

    pixels: Images
    numbers: tuple[Written, ...]


def compose_page(hands: Hands, layout: Layout, paper: Paper, rng: np.random.Generator) -> ComposedPage:
    """Compose a page of numbers.

    Args:
        hands: whose digits they are.
        layout: what stands where.
        paper: what the page is made of, see `on_sheet`; `ruled` and `boxes` are the layout's.
        rng: where chance comes from.

    >>> import inkgrad as ig
    >>> hands = Hands(ig.data.load_digits()[0])
    >>> page = compose_page(hands, Layout(rows=2, columns=2), Paper(), np.random.default_rng(0))
    >>> page.pixels.shape, [number.text for number in page.numbers]
    ((700, 1000), ['6523000', '5334478', '361', '799111'])
    """
    ink = np.zeros((layout.height, layout.width), np.float32)
    print_ = np.zeros_like(ink)
    numbers = _write(hands, layout, ink, print_, rng)
    _print_words(layout, ink, print_, rng)
    strength = np.float32(rng.uniform(0.5, 1))
    drawn = np.maximum(ink, strength * print_)
    still = replace(paper, ruled=0.0, boxes=0.0)
    if not layout.table:
        turn = _turned(layout)
        sheet = on_sheet(_warped(drawn, turn, drawn.shape, 0.0), np.zeros((0, 4)), still, rng)
        pixels = _shadowed(sheet, rng) if layout.shadow else sheet
        return ComposedPage(pixels, _moved(numbers, turn))
    flat = replace(still, blur=0.0, noise=0.0, jpeg=0.0, negative=0.0)
    sheet = on_sheet(drawn, np.zeros((0, 4)), flat, rng)
    view = _viewed(layout, rng)
    gray = _on_table(sheet, view, rng)
    pixels = taken(gray, replace(paper, negative=0.0), rng)
    pixels = _shadowed(pixels, rng) if layout.shadow else pixels
    return ComposedPage(pixels, _moved(numbers, view))


def _write(hands: Hands, layout: Layout, ink: Gray, print_: Gray, rng: np.random.Generator) -> list[Written]:
    """Put numbers into the cells of the page."""
    cell = np.array([layout.width / layout.columns, layout.height / layout.rows])
    spot = 0.06 * cell  # free at the border of each cell
    numbers = []
    for row in range(layout.rows):
        for column in range(layout.columns):
            written = _number(hands, layout, cell - 2 * spot, rng)
            if written is None:
                continue
            text, glyphs = written
            free = cell - 2 * spot - glyphs.ink.shape[::-1]
            chance = rng.random(2)
            if layout.form == "ruled":  # all of a line stand on its rule
                chance[1] = 1 - rng.uniform(0, 0.1) * layout.size / max(free[1], 1.0)
            left, top = np.rint(cell * (column, row) + spot + free * chance).astype(int)
            h, w = glyphs.ink.shape
            place = ink[top : top + h, left : left + w]
            np.maximum(place, glyphs.ink[: place.shape[0], : place.shape[1]], out=place)
            boxes = np.add(glyphs.boxes, (left, top, 0, 0))
            numbers.append(Written(text, _corners_of(boxes)))
            if layout.form == "boxed":
                np.maximum(print_, boxed(ink.shape, boxes, rng), out=print_)
        if layout.form == "ruled":
            y = (row + 1) * cell[1] - spot[1]
            _line(print_, (0.0, y), (layout.width, y))
    if layout.form == "cells":
        for x in np.arange(1, layout.columns) * cell[0]:
            _line(print_, (x, 0.0), (x, layout.height))
        for y in np.arange(1, layout.rows) * cell[1]:
            _line(print_, (0.0, y), (layout.width, y))
    return numbers


def _number(
    hands: Hands, layout: Layout, room: NDArray[np.float64], rng: np.random.Generator
) -> tuple[str, Row] | None:
    """A number that has room in a cell, shorter where it would not have; None where no digit has."""
    count = int(rng.integers(layout.digits[0], layout.digits[1] + 1))
    digits = rng.integers(0, 10, count)
    images = hands.write([int(digit) for digit in digits], rng)
    style = Style(height=layout.size, gap=rng.uniform(0.0, 0.35), rise=rng.normal(0, 0.01))
    while count:
        text = "".join(map(str, digits[:count]))
        row = write_row(text, images[:count], style, rng)
        if row.ink.shape[0] <= room[1] and row.ink.shape[1] <= room[0]:
            return text, row
        count -= 1
    return None


def _corners_of(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, w, h = boxes.T
    return np.stack([np.stack(at, axis=1) for at in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))], axis=1)


def _line(canvas: Gray, start: tuple[float, float], end: tuple[float, float]) -> None:
    import cv2

    drawn = np.zeros(canvas.shape, np.uint8)
    cv2.polylines(drawn, [np.rint(np.array([start, end]) * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    np.maximum(canvas, drawn.astype(np.float32) / 255, out=canvas)


def _print_words(layout: Layout, ink: Gray, print_: Gray, rng: np.random.Generator) -> None:
    """Printed words where nothing is written."""
    for _ in range(layout.words):
        word = printed(_WORDS[rng.integers(len(_WORDS))], FONTS[rng.integers(len(FONTS))], int(rng.integers(14, 40)))
        h, w = word.shape
        if w >= layout.width or h >= layout.height:
            continue
        left, top = int(rng.integers(layout.width - w)), int(rng.integers(layout.height - h))
        around = slice(max(0, top - h), top + 2 * h), slice(max(0, left - 2 * h), left + w + 2 * h)
        if not ink[around].any() and not print_[around].any():
            print_[top : top + h, left : left + w] = word / np.float32(255)


def _turned(layout: Layout) -> NDArray[np.float64]:
    """The matrix that turns the page around its middle, shrunk so that it stays inside."""
    angle, (w, h) = np.radians(layout.angle), (layout.width, layout.height)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    scale = min(w / (w * abs(cos) + h * abs(sin)), h / (h * abs(cos) + w * abs(sin)))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1 / scale]]) * scale
    turn[2, 2] = 1
    turn[:2, 2] = np.array([w / 2, h / 2]) - turn[:2, :2] @ [w / 2, h / 2]
    return turn


def _viewed(layout: Layout, rng: np.random.Generator) -> NDArray[np.float64]:
    """The matrix from a sheet to how a camera sees it on a table, in a picture of the sheet's size."""
    import cv2

    size = np.array([layout.width, layout.height], np.float64)
    sheet = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    seen = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]) + rng.uniform(-0.06, 0.06, (4, 2))
    seen = (seen - 0.5) @ _rotation(np.radians(layout.angle)) * (0.85 if layout.angle else 1) + 0.5
    return np.asarray(cv2.getPerspectiveTransform(sheet.astype(np.float32), (seen * size).astype(np.float32)))


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _on_table(sheet: Images, view: NDArray[np.float64], rng: np.random.Generator) -> Gray:
    """The sheet on a table of uneven color, levels 0 to 1."""
    import cv2

    h, w = sheet.shape
    coarse = rng.normal(rng.uniform(0.1, 0.45), 0.03, (max(2, h // 60), max(2, w // 60))).astype(np.float32)
    table = np.asarray(cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)
    light = np.maximum(sheet.astype(np.float32) / 255, 0.0)
    inside = _warped(np.ones((h, w), np.float32), view, (h, w), 0.0)
    lying = _warped(light * np.float32(min(1.0, 0.9 / max(float(np.median(light)), 0.1))), view, (h, w), 0.0)
    return np.asarray(lying + (1 - inside) * np.clip(table, 0, 1), np.float32)


def _warped(picture: Gray, matrix: NDArray[np.float64], shape: tuple[int, ...], outside: float) -> Gray:
    import cv2

    if np.allclose(matrix, np.eye(3)):
        return picture
    warped = cv2.warpPerspective(
        picture, matrix, (shape[1], shape[0]), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
    return np.asarray(warped, np.float32)


def _shadowed(pixels: Images, rng: np.random.Generator) -> Images:
    """A shadow with a soft edge over one side."""
    import cv2

    h, w = pixels.shape
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    away = (np.cos(angle) * (x - w / 2) + np.sin(angle) * (y - h / 2)) / max(h, w)
    edge = np.clip((away - rng.uniform(-0.2, 0.2)) / rng.uniform(0.01, 0.05), 0, 1)
    light = 1 - rng.uniform(0.25, 0.5) * np.asarray(cv2.GaussianBlur(edge.astype(np.float32), (0, 0), 2), np.float32)
    return np.clip(np.rint(pixels * light), 0, 255).astype(np.uint8)


def _moved(numbers: list[Written], matrix: NDArray[np.float64]) -> tuple[Written, ...]:
    moved = []
    for number in numbers:
        points = np.concatenate([number.corners, np.ones((*number.corners.shape[:2], 1))], axis=2) @ matrix.T
        moved.append(Written(number.text, points[..., :2] / points[..., 2:]))
    return tuple(moved)
