"""What a trained network answers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import load_digits
from inkgrad.errors import ImageError, OptionError, ShapeError
from inkgrad.models import NAMED, Classifier, Refusal, build, first_views, join, load, network_logits, save_classifier


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def classifier(name="mlp", scale=5.0):
    """A network that knows nothing but is sure of it."""
    net = build(name, rng=ig.default_rng(0))
    dense = not any(isinstance(module, nn.Conv2d) for _, module in net.named_modules())
    for module in net.layers if dense else net.layers[-1:]:  # all layers of a deep network would overflow
        for _, parameter in module.named_parameters():
            parameter.data *= scale
    return Classifier(net, probabilities=NAMED[name].probabilities)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("scale", [5, 30])
def test_probabilities_sum_to_1_and_agree_with_the_class(digits, name, scale):
    reader, images = classifier(name, scale), digits[1].images[: 60 if name == "simple-cnn" else None]
    probabilities = reader.predict_proba(images)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(images), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1, dtype=np.float64), 1, atol=1e-6)
    assert probabilities.min() >= 0
    classes = reader.predict(images)
    assert classes.dtype == np.int64
    best = np.take_along_axis(probabilities, classes[:, None], 1)[:, 0]
    np.testing.assert_allclose(best, probabilities.max(axis=1), rtol=1e-6)
    assert (probabilities != probabilities[0]).any()


def test_sigmoid_outputs_are_scaled_to_1(digits):
    reader = classifier("two-layer-sigmoid")
    outputs = 1 / (1 + np.exp(-reader.predict_logits(digits[1].images).astype(np.float64)))
    expected = outputs / outputs.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(reader.predict_proba(digits[1].images), expected, atol=1e-6)
    reader.network.layers[-1].bias.data[...] = -200  # every output 0 in float32
    probabilities = reader.predict_proba(digits[1].images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_batches_do_not_matter(digits):
    reader = classifier()
    images = np.concatenate([digits[0].images] * 2)
    many = reader.predict_logits(images)
    assert len(many) == 2874
    np.testing.assert_allclose(many[:5], reader.predict_logits(images[:5]), atol=1e-4)
    assert reader.predict(images[:0]).shape == (0,)
    assert reader.predict_proba(images[:0]).shape == (0, 10)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32),
        np.zeros((28, 28), np.uint8),
        np.zeros((2, 32, 32), np.uint8),
        np.zeros((2, 1, 28, 28), np.uint8),
        np.zeros((2, 28, 28), np.int64),
    ],
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ShapeError, match=r"needs uint8 images \(n, 28, 28\).*classify\(\) takes any picture"):
        classifier().predict(images)


def test_eight_threads_get_the_same_answers(digits):
    reader, images = classifier(), digits[0].images
    expected = reader.predict_proba(images)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(reader.predict_proba, [images] * 32):
            np.testing.assert_array_equal(answer, expected)


def test_the_caller_owns_what_is_returned(digits):
    reader, images = classifier(), digits[1].images
    first = reader.predict_logits(images)
    kept = first.copy()
    reader.predict_logits(images[::-1])
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(reader.predict_logits(images), kept)


def test_measuring_leaves_the_mode_as_it_was(digits):
    net = build("mlp", rng=ig.default_rng(0))
    scaling = ig.data.linear_scaling()
    network_logits(net, digits[1].images, scaling)
    assert net.training
    network_logits(net.eval(), digits[1].images, scaling)
    assert not net.training


def test_pictures_of_every_source_give_one_answer(tmp_path, digits):
    reader, image = classifier(), digits[1].images[3]
    path = tmp_path / "digit.png"
    Image.fromarray(image).save(path)
    expected = reader.predict_proba(reader.classify(image).image[None])[0]
    for source in (path, str(path), path.read_bytes(), image, Image.fromarray(image)):
        answer = reader.classify(source)
        np.testing.assert_array_equal(answer.probabilities, expected)
        assert answer.value == expected.argmax()
        assert answer.label == str(answer.value)
        assert answer.confidence == expected.max()
        assert answer.runner_up == np.argsort(-expected)[1]


def test_nothing_on_the_paper_is_no_digit():
    answer = classifier().classify(np.full((60, 40), 255, np.uint8))
    assert (answer.value, answer.label, answer.confidence, answer.runner_up, answer.image) == (
        None,
        None,
        0,
        None,
        None,
    )
    assert answer.probabilities.shape == (10,)
    assert not answer.probabilities.any()


def test_no_picture():
    with pytest.raises(ImageError):
        classifier().classify(b"no picture")


# What is no digit


def refusing(views=1, threshold=0.5, temperature=1.0):
    net = build("lenet5", rng=ig.default_rng(0), classes=11)
    return Classifier(net, views=first_views(views), refusal=Refusal(threshold), temperature=temperature)


@pytest.mark.parametrize("views", [1, 3])
def test_the_last_output_says_what_is_no_digit(digits, views):
    reader, images = refusing(views), digits[1].images[:50]
    whole = Classifier(reader.network, views=reader.views, classes=(*map(str, range(10)), "none"))
    every = whole.predict_proba(images).astype(np.float64)
    np.testing.assert_allclose(reader.digit_probability(images), 1 - every[:, 10], atol=1e-6)
    given = every[:, :10] / every[:, :10].sum(1, keepdims=True)
    np.testing.assert_allclose(reader.predict_proba(images), given, atol=1e-6)
    assert reader.predict_logits(images).shape == (50, 10)
    assert reader.digit_probability(images).dtype == np.float32


@pytest.mark.parametrize("views", [1, 3])
def test_a_temperature_divides_the_logits_and_leaves_the_rest(digits, views):
    images = digits[1].images[:50]
    cold, warm = refusing(views), refusing(views, temperature=2.5)
    np.testing.assert_allclose(warm.predict_logits(images), cold.predict_logits(images) / 2.5, rtol=1e-5)
    powers = cold.predict_proba(images).astype(np.float64) ** (1 / 2.5)
    np.testing.assert_allclose(warm.predict_proba(images), powers / powers.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(warm.digit_probability(images), cold.digit_probability(images))
    np.testing.assert_array_equal(warm.predict(images), cold.predict(images))


def test_what_is_below_the_threshold_has_no_value(digits):
    images = digits[1].images[:50]
    sure = refusing().digit_probability(images)
    middle = float(np.median(sure))
    reader = refusing(threshold=middle)
    for image, probability, answer in zip(images, sure, reader.classify_forms(list(images)), strict=True):
        assert answer.digit_probability == pytest.approx(float(probability), rel=1e-4)
        assert (answer.value is None) == (answer.digit_probability < middle)
        assert (answer.confidence == 0) == (answer.value is None)
        np.testing.assert_array_equal(answer.image, image)
    blank = reader.classify(np.full((40, 40), 255, np.uint8))
    assert (blank.value, blank.digit_probability, blank.image) == (None, 0.0, None)
    assert classifier().classify(np.full((40, 40), 255, np.uint8)).digit_probability is None
    with pytest.raises(OptionError, match="has not learned what is no digit"):
        classifier().digit_probability(images)


def test_a_file_keeps_how_it_refuses(digits, tmp_path):
    reader = refusing(3, threshold=0.125, temperature=1.75)
    save_classifier(tmp_path / "m.safetensors", reader)
    again = load(tmp_path / "m.safetensors")
    assert (again.refusal, again.temperature, again.classes) == (Refusal(0.125), 1.75, reader.classes)
    images = digits[1].images[:20]
    np.testing.assert_array_equal(again.predict_proba(images), reader.predict_proba(images))
    np.testing.assert_array_equal(again.digit_probability(images), reader.digit_probability(images))


def test_joined_networks_refuse_together(digits):
    one, other = refusing(threshold=0.25, temperature=3.0), refusing(threshold=0.75)
    other.network.layers[0].weight.data *= 2
    both, images = join([one, other]), digits[1].images[:50]
    assert (both.refusal, both.temperature) == (Refusal(0.5), 1.0)
    expected = (one.digit_probability(images) + other.digit_probability(images)) / 2
    np.testing.assert_allclose(both.digit_probability(images), expected, atol=1e-6)
    plain = Classifier(build("lenet5", rng=ig.default_rng(0), classes=11), classes=tuple("abcdefghijk"))
    with pytest.raises(OptionError, match="must agree in"):
        join([one, plain])
