"""`Reader`: all numbers of a picture."""

import functools
import os
import sys
from importlib.resources import as_file, files

from inkgrad.data.dataset import Images
from inkgrad.data.decode import PictureSource
from inkgrad.data.numbers import Strip
from inkgrad.data.picture import read_picture
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models.rows import load_rows
from inkgrad.reading.calibration import Calibration, rated
from inkgrad.reading.decoding import RowReading, reading_of_row
from inkgrad.reading.expect import Expectation, both, expect_pattern
from inkgrad.reading.likeness import Likeness, digit_likeness, doubted
from inkgrad.reading.page import Number, Page
from inkgrad.reading.recognizer import Recognizer
from inkgrad.reading.rows import find_rows
from inkgrad.reading.sources_pages import only_page
from inkgrad.reading.ways import agreed, cut_otherwise

__all__ = ["Reader"]

_SURE = 0.9  # probability of a row as it is, from which on it is not cut out in other ways


class Reader:
    """Reads the numbers of a photo or scan.

    Thread-safe: it keeps nothing of what it has read.

    Args:
        recognizer: tells the labels of strips.
        calibration: from the network's certainty to confidence.
        likeness: tells of images whether they are digits, for numbers of one or two.

    >>> import numpy as np
    >>> Reader.pretrained().read(np.full((200, 300), 250, np.uint8)).numbers  # an empty sheet
    ()
    """

    def __init__(self, recognizer: Recognizer, calibration: Calibration, likeness: Likeness = digit_likeness) -> None:
        self.recognizer = recognizer
        self.calibration = calibration
        self.likeness = likeness

    @classmethod
    def pretrained(cls) -> "Reader":
        """The reader that comes with the package."""
        with as_file(files("inkgrad") / "reading" / "weights" / "reader.safetensors") as path:
            return cls.load(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Reader":
        """The reader of a model file.

        Raises:
            ModelFileError: missing, damaged, of another kind, or of a newer format.
        """
        net, header = load_rows(path)
        try:
            calibration = Calibration.from_json(header["reading"].get("calibration"))
        except ModelFileError as error:
            raise ModelFileError(f"{os.fspath(path)}: {error}") from error
        return cls(Recognizer(net), calibration)

    def read(
        self,
        image: PictureSource,
        *,
        min_confidence: float = 0.5,
        expectation: Expectation | None = None,
        expect: str | None = None,
    ) -> Page:
        r"""Read all numbers of a picture.

        Args:
            image: a path, the bytes of a file, a PIL image or an array, as `data.decode` takes it.
            min_confidence: numbers below it are doubtful. So is, with a confidence of 0, what cannot be what is
                expected.
            expectation: what a number must look like; None for any. It also decides which digits are one number.
            expect: the same as a regular expression, such as r"\d{5}", see `expect_pattern`; where both are given, both
                must fit.

        Raises:
            ImageError: the picture cannot be decoded.
            OptionError: a confidence outside 0..1, an expression that cannot be understood or that nothing fits.
        """
        if not 0 <= min_confidence <= 1:
            raise OptionError(f"the least confidence must be from 0 to 1, but is {min_confidence:g}")
        gray = read_picture(only_page(image))
        numbers = self._numbers(gray, _expected(expectation, expect))
        least = max(min_confidence, sys.float_info.min)  # what does not fit has none, and is no number in any case
        sure = tuple(number for number in numbers if number.confidence >= least)
        doubtful = tuple(number for number in numbers if number.confidence < least)
        return Page(sure, doubtful, gray.shape[1], gray.shape[0])

    def _numbers(self, gray: Images, expected: Expectation | None) -> list[Number]:
        """All numbers in reading order; a row that is not sure is cut out in other ways, too."""
        rows = find_rows(gray)
        ways = [[row.strips[0]] for row in rows]
        readings = [[reading] for reading in self._readings([strip for (strip,) in ways], expected)]
        unsure = [place for place, (reading,) in enumerate(readings) if not _is_sure(reading)]
        others = [(place, strip) for place in unsure for strip in cut_otherwise(gray, rows[place])]
        for (place, strip), reading in zip(
            others, self._readings([strip for _, strip in others], expected), strict=True
        ):
            ways[place].append(strip)
            readings[place].append(reading)
        # Readings are compared by what the network says; how sure one may be of the chosen one is told last.
        chosen = [agreed(of_row) for of_row in readings]
        return [
            doubted(rated(number, self.calibration), strips[place], self.likeness)
            for (place, reading), strips in zip(chosen, ways, strict=True)
            for number in reading.numbers
        ]

    def _readings(self, strips: list[Strip], expected: Expectation | None) -> list[RowReading]:
        seen = self.recognizer([strip.pixels for strip in strips])
        return [reading_of_row(log_p, strip, expected) for log_p, strip in zip(seen, strips, strict=True)]

    def confidence_at_error(self, error: float) -> float:
        """The confidence from which on at most this share of numbers was wrong, out of fold, in real amounts.

        Raises:
            OptionError: the reader has not been measured at an error this low.
        """
        return self.calibration.threshold(error)


def _is_sure(reading: RowReading) -> bool:
    """Whether a row need not be looked at in another way."""
    return bool(reading.numbers) and reading.probability >= _SURE


def _expected(expectation: Expectation | None, expect: str | None) -> Expectation | None:
    if expect is None:
        return expectation
    return _pattern(expect) if expectation is None else both(expectation, _pattern(expect))


@functools.lru_cache(maxsize=32)
def _pattern(expect: str) -> Expectation:
    return expect_pattern(expect)
