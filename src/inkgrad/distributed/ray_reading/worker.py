"""What a worker of Ray does: batch after batch of files, with a reader that it keeps."""

import functools
import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inkgrad import errors
from inkgrad.distributed.ray_reading import tables
from inkgrad.distributed.ray_reading.fetch import Fetcher
from inkgrad.distributed.ray_reading.manifest import batch
from inkgrad.distributed.ray_reading.storage import Folder
from inkgrad.errors import InkgradError, ModelFileError, RunError
from inkgrad.reading.joints import PageReader
from inkgrad.reading.load import load_reader
from inkgrad.reading.page_work import Reading
from inkgrad.reading.record import Tally, speakable
from inkgrad.reading.run import FileReader
from inkgrad.version import __version__

__all__ = ["Answer", "BatchReader", "Job", "SentModel"]


@dataclass(frozen=True)
class Job:
    """What every worker is told.

    Attributes:
        out: the folder that is written, a path that all know or a URI.
        places: the paths and URIs that were given.
        reading: how to read a page.
        fields: the names of the fields of a form, or None.
        seconds: that a page may take.
        version: of inkgrad where the run was started.
    """

    out: str
    places: Sequence[str]
    reading: Reading
    fields: Sequence[str] | None = None
    seconds: float | None = None
    version: str = __version__


@dataclass(frozen=True)
class SentModel:
    """Makes the reader of a model file on machines that do not have the file.

    Attributes:
        name: of the file.
        content: of the file.
    """

    name: str
    content: bytes

    def __call__(self) -> PageReader:
        """Load it."""
        with tempfile.TemporaryDirectory(prefix="inkgrad-") as folder:
            path = Path(folder) / "model.safetensors"
            path.write_bytes(self.content)
            try:
                return load_reader(path)
            except ModelFileError as error:
                raise ModelFileError(str(error).replace(str(path), self.name)) from error


@dataclass(frozen=True)
class Answer:
    """What became of a batch.

    Attributes:
        files: how many are in it.
        tally: what they come to.
        errors: one sentence for each that was tried now and could not be read.
        failure: why the run cannot go on: the name of an error and what it says.
    """

    files: int = 0
    tally: Tally = field(default_factory=Tally)
    errors: Sequence[str] = ()
    failure: tuple[str, str] | None = None

    def as_text(self) -> str:
        """For the way back.

        >>> Answer.of_text(Answer(3, Tally(pages=5)).as_text()).tally.pages
        5
        """
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> "Answer":
        """What `as_text` has made."""
        found = json.loads(text)
        return cls(**found | {"tally": Tally(**found["tally"])})

    def check(self) -> None:
        """Raise what kept the batch from being read."""
        if self.failure is not None:
            name, told = self.failure
            raise getattr(errors, name, RunError)(told)


class BatchReader:
    """Reads batches by their numbers; Ray makes one in each of its workers.

    Pages are read in a process beside this one, as the local engine reads them: a page that ends it, or takes too
    long, is an error in the output, and not the end of the worker.
    """

    def __init__(self, job: Job) -> None:
        self._job = job  # what may be refused is refused with the first batch, as Ray would wrap it here

    def __call__(self, numbers: dict[str, Any]) -> dict[str, list[Any]]:
        """Read batches; what Ray Data asks of a function for `map_batches`."""
        return {"answer": [self._answer(int(number)).as_text() for number in numbers["item"]]}

    def _answer(self, number: int) -> Answer:
        try:
            return self._read(number)
        except InkgradError as error:
            return Answer(failure=(type(error).__name__, str(error)))

    @functools.cached_property
    def _out(self) -> Folder:
        return Folder(self._job.out)

    @functools.cached_property
    def _reader(self) -> FileReader:
        return FileReader(self._job.reading, seconds=self._job.seconds)

    def _read(self, number: int) -> Answer:
        if self._job.version != __version__:
            raise RunError(
                f"a worker has inkgrad {__version__}, but the run was started by {self._job.version}; install the same "
                "on all machines"
            )
        entries, fields = batch(self._out, number), self._job.fields
        results = tables.kept(self._out, number, fields)
        missing = [entry for entry in entries if speakable(entry.name) not in results]
        told: list[str] = []
        with Fetcher(self._job.places, missing) as fetcher:
            records = self._reader.records(fetcher.files())
            for name, of_file in itertools.groupby(records, key=lambda named: named[0]):
                result = tables.result_of([record for _, record in of_file], fields)
                results[result.file] = result
                told += [error for _, error in result.errors]
                fetcher.forget(name)
        in_order = [results[speakable(entry.name)] for entry in entries]
        if missing:
            tables.write(self._out, number, in_order, fields)
        tally = Tally()
        for result in in_order:
            tally.include(result.tally)
        return Answer(len(entries), tally, told)
