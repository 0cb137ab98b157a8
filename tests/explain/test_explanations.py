"""Explanations against what must hold of them: numerical slopes, completeness, what is worked out by hand."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import OptionError, ShapeError
from inkgrad.explain import (
    PARTS,
    contributions,
    grad_cam,
    integrated_gradients,
    look_inside,
    occlusion,
    saliency,
    smallest_change,
)
from inkgrad.explain.subject import Subject
from inkgrad.models import Classifier, View
from inkgrad.models.views import seen, view_matrix

ALL = (saliency, integrated_gradients, grad_cam, occlusion, contributions, smallest_change)


@pytest.fixture(scope="module")
def digits():
    return ig.models.pretrained("digits")


@pytest.fixture(scope="module")
def images():
    return ig.data.load_digits()[0].images[:10]


@pytest.fixture(scope="module")
def linear():
    """A network whose every explanation is its weights."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=ig.default_rng(1)))


def smooth(width=6):
    """A small convolutional network without kinks, in float64 so that slopes can be measured."""
    rng = ig.default_rng(2)
    layers = (nn.Conv2d(1, width, 3, rng=rng, stride=2), nn.Tanh(), nn.Conv2d(width, 4, 3, rng=rng), nn.Tanh())
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 11 * 11, 10, rng=rng))


def test_saliency_is_the_numerical_slope(images):
    net = smooth()
    classifier = Classifier(net, views=(View(), View(rotation=6.0, scale=0.9)), temperature=1.3)
    subject = Subject(classifier, images[3], 5)
    slope = saliency(classifier, images[3], 5)
    direction = ig.default_rng(3).normal(size=(28, 28)).astype(np.float32)
    ends = [subject.scores(ig.Tensor((subject.ink + e * direction)[None])).data[0] for e in (0.01, -0.01)]
    assert (ends[0] - ends[1]) / 0.02 == pytest.approx((slope * direction).sum(), rel=1e-2)
    assert slope.dtype == np.float32


def test_scores_are_the_logits_that_are_predicted(images):
    classifier = Classifier(smooth(), temperature=0.7)
    subject = Subject(classifier, images[0], 4)
    expected = classifier.predict_logits(images)[:, 4]
    np.testing.assert_allclose(subject.scores_of(images), expected, rtol=1e-5)
    ink = ig.Tensor(images.astype(np.float32) / 255)
    np.testing.assert_allclose(subject.scores(ink).data, expected, rtol=1e-4, atol=1e-5)


def test_views_as_matrices(images):
    for view in (View(6.0, 0.9, 0.7, -0.3), View()):
        turned = images.reshape(-1, 784).astype(np.float32) @ view_matrix(view, (28, 28))
        assert np.abs(turned.reshape(-1, 28, 28) - next(seen(images, (view,)))).max() <= 0.51


