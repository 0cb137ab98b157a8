"""Drawing what was read upon its page: a box and the reading for each number.

| | color | line |
|---|---|---|
| sure, confidence at least 90 % | green | solid |
| sure enough, below that | amber | dashed |
| doubtful | red | dotted |

The line says what the color says, so that people see it who cannot tell the colors apart, and so do prints in gray.
"""

import functools
import importlib.util
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from inkgrad.data.dataset import Images
from inkgrad.reading.record import Record

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

__all__ = ["AMBER", "GREEN", "RED", "annotated"]

Color: TypeAlias = tuple[int, int, int]
Corners: TypeAlias = Sequence[Sequence[float]]
Area: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

GREEN: Color = (0, 135, 62)
AMBER: Color = (201, 112, 0)
RED: Color = (200, 16, 46)
_PLATE: Color = (255, 255, 255)

_SURE = 0.9
_DASHES: dict[Color, tuple[float, float]] = {GREEN: (1, 0), AMBER: (5, 3), RED: (1, 2)}  # on and off, in line widths
_LETTER, _SMALLEST, _LARGEST = 0.45, 11, 96  # height of a label by that of its box; least and most in pixels
_LINE = 0.04  # width of a line by the height of its box
_PADDING, _GAP = 0.2, 0.2  # around a label, and between it and its box, by its height
_TINIEST = 6  # a label that is wider than the page
_NARROWEST, _MOST_ENLARGED = 320, 8  # pixels that a page is enlarged to; how often at most


@dataclass(frozen=True)
class _Mark:
    """A box with what stands beside it."""

    corners: Corners
    label: str
    color: Color

    @property
    def area(self) -> Area:
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def height(self) -> float:
        """Of the writing: from the upper to the lower side, however the box is turned."""
        left_side = math.dist(self.corners[0], self.corners[3])
        return max(left_side, 1.0)


