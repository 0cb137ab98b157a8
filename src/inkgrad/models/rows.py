"""The network that reads a row of digits: float32 (n, 1, 40, w) -> logits (n, t, labels + 1)."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkgrad.autodiff import Tensor, TensorLike
from inkgrad.data.numbers import BLANK, LABELS, OTHER, STRIP_HEIGHT, WRITABLE
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.network import Network
from inkgrad.nn import BatchNorm2d, Conv2d, MaxPool2d, Module, ReLU
from inkgrad.nn.init import lecun_normal
from inkgrad.nn.state import load_state, read_arrays, state_of, write_arrays
from inkgrad.random import default_rng

__all__ = ["STEP", "RowNetwork", "build_rows", "is_rows", "label_log_probabilities", "load_rows", "save_rows"]

STEP = 4
"""Pixels of a strip for each step of the output; a strip is as wide as a multiple of it."""

RARER = 0.1
"""By what the odds of another character are multiplied: with less, postcodes gain little and cheques lose."""

_ARCHITECTURE = "rows"
_TOLD = WRITABLE + "*"  # what the outputs behind the blank stand for: the last one for any other character


class RowNetwork(Network):
    """Convolutions, one of them as high as what pooling has left of the strip, so that one row of features is left.

    Each step of the output sees about 60 pixels of the strip. There is no recurrence: what stands far away says
    nothing of a digit.
    """

    def forward(self, x: TensorLike) -> Tensor:
        """Float32 (n, 1, 40, w) -> logits (n, w / 4, labels + 1), the last one that of any other character."""
        y = super().forward(x)
        n, labels, _, steps = y.shape
        rows: Tensor = y.reshape(n, labels, steps).transpose(0, 2, 1)
        return rows


def label_log_probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits (..., labels + 1) -> logarithms of the probabilities of the labels, float64 (..., labels).

    Where a character stands, the odds of another one, of which a network sees more while it learns than among numbers,
    become a tenth of what they are: w and o, the probabilities of all that can be written and of another character,
    become w s and r o s with s = (w + o) / (w + r o). Another character is none of a number: r o s goes to the blank.

    >>> p = label_log_probabilities(np.zeros((1, 21)))
    >>> p.shape, np.exp(p[0, :2]).round(3)
    ((1, 20), array([0.053, 0.05 ]))
    """
    z = np.asarray(logits, np.float64)
    log_p = z - np.logaddexp.reduce(z, axis=-1, keepdims=True)
    written, other = log_p[..., BLANK + 1 : LABELS], log_p[..., OTHER:]
    some, rarer = np.logaddexp.reduce(written, axis=-1, keepdims=True), other + math.log(RARER)
    scale = np.logaddexp(some, other) - np.logaddexp(some, rarer)
    blank = np.logaddexp(log_p[..., BLANK : BLANK + 1], rarer + scale)
    return np.concatenate([blank, written + scale], axis=-1)


def build_rows(*, rng: np.random.Generator, width: int = 40) -> RowNetwork:
    """Nine convolutions, with batch normalization, of 3/4 `width` to 5 `width` channels, and the logits.

    Args:
        rng: draws the initial weights.
        width: channels of the second convolution.

    >>> from inkgrad.random import default_rng
    >>> net = build_rows(rng=default_rng(0), width=4)
    >>> net(np.zeros((2, 1, 40, 96), np.float32)).shape
    (2, 24, 21)
    """
    if width < 1:
        raise OptionError(f"a network for rows needs a width of at least 1, but got {width}")

    def stage(inputs: int, outputs: int, size: int | tuple[int, int], **options: Any) -> tuple[Module, ...]:
        return Conv2d(inputs, outputs, size, rng=rng, bias=False, **options), BatchNorm2d(outputs), ReLU()

    fewer, high = max(1, 3 * width // 4), STRIP_HEIGHT // 8
    net = RowNetwork(
        *stage(1, fewer, 5, stride=2, padding=2),
        *(*stage(fewer, width, 3, padding=1), MaxPool2d(2)),
        *stage(width, 2 * width, 3, padding=1),
        *(*stage(2 * width, 2 * width, 3, padding=1), MaxPool2d((2, 1))),
        *stage(2 * width, 3 * width, 3, padding=1),
        *stage(3 * width, 3 * width, 3, padding=1),
        *stage(3 * width, 3 * width, 3, padding=1),
        *stage(3 * width, 5 * width, (high, 3), padding=(0, 1)),
        *stage(5 * width, 5 * width, (1, 3), padding=(0, 1)),
        Conv2d(5 * width, LABELS + 1, 1, rng=rng, init=lecun_normal),
    )
    net.architecture, net.options = _ARCHITECTURE, {"width": width}
    return net


def save_rows(
    path: str | os.PathLike[str], net: RowNetwork, *, reading: Mapping[str, Any], training: Mapping[str, Any]
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        net: the network.
        reading: what a reader needs beside it, such as its calibration, as JSON holds it.
        training: how it was trained, as JSON holds it.

    Raises:
        StorageError: the file could not be written.
    """
    header = {
        "architecture": _ARCHITECTURE,
        "options": net.options,
        "labels": _TOLD,
        "reading": dict(reading),
        "training": dict(training),
    }
    write_arrays(path, "model", header, state_of(net))


def is_rows(path: str | os.PathLike[str]) -> bool:
    """Whether a model file holds a network of this kind.

    Raises:
        ModelFileError: damaged, or no model file.
    """
    return read_arrays(Path(path), "model")[0].get("architecture") == _ARCHITECTURE


def load_rows(path: str | os.PathLike[str]) -> tuple[RowNetwork, dict[str, Any]]:
    """The network of a model file, in prediction mode, and the file's header.

    Raises:
        ModelFileError: missing, damaged, of another architecture, or of a newer format.
    """
    header, arrays = read_arrays(Path(path), "model")
    if header.get("architecture") != _ARCHITECTURE:
        raise ModelFileError(
            f"{path} holds a network {header.get('architecture')!r}, expected {_ARCHITECTURE!r}, which reads numbers; "
            "name the file of a reader"
        )
    if header.get("labels") != _TOLD:
        raise ModelFileError(
            f"{path} holds a reader of the characters {header.get('labels')!r}, but this inkgrad reads {_TOLD!r}; "
            "train it again, or read with the inkgrad that made it"
        )
    parts = {part: header.get(part) for part in ("options", "reading", "training")}
    if wrong := [part for part, content in parts.items() if not isinstance(content, dict)]:
        raise ModelFileError(f"{path} is damaged: {_told(header, wrong)}; get or train it again")
    width = header["options"].get("width")
    if not isinstance(width, int) or width < 1:
        raise ModelFileError(f"{path} is damaged: its network is {width!r} wide; get or train it again")
    net = build_rows(rng=default_rng(0), width=width)
    load_state(net, arrays, source=str(path))
    net.eval()
    return net, header


def count_parameters(path: str | os.PathLike[str]) -> int:
    """The number of parameters in the file of a network of this kind; it is not loaded, and buffers do not count."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    return sum(math.prod(shape) for name, shape in shapes.items() if not name.rpartition(".")[2].startswith("running_"))


def _told(header: Mapping[str, Any], parts: list[str]) -> str:
    """What is wrong with parts of a header, which should be objects."""
    return ", ".join(
        f"its header has {header[part]!r} as {part!r}" if part in header else f"its header has no {part!r}"
        for part in parts
    )
