"""What is to be read: files, the files of folders, globs, standard input."""

import enum
import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from inkgrad.data.formats import IMAGE_ENDINGS, KNOWN_FORMATS
from inkgrad.errors import ImageError, OptionError

__all__ = ["ENDINGS", "STDIN", "Source", "Stdin", "files_of", "find_sources", "natural_order", "nothing_found"]

ENDINGS = IMAGE_ENDINGS | {".pdf"}
_WILD = re.compile(r"[*?\[]")


class Stdin(enum.Enum):
    """The type of `STDIN`."""

    STDIN = "-"

    def __str__(self) -> str:
        return "standard input"


STDIN = Stdin.STDIN
"""Standard input, which is named `-`."""

Source: TypeAlias = Path | Stdin


def find_sources(paths: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> list[Source]:
    """The files that are meant by what the user names, each once, in the order in which they are named.

    A named file is taken whatever its ending is: what it holds is decided when it is read. Of a folder or a glob,
    the files with an ending of a known format are taken, in natural order; others, and what is hidden, are passed over.

    Args:
        paths: files, folders, globs (a file of that very name goes first), and `-` for standard input.
        recursive: whether the folders in folders are searched, too; links to folders are not followed.

    Returns:
        Paths and `STDIN`.

    Raises:
        ImageError: there is no such path, a folder cannot be opened or has no images, or a glob matches nothing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("page10.png", "page2.PNG", "notes.txt", ".hidden.png"):
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     [path if path is STDIN else path.name for path in find_sources(["-", folder, f"{folder}/*2.*"])]
    [<Stdin.STDIN: '-'>, 'page2.PNG', 'page10.png']
    """
    found: dict[str | Stdin, Source] = {}
    for path in paths:
        if os.fspath(path) == "-":
            found.setdefault(STDIN, STDIN)
            continue
        for file in files_of(path, recursive=recursive):
            found.setdefault(os.path.normcase(os.path.realpath(file)), file)
    return list(found.values())


def natural_order(path: Path) -> list[tuple[list[str | int], str]]:
    """A key that sorts as people do: page2 before page10, whatever the case.

    >>> [path.name for path in sorted(map(Path, ("b1", "a10", "A2", "a1")), key=natural_order)]
    ['a1', 'A2', 'a10', 'b1']
    """
    parts = []
    for name in path.parts:
        pieces = re.split(r"([0-9]+)", name.casefold())  # every second piece is a number
        parts.append(([int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], name))
    return parts


def nothing_found(errors: Sequence[str]) -> OptionError:
    """That nothing of what was named is there, so that no output is begun and none that exists is replaced.

    Args:
        errors: what is wrong with each path, one sentence each.

    >>> print(nothing_found(["there is no file or folder a.png; check the path"]))
    there is no file or folder a.png; check the path
    """
    if len(errors) == 1:
        return OptionError(errors[0])
    return OptionError(f"none of the {len(errors)} paths names anything to read, the first of them: {errors[0]}")


def files_of(given: str | os.PathLike[str], *, recursive: bool = False) -> Iterable[Path]:
    """The files that one argument of `find_sources` means; of folders no more than one's names are in memory.

    A file comes twice where a link to it is in the same folder.

    Raises:
        ImageError: as there, perhaps not before the files are asked for.
    """
    path = Path(given)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        if _WILD.search(os.fspath(given)):
            return _matches(os.fspath(given), recursive)
        if path.is_symlink():
            raise ImageError(f"{path} is a link to {path.readlink()}, which is not there; mend the link") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise ImageError(f"there is no file or folder {path}; check the path") from error
        raise ImageError(f"cannot find {path} ({error}); check the path and its permissions") from error
    if not stat.S_ISDIR(mode):
        return [path]
    return _images_of(path, recursive)


def _images_of(folder: Path, recursive: bool) -> Iterator[Path]:
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise ImageError(f"cannot open the folder {folder} ({error.strerror}); check its permissions") from error
    empty = True
    for file in _inside(folder, recursive):
        empty = False
        yield file
    if empty:
        folders = not recursive and any(stat.S_ISDIR(_mode(entry)) for entry in folder.iterdir())
        raise ImageError(
            f"the folder {folder} has no images (files that end in .png, .jpg, .tif, .pdf and the like); "
            + ("name the folders in it, or search them, too, with --recursive" if folders else "name another")
        )


def _matches(pattern: str, recursive: bool) -> list[Path]:
    """What a glob matches, where the shell has not expanded it."""
    anything = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - the pattern may be absolute
    matches = sorted(map(Path, anything), key=natural_order)
    found: list[Path] = []
    for match in matches:
        mode = _mode(match)
        if stat.S_ISDIR(mode):
            found += [] if "**" in pattern else _inside(match, recursive)
        elif _is_image(match, mode):
            found.append(match)
    if not found:
        others = f"matches {len(matches)} files or folders, but no images" if matches else "matches nothing"
        raise ImageError(
            f"{pattern} {others}, expected files of a known format (PDF, {KNOWN_FORMATS}); check the pattern"
        )
    return found


def _inside(folder: Path, recursive: bool) -> Iterator[Path]:
    """The images of a folder in natural order, those of a folder in it where its name stands.

    One that cannot be opened has none.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural_order(Path(entry.name)))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        mode = _mode(entry)
        if _is_image(entry, mode):
            yield entry
        elif recursive and stat.S_ISDIR(mode) and not entry.is_symlink():  # a link could lead in a circle
            yield from _inside(entry, recursive)


def _is_image(path: Path, mode: int) -> bool:
    """Whether the name says so, and it is no folder, pipe or device; where that is not known, reading it will tell."""
    return path.suffix.lower() in ENDINGS and (mode == 0 or stat.S_ISREG(mode))


def _mode(path: Path) -> int:
    """Of what kind a path is, as `stat` says it; 0 if that cannot be found out."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0
