"""A whole reading: pages from files to output, on all cores, whatever becomes of single files."""

import contextlib
import functools
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

from inkgrad.kernels.threads import thread_count
from inkgrad.reading.annotate import AnnotationFolder
from inkgrad.reading.held import ctrl_c_held
from inkgrad.reading.inputs import NamedFile, counting_crew, find_pages
from inkgrad.reading.joints import BadInput, PagePicture
from inkgrad.reading.journal import Key, Stamp
from inkgrad.reading.output import Output
from inkgrad.reading.page_work import PageTask, Reading, file_stamp
from inkgrad.reading.record import Record, error_record
from inkgrad.reading.spool import Spool
from inkgrad.reading.workers import Crew, Done, in_order, why_died

__all__ = ["FileReader", "read_all"]


@dataclass(frozen=True)
class _Answer:
    """A record with what the output asks about it."""

    key: Key
    stamp: Stamp
    record: Record
    place: int | None = None


@dataclass(frozen=True)
class _Work:
    """Reads pages in any process."""

    reading: Reading

    def __call__(self) -> Callable[[PageTask], _Answer]:
        read = self.reading.start()
        return lambda task: _Answer(task.key, task.stamp, read(task))


@dataclass(frozen=True)
class _WorkApart(_Work):
    """Reads pages in a process beside others."""

    def __call__(self) -> Callable[[PageTask], _Answer]:
        import cv2

        cv2.setNumThreads(1)
        return super().__call__()


def read_all(
    inputs: Iterable[PagePicture | BadInput],
    reading: Reading,
    output: Output,
    *,
    jobs: int | None = None,
    here: bool = False,
    seconds: float | None = None,
    annotate: AnnotationFolder | None = None,
    told: Callable[[Record], None] = lambda _: None,
) -> None:
    """Read pages and give what was read to the output, in the order of the pages; it is for the caller to end it.

    Pages are read in other processes, each with one thread, so that what is read does not depend on how they are shared
    out, and no page can end the reading of the others. Memory does not grow with the number of pages.

    Args:
        inputs: the pages, and what turned out not to be one.
        reading: how to read them.
        output: where the records go.
        jobs: how many processes, one for each core by default.
        here: read in this process instead, which begins at once.
        seconds: that a page may take, where it is not read here; None for any time.
        annotate: where pages go with what was read drawn upon them.
        told: called with each record when the output has it.

    Raises:
        RunError: a disk is full or the like; the output has everything from before.
        OptionError: the reader cannot be made.
    """
    tasks = _tasks(inputs, output, annotate)
    if here:
        answers = _one_by_one(tasks, _Work(reading))
    else:
        died = functools.partial(_died, seconds)
        answers = in_order(tasks, _WorkApart(reading), died, jobs=jobs or thread_count(), seconds=seconds)
    with contextlib.closing(answers):
        for answer in answers:
            with ctrl_c_held():  # a record is there whole or not at all
                output.add(answer.key, answer.stamp, answer.record, answer.place)
                told(answer.record)


class FileReader:
    """Reads one list of files after the other as `read_all` does, in a process that stays for the next list.

    Args:
        reading: how to read them.
        seconds: that a page may take.
    """

    def __init__(self, reading: Reading, *, seconds: float | None = None) -> None:
        died = functools.partial(_died, seconds)
        self._pages: Crew[PageTask, _Answer] = Crew(_WorkApart(reading), died, jobs=1, seconds=seconds)
        self._counting, self._seconds = counting_crew(seconds), seconds

    def __enter__(self) -> "FileReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._pages, self._counting:  # end here
            pass

    def records(self, files: Iterable[NamedFile | BadInput]) -> Generator[tuple[str, Record]]:
        """The records of all pages, each with the name of its file; of each file there is at least one.

        Raises:
            RunError: a disk is full or the like.
            OptionError: the reader cannot be made.
        """
        with Spool() as spool:
            pages = find_pages(files, spool, apart=True, seconds=self._seconds, crew=self._counting)
            tasks = (_bad(page) if isinstance(page, BadInput) else PageTask(page) for page in pages)
            for answer in self._pages.in_order(tasks):
                yield answer.key[0], answer.record


def _one_by_one(tasks: Iterator[PageTask | Done[_Answer]], start: _Work) -> Generator[_Answer]:
    work = None
    for task in tasks:
        if isinstance(task, Done):
            yield task.result
        else:
            work = work or start()
            yield work(task)


def _tasks(
    inputs: Iterable[PagePicture | BadInput], output: Output, annotate: AnnotationFolder | None
) -> Iterator[PageTask | Done[_Answer]]:
    for picture in inputs:
        if isinstance(picture, BadInput):
            yield _bad(picture)
            continue
        if annotate is not None and annotate.holds(picture.path):  # what an earlier run has drawn is no input
            continue
        annotated = None if annotate is None else annotate.place(picture)
        task = PageTask(picture, file_stamp(picture.path, annotated), annotated)
        drawn = task.annotated is None or task.annotated.exists()
        known = output.find(task.key, task.stamp) if drawn else None
        if known is None:
            yield task
        else:
            yield Done(_Answer(task.key, task.stamp, known[1], known[0]))


def _bad(picture: BadInput) -> Done[_Answer]:
    key = picture.file, picture.page
    return Done(_Answer(key, None, error_record(*key, picture.error)))


def _died(seconds: float | None, task: PageTask, status: int | None) -> _Answer:
    file, page = task.key
    message = f"{file}, page {page} {why_died('read', status, seconds)}"
    return _Answer(task.key, task.stamp, error_record(file, page, message))
