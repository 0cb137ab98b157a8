"""Images of what is no digit: every kind is drawn by chance, from a seed, and none stands on both lists."""

import numpy as np
import pytest

from inkgrad.data import DIGITS, NO_DIGIT, TESTED, TRAINED, nondigits
from inkgrad.data.fonts import DIGIT_FONTS, FONTS, drawn, printed_digits
from inkgrad.data.form import has_form
from inkgrad.data.nondigits import glyphs, parts
from inkgrad.data.rings import rings
from inkgrad.errors import DataError, OptionError
from inkgrad.models import KNearest

KINDS = [*TRAINED, *TESTED]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_drawn_from_a_seed(digits, kind):
    train, _ = digits
    drawn = nondigits([kind], 30, train, np.random.default_rng(3))
    assert drawn.images.shape == (30, 28, 28)
    assert drawn.classes == (*DIGITS, NO_DIGIT)
    assert (drawn.labels == 10).all()
    again = nondigits([kind], 30, train, np.random.default_rng(3))
    np.testing.assert_array_equal(drawn.images, again.images)
    assert len({image.tobytes() for image in drawn.images}) > 15
    if kind != "nothing":
        assert drawn.images.any((1, 2)).all()


@pytest.mark.slow
def test_no_kind_and_no_character_is_learned_and_tested(digits):
    assert not TRAINED.keys() & TESTED.keys()
    assert not set(glyphs.FOREIGN + glyphs.OTHER + glyphs.MATHEMATICAL) & set(glyphs.LATIN + glyphs.SYMBOLS)
    assert not set(glyphs.LATIN) & set("OoQDIiljJSsZzBbqgT")
    train, _ = digits
    shapes = [{image.tobytes() for image in nondigits([k], 300, train, np.random.default_rng(0)).images} for k in KINDS]
    learned, tested = set.union(*shapes[: len(TRAINED)]), set.union(*shapes[len(TRAINED) :])
    assert not learned & tested


def test_fonts_have_the_characters():
    """What a font lacks it draws as an empty box, the same for all; and no two characters look alike."""
    characters = glyphs.LATIN + glyphs.FOREIGN + glyphs.OTHER + glyphs.SYMBOLS + glyphs.MATHEMATICAL
    shapes = {drawn(character, FONTS[0]).tobytes() for character in characters}
    assert len(shapes) == len(characters)
    assert drawn("\uffff", FONTS[0]).tobytes() not in shapes


def test_printed_digits():
    printed = printed_digits(40, np.random.default_rng(0))
    assert printed.labels.tolist() == [digit for digit in range(10) for _ in range(40)]
    np.testing.assert_array_equal(printed.images, printed_digits(40, np.random.default_rng(0)).images)
    assert all(has_form(image) for image in printed.images)
    for font in DIGIT_FONTS:  # each has ten shapes of its own
        assert len({drawn(digit, font).tobytes() for digit in DIGITS}) == 10
    assert len({drawn("4", font).tobytes() for font in DIGIT_FONTS}) == len(DIGIT_FONTS)
    odd, even = (KNearest(1).fit(printed.images[k::2], printed.labels[k::2]) for k in (0, 1))
    assert (odd.predict(printed.images[1::2]) == printed.labels[1::2]).mean() > 0.9
    assert (even.predict(printed.images[::2]) == printed.labels[::2]).mean() > 0.9


@pytest.mark.parametrize("labels", [(0, 2, 3), (4, 5, 6, 8, 9)])
def test_a_piece_has_less_than_half_of_the_ink(digits, labels):
    train, _ = digits
    ink = {image.tobytes(): int(image.sum()) for image in train.images}
    rng, kept = np.random.default_rng(0), []
    for _ in range(200):
        image = parts.piece(train, labels, rng)
        whole = [other for other in train.images[np.isin(train.labels, labels)] if (image <= other).all()]
        if whole:  # it stayed where it was: part of some digit
            kept.append(min(int(image.sum()) / ink[other.tobytes()] for other in whole))
    assert len(kept) > 60
    assert max(kept) < 0.5


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_remnant_stays_where_it_was(digits, all_of_them):
    train, _ = digits
    rng, ones = np.random.default_rng(0), 0
    for _ in range(150):
        image = parts.remnant(train, (4, 9), rng, all_of_them=all_of_them)
        whole = [other for other in train.images if (image <= other).all()]
        assert min(int(image.sum()) / int(other.sum()) for other in whole) < 0.5
        slim, upright, high = parts.as_stroke(image > 60)
        ones += slim >= 3.5 and upright >= 0.8 and high >= 14
    assert (ones > 0) == all_of_them
    slim, upright, high = parts.as_stroke(np.eye(20, dtype=bool)[:15])
    assert slim > 10 and upright == pytest.approx(0.707, abs=0.01) and high == 15  # a slash


def test_without_the_digits_that_a_kind_is_made_of(digits):
    train, _ = digits
    ones = train[train.labels == 1]
    with pytest.raises(DataError, match="digits train has no image of a 0 or 2 or 3, of which"):
        nondigits(["pieces of 0, 2 and 3"], 1, ones, np.random.default_rng(0))
    with pytest.raises(DataError, match="has no image of any digit"):
        nondigits(["pairs of digits"], 1, ones[:0], np.random.default_rng(0))
    rare = train[(train.labels == 1) | (np.arange(len(train)) == int(np.flatnonzero(train.labels == 3)[0]))]
    assert nondigits(["pieces of 0, 2 and 3"], 3, rare, np.random.default_rng(0)).images.any()


def test_kinds_come_one_after_the_other(digits):
    train, _ = digits
    both = nondigits(["figures", "nothing"], 4, train, np.random.default_rng(0))
    assert both.images[:4].any((1, 2)).all()
    with pytest.raises(OptionError, match="no kind 'horses' of things that are no digits; there are foreign letters"):
        nondigits(["horses"], 1, train, np.random.default_rng(0))


def test_rings(digits):
    """Round zeros have one hole, or a gap that is nearly closed; what is learned to be no digit has a wider one."""
    import cv2

    drawn = rings(300, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn.images, rings(300, np.random.default_rng(0)).images)
    assert not drawn.labels.any()
    assert all(has_form(image) for image in drawn.images)
    assert len({image.tobytes() for image in drawn.images}) == 300

    def holes(image, reach=0):
        ink = cv2.dilate((image > 60).astype(np.uint8), np.ones((1 + reach, 1 + reach), np.uint8))
        return cv2.connectedComponents(1 - ink, connectivity=4)[0] - 2

    assert np.mean([holes(image) == 1 for image in drawn.images]) > 0.7
    assert np.mean([holes(image, 2) == 1 for image in drawn.images]) > 0.85
    open_rings = nondigits(["open rings"], 300, digits[0], np.random.default_rng(0)).images
    assert np.mean([holes(image) == 0 for image in open_rings]) > 0.95
    rows, columns = (np.array([np.ptp(np.flatnonzero(image.any(axis))) for image in drawn.images]) for axis in (1, 0))
    assert (columns / rows).min() < 0.6 < 0.95 < (columns / rows).max()
