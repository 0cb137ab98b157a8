"""What can be typed behind `inkgrad read`; nothing here imports numpy."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgrad.cli.options import Json

__all__ = ["read"]

FormatName = Literal["text", "json", "csv", "parquet"]


def read(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Images, PDFs, folders of them, globs; - for standard input; URIs with --engine ray.",
            show_default=False,
        ),
    ],
    min_confidence: Annotated[
        float | None, typer.Option(help="Numbers less sure than this are doubtful.  [default: 0.5]")
    ] = None,
    at_error: Annotated[
        float | None,
        typer.Option(
            help="Instead, the confidence at which this share of the numbers was wrong in validation, as 0.01."
        ),
    ] = None,
    expect: Annotated[
        str | None, typer.Option(help=r"What the digits must match: a regular expression such as '\d{5}'.")
    ] = None,
    expect_list: Annotated[Path | None, typer.Option(help="A file of all that may be read, one a line.")] = None,
    checksum: Annotated[
        str | None, typer.Option(help="A checksum that the digits must have: luhn, ean8, ean13, damm or mod97.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="Numbers are dates of this form: dmy, mdy or ymd.")] = None,
    amount: Annotated[bool, typer.Option("--amount", help="Numbers are amounts of money.")] = False,
    fields: Annotated[
        Path | None, typer.Option(help="Pages are forms: a .toml file that says where the fields are.")
    ] = None,
    turn: Annotated[bool, typer.Option("--turn", help="Pages may lie on a side or upside down.")] = False,
    recursive: Annotated[bool, typer.Option("--recursive", help="Search the folders in folders, too.")] = False,
    format: Annotated[
        FormatName | None,
        typer.Option(help="What comes out.  [default: by the ending of --out, else text]"),
    ] = None,
    json: Json = False,
    out: Annotated[
        str | None, typer.Option(help="The file to write; a folder with --engine ray.  [default: standard output]")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is at --out and --annotate; begin anew.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue what was interrupted, with the same --out.")
    ] = False,
    annotate: Annotated[
        Path | None, typer.Option(help="A folder for the pages with what was read drawn upon them.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="How many processes read at a time.  [default: one for each core]")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds that a page may take; what takes longer is reported.  [default: 60]")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="A reader's model file or run folder.  [default: the one that comes with inkgrad]"),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="What shares out the work: this machine, or Ray on many.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(help="A Ray cluster: HOST:PORT or auto.  [default: RAY_ADDRESS, else one is started here]"),
    ] = None,
) -> None:
    """Read the handwritten numbers of photos and scans.

    What cannot be read is reported, and the others are read all the same. A lone picture is read at once; several, and
    documents, on all cores.
    """
    from inkgrad.cli.read import RayOptions, ReadOptions, run
    from inkgrad.reading.expectations import Expected

    if json and format not in (None, "json"):
        from inkgrad.errors import OptionError

        raise OptionError(f"--json cannot be given together with --format {format}; leave one out")
    _check_named(paths, out)
    if engine == "local":
        _check_local([*paths, *([] if out is None else [out])], ray_address)
    run(
        ReadOptions(
            paths=[Path(path) for path in paths],
            expected=Expected(expect, expect_list, checksum, date, amount),
            min_confidence=min_confidence,
            at_error=at_error,
            turn=turn,
            recursive=recursive,
            format="json" if json else format or ("parquet" if engine == "ray" else _by_ending(out)),
            out=None if out is None else Path(out),
            overwrite=overwrite,
            resume=resume,
            annotate=annotate,
            fields=fields,
            jobs=jobs,
            timeout=timeout,
            model=model,
            ray=RayOptions(paths, out, ray_address) if engine == "ray" else None,
        )
    )


def _check_named(paths: list[str], out: str | None) -> None:
    """An empty name would be that of the folder that one is in."""
    if "" in paths or out == "":
        from inkgrad.errors import OptionError

        which = "a path" if "" in paths else "--out"
        raise OptionError(f"{which} is empty, expected a name; check the variable that it came from")


def _check_local(places: list[str], ray_address: str | None) -> None:
    from inkgrad.errors import OptionError

    if ray_address is not None:
        raise OptionError("--ray-address is for --engine ray; give both, or leave it out")
    for place in places:
        if "://" in place and not Path(place).exists():
            raise OptionError(f"{place} is a URI, which --engine local does not open; give a path, or --engine ray")


def _by_ending(out: str | None) -> FormatName:
    endings: dict[str, FormatName] = {"": "text", ".txt": "text", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
    if out is None:
        return "text"
    if (ending := Path(out).suffix.lower()) not in endings:
        from inkgrad.errors import OptionError

        raise OptionError(
            f"--out {out} ends in {ending}, expected .txt, .csv, .json or .parquet; name the format with --format"
        )
    return endings[ending]
