"""Several sets to learn from at once."""

import numpy as np
import pytest

from inkgrad.data import DIGITS, HANDS, NO_DIGIT, load, mixture_parts
from inkgrad.errors import DataError


@pytest.fixture
def usps(tmp_path, monkeypatch):
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path))
    path = tmp_path / HANDS["usps"].file
    path.parent.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
    np.savez(path, images28=images, labels=np.arange(30) % 10)
    return images


def test_all_are_learned_and_the_first_validates(usps):
    plain, mixed = load("digits"), load("digits+3*usps")
    assert len(mixed.train) == 1200 + 3 * 30
    np.testing.assert_array_equal(mixed.train.images[:1200], plain.train.images)
    for times in range(3):
        np.testing.assert_array_equal(mixed.train.images[1200 + 30 * times :][:30], usps)
    assert mixed.train.classes == DIGITS
    for part in ("validation", "test"):
        assert getattr(mixed, part).fingerprint() == getattr(plain, part).fingerprint()
    assert mixed.train.name == "digits+3*usps train"
    assert len(load("digits+usps", train_on="all").train) == 1437 + 30


@pytest.mark.slow
def test_what_is_no_digit_is_a_class_behind_the_digits(usps):
    del usps
    once, twice = load("digits+nondigits").train, load("digits+2*nondigits").train
    assert once.classes == (*DIGITS, NO_DIGIT)
    assert once.rejects
    assert once.known_classes == DIGITS
    assert (len(once), len(twice)) == (1200 + 960, 1200 + 1920)  # 48 of each of the twenty kinds, 96
    assert (once.labels[1200:] == 10).all()
    drawn = twice.images[1200:]
    assert len({image.tobytes() for image in drawn if image.any()}) > 0.95 * drawn.any((1, 2)).sum()
    assert load("digits+nondigits").train.fingerprint() == once.fingerprint()
    assert load("digits+nondigits").validation.classes == DIGITS
    known = once.known
    assert (len(known), known.classes, known.rejects) == (1200, DIGITS, False)


def test_printed_digits_are_drawn_anew(usps):
    del usps
    once, four = load("digits+printed").train, load("digits+4*printed").train
    assert (len(once), len(four)) == (1250, 1400)  # 5 of each digit, 20
    assert len({image.tobytes() for image in four.images[1200:]}) > 150


def test_round_zeros_are_digits(usps):
    del usps
    drawn = load("digits+2*rings").train
    assert len(drawn) == 1200 + 96
    assert drawn.classes == DIGITS
    assert not drawn.labels[1200:].any()


def test_parts(tmp_path, monkeypatch):
    assert mixture_parts("mnist+12*usps+nondigits") == [("mnist", 1), ("usps", 12), ("nondigits", 1)]
    assert mixture_parts("mnist") == [("mnist", 1)]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a+b.csv").write_text("")
    assert mixture_parts("a+b.csv") == [("a+b.csv", 1)]  # what is there is no mixture
    assert mixture_parts(tmp_path / "a+b.csv") == [(str(tmp_path / "a+b.csv"), 1)]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "digits+semeion",
            "'semeion' in 'digits.semeion' is kept to test by; a mixture may add usps, ardis, orand_car",
        ),
        ("digits+mnist", "'mnist' in .* can only be the first"),
        (
            "digits+emnist",
            "'emnist' in .* is not known; a mixture may add usps, ardis, orand_car, printed, rings, nondigits",
        ),
        ("semeion+usps", "'semeion' in .* is kept to test by"),
        ("digits+usps+2*usps", "'usps' in .* is named twice"),
        ("+usps", r"a part of '\+usps' has no name"),
        ("digits+" + "x" * 5000, "is not known"),
        ("digits+0*usps", r"'0\*usps' in .* should be a number of times from 1 to 100 and a name, such as 3\*usps"),
        ("digits+x*usps", "should be a number of times"),
        ("nowhere+usps", "there is no data set 'nowhere'"),
        ("digits+ardis", "needs the file"),
    ],
)
def test_mistakes_are_said(usps, source, words):
    del usps
    with pytest.raises(DataError, match=words):
        load(source)