def test_a_linear_network_is_explained_by_its_weights(linear, images):
    weight = linear.layers[1].weight.data[7].reshape(28, 28)
    ink = images[2].astype(np.float32) / 255
    np.testing.assert_allclose(saliency(linear, images[2], 7), weight, rtol=1e-5, atol=1e-6)
    shares = weight * ink
    np.testing.assert_allclose(integrated_gradients(linear, images[2], 7, steps=3), shares, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(occlusion(linear, images[2], 7, size=1, stride=1), shares, rtol=1e-3, atol=1e-5)
    found = contributions(linear, images[2], 7)
    np.testing.assert_array_equal(found.weights, weight[None])
    np.testing.assert_allclose(found.shares[0], shares, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_integrated_gradients_share_out_the_whole_difference(digits, images):
    subject = Subject(digits, images[3])
    blank, whole = subject.scores_of(np.stack([np.zeros_like(images[3]), images[3]]))
    assert integrated_gradients(digits, images[3], steps=256).sum() == pytest.approx(whole - blank, rel=0.02)


def test_grad_cam_by_hand(images):
    """Of a network whose features are averaged, w is the dense weight over the number of places."""
    rng = ig.default_rng(4)
    dense = nn.Linear(5, 10, rng=rng)
    net = nn.Sequential(nn.Conv2d(1, 5, 3, rng=rng), nn.ReLU(), nn.GlobalAveragePool2d(), dense)
    maps = nn.feature_maps(net, images[6][None, None].astype(np.float32) / 255)["layers.1"][0]
    expected = np.maximum(np.tensordot(dense.weight.data[2] / 26**2, maps, 1), 0)
    np.testing.assert_allclose(grad_cam(net, images[6], 2), expected, rtol=1e-3, atol=1e-7)
    assert grad_cam(net, images[6], 2, layer="layers.0").shape == (26, 26)


def test_occlusion_counts_each_square_by_itself(digits, images):
    subject = Subject(digits, images[1])
    covered = images[1].copy()
    covered[14:21, 7:14] = 0
    whole, without = subject.scores_of(np.stack([images[1], covered]))
    found = occlusion(digits, images[1], size=7, stride=7)[14:21, 7:14]
    np.testing.assert_allclose(found, whole - without, rtol=1e-4, atol=1e-5)


def test_the_smallest_change_of_a_linear_network_is_known(linear, images):
    """Between two classes it is the way to their boundary, where no pixel is held back by its bounds."""
    weight = linear.layers[1].weight.data
    image = (images[0] // 2 + 60).astype(np.uint8)
    scores = weight @ (image.reshape(-1).astype(np.float32) / 255)
    first, second = np.argsort(-scores)[:2]
    distance = (scores[first] - scores[second]) / np.linalg.norm(weight[first] - weight[second])
    change = smallest_change(linear, image, int(second), steps=60)
    assert Classifier(linear).predict(change.image[None])[0] == second
    assert (
        0.9 * distance < change.size < 1.5 * distance + 0.05
    )  # half of all odds, and rounding to bytes, cost a little


@pytest.mark.parametrize("name", [pytest.param("digits", marks=pytest.mark.slow), "tiny"])
def test_the_smallest_change_turns_digits_that_ship_into_others(name, images):
    classifier = ig.models.pretrained(name)
    for image in images[:4]:
        before = classifier.classify_forms([image])[0].value
        change = smallest_change(classifier, image)
        assert classifier.classify_forms([change.image])[0].value == change.value != before
        inks = change.image / np.float32(255), image / np.float32(255)
        np.testing.assert_array_equal(inks[0] - inks[1], change.difference)
        assert change.size == pytest.approx(np.linalg.norm(change.difference))
        assert 0 < change.size < np.linalg.norm(image / 255) / 2


def test_contributions_of_every_class_add_up(digits, images):
    x = digits.scaling.apply(images[8:9])
    with ig.no_grad():
        logits = digits.network(x).data[0]
    for target in range(10):
        found = contributions(digits, images[8], target)
        assert found.logit == pytest.approx(logits[target], rel=1e-4, abs=1e-4)
        assert found.shares.sum() + found.bias == pytest.approx(found.logit, rel=1e-3, abs=1e-3)


def test_nothing_is_left_behind(digits, images):
    before = {name: member.data.copy() for name, member in digits.network.named_state()}
    for explain in ALL:
        explain(digits, images[0], **({"steps": 2} if explain is smallest_change else {}))
    for name, member in digits.network.named_state():
        np.testing.assert_array_equal(member.data, before[name])
    assert all(parameter.grad is None and parameter.requires_grad for _, parameter in digits.network.named_parameters())


@pytest.mark.slow
def test_a_look_inside_has_all_parts(digits, images):
    inside = look_inside(digits, images[9])
    assert set(inside) == {"value", "refused", "probabilities", "seen", *PARTS}
    assert inside["value"] == 9
    assert [layer["kind"] for layer in inside["layers"][:3]] == ["Conv2d", "BatchNorm2d", "ReLU"]
    assert inside["filters"][1]["maps"]["shape"] == [24 * 24, 3, 3]
    assert inside["smallest_change"]["value"] != 9
    dense = Classifier(ig.models.build("two-layer", rng=ig.default_rng(0)))
    plain = look_inside(dense, images[9], parts=["grad_cam", "winner", "filters"])
    assert (plain["grad_cam"], plain["filters"], plain["winner"]["weights"]["shape"]) == (None, [], [1, 1, 50])


@pytest.mark.parametrize("explain", ALL)
def test_mistakes(explain, digits, images):
    with pytest.raises(ShapeError, match=r"uint8 \(28, 28\), .* but got float64 \(28, 28\)"):
        explain(digits, images[0] / 255)
    with pytest.raises(OptionError, match="a class from 0 to 9, but is 10"):
        explain(digits, images[0], 10)
    with pytest.raises(OptionError, match="but got str"):
        explain("digits", images[0])


def test_mistakes_of_one_kind(digits, linear, images):
    with pytest.raises(OptionError, match="has none"):
        grad_cam(linear, images[0])
    with pytest.raises(OptionError, match=r"'layers\.21'; here layers\.0, "):
        grad_cam(digits, images[0], layer="layers.21")
    with pytest.raises(OptionError, match="answers class 0 already"):
        smallest_change(digits, images[0], 0)
    with pytest.raises(OptionError, match="size is 3 and stride 4"):
        occlusion(digits, images[0], size=3, stride=4)
    with pytest.raises(OptionError, match="those of a Linear layer"):
        contributions(nn.Sequential(linear, nn.Tanh()), images[0])
    for explain in (integrated_gradients, smallest_change):
        with pytest.raises(OptionError, match="at least 1, but is 0"):
            explain(digits, images[0], steps=0)
    with pytest.raises(OptionError, match="no part 'outside'"):
        look_inside(digits, images[0], parts=["outside"])