def annotated(pixels: Images, record: Record) -> "Image.Image":
    """Draw the numbers, or the fields, of a record upon its page.

    Each label is written beside its box: above, below, to the right or to the left of it, where it covers no other box
    and no other label. Where some have no such place, the page gets white margins above and below. Pages that are too
    small for words are enlarged.

    Args:
        pixels: uint8 (h, w) or (h, w, 3), the page as it was read.
        record: what was read.

    Returns:
        The page in RGB.

    >>> corners = [[50, 150], [350, 150], [350, 300], [50, 300]]
    >>> number = {"written": "7", "confidence": 0.99, "box": corners}
    >>> page = annotated(np.full((500, 500), 255, np.uint8), {"numbers": [number], "doubtful": []})
    >>> page.size, page.getpixel((50, 200)) == GREEN
    ((500, 500), True)
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    scale = min(math.ceil(_NARROWEST / image.width), _MOST_ENLARGED) if image.width < _NARROWEST else 1
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)
    marks = list(_marks(record, scale, 0))
    labels = [_fitting(mark, image.width) for mark in marks]
    places, covered = _places(marks, labels, image.size)
    if covered:
        margin = math.ceil(max(_extent(label)[1] for label in labels) * (1 + 2 * _GAP))
        marks = list(_marks(record, scale, margin))
        wider = Image.new("RGB", (image.width, image.height + 2 * margin), _PLATE)
        wider.paste(image, (0, margin))
        image = wider
        places, _ = _places(marks, labels, image.size)
    draw = ImageDraw.Draw(image)
    for mark in marks:
        _outline(draw, mark)
    for mark, label, place in zip(marks, labels, places, strict=True):
        _write(draw, place, label, mark.color)
    return image


def _places(marks: Sequence[_Mark], labels: Sequence["_Label"], size: tuple[int, int]) -> tuple[list[Area], bool]:
    """Where the labels go, and whether one covers something."""
    taken, covered = [mark.area for mark in marks], False
    places: list[Area] = []
    for mark, label in zip(marks, labels, strict=True):
        place, covers = _place(mark.area, _extent(label), size, [*taken, *places])
        places.append(place)
        covered = covered or covers > 0
    return places, covered


def _marks(record: Record, scale: float, down: float) -> Iterator[_Mark]:
    """The boxes of a record on a page that was enlarged and has a margin above."""

    def placed(box: Corners) -> Corners:
        return [(scale * x, scale * y + down) for x, y in box]

    if "fields" in record:
        for name, field in record["fields"].items():
            color = RED if field["doubtful"] else _color(field["confidence"])
            yield _Mark(placed(field["box"]), f"{name}: {_words(field)}", color)
        return
    for number in record["numbers"]:
        yield _Mark(placed(number["box"]), _words(number), _color(number["confidence"]))
    for number in record["doubtful"]:
        yield _Mark(placed(number["box"]), _words(number), RED)


def _words(read: dict[str, Any]) -> str:
    return "empty" if read["confidence"] is None else f"{read['written']}  {read['confidence']:.0%}"


def _color(confidence: float | None) -> Color:
    return GREEN if confidence is None or confidence >= _SURE else AMBER


def _outline(draw: "ImageDraw.ImageDraw", mark: _Mark) -> None:
    width = max(2, round(_LINE * min(mark.height, 10 * _LARGEST)))
    on, off = (length * width for length in _DASHES[mark.color])
    for start, end in itertools.pairwise([*mark.corners, mark.corners[0]]):
        for first, last in _dashes(math.dist(start, end), on, off):
            ends = [_between(start, end, first), _between(start, end, last)]
            draw.line(ends, fill=mark.color, width=width)


def _dashes(length: float, on: float, off: float) -> Iterator[tuple[float, float]]:
    """The parts of a line that are drawn, as shares of its length; it begins and ends with one."""
    if off == 0 or length <= on:
        yield 0.0, 1.0
        return
    count = max(1, round((length - on) / (on + off)))
    step = (length - on) / count
    for index in range(count + 1):
        yield index * step / length, (index * step + on) / length


def _between(start: Sequence[float], end: Sequence[float], share: float) -> tuple[float, float]:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


@dataclass(frozen=True)
class _Label:
    """What is written beside a box, with its font."""

    text: str
    font: "ImageFont.FreeTypeFont | ImageFont.ImageFont"


def _fitting(mark: _Mark, width: int) -> _Label:
    """A label by the height of its box, smaller where it would be wider than the page."""
    size = min(max(_LETTER * mark.height, _SMALLEST), _LARGEST)
    label = _Label(mark.label, _font(round(size)))
    wide = _extent(label)[0]
    return label if wide <= width else _Label(mark.label, _font(max(int(size * width / wide), _TINIEST)))


@functools.cache
def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """DejaVu Sans, which has the signs of currencies; it comes with Matplotlib, which need not be loaded for it."""
    from PIL import ImageFont

    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        file = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)


def _extent(label: _Label) -> tuple[float, float]:
    left, top, right, bottom = label.font.getbbox(label.text)
    around = 2 * _PADDING * (bottom - top)
    return right - left + around, bottom - top + around


def _place(box: Area, extent: tuple[float, float], size: tuple[int, int], taken: Sequence[Area]) -> tuple[Area, float]:
    """Beside a box and inside the page: the first place where nothing is, else where least is covered; how much."""
    left, top, right, bottom = box
    wide, tall = extent
    middle = (top + bottom - tall) / 2
    gap = _GAP * tall
    corners = ((left, top - tall - gap), (left, bottom + gap), (right + gap, middle), (left - wide - gap, middle))
    places = []
    for x, y in corners:
        inside = min(max(x, 0.0), max(size[0] - wide, 0.0)), min(max(y, 0.0), max(size[1] - tall, 0.0))
        places.append((*inside, inside[0] + wide, inside[1] + tall))
    covers = [sum(_common(place, other) for other in taken) for place in places]
    least = min(range(len(places)), key=covers.__getitem__)
    return places[least], covers[least]


def _common(one: Area, other: Area) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(tall, 0.0)


def _write(draw: "ImageDraw.ImageDraw", place: Area, label: _Label, color: Color) -> None:
    left, top, _, bottom = label.font.getbbox(label.text)
    padding = _PADDING * (bottom - top)
    draw.rectangle(place, fill=_PLATE)
    draw.text((place[0] + padding - left, place[1] + padding - top), label.text, fill=color, font=label.font)
