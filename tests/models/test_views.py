"""Test-time augmentation: several views of an image, whose probabilities are averaged."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import DIGITS, linear_scaling, load_digits
from inkgrad.errors import OptionError
from inkgrad.models import VIEWS, Classifier, View, build, first_views
from inkgrad.models.views import seen, views_as_json, views_from

IMAGES = load_digits()[1].images[:20]


def ink_center(images):
    ink = images.astype(float)
    rows, columns = np.mgrid[:28, :28]
    return [(ink * axis).sum((1, 2)) / ink.sum((1, 2)) for axis in (rows, columns)]


def spread(images):
    ink = images.astype(float)
    rows, columns = np.mgrid[:28, :28] - 13.5
    return np.sqrt((ink * (rows**2 + columns**2)).sum((1, 2)) / ink.sum((1, 2)))


def test_the_first_view_is_the_image():
    assert VIEWS[0] == View()
    assert len(set(VIEWS)) == len(VIEWS)
    (only,) = seen(IMAGES, first_views(1))
    assert only is IMAGES


def test_views_move_scale_and_turn_what_they_say():
    down, right, larger, turned = seen(IMAGES, (View(down=2), View(right=-1.5), View(scale=1.2), View(rotation=90)))
    before = ink_center(IMAGES)
    np.testing.assert_allclose(ink_center(down)[0], before[0] + 2, atol=0.15)
    np.testing.assert_allclose(ink_center(down)[1], before[1], atol=0.15)
    np.testing.assert_allclose(ink_center(right)[1], before[1] - 1.5, atol=0.15)
    np.testing.assert_allclose(spread(larger), 1.2 * spread(IMAGES), rtol=0.04)
    assert np.abs(turned.astype(int) - np.rot90(IMAGES, axes=(1, 2)).astype(int)).max() <= 1  # counterclockwise


def test_probabilities_are_averaged():
    net = build("lenet5", rng=ig.default_rng(0))
    whole = Classifier(net, linear_scaling(), DIGITS, views=first_views(5))
    alone = Classifier(net, linear_scaling(), DIGITS)
    expected = np.mean([alone.predict_proba(view) for view in seen(IMAGES, first_views(5))], axis=0)
    np.testing.assert_allclose(whole.predict_proba(IMAGES), expected, rtol=1e-5)
    np.testing.assert_allclose(np.exp(whole.predict_logits(IMAGES)), expected, rtol=1e-5)
    assert (whole.predict(IMAGES) == expected.argmax(axis=1)).all()
    assert len(whole.predict(IMAGES[:0])) == 0


def test_files_and_numbers():
    assert views_from(views_as_json(VIEWS)) == VIEWS
    for count in (0, len(VIEWS) + 1):
        with pytest.raises(OptionError, match=rf"views must be from 1 to {len(VIEWS)}, but is {count}"):
            first_views(count)
