"""Rows of digits on pages: all of a number in one strip, wherever it stands, however the page was made."""

import csv
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data import load_digits
from inkgrad.data.numbers import Hands, Layout, Paper, compose_page
from inkgrad.data.numbers.strip import DIGIT_HEIGHT, MARGIN
from inkgrad.data.projective import moved
from inkgrad.random import default_rng
from inkgrad.reading import find_rows

CLEAN = Paper(dark=0.1, shade=0.1, pattern=0, stamp=0, pale=0.2, blur=0.5, noise=0.01, jpeg=0, negative=0)


@pytest.fixture(scope="module")
def hands():
    return Hands(load_digits()[0])


def inside(row, corners, slack=0.0):
    """Whether the middles of digits lie in a row."""
    x, y = (moved(np.asarray(corners).mean(axis=1), np.linalg.inv(row.strips[0].matrix)) - MARGIN).T
    width = row.strips[0].pixels.shape[1] - 2 * MARGIN
    return (x > -slack) & (x < width + slack) & (y > -slack) & (y < DIGIT_HEIGHT + slack)


def found(page):
    """How many numbers lie in one row each, and the rows."""
    rows = find_rows(page.pixels)
    return sum(any(inside(row, number.corners).all() for row in rows) for number in page.numbers), rows


@pytest.mark.parametrize(
    "layout",
    [
        Layout(rows=4, columns=2),
        Layout(rows=9, columns=2, size=38, height=660),
        Layout(rows=4, columns=2, form="ruled"),
        Layout(rows=3, columns=2, form="boxed"),
        Layout(rows=3, columns=3, form="cells"),
        Layout(rows=4, columns=2, words=6),
        Layout(rows=4, columns=2, angle=-13),
        Layout(rows=3, columns=2, form="boxed", angle=9),
        Layout(rows=4, columns=2, table=True),
        Layout(rows=3, columns=2, shadow=True),
        Layout(rows=3, columns=3, table=True, shadow=True),
    ],
    ids=lambda layout: f"{layout.form} {layout.angle:g} {layout.words} {layout.table:d}{layout.shadow:d}{layout.rows}",
)
def test_numbers_on_pages_are_found(hands, layout):
    total = right = 0
    for seed in range(3):
        page = compose_page(hands, layout, CLEAN, default_rng(seed))
        total += len(page.numbers)
        held, rows = found(page)
        right += held
        for row in rows:  # no two lines in one strip
            levels = [
                number.corners.mean(axis=(0, 1))[1] for number in page.numbers if inside(row, number.corners).all()
            ]
            assert layout.angle or layout.table or np.ptp(levels or [0]) < layout.size
    assert right >= 0.95 * total


@pytest.mark.parametrize("height", [12, 20, 60, 200, 450])
def test_a_lone_digit_is_found_whatever_its_height(hands, height):
    for seed in range(4):
        layout = Layout(width=900, height=800, digits=(1, 1), size=height)
        page = compose_page(hands, layout, CLEAN, default_rng(seed))
        held, rows = found(page)
        assert (held, len(rows)) == (1, 1)
        high = np.linalg.norm(np.subtract(rows[0].box[3], rows[0].box[0]))
        written = np.ptp(page.numbers[0].corners[0, :, 1])
        assert 0.75 * written <= high <= 1.25 * written + 3


