"""Digits as rows of a CSV file, in the form that Kaggle gave MNIST."""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkgrad.data.dataset import DIGITS, SIDE, Dataset
from inkgrad.errors import DataError

__all__ = ["load_csv"]

_COLUMNS = 1 + SIDE * SIDE


def load_csv(path: str | os.PathLike[str]) -> Dataset:
    """Load a table of one digit a row: the label, then 784 pixels from 0 to 255, row by row of the image.

    Args:
        path: a `.csv`, plain or gzip (the content decides), with or without a header line.

    Returns:
        The data set, named after the file.

    Raises:
        DataError: the file is missing or empty, a row has another number of columns, or a value is no whole
            number or out of its range; the message gives the line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "one.csv"
    ...     _ = file.write_text("7" + ",255" * 784)
    ...     load_csv(file).labels
    array([7])
    """
    path = Path(path)
    lines = _lines(path)
    first = 1 if lines and _is_header(lines[0]) else 0
    numbered = [(number, line) for number, line in enumerate(lines[first:], first + 1) if line.strip()]
    if not numbered:
        raise DataError(f"{path} has no rows, expected a label and 784 pixels on each line; give another file")
    for number, line in numbered:
        if (columns := line.count(b",") + 1) != _COLUMNS:
            raise DataError(
                f"line {number} of {path} has {columns} columns, expected {_COLUMNS} (the label and 784 pixels)"
                "; correct the line"
            )
    table = _parse(path, numbered)
    _check_range(path, numbered, table[:, 0], len(DIGITS) - 1, "label")
    _check_range(path, numbered, table[:, 1:], 255, "pixel")
    images = table[:, 1:].astype(np.uint8).reshape(-1, SIDE, SIDE)
    return Dataset(images, table[:, 0].astype(np.int64), path.name)


def _lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}, expected a CSV table of digits; check the path") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is cut off or damaged inside its gzip compression; get the file again") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; give a readable CSV file") from error
    return content.removeprefix(b"\xef\xbb\xbf").splitlines()


def _is_header(line: bytes) -> bool:
    """A header's first cell is a word; a row that merely begins with a wrong value has numbers after it."""
    cells = line.split(b",")
    return not any(_is_number(cell) for cell in cells[:2]) and bool(line.strip())


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parse(path: Path, numbered: list[tuple[int, bytes]]) -> NDArray[np.int64]:
    try:
        # Every line has its 785 columns by now, so one pass over all of them is safe, and it is fast.
        values = np.loadtxt((line for _, line in numbered), np.int64, delimiter=",", ndmin=2, comments=None)
    except (ValueError, UnicodeDecodeError) as error:
        for number, line in numbered:
            for cell in line.split(b","):
                try:
                    int(cell)
                except ValueError:
                    shown = cell.decode("utf-8", "replace").strip()[:40]
                    raise DataError(
                        f"line {number} of {path} has {shown!r} where a whole number is expected; correct the line"
                    ) from error
        raise DataError(f"{path} cannot be read as a table of whole numbers ({error}); give another file") from error
    return values


def _check_range(path: Path, numbered: list[tuple[int, bytes]], values: NDArray[np.int64], top: int, what: str) -> None:
    wrong = np.argwhere((values < 0) | (values > top))
    if wrong.size:
        place = tuple(wrong[0])
        raise DataError(
            f"line {numbered[place[0]][0]} of {path} has the {what} {values[place]}, expected 0..{top}; "
            "correct the line"
        )
