"""Corrections as data to learn from."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from inkgrad.data import DIGITS, NO_DIGIT, Dataset, to_digit
from inkgrad.errors import ImageError
from inkgrad.feedback.store import Entry

__all__ = ["Corrections", "corrections"]

_HELD_OUT = 4  # every fourth picture, by what is in it


@dataclass(frozen=True)
class Corrections:
    """Pictures of one digit, or of none, with what people said that they show.

    Attributes:
        learned: to learn from.
        held_out: to measure on. A picture is held out because of what is in it, so that it stays held out when others
            come, and whatever network is trained.
        unused: entries that are not of one digit, have no ink, cannot be decoded, or were said again later.
    """

    learned: Dataset
    held_out: Dataset
    unused: int


def corrections(entries: Iterable[Entry], *, rejects: bool) -> Corrections:
    """Bring entries to the form that a network learns from.

    Args:
        entries: the oldest first; of several on one picture the last one counts.
        rejects: whether the network learns what is no digit; where not, pictures of none are unused.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(file, "PNG")
    >>> found = corrections([Entry(file.getvalue(), "7"), Entry(b"?", "1"), Entry(b"?", "12")], rejects=True)
    >>> len(found.learned) + len(found.held_out), found.unused
    (1, 2)
    """
    count, found = 0, {}
    for entry in entries:
        count += 1
        if (label := _label(entry, rejects)) is None:
            continue
        try:
            image = to_digit(entry.image)
        except ImageError:
            continue
        if image is not None:
            found[image.tobytes()] = label
    names = (*DIGITS, NO_DIGIT) if rejects else DIGITS
    empty = Dataset(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64), "corrections", names, rejects)
    parts = []
    for wanted in (False, True):
        chosen = {content: label for content, label in found.items() if _is_held_out(content) == wanted}
        images = np.frombuffer(b"".join(chosen), np.uint8).reshape(-1, 28, 28)
        parts.append(replace(empty, images=images, labels=np.array(list(chosen.values()), np.int64)))
    return Corrections(parts[0], parts[1], count - len(found))


def _label(entry: Entry, rejects: bool) -> int | None:
    if entry.correct is None:
        return len(DIGITS) if rejects else None
    return int(entry.correct) if len(entry.correct) == 1 else None


def _is_held_out(image: bytes) -> bool:
    return hashlib.sha256(image).digest()[0] % _HELD_OUT == 0
