"""What is to be read: the files that paths and URIs mean, in the order of the local engine."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from inkgrad.distributed.ray_reading.storage import is_uri, opened
from inkgrad.errors import ImageError, InkgradError, OptionError, RunError
from inkgrad.reading.sources import ENDINGS, files_of, natural_order, nothing_found
from inkgrad.reading.spool import is_pipe

__all__ = ["LOCAL", "Entry", "find_entries", "not_empty"]

LOCAL = -1
"""The root of files on disks."""


@dataclass(frozen=True)
class Entry:
    """A file that is to be read, or why it cannot be.

    Attributes:
        name: as it is called in the output.
        root: which of the places that were given has the file system that it is on, from 0; `LOCAL` for a disk.
        path: on its file system.
        size: bytes, as far as it is known.
        error: one sentence; empty if it may be there.
    """

    name: str
    root: int
    path: str
    size: int = 0
    error: str = ""


def check_places(places: Sequence[str]) -> None:
    """Raise an error for what Ray cannot read from.

    Raises:
        OptionError: standard input, a pipe, a URI of an unknown kind.
        RunError: a file system that cannot be reached.
    """
    for place in places:
        if is_uri(place):
            with _reached(place):
                opened(place)
        elif place == "-" or is_pipe(Path(place)):
            name = "standard input" if place == "-" else place
            raise OptionError(
                f"{name} can be read by one process only, but --engine ray reads with several; name a file, or leave "
                "--engine ray out"
            )


def find_entries(places: Sequence[str], *, recursive: bool = False) -> Iterator[Entry]:
    """The files that are meant by paths, globs and URIs, each once, in the order in which they are named.

    Of a folder the files with an ending of a known format are taken, in natural order, be it here or elsewhere.

    Raises:
        RunError: a file system cannot be reached.

    >>> [entry.error for entry in find_entries(["nowhere.png"])]
    ['there is no file or folder nowhere.png; check the path']
    """
    seen: set[int] | None = None if len(places) == 1 and is_uri(places[0]) else set()  # on disks there are links
    roots: list[tuple[int, Any]] = []
    for number, place in enumerate(places):
        for entry in _elsewhere(place, number, roots, recursive) if is_uri(place) else _here(place, recursive):
            if seen is not None:
                digest = hash((entry.root, entry.path or entry.name))
                if digest in seen:
                    continue
                seen.add(digest)
            yield entry


def not_empty(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The same entries, of which no more than those before the first file are asked for at once.

    Raises:
        OptionError: there is no file among them.
    """
    missing: list[Entry] = []
    for entry in entries:
        if not entry.error:
            return itertools.chain(missing, [entry], entries)
        missing.append(entry)
    raise nothing_found([entry.error for entry in missing])


def _here(place: str, recursive: bool) -> Iterator[Entry]:
    try:
        for file in files_of(place, recursive=recursive):
            path = os.path.realpath(file)
            yield Entry(str(file), LOCAL, path, _size(path))
    except ImageError as error:
        yield Entry(place, LOCAL, "", error=str(error))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # reading it will tell
        return 0


def _elsewhere(place: str, root: int, roots: list[tuple[int, Any]], recursive: bool) -> Iterator[Entry]:
    """The files of a URI, folder by folder, so that no more than one folder's names are in memory."""
    from pyarrow import fs

    called = place.partition("?")[0].rstrip("/")
    with _reached(place):
        files, path = opened(place)
        info = files.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            yield Entry(place, LOCAL, "", error=f"there is no file or folder {place}; check the URI")
            return
        root = LOCAL if files.type_name == "local" else _same_root(files, root, roots)
        if info.type != fs.FileType.Directory:
            yield Entry(called, root, path, info.size or 0)
            return
        empty = True
        for found in _inside(files, path, recursive):
            empty = False
            name = called + found.path.removeprefix(path.rstrip("/"))
            yield Entry(name, root, found.path, found.size or 0)
    if empty:
        more = "" if recursive else ", or search the folders in it, too, with --recursive"
        told = f"the folder {place} has no images (files that end in .png, .jpg, .tif, .pdf and the like); name another"
        yield Entry(place, LOCAL, "", error=told + more)


@contextlib.contextmanager
def _reached(place: str) -> Iterator[None]:
    try:
        yield
    except InkgradError:
        raise
    except Exception as error:  # what fsspec knows has errors of its own
        told = " ".join(str(error).split())
        raise RunError(f"cannot open {place} ({told}); check the URI, its permissions and the way there") from error


def _same_root(files: Any, number: int, roots: list[tuple[int, Any]]) -> int:
    """The first place that is on this file system."""
    for known, others in roots:
        if files == others:
            return known
    roots.append((number, files))
    return number


def _inside(files: Any, folder: str, recursive: bool) -> Iterator[Any]:
    """The images of a folder in natural order, those of a folder inside where its name stands."""
    from pyarrow import fs

    for info in _in_order(files.get_file_info(fs.FileSelector(folder))):
        if info.base_name.startswith("."):
            continue
        if info.type == fs.FileType.Directory:
            if recursive and info.path.rstrip("/") != folder.rstrip("/"):
                yield from _inside(files, info.path, recursive)
        elif PurePosixPath(info.base_name).suffix.lower() in ENDINGS:
            yield info


def _in_order(infos: Iterable[Any]) -> list[Any]:
    return sorted(infos, key=lambda info: natural_order(Path(info.base_name)))
