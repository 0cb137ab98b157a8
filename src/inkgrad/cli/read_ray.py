"""`inkgrad read --engine ray`."""

import dataclasses
from pathlib import Path

from inkgrad.cli.output import say
from inkgrad.cli.read import PAGE_SECONDS, RayOptions, ReadOptions, decisive, reading_of
from inkgrad.cli.read_progress import ReadProgress
from inkgrad.distributed.ray_reading import Job, SentModel, absolute, is_finished, read_on_ray, require_ray
from inkgrad.errors import OptionError
from inkgrad.kernels.threads import thread_count
from inkgrad.reading.load import reader_file
from inkgrad.reading.page_work import Reading

__all__ = ["run_on_ray"]


def run_on_ray(options: ReadOptions, ray: RayOptions) -> None:
    """Read all pages into a folder of Parquet files."""
    out = _checked(options, ray)
    require_ray()
    if options.resume and is_finished(out):
        say(f"{ray.out} is finished, there is nothing to resume; --overwrite reads all anew", error=True)
        return
    reading = reading_of(options)
    decide = decisive(options, reading) | {"the paths": " ".join(ray.places), "--recursive": options.recursive}
    if options.model is not None:
        reading = _with_model(reading, options.model)
    if reading.form is not None:
        reading = dataclasses.replace(reading, form=reading.form.without_files())
    names = None if reading.form is None else reading.form.names
    with ReadProgress(0, whole=True, bar=True, several=True) as shown:
        try:
            progress = read_on_ray(
                Job(out, ray.places, reading, names, options.timeout or PAGE_SECONDS),
                decide,
                recursive=options.recursive,
                address=ray.address,
                workers=options.jobs,
                here=thread_count(),
                resume=options.resume,
                overwrite=options.overwrite,
                told=lambda now, errors: shown.files(now.files, now.total, now.tally, errors),
            )
        except KeyboardInterrupt:
            say(f"what was read is kept in {ray.out}; continue with the same line and --resume", error=True)
            raise
    say(progress.tally.sentence(), error=True)
    if progress.tally.failed:
        raise SystemExit(2)


def _checked(options: ReadOptions, ray: RayOptions) -> str:
    """Where the output goes; what does not go with Ray is refused."""
    if options.format == "json":
        raise OptionError("--json does not go with --engine ray, which writes a folder of Parquet files; leave it out")
    if options.format != "parquet":
        raise OptionError(
            f"--format {options.format} does not go with --engine ray, which writes Parquet; leave it out"
        )
    if options.annotate is not None:
        raise OptionError("--annotate does not go with --engine ray, whose workers write tables only; leave one out")
    if ray.out is None:
        raise OptionError("--engine ray needs --out with the name of a folder")
    return absolute(ray.out)


def _with_model(reading: Reading, model: Path) -> Reading:
    """The same with the model's content, as other machines do not have the file."""
    file = reader_file(model)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise OptionError(f"cannot read {file}: {error.strerror or error}; check its permissions") from error
    sent = SentModel(str(file), content)
    sent()  # so that a mistake is told before anything is read
    return dataclasses.replace(reading, reader=sent)
