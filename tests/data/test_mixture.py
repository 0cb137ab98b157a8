"""Several sets to learn from at once."""

import numpy as np
import pytest

from inkgrad.data import DIGITS, HANDS, NO_DIGIT, load
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


def test_what_is_no_digit_is_a_class_behind_the_digits(usps, monkeypatch):
    del usps
    monkeypatch.setattr("inkgrad.data.mixture._OF_EACH_KIND", 5)
    once, twice = load("digits+nondigits").train, load("digits+2*nondigits").train
    assert once.classes == (*DIGITS, NO_DIGIT)
    assert (len(once), len(twice)) == (1250, 1300)
    assert (once.labels[1200:] == 10).all()
    assert len({image.tobytes() for image in twice.images[1200:] if image.any()}) > 80  # not the same ones twice
    assert load("digits+nondigits").train.fingerprint() == once.fingerprint()
    assert load("digits+nondigits").validation.classes == DIGITS


def test_printed_digits_are_always_new(usps, monkeypatch):
    del usps
    monkeypatch.setattr("inkgrad.data.mixture._OF_EACH_DIGIT", 3)
    assert len(load("digits+printed").train) == 1230
    assert len(load("digits+4*printed").train) == 1320


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "digits+semeion",
            "'semeion' in 'digits.semeion' is kept to test by; a mixture may add usps, ardis, orand_car",
        ),
        ("digits+mnist", "'mnist' in .* is not known"),
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
