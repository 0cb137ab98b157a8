"""The pages of one source, one at a time."""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from inkgrad.data.dataset import Images
from inkgrad.data.decode import PictureSource
from inkgrad.data.formats import is_pdf
from inkgrad.data.opening import MOST_PIXELS, check_limit, open_file
from inkgrad.errors import ImageError, OptionError
from inkgrad.reading.sources import STDIN, Source
from inkgrad.reading.sources_pdf import PdfFile
from inkgrad.reading.sources_picture import PictureFile

__all__ = ["PageImage", "count_pages", "named_pages", "only_page", "pages", "piped_input"]

_MOST_BYTES = 1 << 30  # of standard input


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page of a source, not decoded yet.

    Attributes:
        source: the path as it was given, or "standard input".
        number: counted from 1.
        count: how many pages the source has; a plain image has one.
    """

    source: str
    number: int
    count: int
    _decode: Callable[[], Images] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """For people: the source, and which page of it where there are several."""
        return self.source if self.count == 1 else f"{self.source}, page {self.number}"

    def pixels(self) -> Images:
        """Decode the page, anew with every call; it can be kept and used after its iterator has ended.

        Returns:
            uint8 (h, w) gray, or (h, w, 3) red, green, blue, upright; it may be read-only.

        Raises:
            ImageError: it is truncated, damaged or too large, or its file has gone; other pages are not concerned.
        """
        return self._decode()


def pages(
    source: Source | str | bytes, *, most_pixels: int = MOST_PIXELS, dpi: float | None = None
) -> Generator[PageImage]:
    """The pages of an image, a TIFF or a PDF; nothing is decoded before it is asked for, and nothing is kept.

    Args:
        source: a path, the bytes of a file, or `STDIN`.
        most_pixels: what a page may have; more are refused before anything is decoded.
        dpi: the resolution of the pages of a PDF; by default a scanned page has that of its image, any other 200
            dots per inch, or as much less, down to 72, as a large page needs to keep to `most_pixels`.

    Returns:
        An iterator that holds the file open until it ends.

    Raises:
        OptionError: `most_pixels` or `dpi` is not positive.
        ImageError: while iterating, the source is missing, unreadable, empty, damaged or encrypted as a whole, of no
            known format, or needs a package that is not installed.

    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> first, second = Image.new("L", (3, 2)), Image.new("RGB", (2, 2), "white")
    >>> first.save(file, "TIFF", save_all=True, append_images=[second])
    >>> [(page.number, page.count, page.pixels().shape) for page in pages(file.getvalue())]
    [(1, 2, (2, 3)), (2, 2, (2, 2, 3))]
    """
    check_limit(most_pixels)
    if dpi is not None and not 0 < dpi < float("inf"):
        raise OptionError(f"the resolution must be positive and finite dots per inch, but is {dpi}")
    name = f"the file of {len(source)} bytes" if isinstance(source, bytes) else str(source)
    return _pages(source, name, most_pixels, dpi)


def named_pages(file: Path, name: str) -> Iterator[PageImage]:
    """The pages of a file that errors call by another name than its path."""
    return _pages(file, name, MOST_PIXELS, None)


def count_pages(file: Path, name: str) -> int:
    """How many pages a file has, by the name that errors call it.

    Raises:
        ImageError: as `pages` does while it opens the file.
    """
    document = _open(file, name, None)
    try:
        return len(document.pages)
    finally:
        document.close()


def only_page(image: PictureSource) -> PictureSource:
    """A picture that a reader of single pictures can take: of a file that may have several pages its only one.

    Args:
        image: a path or the bytes of an image, a TIFF or a PDF; anything else comes back as it is.

    Returns:
        Of a file uint8 (h, w) gray or (h, w, 3) red, green, blue, upright.

    Raises:
        ImageError: it has several pages; the message says how to read them. Or it cannot be read.

    >>> import numpy as np
    >>> only_page(np.zeros((2, 3), np.uint8)).shape
    (2, 3)
    """
    if not isinstance(image, str | os.PathLike | bytes | bytearray | memoryview):
        return image
    found = pages(Path(image) if isinstance(image, str | os.PathLike) else bytes(image))
    with contextlib.closing(found):
        page = next(found)
        if page.count > 1:
            raise ImageError(
                f"{page.source} has {page.count} pages, expected one picture; take its pages from "
                "inkgrad.reading.pages and read the pixels() of each"
            )
        return page.pixels()


def _pages(source: Source | str | bytes, name: str, most_pixels: int, dpi: float | None) -> Generator[PageImage]:
    content = standard_input() if source is STDIN else source
    document = _open(content, name, dpi)
    try:
        count = len(document.pages)
        for number, index in enumerate(document.pages, 1):
            again = partial(_open, content, name, dpi)
            called = name if count == 1 else f"{name}, page {number}"
            yield PageImage(name, number, count, partial(_pixels, document, again, index, called, most_pixels))
    finally:
        document.close()


class _Document(Protocol):
    @property
    def pages(self) -> Sequence[int]: ...

    def pixels(self, page: int, name: str, most_pixels: int) -> Images | None: ...
    def close(self) -> None: ...


def _pixels(document: _Document, again: Callable[[], _Document], page: int, name: str, most_pixels: int) -> Images:
    pixels = document.pixels(page, name, most_pixels)
    if pixels is not None:
        return pixels
    opened = again()
    try:
        pixels = opened.pixels(page, name, most_pixels)
    finally:
        opened.close()
    assert pixels is not None, "it is open"
    return pixels


def _open(source: Source | str | bytes, name: str, dpi: float | None) -> _Document:
    file = _file(source, name)
    try:
        head = file.read(1024)
        file.seek(0)
        return PdfFile(file, name, dpi) if is_pdf(head) else PictureFile(file, name)
    except BaseException:
        file.close()
        raise


def _file(source: Source | str | bytes, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        if not source:
            raise ImageError(f"{name} is empty, expected the bytes of an image or a PDF; save or send it again")
        return io.BytesIO(source)
    if isinstance(source, str | os.PathLike):
        return open_file(Path(source))
    raise ImageError(f"a source came as {type(source).__name__}; give a path, the bytes of a file, or STDIN")


def piped_input() -> BinaryIO:
    """Standard input, if something is piped into it; else an ImageError."""
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)  # a program without a console has none
    if stream is None or stream.isatty():
        raise ImageError("standard input is a terminal, expected an image or a PDF; pipe one into it, or name a file")
    return stream


def standard_input() -> bytes:
    content = piped_input().read(_MOST_BYTES + 1)
    if not content:
        raise ImageError("standard input is empty, expected the bytes of an image or a PDF; pipe one into it")
    if len(content) > _MOST_BYTES:
        raise ImageError("standard input has more than 1 GiB, which must fit in memory; name a file")
    return content
