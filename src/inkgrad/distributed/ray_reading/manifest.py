"""The manifest of a reading: which files, in which batches, read how, and whether all is done."""

import contextlib
import io
import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from inkgrad.distributed.ray_reading.listing import Entry
from inkgrad.distributed.ray_reading.storage import Folder
from inkgrad.errors import OptionError, StorageError
from inkgrad.reading.journal import compare_options, lock

__all__ = ["Manifest", "batch", "begin", "earlier", "load", "locked", "save"]

_KIND = "inkgrad read"
_FILE = "manifest.json"
_FOLDERS = ("manifest", "numbers", "errors", "files")
LEAST, MOST = 4, 1000  # files of a batch
MOST_BYTES = 256 << 20  # of its files; documents of many pages take their time
SHARE = 40  # a batch has at most one of so many of the files that are listed before it
TOGETHER = 100  # batches in one file of the manifest


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds.

    Attributes:
        options: what the output depends on, in the words of the command line.
        places: the paths and URIs that were given; those of files on disks are found without.
        files: how many there are.
        batches: into how many batches they are divided.
        complete: whether all files are listed.
        finished: whether all batches are read.
        failed: files or pages that could not be.
    """

    options: dict[str, Any]
    places: list[str] = field(default_factory=list)
    files: int = 0
    batches: int = 0
    complete: bool = False
    finished: bool = False
    failed: int = 0


def load(out: Folder) -> Manifest | None:
    """The manifest of an output, or None if there is none.

    Raises:
        OptionError: there is a file of that name that is none.
    """
    content = out.read(_FILE)
    if content is None:
        return None
    try:
        found = json.loads(content)
        if found.pop("manifest") != _KIND:
            raise ValueError(_KIND)
        return Manifest(**found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{out.place} is no output of inkgrad read, or a damaged one; name another --out") from error


def save(out: Folder, manifest: Manifest) -> None:
    """Write it, whole or not at all."""
    out.write(_FILE, json.dumps({"manifest": _KIND} | asdict(manifest), indent=1).encode())


def earlier(out: Folder, options: dict[str, Any], *, resume: bool, overwrite: bool) -> Manifest | None:
    """The manifest of an earlier run, which is to be continued or replaced; nothing is changed yet.

    Raises:
        OptionError: something is there and neither `resume` nor `overwrite` is given, or it cannot be continued.
        StorageError: the folder cannot be read.
    """
    if out.path is not None and out.path.exists() and not out.path.is_dir():
        raise OptionError(f"cannot write {out.place}: it is no folder; name another with --out")
    there = [name for name in out.names() if not name.startswith(".")]
    before = load(out) if _FILE in there else None
    if there and before is None:
        raise OptionError(f"{out.place} is a folder with other files in it; name a new one with --out")
    if before is not None and not (resume or overwrite):
        if before.finished:
            raise OptionError(f"{out.place} exists; name another --out, or replace it with --overwrite")
        raise OptionError(
            f"{out.place} holds what an earlier run has read; continue it with --resume, or begin anew with --overwrite"
        )
    if before is not None and resume:
        compare_options(before.options, options, out.place)
    return before


def begin(out: Folder, manifest: Manifest, entries: Iterable[Entry]) -> Manifest:
    """Write down all files in batches, in place of what is there; the manifest that says so is written last.

    Batches grow with what is listed before them, from 4 to 1,000 files: a short reading has many for its workers to
    share, a long one few enough to count. None has much more than 256 MiB.
    """
    save(out, manifest)  # first of all, so that what is half deleted is not taken for finished
    for name in _FOLDERS:
        out.delete(name)
    files = batches = size = 0
    kept: list[list[Entry]] = [[]]
    for entry in entries:
        kept[-1].append(entry)
        files, size = files + 1, size + entry.size
        if len(kept[-1]) >= min(max(LEAST, files // SHARE), MOST) or size >= MOST_BYTES:
            batches, size = batches + 1, 0
            if len(kept) == TOGETHER:
                _write(out, batches - TOGETHER, kept)
                kept = []
            kept.append([])
    if kept[-1]:
        batches += 1
    else:
        kept.pop()
    if kept:
        _write(out, batches - len(kept), kept)
    manifest = replace(manifest, files=files, batches=batches, complete=True)
    save(out, manifest)
    return manifest


def batch(out: Folder, number: int) -> list[Entry]:
    """The files of a batch."""
    import pyarrow.parquet as pq

    try:
        with _opened(out, _name(number)) as file, pq.ParquetFile(file) as table:
            rows = table.read_row_group(number % TOGETHER).to_pylist()
    except (ValueError, OSError) as error:
        raise StorageError(f"{out.place}/{_name(number)} is damaged ({error}); begin anew with --overwrite") from error
    return [Entry(os.fsdecode(row["name"]), row["root"], os.fsdecode(row["path"]), error=row["error"]) for row in rows]


def _opened(out: Folder, name: str) -> Any:
    try:
        return out.open(name)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise StorageError(
            f"{out.place}/{name} is not there on {socket.gethostname()}; name an --out that all machines of the "
            "cluster see, such as a folder on shared storage or a URI"
        ) from error


def _write(out: Folder, first: int, batches: list[list[Entry]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Names are bytes: those of other encodings are no text to Parquet.
    schema = pa.schema([("name", pa.binary()), ("root", pa.int32()), ("path", pa.binary()), ("error", pa.string())])
    content = io.BytesIO()
    with pq.ParquetWriter(content, schema) as writer:
        for entries in batches:
            rows = [
                {"name": os.fsencode(e.name), "root": e.root, "path": os.fsencode(e.path), "error": e.error}
                for e in entries
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))
    out.write(_name(first), content.getvalue())


def _name(number: int) -> str:
    return f"manifest/files-{number // TOGETHER:05d}.parquet"


@contextlib.contextmanager
def locked(out: Folder) -> Iterator[None]:
    """Only one run at a time writes an output on a disk; the folder for it is made, and goes if it stays empty.

    Raises:
        OptionError: another one does.
        StorageError: the folder cannot be made or written.
    """
    if out.path is None:
        yield
        return
    file = out.path / ".lock"
    try:
        out.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError(f"cannot write {out.place}: {error.strerror or error}; name another --out") from error
    try:
        lock(handle, out.path)
        yield
        empty = False
    except BaseException:
        empty = list(out.path.iterdir()) == [file]
        raise
    finally:
        os.close(handle)
        if empty:
            with contextlib.suppress(OSError):
                file.unlink()
                out.path.rmdir()
