"""`inkgrad read`."""

import contextlib
import functools
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgrad.cli.output import PrintedError, Standard, say, sentence_and_status
from inkgrad.cli.read_progress import ReadProgress
from inkgrad.errors import OptionError
from inkgrad.reading.annotate.folder import AnnotationFolder
from inkgrad.reading.expectations import Expected, content_digest
from inkgrad.reading.formats import FormatName, text_format
from inkgrad.reading.formats.json_object import JsonObject
from inkgrad.reading.formats.text import printable
from inkgrad.reading.forms.file import compiled, read_form
from inkgrad.reading.inputs import FilePage, find_files, find_pages
from inkgrad.reading.joints import BadInput
from inkgrad.reading.load import load_reader, reader_file
from inkgrad.reading.output import FileOutput, Output, StreamOutput, is_finished
from inkgrad.reading.page_work import Reading
from inkgrad.reading.run import read_all
from inkgrad.reading.sources import Source, nothing_found
from inkgrad.reading.spool import Spool
from inkgrad.version import __version__

MOST_JOBS = 256
MOST_WORKERS = 100_000  # on many machines
PAGE_SECONDS = 60.0


@dataclass(frozen=True)
class RayOptions:
    """What was typed for `--engine ray`, with paths and URIs as they are."""

    places: list[str]
    out: str | None
    address: str | None


@dataclass(frozen=True)
class ReadOptions:
    """What was typed behind `inkgrad read`; the names are those of the options."""

    paths: list[Path]
    expected: Expected
    min_confidence: float | None
    at_error: float | None
    turn: bool
    recursive: bool
    format: FormatName
    out: Path | None
    overwrite: bool
    resume: bool
    annotate: Path | None
    fields: Path | None
    jobs: int | None
    timeout: float | None
    model: Path | None
    ray: RayOptions | None = None


def run(options: ReadOptions) -> None:
    """Read all pages; what cannot be read is reported and does not keep the others from being read."""
    _check(options)
    if options.ray is not None:
        from inkgrad.cli.read_ray import run_on_ray

        run_on_ray(options, options.ray)
        return
    _check_output(options)
    if options.resume and options.out is not None and is_finished(options.out):
        say(f"{options.out} is finished, there is nothing to resume; --overwrite reads all anew", error=True)
        return
    reading = reading_of(options)
    files = find_files(options.paths, recursive=options.recursive)
    if options.out is not None:
        _check_found(files, options.out)
    if options.annotate is None:
        annotate = None
    else:
        annotate = AnnotationFolder(options.annotate, again=options.overwrite or options.resume)
    with _output(options, reading, max(len(printable(_name(file))) for file in files)) as output:
        _read_files(files, options, reading, output, annotate)
        output.end()
    say(output.tally.sentence(), error=True)
    if output.tally.failed:
        raise SystemExit(2)


def _read_files(
    files: Sequence[Source | BadInput],
    options: ReadOptions,
    reading: Reading,
    output: Output,
    annotate: AnnotationFolder | None,
) -> None:
    seconds, apart = options.timeout or PAGE_SECONDS, len(files) > 1 or options.timeout is not None
    visible = options.out is not None or not sys.stdout.isatty()  # lines of results and a bar would mix
    with (
        Spool() as spool,
        contextlib.closing(find_pages(files, spool, apart=apart, seconds=seconds)) as pages,
    ):
        first = next(pages)
        only = first if len(files) == 1 and isinstance(first, FilePage) else None
        picture = only is not None and only.count == 1 and not only.rendered
        with ReadProgress(len(files) if only is None else only.count, whole=only is None, bar=visible) as progress:
            read_all(
                itertools.chain([first], pages),
                reading,
                output,
                jobs=options.jobs,
                here=picture and not apart,  # a lone picture, for which no process need be started
                seconds=seconds,
                annotate=annotate,
                told=functools.partial(progress.page, tally=output.tally),
            )


def _name(file: Source | BadInput) -> str:
    return file.file if isinstance(file, BadInput) else str(file)


