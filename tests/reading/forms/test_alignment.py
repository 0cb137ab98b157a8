"""Photos of forms, aligned to the empty form."""

import functools

import cv2
import numpy as np
import pytest

from inkgrad.errors import ImageError
from inkgrad.reading.expectations import Expected
from inkgrad.reading.forms import Field, Form
from inkgrad.reading.forms.alignment import Template
from inkgrad.reading.forms.reading import FormReader
from inkgrad.reading.page import Number, Page

SIZE = (900, 1200)  # height, width


@functools.cache
def blank():
    """A printed form: words, lines and boxes."""
    rng = np.random.default_rng(3)
    page = np.full(SIZE, 250, np.uint8)
    for row in range(12):
        words = " ".join("".join(chr(c) for c in rng.integers(97, 123, rng.integers(3, 9))) for _ in range(6))
        cv2.putText(page, words, (40, 60 + 70 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 20, 2, cv2.LINE_AA)
    cv2.rectangle(page, (700, 600), (1100, 700), 0, 3)
    return page


def filled():
    page = blank().copy()
    cv2.putText(page, "4711", (740, 680), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 30, 6, cv2.LINE_AA)
    return page


def photographed(page, corners, size=(1300, 1700), noise=6.0):
    """The page with its corners at these points of a photo, on a dark table, unevenly lit."""
    height, width = page.shape
    here = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(here, np.array(corners, np.float32))
    photo = cv2.warpPerspective(page, matrix, size[::-1], flags=cv2.INTER_AREA, borderValue=60).astype(float)
    photo *= np.linspace(1, 0.7, size[1])
    photo += np.random.default_rng(0).normal(0, noise, size)
    return np.clip(photo, 0, 255).astype(np.uint8)


ANGLES = {
    "straight": [[100, 100], [1300, 100], [1300, 1000], [100, 1000]],
    "from below": [[300, 150], [1400, 130], [1600, 1150], [80, 1200]],
    "turned": [[500, 60], [1550, 420], [1250, 1240], [200, 900]],
    "upside down": [[1500, 1200], [200, 1150], [250, 150], [1450, 100]],
    "small": [[600, 500], [1200, 520], [1190, 960], [590, 940]],
}


@pytest.mark.parametrize("corners", ANGLES.values(), ids=ANGLES)
@pytest.mark.parametrize("color", [False, True])
def test_a_photo_at_an_angle_becomes_the_page(corners, color):
    photo = photographed(filled(), corners)
    aligned = Template(blank(), "blank.png").align(np.dstack([photo] * 3) if color else photo)
    assert aligned.shape == (*SIZE, 3) if color else SIZE
    flat = aligned[..., 0] if color else aligned
    smooth = [cv2.GaussianBlur(one, (0, 0), 2).astype(float) for one in (flat, filled())]
    parts = [one[610:690, 710:1090].ravel() for one in smooth]
    assert np.corrcoef(*parts)[0, 1] > (0.95 if photo.size > 0 else 1)


def test_a_finer_photo_is_made_smaller_first():
    corners = 2.4 * np.array(ANGLES["from below"])
    aligned = Template(blank(), "blank.png").align(photographed(filled(), corners, (3100, 4100)))
    assert np.corrcoef(aligned.ravel(), filled().ravel())[0, 1] > 0.9


@pytest.mark.parametrize("other", ["white", "noise", "half", "mirrored"])
def test_another_page_is_refused(other):
    pages = {
        "white": np.full(SIZE, 255, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8),
        "half": cv2.flip(blank(), 0)[:400],
        "mirrored": cv2.flip(filled(), 1),
    }
    with pytest.raises(
        ImageError, match=r"cannot be aligned to the template blank\.png: \d+ points agree, at least 25"
    ):
        Template(blank(), "blank.png").align(pages[other])


def test_a_template_with_little_on_it_is_refused():
    with pytest.raises(ImageError, match=r"the template white\.png has only 0 points .* at least 100 are needed"):
        Template(np.full(SIZE, 255, np.uint8), "white.png")


def test_a_tiny_page_is_refused():
    with pytest.raises(ImageError, match="cannot be aligned"):
        Template(blank(), "blank.png").align(np.zeros((1, 1), np.uint8))


class Seeing:
    """Reads how dark a part is, and keeps what it was shown."""

    def __init__(self, *numbers):
        self.numbers, self.shown = numbers, []

    def read(self, image, *, min_confidence=0.5, expectation=None):
        assert min_confidence == 0.0
        self.shown.append(image)
        return Page(self.numbers, (), image.shape[1], image.shape[0])


def number(text, confidence, free=None):
    return Number(text, f"{text}-", confidence, ((0, 0),) * 4, (), free)


def test_fields_are_cut_out_in_their_places(tmp_path):
    cv2.imwrite(str(tmp_path / "blank.png"), blank())
    field = Field("sum", (700 / 1200, 600 / 900, 400 / 1200, 100 / 900))
    reader = Seeing()
    forms = FormReader(Form((field,), tmp_path / "blank.png"), reader)
    record, page = forms.read(photographed(filled(), ANGLES["turned"]))
    assert (record["width"], record["height"], page.shape) == (1200, 900, SIZE)
    assert record["fields"]["sum"]["box"] == [[700, 600], [1100, 600], [1100, 700], [700, 700]]
    (part,) = reader.shown
    assert np.array_equal(part, page[600:700, 700:1100])


def test_parts_of_a_field_are_joined_and_as_sure_as_the_least():
    pixels = np.full((10, 20), 255, np.uint8)

    def read(*numbers, **options):
        form = Form((Field("a", (0.05, 0.1, 0.001, 0.9), **options),))
        return FormReader(form, Seeing(*numbers), min_confidence=0.5).read(pixels)[0]["fields"]["a"]

    two = read(number("12", 0.9), number("3", 0.6, "8"))
    assert {key: two[key] for key in ("text", "written", "confidence", "doubtful", "free")} == {
        "text": "123", "written": "12- 3-", "confidence": 0.6, "doubtful": False, "free": "8"
    }  # fmt: skip
    assert read(number("12", 0.9), number("3", 0.4))["doubtful"]
    assert read(number("12", 0.9), min_confidence=0.95)["doubtful"]
    assert two["box"] == [[1, 1], [2, 1], [2, 10], [1, 10]]
    assert (read()["text"], read()["confidence"], read()["doubtful"]) == ("", None, False)
    assert read(required=True)["doubtful"]


def test_parts_of_a_field_are_what_is_expected_when_joined():
    pixels = np.full((10, 20), 255, np.uint8)

    def read(expected, *numbers):
        form = Form((Field("a", (0.0, 0.0, 1.0, 1.0), expected=expected),))
        return FormReader(form, Seeing(*numbers)).read(pixels)[0]["fields"]["a"]

    two = number("12345", 0.9), number("67890", 0.9)
    assert [read(Expected(expect=expect), *two)["doubtful"] for expect in (r"\d{5}", r"\d{10}")] == [True, False]
    unfit = read(Expected(expect=r"\d{5}"), *two)
    assert (unfit["text"], unfit["confidence"]) == ("1234567890", 0.0)
    assert not read(Expected(expect=r"\d{5}-\d{5}-"), *two)["doubtful"]  # what is written counts where signs are named
    assert read(Expected(expect=r"\d{5}-\d{5}"), *two)["doubtful"]
