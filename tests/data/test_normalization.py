"""Making digits alike: leaning, place, size and stroke are what they should be afterwards."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import NORMALIZATIONS, deskew, deskew_ink, normalize, normalize_size, normalize_stroke
from inkgrad.data.normalization import SPREAD, STROKE, TOGETHER
from inkgrad.errors import OptionError, ShapeError


@pytest.fixture(scope="module")
def digits():
    return ig.data.load_digits()[0].images[:300]


def moments(images):
    """Center of mass from the middle, and central second moments yy, xx, xy, of each image."""
    ink = images.astype(float)
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    mass = ink.sum((1, 2))
    y, x = (ink * rows).sum((1, 2)) / mass, (ink * columns).sum((1, 2)) / mass
    down, right = rows - y[:, None, None], columns - x[:, None, None]
    second = [(ink * a * b).sum((1, 2)) / mass for a, b in ((down, down), (right, right), (down, right))]
    return np.stack([y - 13.5, x - 13.5], 1), *second


def test_what_leaned_stands_upright_in_the_middle(digits):
    leaned = np.abs(moments(digits)[3] / moments(digits)[1])
    place, yy, _, xy = moments(deskew(digits))
    assert np.quantile(leaned, 0.9) > 0.2
    assert np.abs(xy / yy).max() < 0.06
    assert np.abs(place).max() < 0.35


def test_ink_on_any_scale_is_sheared_alike(digits):
    upright = deskew_ink((digits / np.float32(51)).astype(np.float32))
    assert upright.dtype == np.float32
    np.testing.assert_allclose(upright * 51, deskew(digits), atol=0.51)
    assert deskew_ink(np.zeros((0, 4, 5), np.float32)).shape == (0, 4, 5)


def test_a_slanted_line_becomes_straight():
    rows = np.arange(4, 24)
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, rows, np.rint(13.5 + 0.5 * (rows - 13.5)).astype(int)] = 255
    upright = deskew(image)[0]
    assert upright[:, 12:16].sum() > 0.99 * upright.sum()


def test_sizes_become_one(digits):
    before, after = (np.sqrt(sum(moments(images)[1:3])) for images in (digits, normalize_size(digits)))
    assert np.ptp(before) > 1.5
    np.testing.assert_allclose(after, SPREAD, atol=0.25)


def width(images):
    ink = images / 255
    return 2 * ink.sum((1, 2)) / np.hypot(*np.gradient(ink, axis=(1, 2))).sum((1, 2))


def test_strokes_come_nearer_to_one_width(digits):
    thick = np.stack([np.pad(np.full((18, w), 255, np.uint8), ((5, 5), (10, 18 - w))) for w in (1, 2, 3, 4, 5)])
    for images in (digits, thick):
        before, after = np.abs(width(images) - STROKE), np.abs(width(normalize_stroke(images)) - STROKE)
        assert after.mean() < 0.75 * before.mean()


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_forms_and_edges(name):
    some = NORMALIZATIONS[name]
    empty = np.zeros((2, 28, 28), np.uint8)
    np.testing.assert_array_equal(some(empty), empty)
    assert some(empty[:0]).shape == (0, 28, 28)
    dot = empty.copy()
    dot[0, 3, 4] = 200
    assert some(dot).dtype == np.uint8
    assert some(dot)[0].any()
    for wrong in (dot.astype(float), dot[0]):
        with pytest.raises(ShapeError, match="takes uint8 images"):
            some(wrong)


def test_an_image_is_changed_alike_alone_and_among_many(digits):
    many = np.resize(digits, (TOGETHER + 5, 28, 28))
    changed = normalize(many, list(NORMALIZATIONS))
    np.testing.assert_array_equal(changed[-3:], normalize(many[-3:], list(NORMALIZATIONS)))


def test_names_that_are_not_known(digits):
    with pytest.raises(OptionError, match="no normalization is named 'straight'; there are deskew, center"):
        normalize(digits, ["deskew", "straight"])
