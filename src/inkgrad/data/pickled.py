"""Reading pickles that hold nothing but NumPy arrays, without running anything they name.

A pickle is a program: it names functions and calls them. Here every name is looked up in a short table of
stand-ins of our own, so that not even NumPy's reconstruction, which trusts what it is given, is called.
"""

import gzip
import math
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import DataError

__all__ = ["read_pickle"]

_GZIP = b"\x1f\x8b"
_NUMERIC = re.compile(r"[<>|=]?([biuf])(1|2|4|8)|\?")
_CORES = ("numpy.core", "numpy._core")


def read_pickle(path: str | os.PathLike[str]) -> Any:
    """Read a pickle, plain or gzip, of Python 2 or 3, that holds only numeric NumPy arrays and plain values.

    Args:
        path: the file.

    Returns:
        What was pickled: arrays, numbers, texts and tuples, lists and dicts of them.

    Raises:
        DataError: the file is missing, damaged, or holds anything else; nothing of it has run.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "arrays.pkl"
    ...     _ = file.write_bytes(pickle.dumps((np.arange(3, dtype="u1"), "three")))
    ...     read_pickle(file)
    (array([0, 1, 2], dtype=uint8), 'three')
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                return _load(file)
            with gzip.open(file) as unpacked:
                return _load(unpacked)
    except _RefusedError as error:
        raise DataError(
            f"{path} holds {error}, expected nothing but numeric NumPy arrays; nothing of it was run, "
            "save the arrays as .npz instead"
        ) from None
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}, expected a pickle of NumPy arrays; check the path") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; get the file again") from error
    except Exception as error:  # a damaged pickle fails in any way
        raise DataError(
            f"{path} is cut off or is no pickle of NumPy arrays ({type(error).__name__}: {error}); get the file again"
        ) from error


def _load(file: BinaryIO | gzip.GzipFile) -> Any:
    return _plain(_Unpickler(file, encoding="latin1").load())


class _RefusedError(Exception):
    """Says what the pickle holds that is not admitted."""


class _Admitted:
    """A stand-in that a pickle may call but not change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("an attempt to change a function")


class _Dtype:
    """Stands in for `numpy.dtype`: a numeric type and its byte order."""

    __slots__ = ("_code",)

    def __init__(self, code: object, *_: object) -> None:
        match = _NUMERIC.fullmatch(code) if isinstance(code, str) else None
        if match is None:
            raise _RefusedError(f"an array of dtype {_shorten(code)}")
        self._code = str(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # (version, byte order, sub-array, names, fields, item size, alignment, flags, ...)
        if any(part is not None for part in state[2:5]) or state[1] not in ("<", ">", "|", "="):
            raise _RefusedError("an array of a compound dtype")
        self._code = state[1] + self._code.lstrip("<>|=")

    def array(self, values: bytes | bytearray, shape: tuple[int, ...], order: str) -> NDArray[Any]:
        dtype = np.dtype(self._code)
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise _RefusedError(f"an array of shape {_shorten(shape)}")
        if math.prod(shape) * dtype.itemsize != len(values):
            raise _RefusedError(f"an array whose shape {_shorten(shape)} does not fit its {len(values)} bytes")
        flat = np.frombuffer(values, dtype)
        return flat.reshape(shape, order="F" if order == "F" else "C").astype(dtype.newbyteorder("="))


class _Array:
    """Stands in for an `ndarray` between `_reconstruct` and its state."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: NDArray[Any] = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, by_columns, values = state[-4:]
        if isinstance(values, str):  # Python 2 has one type for text and bytes
            values = values.encode("latin1")
        if not isinstance(dtype, _Dtype) or not isinstance(values, (bytes, bytearray)):
            raise _RefusedError("an array of Python objects")
        self.value = dtype.array(values, shape, "F" if by_columns else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _Admitted(_STAND_INS[module, name])
        except KeyError:
            raise _RefusedError(_shorten(f"{module}.{name}")) from None

    def persistent_load(self, _pid: object) -> Any:
        raise _RefusedError("a reference to something outside the file")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _from_buffer(values: Any, dtype: Any, shape: Any, order: str, axes: tuple[int, ...] | None = None) -> NDArray[Any]:
    """NumPy's form of an array since pickle protocol 5."""
    if not isinstance(dtype, _Dtype) or not isinstance(values, (bytes, bytearray)):
        raise _RefusedError("an array of Python objects")
    array = dtype.array(values, tuple(shape), order)
    return array.transpose(axes) if order == "K" and axes is not None else array


def _scalar(dtype: Any, value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode("latin1")
    return _from_buffer(value, dtype, (), "C")[()]


def _encode(text: object, encoding: object = "latin1", *_: object) -> bytes:
    """What Python 3 calls to rebuild bytes in the oldest protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "iso-8859-1"):
        raise _RefusedError("text in an unexpected encoding")
    return text.encode("latin1")


def _refuse_call(*_: object) -> None:
    raise _RefusedError("a direct call of numpy.ndarray")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _refuse_call,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{(f"{core}.multiarray", "_reconstruct"): _reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _from_buffer for core in _CORES},
}


def _plain(value: Any) -> Any:
    """Put arrays where their stand-ins are; whatever else is no plain value is refused."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(part) for part in value)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (np.ndarray, np.generic, int, float, str, bytes, bytearray)) or value is None:
        return value
    raise _RefusedError(f"a {type(value).__name__.lstrip('_').lower()}")


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
