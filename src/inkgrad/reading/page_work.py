"""What is done with each page: loaded, turned if asked, read, and drawn upon."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgrad.errors import InputError, RunError
from inkgrad.reading.forms.file import Form
from inkgrad.reading.inputs import FileError, Opener
from inkgrad.reading.joints import PagePicture, PageReader
from inkgrad.reading.journal import Key, Stamp
from inkgrad.reading.record import Record, error_record, page_record

__all__ = ["PageTask", "Reading", "file_stamp"]


@dataclass(frozen=True)
class PageTask:
    """A page that is to be read.

    Attributes:
        picture: the page.
        stamp: by which one sees later whether its file, or where it is drawn upon, has changed.
        annotated: where the page goes with what was read drawn upon it; None for nowhere.
    """

    picture: PagePicture
    stamp: Stamp = None
    annotated: Path | None = None

    @property
    def key(self) -> Key:
        """By which it is found again."""
        return self.picture.file, self.picture.page


@dataclass(frozen=True)
class Reading:
    """How pages are read; it can be pickled.

    Attributes:
        reader: makes the reader, once in each process.
        min_confidence: below it a number is doubtful.
        expectation: what a number must look like, as the reader takes it; None for anything.
        turn: whether to try the page in all four right-angle turns.
        form: where the fields are, if the pages are forms.
    """

    reader: Callable[[], PageReader]
    min_confidence: float = 0.5
    expectation: Any = None
    turn: bool = False
    form: Form | None = None

    def start(self) -> Callable[[PageTask], Record]:
        """Load what pages are read with; returns what reads one."""
        reader = self.reader()
        reads = self._fields(reader) if self.form is not None else self._numbers(reader)

        def work(task: PageTask) -> Record:
            file, page = task.key
            try:
                return reads(task)
            except RunError:  # a full disk is no fault of the page
                raise
            except FileError as error:
                return error_record(file, None, str(error))
            except InputError as error:
                return error_record(file, page, str(error) if file in str(error) else f"{file}, page {page}: {error}")
            except MemoryError:
                return error_record(file, page, f"{file}: not enough memory for page {page}; give it in fewer pixels")
            except Exception as error:  # a defect of ours, which shall not keep the other pages from being read
                kind = type(error).__name__
                return error_record(file, page, f"{file}: page {page} could not be read, unexpected {kind}: {error}")

        return work

    def _numbers(self, reader: PageReader) -> Callable[[PageTask], Record]:
        opener = Opener()

        def read(task: PageTask) -> Record:
            from inkgrad.reading.turn import read_turned

            pixels, turn = opener.pixels(task.picture), None
            if self.turn:
                page, pixels, turn = read_turned(
                    reader, pixels, min_confidence=self.min_confidence, expectation=self.expectation
                )
            else:
                page = reader.read(pixels, min_confidence=self.min_confidence, expectation=self.expectation)
            record = page_record(*_named(task), page, turn=turn)
            _annotate(task, pixels, record)
            return record

        return read

    def _fields(self, reader: PageReader) -> Callable[[PageTask], Record]:
        from inkgrad.reading.forms.reading import FormReader

        assert self.form is not None
        opener = Opener()
        forms = FormReader(self.form, reader, min_confidence=self.min_confidence)

        def read(task: PageTask) -> Record:
            file, page = _named(task)
            record, pixels = forms.read(opener.pixels(task.picture))
            record = {"file": error_record(file, page, "")["file"], "page": page} | record
            _annotate(task, pixels, record)
            return record

        return read


def _named(task: PageTask) -> tuple[str, int]:
    return task.picture.file, task.picture.page


def _annotate(task: PageTask, pixels: Any, record: Record) -> None:
    if task.annotated is not None:
        from inkgrad.reading.annotate import write_annotated

        write_annotated(task.annotated, pixels, record)


def file_stamp(path: Path | None, annotated: Path | None = None) -> Stamp:
    """Size and time of the last change of a file; None where there is none, such as for standard input.

    Where it is drawn upon, the name of that picture is a part of it: which names files of one name from several folders
    get depends on what else is read.
    """
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    stamp = found.st_size, found.st_mtime_ns
    return stamp if annotated is None else (*stamp, annotated.name)
