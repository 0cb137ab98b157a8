"""Records: what was read of a page as plain values, from which every format of output is made.

A record of a page that was read holds

| key | holds |
|---|---|
| `file` | the name of the file |
| `page` | the page in it, from 1 |
| `width`, `height` | of the image as it was read, in pixels |
| `turn` | by how many degrees it was turned clockwise before; only where turns were tried |
| `numbers` | those of which one may be sure enough, in reading order |
| `doubtful` | the others, in reading order |

and a number `text` (digits only), `written` (with separators and signs), `confidence`, `box` (four corners (x, y) in
pixels of the image as it was read, clockwise from the upper left), `digits` (each with `value`, `confidence`,
`alternatives` and `box`) and `free` (what it would have been read as without what was expected, or null).

Of a form, `fields` stands in place of the numbers: for each field by its name `text`, `written`, `confidence` (null
where nothing is written), `doubtful`, `free` and `box`.

A record of what could not be read holds `file`, `page` (null if no page of the file can be read) and `error`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from inkgrad.files import plain
from inkgrad.reading.page import Page

__all__ = ["Record", "Tally", "error_record", "page_record", "rounded", "speakable"]

Record: TypeAlias = dict[str, Any]

_CONFIDENCE_PLACES, _PIXEL_PLACES = 6, 2


def page_record(file: str, page: int, read: Page, *, turn: int | None = None) -> Record:
    """The record of a page; confidences are rounded to 6 places, corners to a hundredth of a pixel.

    >>> page_record("a.png", 1, Page((), (), 640, 480))
    {'file': 'a.png', 'page': 1, 'width': 640, 'height': 480, 'numbers': [], 'doubtful': []}
    """
    found = rounded(plain(read.as_dict()))
    head: Record = {"file": speakable(file), "page": page, "width": read.width, "height": read.height}
    if turn is not None:
        head["turn"] = turn
    return head | {"numbers": found["numbers"], "doubtful": found["doubtful"]}


def error_record(file: str, page: int | None, error: str) -> Record:
    """The record of what could not be read.

    >>> error_record("a.png", None, "a.png is empty")
    {'file': 'a.png', 'page': None, 'error': 'a.png is empty'}
    """
    return {"file": speakable(file), "page": page, "error": speakable(" ".join(error.split()))}


def rounded(value: Any, key: str = "") -> Any:
    """Plain values with confidences and places rounded by the key under which they stand.

    >>> rounded({"confidence": 1 / 3, "box": [[0.123456, 7]], "alternatives": [[7, 0.0123456789]]})
    {'confidence': 0.333333, 'box': [[0.12, 7]], 'alternatives': [[7, 0.012346]]}
    """
    if isinstance(value, dict):
        return {name: rounded(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, key) for item in value]
    if isinstance(value, float):
        return round(value, _PIXEL_PLACES if key == "box" else _CONFIDENCE_PLACES)
    return value


def speakable(text: str) -> str:
    r"""File names of other encodings with what is no UTF-8 in them spelled out: no format could hold it otherwise.

    >>> speakable("caf\udce9.png")
    'caf\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass
class Tally:
    """What all records together come to.

    Attributes:
        pages: read.
        numbers: sure enough, or fields of forms that are.
        doubtful: numbers or fields that are not.
        failed: files or pages that could not be read.

    >>> tally = Tally()
    >>> tally.add(error_record("a.png", None, "a.png is empty"))
    >>> tally.add(page_record("b.png", 1, Page((), (), 640, 480)))
    >>> tally.sentence()
    '1 page read, 0 numbers, 0 doubtful, 1 not readable'
    """

    pages: int = 0
    numbers: int = 0
    doubtful: int = 0
    failed: int = 0

    def add(self, record: Record) -> None:
        """Count what is in a record."""
        if "error" in record:
            self.failed += 1
            return
        self.pages += 1
        if "fields" in record:
            fields: Iterable[Record] = record["fields"].values()
            unsure = [bool(field["doubtful"]) for field in fields if field["text"] or field["doubtful"]]
            self.doubtful += sum(unsure)
            self.numbers += len(unsure) - sum(unsure)
        else:
            self.numbers += len(record["numbers"])
            self.doubtful += len(record["doubtful"])

    def include(self, other: "Tally") -> None:
        """Count what another has counted.

        >>> tally = Tally(pages=1)
        >>> tally.include(Tally(pages=2, doubtful=1))
        >>> tally
        Tally(pages=3, numbers=0, doubtful=1, failed=0)
        """
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)

    def sentence(self) -> str:
        """For people."""

        def count(n: int, name: str) -> str:
            return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"

        told = f"{count(self.pages, 'page')} read, {count(self.numbers, 'number')}, {self.doubtful:,} doubtful"
        return told + (f", {self.failed:,} not readable" if self.failed else "")
