"""Images of what is no digit: every kind is drawn by chance, from a seed, and none stands on both lists."""

import numpy as np
import pytest

from inkgrad.data import DIGITS, NO_DIGIT, TESTED, TRAINED, nondigits
from inkgrad.data.nondigits import glyphs, parts
from inkgrad.errors import OptionError

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


def test_no_kind_and_no_character_is_learned_and_tested(digits):
    assert not TRAINED.keys() & TESTED.keys()
    assert not set(glyphs.FOREIGN + glyphs.MATHEMATICAL) & set(glyphs.LATIN + glyphs.SYMBOLS)
    assert not set(glyphs.LATIN) & set("OoQDIiljJSsZzBbqgT")
    train, _ = digits
    shapes = [{image.tobytes() for image in nondigits([k], 300, train, np.random.default_rng(0)).images} for k in KINDS]
    learned, tested = set.union(*shapes[: len(TRAINED)]), set.union(*shapes[len(TRAINED) :])
    assert not learned & tested


def test_fonts_have_the_characters(digits):
    """What a font lacks it draws as an empty box, the same for all."""
    del digits
    for characters in (glyphs.LATIN, glyphs.FOREIGN, glyphs.SYMBOLS, glyphs.MATHEMATICAL):
        drawn = {glyphs._drawn(character, glyphs.FONTS[0]).tobytes() for character in characters}
        assert len(drawn) == len(characters)


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


def test_kinds_come_one_after_the_other(digits):
    train, _ = digits
    both = nondigits(["figures", "nothing"], 4, train, np.random.default_rng(0))
    assert both.images[:4].any((1, 2)).all()
    with pytest.raises(OptionError, match="no kind 'horses' of things that are no digits; there are foreign letters"):
        nondigits(["horses"], 1, train, np.random.default_rng(0))
