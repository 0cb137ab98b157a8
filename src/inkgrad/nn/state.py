"""Saving and loading: safetensors, arrays plus a JSON header, never pickle."""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inkgrad.autodiff import Array
from inkgrad.errors import ModelFileError
from inkgrad.files import write_atomically
from inkgrad.nn.module import Module

__all__ = ["FORMAT_VERSION", "load_state", "read_arrays", "state_of", "write_arrays"]

FORMAT_VERSION = 1
_KEY = "inkgrad"
_CHECKSUM = "crc32"


def state_of(module: Module) -> dict[str, Array]:
    """name -> a copy of the array, for every parameter and buffer."""
    return {name: member.data.copy() for name, member in module.named_state()}


def load_state(module: Module, arrays: Mapping[str, Array], *, source: str = "the given state") -> None:
    """Copy arrays into a module's parameters and buffers, all or, if anything differs, none.

    Raises:
        ModelFileError: names, shapes or dtypes differ; the message lists every difference.
    """
    members = dict(module.named_state())
    problems = [f"{name} is missing" for name in members if name not in arrays]
    problems += [f"{name} is not part of the network" for name in arrays if name not in members]
    for name, member in members.items():
        if name not in arrays:
            continue
        expected, got = member.data, arrays[name]
        if expected.shape != got.shape:
            problems.append(f"{name} has shape {got.shape} instead of {expected.shape}")
        if expected.dtype != got.dtype:
            problems.append(f"{name} has dtype {got.dtype} instead of {expected.dtype}")
    if problems:
        raise ModelFileError(f"{source} does not fit {type(module).__name__}: {'; '.join(problems)}")
    for name, member in members.items():
        member.data[...] = arrays[name]


def write_arrays(
    path: str | os.PathLike[str], kind: str, header: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Write arrays and a JSON header as one safetensors file, whole or not at all.

    Args:
        path: the file.
        kind: what it is, "model" or "checkpoint".
        header: anything that JSON holds.
        arrays: name -> array.
    """
    from safetensors.numpy import save

    full = {"format": FORMAT_VERSION, "kind": kind, **header}
    contiguous = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    write_atomically(
        path, save(contiguous, metadata={_KEY: json.dumps(full | {_CHECKSUM: _checksum(full, contiguous)})})
    )


def _checksum(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Of the header and of every byte of the arrays, whatever their order in the file."""
    total = zlib.crc32(json.dumps(header).encode())
    for name in sorted(arrays):
        content = np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8)
        total = zlib.crc32(content.data, zlib.crc32(name.encode(), total))
    return f"{total:08x}"


def read_arrays(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the arrays of a file that `write_arrays` wrote.

    Raises:
        ModelFileError: missing, damaged, written by something else, of another kind or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"there is no {kind} file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged or no safetensors file ({error})") from error
    if _KEY not in metadata:
        raise ModelFileError(f"{path} is a safetensors file, but not one that inkgrad wrote: it has no inkgrad header")
    try:
        header = json.loads(metadata[_KEY])
        version, found, checksum = int(header["format"]), str(header["kind"]), header.pop(_CHECKSUM, None)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ModelFileError(f"{path} has a damaged header ({error})") from error
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format {version}, newer than this inkgrad understands ({FORMAT_VERSION}); update inkgrad"
        )
    if checksum is not None and checksum != _checksum(header, arrays):
        raise ModelFileError(f"{path} is damaged: its content does not match its checksum; get or train it again")
    if found != kind:
        raise ModelFileError(f"{path} is a {found} file, but a {kind} file is needed here")
    return header, arrays
