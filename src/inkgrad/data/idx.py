"""IDX, the file format of MNIST: two zero bytes, a type code, the number of axes, the shape, the values.

The format is described at http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes and Burges).
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError

__all__ = ["read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MOST_AXES = 64  # NumPy's limit
_DEFLATE_RATIO = 1032  # DEFLATE cannot pack more than this many bytes into one
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, plain or compressed with gzip; the content decides which, not the name.

    Memory is taken only for values that are really there, whatever the header says.

    Args:
        path: the file.

    Returns:
        An array of the file's shape: uint8, int8, int16, int32, float32 or float64, in native byte order.

    Raises:
        DataError: the file is missing, is no IDX file, ends early or has more values than its shape.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "labels"
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(file)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise DataError(f"{path} is empty, expected an IDX file; get the file again")
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                return _parse(path, file, size)
            with gzip.open(file) as unpacked:
                return _parse(path, unpacked, size * _DEFLATE_RATIO)  # type: ignore[arg-type]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path} is cut off or damaged inside its gzip compression ({error}); get the file again"
        ) from error
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}, expected an IDX file; check the path") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; give a readable IDX file") from error


def _parse(path: Path, file: BinaryIO, most: int) -> NDArray[Any]:
    """Read header and values; `most` bounds how many bytes the file can hold."""
    magic = _take(file, 4)
    if len(magic) == 4 and (magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] > _MOST_AXES):
        raise DataError(
            f"{path} is not an IDX file: it begins with {magic.hex(' ')}, expected 00 00, a type code "
            "(08, 09, 0b to 0e) and the number of axes; give another file"
        )
    axes = magic[3] if len(magic) == 4 else 0
    sizes = _take(file, 4 * axes)
    if len(magic) < 4 or len(sizes) < 4 * axes:
        raise DataError(f"{path} ends inside its IDX header; get the file again")
    shape = struct.unpack(f">{axes}I", sizes)
    dtype = np.dtype(_TYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    # One byte more than expected is asked for: it shows what trails, and makes gzip check its sum.
    values = _take(file, min(expected, most) + 1)
    if len(values) < expected:
        raise DataError(
            f"{path} is truncated: its shape {shape} needs {expected} bytes of values, "
            f"but only {len(values)} are there; get the file again"
        )
    if len(values) > expected:
        raise DataError(
            f"{path} has bytes after the {expected} bytes of values that its shape {shape} needs; get the file again"
        )
    # A copy in NumPy's own memory: large pages there make reading rows in random order faster.
    return np.frombuffer(values, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _take(file: BinaryIO, count: int) -> bytearray:
    """Up to `count` bytes, in chunks, so that a wrong count takes no memory."""
    taken = bytearray()
    while len(taken) < count and (chunk := file.read(min(_CHUNK, count - len(taken)))):
        taken += chunk
    return taken
