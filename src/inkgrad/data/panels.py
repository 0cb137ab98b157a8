"""Sheets of panels: numbers as small pictures in colors around zero, each group with its heading and its scale."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image, ImageFont

__all__ = ["Panel", "colored", "panel_sheet"]

_PAPER, _TEXT, _SOFT, _FRAME, _STRANGE = (255,) * 3, (27, 31, 36), (87, 96, 106), (201, 206, 213), (130,) * 3
# Okabe and Ito's blue and orange, which people with any color vision can tell apart, each with a darker end.
_STOPS = np.array([[0, 66, 110], [0, 114, 178], [255, 255, 255], [213, 94, 0], [122, 48, 0]], np.float64)
_PLACES = (-1.0, -0.6, 0.0, 0.6, 1.0)

# Pixels, before zooming.
_WIDE, _MOST_COLUMNS = 986, 16  # where tiles are laid out
_MARGIN, _HEADING, _BELOW = 16, 25, 14  # around the sheet; from a heading to its tiles; from these to the next
_TITLE, _SMALL, _TINY = 15, 12, 11  # fonts
_BAR, _BAR_TALL = 96, 10  # the scale


@dataclass(frozen=True, eq=False)
class Panel:
    """A group of small pictures under one heading.

    Attributes:
        title: what they are.
        note: more about them, in gray.
        tiles: floats (n, h, w), drawn in colors around zero, or uint8 (n, h, w), drawn in gray; nothing is empty.
        size: how many pixels the longer side of a tile takes at most; each of its numbers takes a whole pixel at least.
        columns: tiles in a row; by default as many as there is room for, at most 16.
        gap: pixels between tiles.
        captions: one below each tile, or none.
        rows_named: one text to the left of each row, or none.
        columns_named: one text above each column, or none.
        missing: booleans (n,): tiles to leave out.
    """

    title: str
    note: str
    tiles: NDArray[Any]
    size: int = 56
    columns: int | None = None
    gap: int = 6
    captions: Sequence[str] = ()
    rows_named: Sequence[str] = ()
    columns_named: Sequence[str] = ()
    missing: NDArray[np.bool_] | None = None

    @functools.cached_property
    def limit(self) -> float | None:
        """Where the scale ends, on both sides of zero: the largest size of a finite number; None without a scale."""
        if self.tiles.dtype == np.uint8:
            return None
        return float(np.abs(self.tiles[np.isfinite(self.tiles)]).max(initial=0.0)) or None

    @property
    def words(self) -> str:
        """The note, with what is to be said of the numbers."""
        if self.tiles.dtype == np.uint8:
            return self.note
        finite = bool(np.isfinite(self.tiles).all())
        return (
            self.note + ("" if self.limit else ", all 0" if finite else "") + ("" if finite else ", gray: not finite")
        )


def colored(values: NDArray[np.floating[Any]], limit: float) -> NDArray[np.uint8]:
    """Colors of numbers from -limit to limit: blue below 0, white at 0, orange above; gray where not finite.

    Args:
        values: of any shape.
        limit: above 0.

    Returns:
        uint8 (..., 3).

    >>> colored(np.array([-1.0, 0.0, 1.0]), 1.0).tolist()
    [[0, 66, 110], [255, 255, 255], [122, 48, 0]]
    """
    finite = np.isfinite(values)
    places = np.where(finite, values, 0.0) / limit
    colors = np.stack([np.interp(places, _PLACES, stops) for stops in _STOPS.T], axis=-1)
    colors[~finite] = _STRANGE
    rounded: NDArray[np.uint8] = np.rint(colors).astype(np.uint8)
    return rounded


def panel_sheet(panels: Sequence[Panel], *, footnote: str = "", zoom: int = 1) -> "Image.Image":
    """Draw panels below each other on white.

    Args:
        panels: at least one.
        footnote: a line below them.
        zoom: pixels for each pixel, for screens of double density.

    Returns:
        The sheet, in RGB.

    >>> panel_sheet([Panel("filters", "6 of 5x5", np.ones((6, 5, 5)))]).height
    112
    """
    plans = [_Plan(panel, zoom) for panel in panels]
    words = max(plan.words for plan in plans)
    ends = max((_length(f"-{panel.limit:.3g}", _SMALL, zoom) for panel in panels if panel.limit), default=0)
    bar = words + 20 * zoom + ends + 5 * zoom  # the scales stand in a column
    head = bar + (_BAR + 5) * zoom + ends if ends else words
    width = max(head, _length(footnote, _SMALL, zoom), *(plan.width for plan in plans))
    height = sum(plan.height + (_HEADING + _BELOW) * zoom for plan in plans) - _BELOW * zoom
    height += (_SMALL + _BELOW) * zoom if footnote else 0
    margin = _MARGIN * zoom
    canvas = _Canvas((width + 2 * margin, height + 2 * margin), zoom)
    top = margin
    for plan in plans:
        plan.head(canvas, top, margin + bar)
        plan.draw(canvas, top + _HEADING * zoom)
        top += plan.height + (_HEADING + _BELOW) * zoom
    if footnote:
        canvas.write((margin, top), footnote, _SMALL)
    return canvas.image


class _Plan:
    """Where the parts of a panel lie, in pixels of the sheet."""

    def __init__(self, panel: Panel, zoom: int) -> None:
        self.panel, self.zoom = panel, zoom
        count, tall, wide = panel.tiles.shape
        self.gap = panel.gap * zoom
        scale = max(1, panel.size * zoom // max(wide, tall))
        self.wide, self.tall = wide * scale, tall * scale
        texts = max((_length(text, _TINY, zoom) for text in (*panel.captions, *panel.columns_named)), default=0)
        self.cell = max(self.wide, texts) + self.gap
        room = max(1, (_WIDE * zoom + self.gap) // self.cell)
        self.columns = panel.columns or min(room, _MOST_COLUMNS, count)
        texts = max((_length(text, _TINY, zoom) + 6 * zoom for text in panel.rows_named), default=0)
        self.left = _MARGIN * zoom + texts
        self.above = (_TINY + 5) * zoom if panel.columns_named else 0
        self.line = self.tall + self.gap + ((_TINY + 4) * zoom if panel.captions else 0)
        self.words = _length(panel.title, _TITLE, zoom) + 10 * zoom + _length(panel.words, _SMALL, zoom)
        self.width = texts + self.columns * self.cell - self.gap
        self.height = self.above + math.ceil(count / self.columns) * self.line - self.gap

    def head(self, canvas: "_Canvas", top: int, bar: int) -> None:
        """Title, note and scale."""
        panel, zoom = self.panel, self.zoom
        base, left = top + (_TITLE - 2) * zoom, _MARGIN * zoom
        canvas.write((left, base), panel.title, _TITLE, _TEXT, "ls")
        left += _length(panel.title, _TITLE, zoom) + 10 * zoom
        canvas.write((left, base), panel.words, _SMALL, anchor="ls")
        if not panel.limit:
            return
        canvas.write((bar - 5 * zoom, base), f"-{panel.limit:.3g}", _SMALL, anchor="rs")
        ramp = colored(np.linspace(-1, 1, _BAR * zoom)[None], 1.0)
        canvas.paste(ramp, (bar, base - _BAR_TALL * zoom), (_BAR * zoom, _BAR_TALL * zoom))
        canvas.write((bar + (_BAR + 5) * zoom, base), f"{panel.limit:.3g}", _SMALL, anchor="ls")

    def draw(self, canvas: "_Canvas", top: int) -> None:
        """The tiles with their texts."""
        panel, zoom = self.panel, self.zoom
        pictures = panel.tiles if panel.tiles.dtype == np.uint8 else colored(panel.tiles, panel.limit or 1.0)
        middle = (self.cell - self.gap) / 2
        for column, text in enumerate(panel.columns_named):
            canvas.write((self.left + column * self.cell + middle, top), text, _TINY, anchor="ma")
        top += self.above
        for row, text in enumerate(panel.rows_named):
            place = (self.left - 6 * zoom, top + row * self.line + self.tall / 2)
            canvas.write(place, text, _TINY, anchor="rm")
        for index, pixels in enumerate(pictures):
            if panel.missing is not None and panel.missing[index]:
                continue
            row, column = divmod(index, self.columns)
            left, high = self.left + column * self.cell, top + row * self.line
            canvas.paste(pixels, (left + int(middle) - self.wide // 2, high), (self.wide, self.tall))
            if panel.captions:
                place = (left + middle, high + self.tall + 3 * zoom)
                canvas.write(place, panel.captions[index], _TINY, anchor="ma")


class _Canvas:
    """A white picture to write and to paste on."""

    def __init__(self, size: tuple[int, int], zoom: int) -> None:
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", size, _PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._zoom = zoom

    def write(
        self,
        place: tuple[float, float],
        text: str,
        size: int,
        color: tuple[int, ...] = _SOFT,
        anchor: str = "la",
    ) -> None:
        self._draw.text(place, text, fill=color, font=_font(size * self._zoom), anchor=anchor)

    def paste(self, pixels: NDArray[np.uint8], place: tuple[int, int], size: tuple[int, int]) -> None:
        """Enlarge uint8 (h, w) or (h, w, 3) to (width, height) at (left, top), and frame it."""
        from PIL import Image

        tile = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.NEAREST)
        (left, top), (wide, tall), line = place, size, self._zoom
        box = (left - line, top - line, left + wide + line - 1, top + tall + line - 1)
        self._draw.rectangle(box, outline=_FRAME, width=line)
        self.image.paste(tile, place)


def _length(text: str, size: int, zoom: int) -> int:
    return math.ceil(_font(size * zoom).getlength(text))


@functools.cache
def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)
