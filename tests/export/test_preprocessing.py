"""Pixels in, probabilities out: the whole of a `Classifier` as ONNX, run by ONNX Runtime."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data.normalization import NORMALIZATIONS
from inkgrad.errors import OptionError
from inkgrad.models import VIEWS, Classifier, Refusal
from inkgrad.models.ensemble import Ensemble
from inkgrad.models.rows import label_log_probabilities

pytest.importorskip("onnx", reason="onnx is not installed")


@pytest.fixture(scope="module")
def digits():
    """Digits of scikit-learn, roughly enlarged, an empty image, a full one, and noise."""
    from sklearn.datasets import load_digits

    small = load_digits().images[:12] * 15
    images = np.pad(small.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    others = np.stack([np.zeros((28, 28)), np.full((28, 28), 255), ig.default_rng(0).integers(256, size=(28, 28))])
    return np.concatenate([images, others.astype(np.uint8)])


def agrees(classifier, images, runtime):
    """Rounding may take a pixel to its neighbor's value, where a sum lies in the middle between two."""
    model = ig.export.to_onnx(classifier, preprocessing=True)
    results = runtime(model, images)
    probabilities = classifier.predict_proba(images)
    np.testing.assert_allclose(results["probabilities"], probabilities, atol=2e-3)
    assert np.median(np.abs(results["probabilities"] - probabilities)) < 1e-6
    np.testing.assert_array_equal(results["logits"].argmax(1)[:-1], classifier.predict(images)[:-1])
    if classifier.refuses:
        np.testing.assert_allclose(results["digit_probability"], classifier.digit_probability(images), atol=2e-3)
    assert set(results) == {"logits", "probabilities"} | ({"digit_probability"} if classifier.refuses else set())
    return results


@pytest.mark.parametrize("name", ig.models.PRETRAINED)
def test_the_weights_that_ship(name, digits, runtime):
    classifier = ig.models.pretrained(name)
    results = agrees(classifier, digits, runtime)
    logits = classifier.predict_logits(digits)
    assert np.linalg.norm(results["logits"] - logits) / np.linalg.norm(logits) < 1e-3


def small(seed=0, **options):
    return ig.models.build("lenet1", rng=ig.default_rng(seed), **options)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_each_normalization_pixel_by_pixel(name, digits, runtime):
    """A network that hands on its image shows what it was given."""

    class Seen(ig.nn.Module):
        def forward(self, x):
            return ig.nn.Flatten()(x)

    scaling = ig.data.Scaling("pixels", 1.0, 0.0)
    classifier = Classifier(Seen(), scaling, tuple(map(str, range(784))), normalizations=(name,))
    got = runtime(ig.export.to_onnx(classifier, preprocessing=True), digits)["logits"]
    expected = classifier.predict_logits(digits)
    assert np.abs(got - expected).max() <= 1  # one of 255
    assert (got != expected).mean() < 1e-3


def test_all_of_it_at_once(digits, runtime):
    projection = ig.data.principal_components(digits, 10)
    scaling = ig.data.Scaling("standard", 0.01, -0.4)
    net = Ensemble([small(seed, classes=11) for seed in range(2)])
    agrees(
        Classifier(
            net,
            scaling,
            normalizations=("deskew", "stroke"),
            projection=projection,
            views=VIEWS[:4],
            refusal=Refusal(),
            temperature=1.7,
        ),
        digits,
        runtime,
    )


def test_outputs_that_are_no_softmax(digits, runtime):
    net = ig.models.build("two-layer-sigmoid", rng=ig.default_rng(0))
    agrees(Classifier(net, probabilities="sigmoid"), digits, runtime)
    agrees(Classifier(net, probabilities="sigmoid", views=VIEWS[:2]), digits, runtime)


def test_the_network_of_a_classifier_is_exported_without_it(digits, runtime):
    classifier = Classifier(small(), temperature=3.0)
    results = runtime(ig.export.to_onnx(classifier), classifier.scaling.apply(digits))
    np.testing.assert_allclose(results["logits"] / 3, classifier.predict_logits(digits), rtol=1e-4, atol=1e-5)


def test_strips_of_the_reader(runtime):
    net = ig.Reader.pretrained().recognizer.net
    strips = ig.default_rng(0).integers(256, size=(2, 40, 96), dtype=np.uint8)
    results = runtime(ig.export.to_onnx(net, preprocessing=True), strips)
    with ig.no_grad():
        expected = net(strips[:, None].astype(np.float32) / np.float32(255)).data
    assert np.linalg.norm(results["logits"] - expected) / np.linalg.norm(expected) < 1e-5
    np.testing.assert_allclose(results["log_probabilities"], label_log_probabilities(expected), atol=1e-4)


def test_what_says_nothing_of_preprocessing():
    with pytest.raises(OptionError, match="give the Classifier"):
        ig.export.to_onnx(small(), preprocessing=True)
    with pytest.raises(OptionError, match="leave input_shape out"):
        ig.export.to_onnx(Classifier(small()), preprocessing=True, input_shape=(1, 28, 28))
    with pytest.raises(OptionError, match="but the network is float64"):
        ig.export.to_onnx(Classifier(small().astype(np.float64)), preprocessing=True)
    with pytest.raises(OptionError, match="a network, a layer or a Classifier, but got int"):
        ig.export.to_onnx(3)
