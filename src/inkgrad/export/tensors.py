"""Arrays of an ONNX file: their bytes are counted before anything is made of them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.errors import ModelFileError
from inkgrad.export.guard import MOST_BYTES

__all__ = ["Reader", "dtype_name", "told"]

_MOST_AXES = 16
_HALVES = ("float16", "bfloat16")
_KNOWN = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool"}
_KNOWN |= {10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16"}
_BYTES = {"float32": 4, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "int32": 4, "int64": 8, "bool": 1}
_BYTES |= {"float16": 2, "float64": 8, "uint32": 4, "uint64": 8, "bfloat16": 2}
_FIELDS = {"float32": ("float_data",), "float64": ("double_data",), "int64": ("int64_data",)}
_FIELDS |= {"uint32": ("uint64_data",), "uint64": ("uint64_data",)}


def told(text: Any) -> str:
    """A name from a file as it can stand in a message: printable, and not long."""
    return repr(str(text)[:60])


class Reader:
    """Makes arrays of a file's tensors.

    Args:
        name: of the file, for messages.
        folder: where files of weights may lie; None where the model did not come from a file.
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name = name
        self.folder = folder
        self._outside = 0  # bytes read from other files

    def array(self, tensor: Any) -> Array:
        """The array of a tensor; half floats as float32.

        Raises:
            ModelFileError: a type or shape that is not known, or other bytes than the shape says.
        """
        kind, shape = _KNOWN.get(tensor.data_type), tuple(tensor.dims)
        if kind is None:
            raise self._refused(tensor, f"a type {tensor.data_type} that is not read here")
        if len(shape) > _MOST_AXES or any(n < 0 for n in shape):
            raise self._refused(tensor, f"the shape {shape[:_MOST_AXES]}, which no array has")
        if tensor.HasField("segment"):
            raise self._refused(tensor, "segments, which are not read here")
        size = math.prod(shape)
        if size * _BYTES[kind] > MOST_BYTES:
            raise self._refused(tensor, f"{size:,} numbers, more than {MOST_BYTES:,} bytes")
        if tensor.data_location == type(tensor).EXTERNAL:
            array = self._from_bytes(tensor, self._external(tensor), kind, size)
        elif tensor.HasField("raw_data"):
            array = self._from_bytes(tensor, tensor.raw_data, kind, size)
        else:
            array = self._from_field(tensor, kind, size)
        array = array.reshape(shape)
        result: Array = array.astype(np.float32) if kind in _HALVES else array
        return result

    def _from_bytes(self, tensor: Any, content: bytes, kind: str, size: int) -> Array:
        if len(content) != size * _BYTES[kind]:
            raise self._refused(tensor, f"{len(content):,} bytes for {size:,} numbers of {kind}")
        if kind == "bfloat16":
            return _widened(np.frombuffer(content, "<u2"))
        if kind == "bool":
            return np.asarray(np.frombuffer(content, np.uint8) != 0)
        return np.frombuffer(content, np.dtype(kind).newbyteorder("<")).astype(kind)

    def _from_field(self, tensor: Any, kind: str, size: int) -> Array:
        """From one of the lists of numbers; half floats lie there as the bits of whole numbers."""
        (field,) = _FIELDS.get(kind, ("int32_data",))
        values = getattr(tensor, field)
        if len(values) != size:
            raise self._refused(tensor, f"{len(values):,} values for {size:,} numbers of {kind}")
        if kind not in _HALVES:
            with np.errstate(over="ignore"):
                return np.asarray(values, {"int32_data": np.int32}.get(field)).astype(kind)
        bits = np.asarray(values, np.int64).astype(np.uint16)
        return bits.view(np.float16) if kind == "float16" else _widened(bits)

    def _external(self, tensor: Any) -> bytes:
        """Its bytes in a file of weights beside the model.

        Raises:
            ModelFileError: a path that leaves the folder, a missing file, or bytes that it does not have.
        """
        entries: Mapping[str, str] = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        if self.folder is None:
            raise self._refused(tensor, f"its weights in a file {told(location)}; load the model from its file")
        path = self._within(tensor, location)
        try:
            offset, there = int(entries.get("offset", "0")), path.stat().st_size
            length = int(entries.get("length", str(there - offset)))
        except ValueError as error:
            raise self._refused(tensor, f"a place in the file {told(location)} that is no number") from error
        if offset < 0 or length < 0 or offset + length > there:
            raise self._refused(tensor, f"bytes {offset} to {offset + length} of {told(location)}, which has {there:,}")
        self._outside += length
        if self._outside > MOST_BYTES:
            raise self._refused(tensor, f"more than {MOST_BYTES:,} bytes of weights in other files")
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            why = error.strerror or error
            raise self._refused(tensor, f"its weights in {told(location)}, which cannot be read: {why}") from error

    def _within(self, tensor: Any, location: str) -> Path:
        assert self.folder is not None
        folder = self.folder.resolve()
        path = Path(location)
        if not location or "\0" in location or path.is_absolute() or ".." in path.parts or "\\" in location:
            raise self._refused(tensor, f"its weights at {told(location)}, which is no path within its folder")
        try:
            full = (folder / path).resolve()
            there = full.is_file()
        except (OSError, RuntimeError) as error:  # a name that is too long, links that lead to each other
            why = getattr(error, "strerror", None) or "its links go round"
            raise self._refused(tensor, f"its weights at {told(location)}, which cannot be found: {why}") from error
        if not full.is_relative_to(folder):
            raise self._refused(tensor, f"its weights at {told(location)}, which leads out of its folder")
        if not there:
            raise self._refused(tensor, f"its weights in {told(location)}, which is missing; keep both files together")
        return full

    def _refused(self, tensor: Any, has: str) -> ModelFileError:
        return ModelFileError(f"{self.name} cannot be read: its tensor {told(tensor.name)} has {has}")


def _widened(bits: Array) -> Array:
    """The float32 whose upper half are these bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def dtype_name(number: int) -> str | None:
    """The name of an element type of ONNX, None where it is not known; half floats compute as float32."""
    kind = _KNOWN.get(number)
    return "float32" if kind in _HALVES else kind
