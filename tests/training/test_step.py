"""One forward pass, one backward pass, one update; and where a NaN came from."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn, optim
from inkgrad.errors import DivergenceError, OptionError
from inkgrad.training import TrainStep


def network(seed=0):
    return ig.models.build("two-layer", rng=ig.default_rng(seed), hidden=20)


def softmax_loss(net, images, labels):
    """Loss and gradients of the two layers, written out in float64."""
    w1, b1, w2, b2 = (p.data.astype(np.float64) for _, p in net.named_parameters())
    x = images.reshape(len(images), -1).astype(np.float64)
    z = x @ w1.T + b1
    h = np.maximum(z, 0)
    logits = h @ w2.T + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean()
    d = (p - np.eye(10)[labels]) / n
    dh = (d @ w2) * (z > 0)
    return loss, [dh.T @ x, dh.sum(axis=0), d.T @ h, d.sum(axis=0)]


def test_a_step_is_forward_backward_and_update(batch):
    net = network()
    loss, gradients = softmax_loss(net, *batch)
    expected = [p.data - 0.5 * g for (_, p), g in zip(net.named_parameters(), gradients, strict=True)]
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, learning_rate=0.5))
    logits = net(batch[0]).data.copy()
    assert step(*batch) == pytest.approx(loss, rel=1e-5)  # that before the update
    for (_, parameter), wanted in zip(net.named_parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.data, wanted, atol=1e-6)
    np.testing.assert_allclose(step.logits, logits, rtol=1e-5, atol=1e-7)
    assert step.optimizer.step_count == 1
    assert step.fallback is None


def test_without_a_plan_the_same_as_by_hand_with_the_engine_bit_for_bit(batch):
    net, other = network(), network()
    step = TrainStep(net, nn.cross_entropy, optim.Adam(net, learning_rate=0.01), plan=False)
    optimizer = optim.Adam(other, learning_rate=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        loss = nn.cross_entropy(other(ig.Tensor(batch[0])), batch[1])
        loss.backward()
        optimizer.step()
        assert step(*batch) == loss.item()
    for (_, a), (_, b) in zip(net.named_parameters(), other.named_parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_penalties_are_in_the_loss_and_in_the_gradient(batch):
    net = network()
    loss, gradients = softmax_loss(net, *batch)
    weights = [p.data.astype(np.float64) for _, p in net.named_parameters()]
    both = [weights[0], weights[2]]
    loss += 0.01 / 2 * sum((w**2).sum() for w in both) + 0.002 * sum(np.abs(w).sum() for w in both)
    for i in (0, 2):
        gradients[i] = gradients[i] + 0.01 * weights[i] + 0.002 * np.sign(weights[i])
    step = TrainStep(
        net, nn.cross_entropy, optim.SGD(net, learning_rate=0.5), penalties=[optim.L2(0.01), optim.L1(0.002)]
    )
    assert step(*batch) == pytest.approx(loss, rel=1e-5)
    for (_, p), w, g in zip(net.named_parameters(), weights, gradients, strict=True):
        np.testing.assert_allclose(p.data, w - 0.5 * g, atol=1e-6)


def test_the_gradient_is_clipped_before_it_is_used(batch):
    net = network()
    before = nn.state_of(net)
    _, gradients = softmax_loss(net, *batch)
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    limit = norm / 3
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, learning_rate=1.0, clip=optim.ClipByGlobalNorm(limit)))
    step(*batch)
    moved = [after - before[name] for name, after in nn.state_of(net).items()]
    assert np.sqrt(sum((m.astype(np.float64) ** 2).sum() for m in moved)) == pytest.approx(limit, rel=1e-4)
    for m, g in zip(moved, gradients, strict=True):
        np.testing.assert_allclose(m, -g / 3, atol=1e-6)


def test_the_average_follows_after_each_update(batch):
    net = network()
    average = optim.MovingAverage(net, decay=0.9)
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, learning_rate=0.5), average=average)
    expected = net.layers[1].weight.data.copy()
    for count in range(12):
        step(*batch)
        decay = min(0.9, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay) * net.layers[1].weight.data
    trained = net.layers[1].weight.data.copy()
    with average.applied():
        np.testing.assert_allclose(net.layers[1].weight.data, expected, atol=1e-6)
    np.testing.assert_array_equal(net.layers[1].weight.data, trained)


def test_a_loss_is_a_function():
    net = network()
    with pytest.raises(OptionError, match="TrainStep needs a loss function"):
        TrainStep(net, "cross-entropy", optim.SGD(net))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.AdaGrad, optim.RMSProp])
def test_base_rates_are_positive(kind, rate):
    with pytest.raises(OptionError, match="the learning rate must be positive"):
        kind(network(), learning_rate=rate)


@pytest.mark.parametrize("schedule", [optim.Cosine(0.5, steps=4), optim.OneCycle(0.5, steps=4)])
def test_schedules_may_reach_0_and_change_nothing_there(batch, schedule):
    net = network()
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, learning_rate=schedule))
    for _ in range(4):
        step(*batch)
    before = nn.state_of(net)
    assert step.optimizer.learning_rate == pytest.approx(0, abs=1e-12)
    step(*batch)
    for name, array in nn.state_of(net).items():
        np.testing.assert_allclose(array, before[name], atol=1e-12)


# Where a NaN came from


@pytest.fixture
def step():
    net = network()
    return TrainStep(net, nn.cross_entropy, optim.SGD(net, learning_rate=0.5, momentum=0.9))


def stopped(step, images, labels):
    """The message of the step that fails; nothing has moved."""
    before, state = nn.state_of(step.net), step.optimizer.state_arrays()
    with pytest.raises(DivergenceError) as caught:
        step(images, labels)
    for name, array in nn.state_of(step.net).items():
        np.testing.assert_array_equal(array, before[name])
    for name, array in step.optimizer.state_arrays().items():
        np.testing.assert_array_equal(array, state[name])
    return str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_in_the_input_names_the_image(step, batch, value):
    images, labels = batch
    step(images, labels)
    spoiled = images.copy()
    spoiled[[7, 11], 0, 14, 14] = value
    message = stopped(step, spoiled, labels)
    assert "training stopped before step 2" in message
    assert "the input holds NaN or infinity, first in image 7 of the batch; clean the data" in message
    step(images, labels)  # and it goes on with clean data


def test_nan_in_a_weight_names_it(step, batch):
    step.net.layers[3].bias.data[2] = np.nan
    with pytest.raises(DivergenceError, match=r"because the parameter layers\.3\.bias holds NaN or infinity"):
        step(*batch)


@pytest.mark.parametrize(("layer", "scope"), [(1, "layers.1"), (3, "layers.3")])
def test_an_overflow_names_operation_and_layer(step, batch, layer, scope):
    step.net.layers[1].bias.data[...] = 1  # so that no unit is dead
    step.net.layers[layer].weight.data[...] = 3e38
    message = stopped(step, *batch)
    assert f"the first value that overflowed is that of affine in {scope};" in message
    assert message.endswith("lower the learning rate (now 0.5) or clip the gradient")


def test_an_overflow_in_the_loss(batch):
    net = network()
    step = TrainStep(net, lambda logits, labels: (logits * 1e30 * 1e30).sum(), optim.SGD(net, learning_rate=0.5))
    assert "overflowed is that of" in stopped(step, *batch)


def test_an_overflow_in_the_penalty(batch):
    net = network()
    net.layers[1].weight.data[0, 0] = 1e25
    step = TrainStep(net, lambda z, t: (z * 0).sum(), optim.SGD(net, learning_rate=0.5), penalties=[optim.L2(1.0)])
    assert "overflowed is that of multiply" in stopped(step, *batch)


def test_a_gradient_that_is_not_finite_names_its_parameter(batch):
    net = network()
    step = TrainStep(net, lambda z, t: ig.ops.sqrt(ig.ops.sum(z * z * 0)), optim.SGD(net, learning_rate=0.5))
    message = stopped(step, *batch)
    assert message.startswith("the gradient of layers.1.weight became NaN or infinite in step 1;")
