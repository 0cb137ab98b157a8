"""Reading the fields of a form's page."""

import math
from collections.abc import Sequence

from inkgrad.data.dataset import Images
from inkgrad.data.decode import decode
from inkgrad.reading.expect import Expectation
from inkgrad.reading.forms.alignment import Template
from inkgrad.reading.forms.file import Form, compiled
from inkgrad.reading.joints import PageReader
from inkgrad.reading.page import Number
from inkgrad.reading.record import Record, rounded

__all__ = ["FormReader"]


class FormReader:
    """Reads the fields of page after page.

    What is expected of the fields is compiled once, and the template looked at once.

    Args:
        form: where the fields are.
        reader: reads each of them.
        min_confidence: for fields that do not say their own.

    Raises:
        OptionError: what is expected of a field cannot be understood; the message names the field.
        ImageError: the template cannot be read or has too little on it.
    """

    def __init__(self, form: Form, reader: PageReader, *, min_confidence: float = 0.5) -> None:
        self._form, self._reader, self._min_confidence = form, reader, min_confidence
        blank = form.picture or form.template
        self._template = None if blank is None else Template(decode(blank), str(form.template))
        self._expectations = [compiled(field) for field in form.fields]

    def read(self, pixels: Images) -> tuple[Record, Images]:
        """Read a page.

        Where a form has a template, the page is aligned to it first, and boxes are in pixels of the template.

        Args:
            pixels: uint8 (h, w) or (h, w, 3).

        Returns:
            `width`, `height` and `fields` of a record; the page as it was read.

        Raises:
            ImageError: the page cannot be aligned to the template.
        """
        if self._template is not None:
            pixels = self._template.align(pixels)
        height, width = pixels.shape[:2]
        fields = {}
        for field, expectation in zip(self._form.fields, self._expectations, strict=True):
            left, top, right, bottom = corners = _pixels(field.box, width, height)
            part = pixels[top:bottom, left:right]
            page = self._reader.read(part, min_confidence=0.0, expectation=expectation)
            least = self._min_confidence if field.min_confidence is None else field.min_confidence
            numbers = page.numbers or page.doubtful
            found = _joined(numbers, least, field.required)
            if page.doubtful or not _fit(numbers, expectation):  # what stands there cannot be what is expected
                found |= {"confidence": 0.0, "doubtful": True}
            fields[field.name] = found | {"box": _box(*corners)}
        return rounded({"width": width, "height": height, "fields": fields}), pixels


def _fit(numbers: Sequence[Number], expectation: Expectation | None) -> bool:
    """Whether several numbers are together what is expected of the field, as each of them is."""
    if expectation is None or len(numbers) < 2:
        return True
    return expectation.accepts("".join(number.written for number in numbers))


def _joined(numbers: Sequence[Number], least: float, required: bool) -> Record:
    """All numbers in a field as one, as sure as the least sure of them: without a part it would be another number."""
    if not numbers:
        return {"text": "", "written": "", "confidence": None, "doubtful": required, "free": None}
    confidence = min(float(number.confidence) for number in numbers)
    free = [number.free for number in numbers]
    return {
        "text": "".join(number.text for number in numbers),
        "written": " ".join(number.written for number in numbers),
        "confidence": confidence,
        "doubtful": confidence < least,
        "free": None if all(one is None for one in free) else "".join(one or "" for one in free),
    }


def _pixels(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom: whole pixels, at least one."""
    left, top = min(int(box[0] * width), width - 1), min(int(box[1] * height), height - 1)
    right, bottom = math.ceil((box[0] + box[2]) * width - 1e-6), math.ceil((box[1] + box[3]) * height - 1e-6)
    return left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height)


def _box(left: int, top: int, right: int, bottom: int) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
