"""Reading documents in a process of its own: what ends it, or takes too long, ends no server."""

import base64
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from inkgrad.errors import ImageError, OptionError

if TYPE_CHECKING:
    from inkgrad.reading.record import Record

__all__ = ["DeadReaderError", "Document", "LateReaderError", "ManyPagesError", "ReadingProcess"]

_START_SECONDS = 60.0  # that the process may take to load its network
_PICTURE_SIDE = 1600  # pixels of the longer side of a page that is sent to be looked at
_PICTURE_QUALITY = 80


class LateReaderError(Exception):
    """A document took too long."""


class DeadReaderError(Exception):
    """A document ended the process that read it."""


class ManyPagesError(OptionError):
    """A document has more pages than are read."""


@dataclass(frozen=True)
class Document:
    """A file and how it is to be read; it is pickled.

    Attributes:
        content: of the file.
        expected: the words of an expectation, see `inkgrad.reading.expectations.Expected`.
        min_confidence: below it a number is doubtful.
        pictures: whether the pages come with the answer, to be looked at.
        most_pages: a file with more is refused.
        most_pixels: a page with more is refused.
    """

    content: bytes
    expected: dict[str, Any]
    min_confidence: float
    pictures: bool
    most_pages: int
    most_pixels: int


Read: TypeAlias = "Callable[[Document], list[Record]]"


class Start:
    """Makes what reads documents, in the process that does."""

    def __call__(self) -> Read:
        """Load the network."""
        import cv2

        from inkgrad.kernels import load_backend
        from inkgrad.reading.reader import Reader

        cv2.setNumThreads(1)
        load_backend()
        reader = Reader.pretrained()

        def read(document: Document) -> "list[Record]":
            return read_document(reader, document)

        return read


def read_document(reader: Any, document: Document) -> "list[Record]":
    """The records of all pages of a document; what is wrong with one page stands in its place.

    Raises:
        ManyPagesError: it has too many.
        ImageError: it cannot be opened.
        OptionError: what is expected cannot be understood.
    """
    from inkgrad.reading.expectations import Expected
    from inkgrad.reading.sources_pages import pages

    expectation = Expected(**document.expected).compiled()
    records = []
    with contextlib.closing(pages(document.content, most_pixels=document.most_pixels)) as found:
        for page in found:
            if page.count > document.most_pages:
                raise ManyPagesError(
                    f"the document has {page.count:,} pages, at most {document.most_pages} are read; send it in parts"
                )
            try:
                pixels = page.pixels()
                read = reader.read(pixels, min_confidence=document.min_confidence, expectation=expectation)
            except ImageError as error:
                if page.count == 1:
                    raise
                records.append({"page": page.number, "error": str(error)})
                continue
            records.append(_record(page.number, read, pixels if document.pictures else None))
    return records


def _record(number: int, read: Any, pixels: Any) -> "Record":
    from inkgrad.reading.record import page_record

    record = page_record("", number, read)
    del record["file"]
    return record | {"picture": None if pixels is None else _picture(pixels)}


def _picture(pixels: Any) -> str:
    """A page as base64 of a JPEG that a browser shows."""
    import io

    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_PICTURE_QUALITY)
    return base64.b64encode(file.getvalue()).decode("ascii")


class ReadingProcess:
    """A process that reads one document after the other; one that ends or is too late is replaced.

    Thread-safe: callers wait for each other.

    Args:
        start: makes the function that reads, in the process; pickled.
    """

    def __init__(self, start: Callable[[], Read] | None = None) -> None:
        self._start = start or Start()
        self._lock = threading.Lock()  # held while a document is read
        self._changing = threading.Lock()  # held while there comes to be another process, or none any more
        self._process: Any = None
        self._pipe: Any = None
        self._closed = False

    def __call__(self, document: Document, until: float) -> "list[Record]":
        """Read a document, until a time of the monotonic clock.

        Raises:
            LateReaderError: it took too long.
            DeadReaderError: it ended the process.
            InkgradError: what reading it raised.
        """
        with self._lock:
            self._begin()
            if time.monotonic() >= until:  # who sent it waits no more
                raise LateReaderError
            try:
                self._pipe.send(document)
                kind, content = self._answer(until - time.monotonic())
            except (EOFError, OSError) as error:
                self._end()
                raise DeadReaderError from error
            if kind == "error":
                raise content
            return content  # type: ignore[no-any-return]

    def warm_up(self) -> None:
        """Start the process before anyone waits for it."""
        with self._lock:
            self._begin()

    def close(self) -> None:
        """End the process, and what it is doing."""
        with self._changing:
            self._closed = True
            if self._process is not None:
                self._process.kill()  # so that who waits for its answer gets none

    def _begin(self) -> None:
        from inkgrad.reading.worker_process import start_process

        if self._process is not None and self._process.is_alive():
            return
        self._end()
        with self._changing:
            if self._closed:
                raise DeadReaderError
            self._process, self._pipe = start_process(self._start)
        try:
            kind, content = self._answer(_START_SECONDS)
        except (EOFError, OSError) as error:
            self._end()
            raise DeadReaderError from error
        if kind == "error":
            self._end()
            raise content

    def _answer(self, seconds: float) -> tuple[str, Any]:
        if not self._pipe.poll(max(seconds, 0)):
            self._end()
            raise LateReaderError
        answer: tuple[str, Any] = self._pipe.recv()
        return answer

    def _end(self) -> None:
        with self._changing:
            process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if process is not None:
            process.kill()
            process.join()
            pipe.close()