def _check(options: ReadOptions) -> None:
    for name in ("min_confidence", "at_error"):
        share = getattr(options, name)
        if share is not None and not 0 <= share <= 1:
            raise OptionError(f"--{name.replace('_', '-')} must be from 0 to 1, but is {share}")
    most = MOST_JOBS if options.ray is None else MOST_WORKERS
    if options.jobs is not None and not 1 <= options.jobs <= most:
        raise OptionError(f"--jobs must be from 1 to {most}, but is {options.jobs}")
    if options.timeout is not None and not 0 < options.timeout < math.inf:
        raise OptionError(f"--timeout must be above 0 seconds, but is {options.timeout:g}")
    _apart(options.min_confidence is not None, "--min-confidence", options.at_error is not None, "--at-error")
    _apart(options.resume, "--resume", options.overwrite, "--overwrite")
    for name in options.expected.words():
        option = "--expect-list" if name == "list" else f"--{name}"
        _apart(True, option, options.fields is not None, "--fields, whose file says what is expected")
    _apart(options.turn, "--turn", options.fields is not None, "--fields")


def _check_output(options: ReadOptions) -> None:
    if options.out is None:
        for needs, name in ((options.resume, "--resume"), (options.format == "parquet", "--format parquet")):
            if needs:
                raise OptionError(f"{name} needs --out with the name of a file")
    if options.format == "parquet":
        from inkgrad.reading.formats.parquet import require_pyarrow

        require_pyarrow()


def _check_found(files: Sequence[Source | BadInput], out: Path) -> None:
    """Refuse to replace an output, or the journal of one, by nothing, and to replace what is to be read."""
    missing = [file.error for file in files if isinstance(file, BadInput)]
    if len(missing) == len(files):
        raise nothing_found(missing)
    if out.exists() and any(isinstance(file, Path) and file.exists() and file.samefile(out) for file in files):
        raise OptionError(f"--out {out} is one of the files to read; name another")


def _apart(one: bool, its_name: str, other: bool, others_name: str) -> None:
    if one and other:
        raise OptionError(f"{its_name} cannot be given together with {others_name}; leave one out")


def reading_of(options: ReadOptions) -> Reading:
    """How pages are read; mistakes are told before anything is."""
    form = None if options.fields is None else read_form(options.fields)
    if options.model is not None:
        reader_file(options.model)  # so that its lack is told before anything is read
    reader = functools.partial(load_reader, options.model)
    least = 0.5 if options.min_confidence is None else options.min_confidence
    if options.at_error is not None:
        least = reader().confidence_at_error(options.at_error)
    for field in form.fields if form is not None else ():
        compiled(field)  # so that a mistake is told before anything is read
    return Reading(reader, min_confidence=least, expectation=options.expected.compiled(), turn=options.turn, form=form)


@contextlib.contextmanager
def _output(options: ReadOptions, reading: Reading, file_width: int) -> Iterator[Output]:
    """Where the records go; at an error what there is is made whole, and it is said how to go on."""
    names = None if reading.form is None else reading.form.names
    if options.out is None:
        write = Standard("utf-8" if options.format == "csv" else None)
        form = text_format(options.format, write, fields=names, file_width=file_width)
        stream = StreamOutput(form)
        try:
            yield stream
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(form, JsonObject):
                if not write.failed:
                    form.break_off(stream.tally, *sentence_and_status(error))
                raise PrintedError from error
            raise
        return
    file = FileOutput(
        options.out,
        options.format,
        options=decisive(options, reading),
        fields=names,
        file_width=file_width,
        resume=options.resume,
        overwrite=options.overwrite,
    )
    try:
        yield file
    except KeyboardInterrupt:
        if count := file.journal.count:
            kept = f"{count:,} pages are kept in {file.journal.path}"
            say(f"{kept}; continue with the same line and --resume", error=True)
        raise
    finally:
        file.close()


def decisive(options: ReadOptions, reading: Reading) -> dict[str, Any]:
    """What the records depend on, by the names that are typed."""
    expected = {f"--{'expect-list' if name == 'list' else name}": v for name, v in options.expected.words().items()}
    model = None if options.model is None else f"{options.model} ({content_digest(reader_file(options.model))})"
    return {
        "inkgrad": __version__,
        "--min-confidence": reading.min_confidence,
        **expected,
        "--turn": options.turn,
        "--model": model,
        "--fields": None if reading.form is None else f"{options.fields} ({reading.form.digest})",
        "--annotate": None if options.annotate is None else str(options.annotate),
    }
