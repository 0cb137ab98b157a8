"""What is measured of each layer and update is what a calculation by hand gives, and nothing is changed by it."""

import copy

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.training.doctor import measure_layers, measure_update


def everything(net):
    """Weights, buffers, gradients, generators, modes and attributes of a network."""
    return (
        [(name, member.data.tobytes()) for name, member in net.named_state()],
        [None if p.grad is None else p.grad.tobytes() for _, p in net.named_parameters()],
        [str(rng.bit_generator.state) for _, rng in net.named_generators()],
        [(type(module), module.training, sorted(vars(module))) for _, module in net.named_modules()],
    )


@pytest.mark.parametrize("count", [20, 150])  # in one chunk, and in several of which the last is smaller
def test_gradients_and_outputs_by_hand(deep, small, count):
    images, labels = ig.data.linear_scaling().apply(small.train.images[:count]), small.train.labels[:count]
    net = deep(nn.ReLU, 1).astype(np.float64)
    first, second = net.layers[1], net.layers[3]
    hidden = images.reshape(count, -1) @ first.weight.data.T + first.bias.data
    logits = np.maximum(hidden, 0) @ second.weight.data.T + second.bias.data
    error = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(10)[labels]
    behind = error @ second.weight.data
    expected = [behind * (hidden > 0), behind, error]
    found = measure_layers(net, nn.cross_entropy, images, labels)
    norms = [np.sqrt((gradient**2).sum(axis=1).mean()) for gradient in expected]
    np.testing.assert_allclose([layer.gradient for layer in found], norms, rtol=1e-6)
    sizes = [np.sqrt((output**2).mean()) for output in (hidden, np.maximum(hidden, 0), logits)]
    np.testing.assert_allclose([layer.output for layer in found], sizes, rtol=1e-6)
    assert found[1].dead == (hidden <= 0).all(axis=0).mean() > 0
    assert [layer.trained for layer in found] == [True, False, True]


def test_the_flat_part_of_a_curve(small):
    wide = nn.Sequential(nn.Flatten(), nn.Linear(784, 30, rng=ig.default_rng(0), init=nn.init.normal(1.0)))
    images, labels = ig.data.linear_scaling().apply(small.train.images), small.train.labels
    for activation, curve in ((nn.Sigmoid(), lambda x: 4 / (2 + np.exp(x) + np.exp(-x))), (nn.Tanh(), None)):
        net = nn.Sequential(wide, activation, nn.Linear(30, 10, rng=ig.default_rng(1)))
        inputs = wide(images).data.astype(np.float64)
        slope = curve(inputs) if curve else 1 / np.cosh(inputs) ** 2
        share = measure_layers(net, nn.cross_entropy, images, labels)[1].saturated
        assert share == pytest.approx((slope < 0.05).mean(), abs=1e-3)
        assert 0.1 < share < 1


def test_a_channel_is_a_unit(digits):
    net = ig.models.build("lenet5", rng=ig.default_rng(0))
    net.layers[0].weight.data[2], net.layers[0].bias.data[2] = 0, -1
    images = ig.data.linear_scaling().apply(digits.train.images[:70])
    found = {m.name: m for m in measure_layers(net, nn.cross_entropy, images, digits.train.labels[:70])}
    assert found["layers.1"].units == 6
    assert found["layers.1"].dead == pytest.approx(1 / 6)


def test_nothing_is_changed(stateful, batch):
    net = stateful()
    optimizer = ig.optim.Adam(net, learning_rate=0.01)
    step = ig.training.TrainStep(net, nn.cross_entropy, optimizer)
    step(*batch)
    before = everything(net)
    state = {name: array.tobytes() for name, array in optimizer.state_arrays().items()}
    measure_layers(net, nn.cross_entropy, *batch)
    measure_update(step, *batch, learning_rate=3.0)
    ig.training.examine(step, *batch)
    assert everything(net) == before
    assert {name: array.tobytes() for name, array in optimizer.state_arrays().items()} == state
    assert optimizer.learning_rate == 0.01


@pytest.mark.parametrize("optimizer", [ig.optim.SGD, ig.optim.Adam, ig.optim.AdamW])
def test_the_update_is_the_one_that_comes_next(stateful, batch, optimizer):
    net = stateful()
    step = ig.training.TrainStep(
        net, nn.cross_entropy, optimizer(net, learning_rate=0.01), penalties=[ig.optim.L2(0.1)]
    )
    step(*batch)
    measured = measure_update(step, *batch)
    before = copy.deepcopy({name: p.data for name, p in net.named_parameters() if p.ndim > 1})
    step(*batch)
    after = dict(net.named_parameters())
    ratios = {n: np.linalg.norm(after[n].data - old) / np.linalg.norm(old) for n, old in before.items()}
    assert measured.ratios == pytest.approx(ratios, rel=1e-4)
    assert measured.learning_rate == 0.01
    assert measured.median == pytest.approx(np.median(list(ratios.values())), rel=1e-4)


def test_an_update_that_cannot_be_made(stateful, batch):
    net = stateful()
    step = ig.training.TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, learning_rate=0.1))
    refused = measure_update(step, batch[0] * np.nan, batch[1])
    assert refused.ratios == {}
    assert "the input holds NaN" in refused.refused
    assert np.isnan(refused.median)
