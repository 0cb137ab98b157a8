"""A reader for tests of what is around the reader: pages say themselves what is on them.

The pixels of a page's first row are digits up to the first that is above 9; the first pixel of the second row is the
confidence in 200ths. It can be had in other processes, as it is found by name.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inkgrad.data.decode import decode
from inkgrad.errors import ImageError, StorageError
from inkgrad.reading.calibration import Calibration
from inkgrad.reading.page import Digit, Number, Page

REFUSED, KILLED, BROKEN, ENDLESS = 100, 101, 102, 103


def page(digits: str, confidence: float = 0.99, *, size: tuple[int, int] = (40, 60)) -> np.ndarray:
    """uint8 (h, w)."""
    pixels = np.full(size, 255, np.uint8)
    pixels[0, : len(digits)] = [int(digit) for digit in digits]
    pixels[1, 0] = round(200 * confidence)
    return pixels


def save(path: Path, digits: str, confidence: float = 0.99) -> Path:
    Image.fromarray(page(digits, confidence)).save(path)
    return path


def special(path: Path, what: int) -> Path:
    pixels = page("1")
    pixels[0, 0] = what
    Image.fromarray(pixels).save(path)
    return path


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


@dataclass
class FakeReader:
    """Reads such pages.

    Attributes:
        seconds: how long it takes for each.
        written: what stands before and behind the digits.
    """

    seconds: float = 0.0
    written: tuple[str, str] = ("", "")

    def confidence_at_error(self, error):
        return Calibration().threshold(error)

    def read(self, image, *, min_confidence=0.5, expectation=None):
        pixels = decode(image)
        time.sleep(self.seconds)
        first = int(pixels[0, 0])
        if first == REFUSED:
            raise ImageError("this page is refused")
        if first == BROKEN:
            raise ZeroDivisionError("division by zero")
        if first == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        if first == ENDLESS:
            time.sleep(600)
        row = pixels[0].tolist()
        end = next((place for place, value in enumerate(row) if value > 9), len(row))
        if not end:
            return Page((), (), pixels.shape[1], pixels.shape[0])
        confidence = int(pixels[1, 0]) / 200
        digits = tuple(
            Digit(value, confidence, ((9 - value, 1 - confidence),), box(10 + 8 * i, 10, 17 + 8 * i, 25))
            for i, value in enumerate(row[:end])
        )
        text = "".join(str(digit.value) for digit in digits)
        number = Number(text, text.join(self.written), confidence, box(10, 10, 9 + 8 * end, 25), digits)
        sure = confidence >= min_confidence
        return Page((number,) if sure else (), () if sure else (number,), pixels.shape[1], pixels.shape[0])


def slow_reader(model=None):
    return FakeReader(seconds=float(os.environ.get("FAKE_SECONDS", "0.02")))


def quick_reader(model=None):
    return FakeReader()


class FullDisk(FakeReader):
    def read(self, image, **options):
        raise StorageError("the disk is full")


def full_disk(model=None):
    return FullDisk()


class Sleeper:
    """Makes a reader that reads for ever."""

    def __call__(self):
        return lambda _: time.sleep(1000)
