"""Transformers of images."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

import inkgrad as ig
from inkgrad.errors import OptionError
from inkgrad.estimator import Deskewer, PCAFeatures


def test_deskewing_is_that_of_the_package(digits):
    images, _ = digits
    expected = ig.data.deskew(images)
    for given in (images, images[:, None], images.reshape(-1, 784)):
        upright = Deskewer().fit_transform(given)
        assert upright.shape == given.shape
        assert upright.dtype == np.float32
        np.testing.assert_allclose(upright.reshape(images.shape), expected, atol=0.51)


def test_deskewing_knows_no_scale(digits):
    images, _ = digits
    once = Deskewer().fit_transform(images)
    shifted = Deskewer().fit_transform(images / 127.5 - 1)  # paper is -1, ink is 1
    np.testing.assert_allclose((shifted + 1) * 127.5, once, atol=0.01)
    blank = np.full((2, 28, 28), 3.0)
    assert np.array_equal(Deskewer().fit_transform(blank), blank)


def test_the_shape_of_rows(digits):
    images, _ = digits
    wide = images[:, 4:24]
    seen = Deskewer(image_shape=(20, 28)).fit_transform(wide.reshape(len(wide), -1))
    assert np.array_equal(seen.reshape(wide.shape), Deskewer().fit_transform(wide))
    assert Deskewer().fit(np.zeros((3, 60))).image_shape_ == (6, 10)
    assert Deskewer().fit(np.zeros((3, 7))).image_shape_ == (1, 7)
    with pytest.raises(OptionError, match=r"\(height, width\) of 784 pixels, as many as X has, but is \(20, 28\)"):
        Deskewer(image_shape=(20, 28)).fit(images)
    with pytest.raises(ValueError, match="X has 560 features, but Deskewer is expecting 784 features"):
        Deskewer().fit(images).transform(wide)


def test_principal_components_are_scikit_learns(digits):
    images, _ = digits
    X = images.reshape(-1, 784) / 255
    ours, theirs = PCAFeatures(12).fit(images / 255), PCA(12, random_state=0).fit(X)
    np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-3)
    ours_of, theirs_of = ours.transform(X), theirs.transform(X)
    signs = np.sign((ours_of * theirs_of).sum(axis=0))
    np.testing.assert_allclose(ours_of, theirs_of * signs, atol=1e-3)
    assert ours.n_components_ == 12
    assert ours.components_.shape == (12, 784)
    assert ours.get_feature_names_out()[:2].tolist() == ["pcafeatures0", "pcafeatures1"]


def test_as_many_components_as_a_share_of_the_variance_needs(digits):
    images, _ = digits
    half = PCAFeatures(0.5).fit(images)
    shares = half.explained_variance_ratio_
    assert shares.sum() >= 0.5 > shares[:-1].sum()
    assert PCAFeatures(None).fit(images).n_components_ == 300
    assert PCAFeatures().fit(np.ones((5, 3))).n_components_ >= 1


@pytest.mark.parametrize("wanted", [0, -1, "half", True, 1000])
def test_components_that_cannot_be(digits, wanted):
    with pytest.raises(OptionError):
        PCAFeatures(wanted).fit(digits[0])
