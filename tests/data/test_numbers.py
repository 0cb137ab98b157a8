"""Numbers composed of the digits of one hand: what stands where, and that nothing but chance and its seed decides."""

import cv2
import numpy as np
import pytest

from inkgrad.data import Dataset, load_digits
from inkgrad.data.numbers import (
    LABELS,
    SIGNS,
    Composer,
    Hands,
    Paper,
    Style,
    digits_of,
    labels_of,
    on_sheet,
    random_text,
    row_of_boxes,
    without_ink,
    write_row,
    written_as,
)
from inkgrad.data.numbers.hands import slant_and_width
from inkgrad.errors import DataError, OptionError, ShapeError
from inkgrad.models import KNearest
from inkgrad.random import default_rng

CLEAN = Paper(**dict.fromkeys(("dark", "shade", "pattern", "ruled", "boxes", "stamp", "pale", "blur", "noise"), 0.0))


@pytest.fixture(scope="module")
def hands():
    return Hands(load_digits()[0])


def test_slant_and_width_are_measured():
    images = np.zeros((3, 28, 28), np.uint8)
    images[0, 4:24, 12:16] = 255  # upright, 4 wide
    for row in range(4, 24):
        images[1, row, 18 - row // 2 + 3 : 18 - row // 2 + 6] = 255  # leans to the right by half a pixel a row
    cv2.circle(images[2], (14, 14), 9, 255, 2)
    slant, width = slant_and_width(images).T
    np.testing.assert_allclose(slant, [0, 0.5, 0], atol=0.06)
    np.testing.assert_allclose(width, [4, 2.8, 3.2], atol=0.8)
    assert np.isfinite(slant_and_width(np.zeros((1, 28, 28), np.uint8))).all()


def test_digits_are_those_asked_for_and_of_one_writer():
    train, _ = load_digits()
    images = np.repeat(train.images[:10], 6, 0)  # 0 to 9
    images[:, 0, 0] = np.tile(np.arange(1, 7), 10)  # a mark of each writer
    writers = np.tile(np.arange(6) * 100, 10)
    dataset = Dataset(images, np.repeat(train.labels[:10], 6), "marked")
    hands, rng = Hands(dataset, writers), default_rng(0)
    for _ in range(30):
        digits = rng.integers(0, 10, 8)
        written = hands.write(digits, rng)
        assert len({int(image[0, 0]) for image in written}) == 1
        for digit, image in zip(digits, written, strict=True):
            np.testing.assert_array_equal(image[1:], train.images[digit][1:])


def test_without_writers_digits_look_alike(hands):
    rng = default_rng(0)
    alike = [slant_and_width(np.stack(hands.write(range(10), rng))).std(axis=0) for _ in range(60)]
    images = hands.dataset.images
    apart = [slant_and_width(images[rng.integers(0, len(images), 10)]).std(axis=0) for _ in range(60)]
    assert (np.mean(alike, axis=0) < 0.8 * np.mean(apart, axis=0)).all()


def test_what_no_numbers_can_be_composed_of():
    train, _ = load_digits()
    with pytest.raises(DataError, match="digits train has no 7, but numbers are composed of all ten digits"):
        Hands(train[train.labels != 7])
    with pytest.raises(DataError, match="has 1437 digits, but 3 writers are given; name one for each"):
        Hands(train, np.arange(3))


@pytest.mark.parametrize("text", ["7", "1234567890", "12.345,67", "#500=", "$3'141-", "12/11:59"])
@pytest.mark.parametrize("gap", [-0.15, 0.1, 0.6])
def test_digits_stand_in_order_inside_their_boxes(hands, text, gap):
    rng = default_rng(len(text))
    digits = [int(c) for c in text if c not in SIGNS]
    images = hands.write(digits, rng)
    row = write_row(text, images, Style(height=30, gap=gap), rng)
    assert row.ink.dtype == np.float32
    assert 0 <= row.ink.min() < 0.01
    assert 0.9 < row.ink.max() <= 1
    assert row.boxes.shape == (len(digits), 4)
    left, top, width, height = row.boxes.T
    assert (np.diff(left + width / 2) > 0).all()
    assert (left >= 0).all()
    assert (top >= 0).all()
    assert (left + width <= row.ink.shape[1]).all()
    assert (top + height <= row.ink.shape[0]).all()
    if gap == 0.6:  # far enough apart to be read one by one
        known = KNearest(1).fit(hands.dataset.images, hands.dataset.labels)
        from inkgrad.data import to_form

        forms = []
        for x, y, w, h in row.boxes.astype(int):
            forms.append(to_form(np.rint(255 * row.ink[y : y + h, x : x + w]).astype(np.uint8)))
        right = known.predict(np.stack(forms)) == digits
        assert right.mean() >= 0.8


def test_the_style_decides(hands):
    def widths(**style):
        rows = []
        for seed in range(9):
            rng = default_rng(seed)
            rows.append(write_row("45678", hands.write([4, 5, 6, 7, 8], rng), Style(**style), rng))
        return np.mean([row.ink.shape[1] for row in rows]), np.mean([row.boxes[:, 3].mean() for row in rows])

    wide, high = widths()
    assert widths(gap=0.5)[0] > wide + 30
    assert widths(squeeze=0.6)[0] < 0.85 * wide
    assert widths(height=56)[1] == pytest.approx(2 * high, rel=0.05)
    rng = default_rng(0)
    rising = write_row("111111", hands.write([1] * 6, rng), Style(rise=0.3, wobble=0), rng)
    assert (np.diff(rising.boxes[:, 1] + rising.boxes[:, 3]) < 0).all()
    small = write_row("8080", hands.write([8, 0, 8, 0], rng), Style(zeros=0.5, sizes=0), rng)
    assert small.boxes[1::2, 3].max() < 0.7 * small.boxes[::2, 3].min()


def test_ink_stays_readable_on_paper(hands):
    rng = default_rng(0)
    row = write_row("2718", hands.write([2, 7, 1, 8], rng), Style(), rng)
    clean = on_sheet(row.ink, row.boxes, CLEAN, rng)
    assert (clean.dtype, clean.shape) == (np.uint8, row.ink.shape)
    assert clean[row.ink == 0].min() == 255
    assert np.corrcoef(clean.ravel(), row.ink.ravel())[0, 1] < -0.99
    links = []
    for seed in range(60):
        sheet = on_sheet(row.ink, row.boxes, Paper(negative=0.0), default_rng(seed)).astype(float)
        links.append(np.corrcoef(sheet.ravel(), row.ink.ravel())[0, 1])
    assert np.mean(links) < -0.75
    assert max(links) < -0.2


def test_no_digit_hides_another(hands):
    even = {"unevenness": 0.0, "wobble": 0.0, "sizes": 0.0}
    for seed in range(20):
        images = hands.write([8, 0, 6, 9, 5], default_rng(seed))
        apart, close = (
            write_row("80695", images, Style(gap=gap, **even), default_rng(seed)).ink for gap in (0.4, -1.0)
        )
        assert close.shape[1] < 0.8 * apart.shape[1]
        assert close.sum() > 0.9 * apart.sum()


def test_ink_stands_out_from_noise_patterns_and_stamps(hands):
    row = write_row("2718", hands.write([2, 7, 1, 8], default_rng(0)), Style(), default_rng(0))
    paper = {"dark": 1.0, "pale": 0.9, "negative": 0.0, "jpeg": 0.0, "blur": 0.0, "ruled": 0.0, "boxes": 0.0}
    for seed in range(30):
        for worst in ({"noise": 1.0, "pattern": 0.0, "stamp": 0.0}, {"noise": 0.0, "pattern": 1.0, "stamp": 1.0}):
            sheet = on_sheet(row.ink, row.boxes, Paper(**paper, shade=0.0, **worst), default_rng(seed)).astype(float)
            ink, bare = sheet[row.ink > 0.8], sheet[row.ink == 0]
            if worst["noise"]:
                assert bare.mean() - ink.mean() > 2.5 * bare.std()
            else:
                assert ink.mean() < bare.min()


@pytest.mark.parametrize(
    "name", ["dark", "shade", "pattern", "ruled", "boxes", "stamp", "pale", "blur", "noise", "negative"]
)
def test_each_thing_that_may_happen_changes_the_sheet(hands, name):
    rng = default_rng(1)
    row = write_row("90210", hands.write([9, 0, 2, 1, 0], rng), Style(), rng)
    only = Paper(**dict.fromkeys(CLEAN.__dict__, 0.0) | {name: 1.0})
    none = Paper(**dict.fromkeys(CLEAN.__dict__, 0.0))
    most = 0
    for seed in range(4):  # a line may lie outside the sheet, and a blur be a faint one
        sheets = [on_sheet(row.ink, row.boxes, paper, default_rng(seed)) for paper in (only, only, none)]
        np.testing.assert_array_equal(sheets[0], sheets[1])
        most = max(most, int(np.abs(sheets[0].astype(int) - sheets[2]).max()))
    assert most > 20


def test_papers_that_cannot_be():
    with pytest.raises(OptionError, match="stamp of a paper must be from 0 to 1, but is 2"):
        Paper(stamp=2)
    with pytest.raises(OptionError, match="blur of a paper must be from 0 to 5, but is -1"):
        Paper(blur=-1)


def test_texts_are_of_digits_and_signs():
    rng = default_rng(0)
    texts = [random_text(rng) for _ in range(2000)]
    assert all(set(text) <= set("0123456789" + SIGNS) for text in texts)
    assert all(any(character.isdigit() for character in text) for text in texts)
    counts = np.bincount([int(c) for text in texts for c in text if c.isdigit()])
    assert (counts[1:] > 0.05 * counts.sum()).all()
    assert any(",000" in text or ".000" in text for text in texts)


def test_labels_of_a_text():
    assert written_as(labels_of("1.234,56-")) == "1.234,56-"
    assert digits_of("=1.234,56-") == "123456"
    assert sorted(labels_of("0123456789" + SIGNS)) == list(range(1, LABELS))
    with pytest.raises(OptionError, match="'1x' has 'x', but numbers are written with digits and"):
        labels_of("1x")


def test_a_composed_number_is_of_its_seed_and_text(hands):
    composer = Composer([hands], strange=hands.dataset.images[:20], without=0.3)
    one, other = (composer.compose(default_rng(7)) for _ in range(2))
    assert one.text == other.text
    np.testing.assert_array_equal(one.gray, other.gray)
    rng = default_rng(1)
    made = [composer.compose(rng) for _ in range(60)]
    assert any(not number.text for number in made)
    for number in made:
        if number.text:
            assert len(number.boxes) == len(digits_of(number.text))
        h, w = number.gray.shape
        assert (number.boxes[:, :2] >= 0).all()
        assert (number.boxes[:, :2] + number.boxes[:, 2:] <= (w, h)).all()
    assert composer.compose(rng, text="2024").text == "2024"
    with pytest.raises(OptionError, match=r"a composer of 1 hands needs one share for each, but got \[1, 2\]"):
        Composer([hands], shares=[1, 2])


def test_numbers_on_paper_that_was_photographed(hands):
    bare = np.full((50, 90), 150, np.uint8)
    bare[::4] = 120
    rng = default_rng(0)
    on_bare = Composer([hands], paper=CLEAN, bare=[bare], on_bare=1.0).compose(rng, text="11")
    assert on_bare.gray.max() < 170  # no paper is lighter than the one in the picture
    assert on_bare.gray.min() < 100


def test_without_ink_the_paper_stays():
    rng = default_rng(0)
    paper = np.clip(rng.normal(190, 4, (60, 160)), 0, 255).astype(np.uint8)
    written = paper.copy()
    for digit, x in enumerate((20, 60, 100)):
        cv2.putText(written, str(digit + 3), (x, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 50, 4)
    bare = without_ink(written)
    assert bare.min() > 160
    untouched = (written == paper) & (np.abs(bare.astype(int) - paper) == 0)
    assert untouched.mean() > 0.5


def test_where_a_row_lies():
    boxes = np.array([[10.0, 30, 12, 20], [30, 28, 12, 20], [50, 26, 12, 20], [70, 24, 12, 20]])
    corners = row_of_boxes(boxes)
    assert np.allclose(corners[0], [10, 30.6], atol=1.5)
    assert np.allclose(corners[2], [82, 43.4], atol=1.5)
    slope = (corners[1, 1] - corners[0, 1]) / (corners[1, 0] - corners[0, 0])
    assert slope == pytest.approx(-0.1, abs=0.01)
    moved = [row_of_boxes(boxes, default_rng(seed)) for seed in range(50)]
    assert 0.3 < np.std([quad[0, 1] for quad in moved]) < 4
    for seed in range(300):  # a lone 1 keeps its width
        quad = row_of_boxes(np.array([[20.0, 5, 3, 40]]), default_rng(seed))
        assert quad[1, 0] - quad[0, 0] > 4
    with pytest.raises(ShapeError, match="needs the box of at least one digit"):
        row_of_boxes(np.zeros((0, 4)))
