"""Principal components, against their definition."""

import numpy as np
import pytest

from inkgrad.data import load_digits, principal_components
from inkgrad.errors import OptionError

IMAGES = load_digits()[0].images[:400]


def test_components_are_the_first_singular_vectors():
    projection = principal_components(IMAGES, 10)
    flat = IMAGES.reshape(len(IMAGES), -1).astype(float)
    _, s, right = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    found = projection.components.reshape(10, -1)
    np.testing.assert_allclose(found @ found.T, np.eye(10), atol=1e-4)
    np.testing.assert_allclose(np.abs((found * right[:10]).sum(axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(projection.explained, (s**2 / (s**2).sum())[:10], rtol=1e-3)


def test_all_components_keep_the_image():
    few, all_of_them = principal_components(IMAGES, 5), principal_components(IMAGES, 399)
    assert np.abs(all_of_them.apply(IMAGES).astype(int) - IMAGES).max() <= 1
    assert few.apply(IMAGES).shape == IMAGES.shape
    assert few.apply(IMAGES[:0]).shape == (0, 28, 28)
    errors = [
        np.abs(principal_components(IMAGES, k).apply(IMAGES).astype(float) - IMAGES).mean() for k in (2, 10, 40, 150)
    ]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("k", [0, -1, 785])
def test_how_many(k):
    with pytest.raises(OptionError, match=rf"pca must be from 1 to 400 components for 400 images, but is {k}"):
        principal_components(IMAGES, k)
