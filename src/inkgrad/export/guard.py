"""What a file that may come from a stranger must be before it is parsed: whole, and small once it is unpacked.

Protocol buffers unpack: two bytes of an empty message become a hundred, one byte of a packed number becomes eight.
So the bytes are walked through first, without building anything, and what would grow is refused.
"""

import os
from pathlib import Path
from typing import Any

from inkgrad.errors import ModelFileError

__all__ = ["MOST_BYTES", "check_message", "read_bounded"]

MOST_BYTES = 256 << 20
"""Bytes of a file, and of all files of weights beside it."""

_MOST_FIELDS = 100_000
_MOST_NUMBERS = 16 << 20  # bytes of packed numbers of variable length
_DEEPEST = 24  # messages within messages; a plain model has six
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}
_PLAIN = {1, 2, 6, 7, 15, 16}  # types of numbers of fixed length, by their number in descriptors


def read_bounded(path: str | os.PathLike[str]) -> bytes:
    """The bytes of an ordinary file that is not too large.

    Raises:
        ModelFileError: missing, no ordinary file, or too large.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise ModelFileError(f"there is no ONNX file at {path}; check the path")
        if not path.is_file():
            raise ModelFileError(f"{path} is no ordinary file; name an ONNX file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(MOST_BYTES + 1) if size <= MOST_BYTES else b""
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if size > MOST_BYTES or len(content) > MOST_BYTES:
        raise ModelFileError(f"{path} has {size:,} bytes, more than the {MOST_BYTES:,} that an ONNX file may have here")
    return content


def check_message(content: bytes, descriptor: Any, name: str) -> None:
    """Walk through the bytes of a message, and through those within it.

    Args:
        content: its bytes.
        descriptor: the message's `DESCRIPTOR`.
        name: of the file.

    Raises:
        ModelFileError: damaged, nested too deeply, or of more parts or numbers than a model needs.
    """
    fields = numbers = 0
    within = [(0, len(content), descriptor, 0)]
    while within:
        at, end, kind, depth = within.pop()
        while at < end:
            fields += 1
            if fields > _MOST_FIELDS:
                raise ModelFileError(f"{name} has more than {_MOST_FIELDS:,} parts, too many for a network of digits")
            tag, at = _varint(content, at, end, name)
            wire, field = tag & 7, kind.fields_by_number.get(tag >> 3)
            if wire == _VARINT:
                _, at = _varint(content, at, end, name)
                continue
            if wire not in (_BYTES, *_LENGTHS):
                raise _damaged(name)
            length = _LENGTHS.get(wire)
            if length is None:
                length, at = _varint(content, at, end, name)
            if length > end - at:
                raise _damaged(name)
            if wire == _BYTES and field is not None:
                if field.message_type is not None:
                    if depth >= _DEEPEST:
                        raise ModelFileError(f"{name} has parts within parts more than {_DEEPEST} deep; it is no model")
                    within.append((at, at + length, field.message_type, depth + 1))
                elif field.cpp_type != field.CPPTYPE_STRING and field.type not in _PLAIN:
                    numbers += length
            at += length
            if numbers > _MOST_NUMBERS:
                raise ModelFileError(f"{name} has too many packed numbers; weights belong into raw_data")


def _varint(content: bytes, at: int, end: int, name: str) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise _damaged(name)


def _damaged(name: str) -> ModelFileError:
    return ModelFileError(f"{name} is damaged or no ONNX file; export it again")
