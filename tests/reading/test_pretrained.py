"""The reader that ships: pages of the generator, real photos, what changes nothing, and no number where none is."""

import csv
import os
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data.numbers import Composer, Hands, Paper
from inkgrad.data.numbers.page import Layout, compose_page

PLAIN = Paper(
    dark=0.2, shade=0.1, pattern=0, ruled=0, boxes=0, stamp=0, pale=0.2, blur=0.4, noise=0.01, jpeg=0, negative=0
)


@pytest.fixture(scope="module")
def reader():
    return ig.Reader.pretrained()


@pytest.fixture(scope="module")
def hands(mnist):  # skips where there is none
    return Hands(ig.data.load("mnist").validation, ig.data.load_writers()[50_000:])


def texts(page) -> list[str]:
    return [number.text for number in page.numbers]


def test_it_is_small_and_calibrated(reader):
    with as_file(files("inkgrad") / "reading" / "weights" / "reader.safetensors") as path:
        assert path.stat().st_size <= 4_000_000
    assert 0.5 < reader.confidence_at_error(0.01) < 1


@pytest.mark.slow
def test_pages_of_the_generator(reader, hands):
    right = numbers = 0
    for seed in range(16):
        layout = Layout(width=900, height=600, rows=3, columns=2, size=40, form=("plain", "ruled")[seed % 2], words=2)
        page = compose_page(hands, layout, PLAIN, ig.default_rng(seed))
        written = [one.text for one in page.numbers]
        read = texts(reader.read(page.pixels, min_confidence=0))
        right += sum(text in read for text in written)
        numbers += len(written)
    assert right / numbers >= 0.88


@pytest.mark.parametrize("change", ["padding", "polarity", "larger", "smaller"])
def test_what_changes_nothing_in_a_reading(reader, hands, change):
    composer, rng = Composer([hands], paper=PLAIN), ig.default_rng(1)
    changed = {
        "padding": lambda gray: np.pad(gray, 40, mode="edge"),
        "polarity": lambda gray: 255 - gray,
        "larger": lambda gray: cv2.resize(gray, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC),
        "smaller": lambda gray: cv2.resize(gray, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA),
    }[change]
    same = sure = 0
    for _ in range(40):
        gray = composer.compose(rng, text="".join(map(str, rng.integers(0, 10, 4)))).gray
        before = reader.read(gray)
        if len(before.numbers) == 1 and before.numbers[0].confidence > 0.9:
            sure += 1
            same += texts(reader.read(changed(gray), min_confidence=0)) == texts(before)
    assert sure >= 20
    assert same / sure >= 0.9


def test_no_number_where_none_is(reader):
    rng = ig.default_rng(3)
    blank = np.full((600, 800), 235, np.uint8)
    words = blank.copy()
    for row, text in enumerate(("Received with thanks", "for the garden of roses", "Yours sincerely")):
        cv2.putText(words, text, (60, 150 + 130 * row), cv2.FONT_HERSHEY_COMPLEX, 1.6, 40, 3, cv2.LINE_AA)
    noise = np.clip(rng.normal(200, 12, blank.shape), 0, 255).astype(np.uint8)
    ruled = blank.copy()
    ruled[100::60] = 120
    for picture in (blank, words, noise, ruled):
        assert texts(reader.read(picture)) == []


@pytest.mark.skipif("INKGRAD_DATA" not in os.environ, reason="INKGRAD_DATA is not set: no photos of a web camera")
def test_photos_that_it_has_never_seen(reader):
    folder = Path(os.environ["INKGRAD_DATA"]) / "webcam_numbers"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    read = ["".join(texts(reader.read(folder / row["file"], min_confidence=0))) for row in rows]
    assert sum(row["label"] == text for row, text in zip(rows, read, strict=True)) >= 9
