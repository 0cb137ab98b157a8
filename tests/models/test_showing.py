import numpy as np
import pytest
from PIL import Image

import inkgrad as ig
from inkgrad.errors import OptionError, ShapeError, StorageError
from inkgrad.models import Classifier, feature_sheet, filter_sheet

IMAGES = np.arange(3 * 784, dtype=np.uint32).reshape(3, 28, 28).astype(np.uint8)


@pytest.fixture(scope="module")
def net():
    return ig.models.build("lenet5", rng=ig.default_rng(0))


def same(one, other):
    return one.size == other.size and np.array_equal(np.asarray(one), np.asarray(other))


def test_images_make_a_contact_sheet():
    options = {"labels": list("abc"), "columns": 2, "marked": [1]}
    assert same(ig.show(IMAGES, **options), ig.data.show(IMAGES, **options))
    assert same(ig.show(IMAGES[0], scale=3), ig.data.show(IMAGES[0], scale=3))


def test_layers_and_networks(net):
    assert same(ig.show(net.layers[3], most=4, zoom=2), filter_sheet(net.layers[3], most=4, zoom=2))
    assert same(ig.show(net, IMAGES[0], most=4), feature_sheet(net, IMAGES[0], most=4))
    classifier = Classifier(net, ig.data.Scaling("standard", 0.01, -1.0))
    assert same(ig.show(classifier, IMAGES[0]), feature_sheet(classifier, IMAGES[0]))
    assert not same(ig.show(classifier, IMAGES[0]), ig.show(net, IMAGES[0]))


def test_pictures_are_saved_and_shown_in_notebooks(net, tmp_path):
    for thing in ((IMAGES,), (net.layers[0],), (net, IMAGES[0])):
        picture = ig.show(*thing, path=tmp_path / "p.png")
        with Image.open(tmp_path / "p.png") as saved:
            assert same(saved, picture)
        assert picture._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(StorageError):
        ig.show(net.layers[0], path=tmp_path)


@pytest.mark.parametrize(
    ("thing", "options", "error", "words"),
    [
        (
            "digit.png",
            {},
            OptionError,
            r"^show takes uint8 images, a layer, or a network with an image .* but got str$",
        ),
        (IMAGES, {"image": IMAGES[0]}, OptionError, "show takes one array of images"),
        (IMAGES / 255, {}, ShapeError, "must be uint8"),
        (ig.nn.ReLU(), {}, OptionError, "ReLU has no filters to show"),
        (ig.nn.Flatten(), {"columns": 2}, OptionError, "columns belongs to a contact sheet of images, but got Flatten"),
        (ig.nn.Flatten(), {"image": IMAGES[0], "scale": 2}, OptionError, "leave scale out"),
    ],
)
def test_errors(thing, options, error, words):
    with pytest.raises(error, match=words):
        ig.show(thing, **options)


def test_a_network_needs_an_image(net):
    with pytest.raises(OptionError, match=r"^Network has no filters to show; .* or a network with an image: show\(net"):
        ig.show(net)
    with pytest.raises(OptionError, match=r"^Classifier has no filters to show"):
        ig.show(Classifier(net))
