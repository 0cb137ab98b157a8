"""The unrolled network: its arrays are those of the network that trains."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.errors import OptionError
from inkgrad.lessons.digits import lesson_digits, two_layer
from inkgrad.lessons.unrolled import BACKWARD, STAGES, descended, unroll


@pytest.mark.parametrize("weights", ["fresh", "trained"])
def test_values_and_gradients_are_those_of_the_network(weights):
    _, test = lesson_digits()
    image, label = test.images[3], int(test.labels[3])
    net = two_layer(weights)
    found = unroll(net, image, label)
    assert tuple(stage.name for stage in found.stages) == STAGES and sorted(BACKWARD) == sorted(STAGES)
    x = ig.Tensor(ig.data.linear_scaling().apply(image[None]), requires_grad=True)
    logits = net(x)
    loss = ig.nn.cross_entropy(logits, np.array([label]))
    loss.backward()
    np.testing.assert_allclose(found["a2"].value, logits.data, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["loss"].value, loss.data, rtol=1e-4, atol=1e-6)
    for name, (_, parameter) in zip(("W1", "b1", "W2", "b2"), net.named_parameters(), strict=True):
        np.testing.assert_array_equal(found[name].value, parameter.data)
        np.testing.assert_allclose(found[name].gradient, parameter.grad, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found["x"].gradient.ravel(), x.grad.ravel(), rtol=1e-3, atol=1e-6)
    right = np.eye(10)[label]
    np.testing.assert_allclose(found["a2"].gradient[0], found["y"].value[0] - right, atol=1e-5)  # y - t, as it says
    for stage in found.stages:
        assert stage.value.shape == stage.gradient.shape
        assert stage.value.dtype == stage.gradient.dtype == np.float32


def test_training_and_steps_on_one_digit_help():
    _, test = lesson_digits()
    net = two_layer("trained")
    net.eval()
    with ig.no_grad():
        answers = net(ig.data.linear_scaling().apply(test.images)).data.argmax(axis=1)
    assert (answers == test.labels).mean() > 0.9
    image, label = test.images[0], int(test.labels[0])
    losses = [
        float(unroll(descended(two_layer("fresh"), image, label, n), image, label)["loss"].value) for n in (0, 1, 9)
    ]
    assert losses[0] > losses[1] > losses[2]
    with pytest.raises(OptionError, match="0 to 50"):
        descended(two_layer("fresh"), image, label, 51)