@pytest.mark.slow
@pytest.mark.parametrize("ink", [50, 250])
@pytest.mark.parametrize("size", [12, 17, 24, 60, 600])
def test_a_lone_digit_is_found_on_a_page_of_twelve_megapixels(ink, size):
    digits, rng = load_digits()[0].images, default_rng(size)
    y, x = np.mgrid[:3000, :4000].astype(np.float32)
    page = 150 + 25 * np.sin(x / 1500) - y / 100 + rng.normal(0, 4, (3000, 4000)).astype(np.float32)
    digit = digits[rng.integers(len(digits))]
    digit = digit[digit.max(axis=1) > 60][:, digit.max(axis=0) > 60]
    wide = round(size * digit.shape[1] / digit.shape[0])
    drawn = cv2.resize(digit, (wide, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    left, top = 1800, 1203
    part = page[top : top + size, left : left + wide]
    part += drawn * (ink - part)
    (row,) = find_rows(np.clip(page, 0, 255).astype(np.uint8))
    (x0, y0), (x1, y1) = np.min(row.box, axis=0), np.max(row.box, axis=0)
    assert np.abs(np.subtract((x0, y0, x1, y1), (left, top, left + wide, top + size))).max() <= 2 + 0.1 * size


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1500, 2000), (1800, 2400)])
def test_a_page_of_a_thousand_numbers_is_found_whole(size):
    height, width = size
    page, rng = np.full(size, 225, np.uint8), default_rng(0)
    places = [(width * (column + 0.1) / 20, height * (row + 0.8) / 50) for row in range(50) for column in range(20)]
    for x, y in places:
        text = str(rng.integers(1000, 9999))
        cv2.putText(page, text, (round(x), round(y)), cv2.FONT_HERSHEY_SIMPLEX, width / 4000, 50, 1, cv2.LINE_AA)
    rows = find_rows(page)
    assert len(rows) == 1000
    left = np.array([row.box[3] for row in rows])
    assert np.abs(left - places).max() < 6  # in reading order, too


def test_what_is_written_beside_a_light_box_is_found_too():
    page = np.full((1000, 1400), 130, np.uint8)
    page[80:480, 150:900] = 240
    places = [(250, 300), (600, 200), (1000, 250), (300, 700), (900, 850)]
    for at in places:
        cv2.putText(page, "4725", at, cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 4, cv2.LINE_AA)
    middles = np.array([np.mean(row.box, axis=0) for row in find_rows(page)])
    for x, y in places:
        assert (np.abs(middles - (x + 70, y - 20)).max(axis=1) < 30).sum() == 1


def test_a_sheet_on_a_dark_desk_has_dark_ink():
    picture = np.full((900, 1200), 25, np.uint8)
    cv2.fillConvexPoly(picture, np.array([[300, 250], [820, 290], [790, 640], [280, 600]]), 235)
    cv2.putText(picture, "4725", (450, 450), cv2.FONT_HERSHEY_SIMPLEX, 2, 60, 4, cv2.LINE_AA)
    (row,) = find_rows(picture)
    assert np.median(row.strips[0].pixels) == 0  # paper
    assert row.strips[0].pixels.max() == 255


def test_reading_order_is_line_by_line(hands):
    page = compose_page(hands, Layout(rows=5, form="ruled"), CLEAN, default_rng(0))
    _, rows = found(page)
    order = [next(i for i, row in enumerate(rows) if inside(row, number.corners).all()) for number in page.numbers]
    assert order == sorted(order)


def test_printed_lines_are_painted_over_in_the_second_strip(hands):
    layout = Layout(rows=3, form="boxed", digits=(5, 5))
    page = compose_page(hands, layout, CLEAN, default_rng(3))
    bare = compose_page(hands, Layout(rows=3, digits=(5, 5)), CLEAN, default_rng(3))
    _, rows = found(page)
    cleaned = [row for row in rows if len(row.strips) == 2]
    assert cleaned
    assert all(len(row.strips) == 1 for row in find_rows(bare.pixels))
    for row in cleaned:
        boxed, without = (strip.pixels.astype(float) for strip in row.strips)
        assert (without <= boxed + 20).mean() > 0.99  # the levels of paper and ink are found anew
        # Less of the printed box, most of the ink.
        assert without[MARGIN:-MARGIN].sum() > 0.6 * boxed[MARGIN:-MARGIN].sum()


