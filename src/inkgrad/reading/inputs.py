"""The pages of files, folders and standard input, in order, one after the other."""

import contextlib
import functools
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inkgrad.data.dataset import Images
from inkgrad.data.formats import is_pdf
from inkgrad.data.opening import open_file
from inkgrad.errors import ImageError
from inkgrad.reading.joints import BadInput, PagePicture
from inkgrad.reading.sources import STDIN, Source, find_sources
from inkgrad.reading.sources_pages import PageImage, count_pages, named_pages
from inkgrad.reading.spool import Spool, is_pipe
from inkgrad.reading.workers import Crew, Done, why_died

__all__ = ["FileError", "FilePage", "NamedFile", "Opener", "counting_crew", "find_files", "find_pages"]

_TIFF = (b"II", b"MM")  # how TIFFs begin


class FileError(ImageError):
    """A file of which no page can be read."""


@dataclass(frozen=True)
class FilePage:
    """A page by its number; unlike an open one it can be sent to another process.

    Attributes:
        file: the name of the source.
        page: from 1.
        source: where the file lies.
        spooled: whether that is a temporary copy of what came from standard input or a pipe.
        rendered: whether it is a page of a PDF, which may take for ever.
        count: how many pages the file has.
    """

    file: str
    page: int
    source: Path
    spooled: bool = False
    rendered: bool = False
    count: int = 1

    @property
    def path(self) -> Path | None:
        """Where the user's file lies; None for standard input."""
        return None if self.spooled else self.source

    def pixels(self) -> Images:
        """uint8 (h, w) gray, or (h, w, 3) red, green, blue; an ImageError if it cannot be read."""
        return Opener().pixels(self)


class Opener:
    """Loads pages; the document that was open last stays so, as its next page is probably asked for next."""

    def __init__(self) -> None:
        self._source: Path | None = None
        self._pages: Generator[PageImage] | Iterator[PageImage] = iter(())
        self._at = 0

    def pixels(self, picture: PagePicture) -> Images:
        """The pixels of a page.

        Raises:
            FileError: its file cannot be opened.
            ImageError: it cannot be read, or is not there any more.
        """
        if not isinstance(picture, FilePage):
            return picture.pixels()
        if picture.source != self._source or picture.page <= self._at:
            self._close()
            self._source, self._pages, self._at = picture.source, named_pages(picture.source, picture.file), 0
        try:
            for page in self._pages:
                self._at = page.number
                if page.number == picture.page:
                    pixels = page.pixels()
                    if page.number == page.count:
                        self._close()
                    return pixels
        except BaseException as error:
            opened = self._at > 0
            self._close()
            if isinstance(error, ImageError) and not opened:
                raise FileError(str(error)) from error
            raise
        self._close()
        raise ImageError(f"{picture.file} has no page {picture.page} any more; it was changed while it was read")

    def _close(self) -> None:
        if isinstance(self._pages, Generator):
            self._pages.close()
        self._source, self._pages, self._at = None, iter(()), 0


def find_files(paths: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> list[Source | BadInput]:
    """What the user names, each file once; what is not there takes its place as bad input."""
    found: dict[str, Source | BadInput] = {}
    for path in paths:
        try:
            for source in find_sources([path], recursive=recursive):
                name = str(source) if source is STDIN else os.path.normcase(os.path.realpath(source))
                found.setdefault(name, source)
        except ImageError as error:
            found.setdefault(str(path), BadInput(str(path), str(error)))
    return list(found.values())


@dataclass(frozen=True)
class NamedFile:
    """A file that is called by another name than its path, such as one that was fetched from elsewhere."""

    name: str
    path: Path

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class _Document:
    """A file; how many pages it has is counted, or one without being opened."""

    file: str
    source: Path
    spooled: bool
    rendered: bool
    count: int = 1

    def pages(self) -> Iterator[FilePage]:
        for number in range(1, self.count + 1):
            yield FilePage(self.file, number, self.source, self.spooled, self.rendered, self.count)


def find_pages(
    files: Iterable[Source | NamedFile | BadInput],
    spool: Spool,
    *,
    apart: bool = False,
    seconds: float | None = None,
    crew: Crew[_Document, _Document | BadInput] | None = None,
) -> Generator[FilePage | BadInput]:
    """The pages of files, not loaded yet, with files that cannot be opened among them.

    What can have but one page is not opened: reading it will tell.

    Args:
        files: as `find_files` finds them.
        spool: keeps what comes from pipes; to be closed when the pages have been read.
        apart: open PDFs in another process, where they can do no harm to this one.
        seconds: that opening one may take there.
        crew: made with `counting_crew`, if its process shall stay for further files.

    Raises:
        StorageError: there is no room for standard input.
    """
    looked = (_look(file, spool, apart) for file in files)
    with contextlib.ExitStack() as stack:
        for one in (crew or stack.enter_context(counting_crew(seconds))).in_order(looked):
            if isinstance(one, BadInput):
                yield one
            else:
                yield from one.pages()


def counting_crew(seconds: float | None) -> "Crew[_Document, _Document | BadInput]":
    """The process in which `find_pages` opens PDFs; it is started when the first one comes."""
    return Crew(_counter, functools.partial(_died, seconds), jobs=1, seconds=seconds)


def _look(file: Source | NamedFile | BadInput, spool: Spool, apart: bool) -> _Document | Done[_Document | BadInput]:
    """What can be known of a file, or that another process must open it."""
    if isinstance(file, BadInput):
        return Done(file)
    path = file.path if isinstance(file, NamedFile) else Path(str(file))
    try:
        spooled = file is STDIN or is_pipe(path)
        source = spool.keep(file) if spooled and not isinstance(file, NamedFile) else path
        with open_file(source) as opened:
            head = opened.read(1024)
    except ImageError as error:
        return Done(BadInput(str(file), str(error).replace(str(path), str(file))))
    document = _Document(str(file), source, spooled, is_pdf(head))
    if document.rendered and apart:
        return document
    return Done(_counted(document) if document.rendered or head[:2] in _TIFF else document)


def _counter() -> Callable[[_Document], _Document | BadInput]:
    return _counted


def _counted(document: _Document) -> _Document | BadInput:
    try:
        return replace(document, count=count_pages(document.source, document.file))
    except ImageError as error:
        return BadInput(document.file, str(error))


def _died(seconds: float | None, document: _Document, status: int | None) -> BadInput:
    return BadInput(document.file, f"{document.file} {why_died('opened', status, seconds)}")