def boxes_of(rows):
    return np.array([row.box for row in rows]).reshape(-1, 4, 2)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 30),
    sides=st.tuples(*[st.integers(0, 150)] * 4),
    negative=st.booleans(),
    scale=st.floats(0.7, 1.6),
)
def test_padding_polarity_and_scale_do_not_matter(hands, seed, sides, negative, scale):
    paper = Paper(dark=0, shade=0, pattern=0, stamp=0, pale=0.2, blur=0.5, noise=0, jpeg=0, negative=0)
    page = compose_page(hands, Layout(rows=3, columns=2, size=40), paper, default_rng(seed))
    before = boxes_of(find_rows(page.pixels))
    top, bottom, left, right = sides
    other = np.pad(page.pixels, ((top, bottom), (left, right)), constant_values=int(np.median(page.pixels)))
    size = round(other.shape[1] * scale), round(other.shape[0] * scale)
    other = cv2.resize(other, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    after = boxes_of(find_rows(255 - other if negative else other)) / scale - (left, top)
    assert len(before) == len(after)
    for box in before:
        assert min(np.abs(box - there).max() for there in after) < 0.2 * 40


def test_where_nothing_is_written_there_are_few_rows():
    noise = default_rng(0)
    assert find_rows(np.full((500, 400), 200, np.uint8)) == []
    assert len(find_rows(noise.normal(180, 15, (500, 400)).clip(0, 255).astype(np.uint8))) <= 3
    drawing = np.full((600, 800), 240, np.uint8)
    for radius in range(40, 280, 40):
        cv2.circle(drawing, (400, 300), radius, 30, 3)
    assert len(find_rows(drawing)) <= 3
    assert find_rows(np.full((1, 1), 9, np.uint8)) == []
    from sklearn.datasets import load_sample_images

    for picture in load_sample_images().images:
        assert len(find_rows(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))) <= 30


@pytest.mark.skipif(
    not (Path(os.environ.get("INKGRAD_DATA", "/nowhere")) / "orand_car" / "labels.csv").exists(),
    reason="INKGRAD_DATA names no folder that holds orand_car/",
)
def test_cheque_amounts_are_one_row_each():
    folder = Path(os.environ["INKGRAD_DATA"]) / "orand_car"
    right = []
    for line in list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))[::7]:
        x, y, w, h = np.array([box[:4] for box in json.loads(line["boxes_xywh_digit"])], float).T
        corners = np.stack([np.stack(at, 1) for at in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))], 1)
        rows = find_rows(cv2.imread(str(folder / line["file"]), cv2.IMREAD_GRAYSCALE))
        right.append(len(rows) == 1 and inside(rows[0], corners).all())
    assert np.mean(right) >= 0.97


@pytest.mark.parametrize("angle", [-15, -10, -5, 5, 10, 15])
def test_columns_of_a_turned_page_are_read_line_by_line(angle):
    page = np.full((500, 800), 235, np.uint8)
    for row in range(3):
        for column in range(2):
            at = (90 + 400 * column, 120 + 130 * row)
            cv2.putText(page, f"{row}{column}{row}{column}", at, cv2.FONT_HERSHEY_SIMPLEX, 1.6, 40, 4, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((400, 250), angle, 0.85)
    turned = cv2.warpAffine(page, matrix, (800, 500), borderValue=235)
    back = cv2.invertAffineTransform(matrix)
    middles = [back @ [*np.array(row.box).mean(axis=0), 1] for row in find_rows(turned)]
    places = [(round((y - 100) / 130), int(x > 400)) for x, y in middles]
    assert places == [(row, column) for row in range(3) for column in range(2)]


def test_noise_that_differs_from_place_to_place_is_no_ink():
    """Where paper is cut off at white it has less noise than in a shadow, which must not become one large row."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:500, :700]
    page = 256 - 90.0 * np.clip(x / 700 + y / 500 - 1.2, 0, 1)
    for left in (60, 90, 120, 560, 590, 620):
        page[380:420, left : left + 7] = 40
    page = np.clip(np.rint(page + rng.normal(0, 15, page.shape)), 0, 255).astype(np.uint8)
    tall = [row.box[3][1] - row.box[0][1] for row in find_rows(page)]
    assert sorted(round(height, -1) for height in tall if height > 20) == [40, 40]
