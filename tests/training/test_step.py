"""One forward pass, one backward pass, one update; and where a NaN came from."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn, ops, optim
from inkgrad.errors import DivergenceError, OptionError, ShapeError
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
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.AdaGrad, optim.RMSProp, optim.Muon])
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


# What must be noticed between two steps


def small(seed=0):
    return nn.Sequential(nn.Linear(6, 5, rng=ig.default_rng(seed)), nn.ReLU(), nn.Linear(5, 3, rng=ig.default_rng(1)))


def some(n=8):
    rng = ig.default_rng(2)
    return rng.random((n, 6), np.float32), rng.integers(3, size=n)


def test_momentum_that_is_switched_on_between_two_steps():
    images, labels = some()
    losses = []
    for plan in (True, False):
        net = small()
        optimizer = optim.SGD(net, 0.1)
        step = TrainStep(net, nn.cross_entropy, optimizer, plan=plan)
        step(images, labels)
        optimizer.momentum = 0.9
        losses.append([step(images, labels) for _ in range(4)])
        assert step.fallback is None or not plan
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_a_loss_whose_attribute_changes():
    class Smoothed:
        amount = 0.0

        def __call__(self, logits, labels):
            return nn.cross_entropy(logits, labels, label_smoothing=self.amount)

    images, labels = some()
    losses = []
    for plan in (True, False):
        loss, net = Smoothed(), small()
        step = TrainStep(net, loss, optim.SGD(net, 0.1), plan=plan)
        step(images, labels)
        loss.amount = 0.5
        losses.append([step(images, labels) for _ in range(2)])
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_a_plain_array_whose_contents_change():
    class Gated(nn.Module):
        def __init__(self):
            self.gate, self.inner = np.zeros(1), small()

        def forward(self, x):
            y = self.inner(x)
            return ops.tanh(y) if self.gate[0] else y

    images, labels = some()
    net = Gated()
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1))
    step(images, labels)
    net.gate[0] = 1
    expected = nn.cross_entropy(net(images), labels).item()
    assert step(images, labels) == pytest.approx(expected, rel=1e-6)
    with ig.no_grad():
        before, net.gate[0] = [net.eval()(images).data for _ in range(3)], 0
        after = net(images).data
    assert np.abs(after - before[-1]).max() > 1e-3


def test_a_network_that_is_not_plannable():
    class Strange(nn.Module):
        plannable = False

        def __init__(self):
            self.inner = small()

        def forward(self, x):
            return self.inner(x)

    images, labels = some()
    net = nn.Sequential(Strange())
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1))
    step(images, labels)
    assert step.fallback == "Strange layers.0 is marked as not plannable"
    with ig.no_grad():
        for _ in range(3):
            net.eval()(images)
    assert net.fallback == "Strange layers.0 is marked as not plannable"


def test_an_optimizer_of_another_network_is_refused():
    with pytest.raises(OptionError, match=r"trains layers.0.weight, which is no parameter of the network"):
        TrainStep(small(), nn.cross_entropy, optim.SGD(small(1), 0.1))
    images, labels = some()
    net = small()
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1))
    step(images, labels)
    net.layers[0].weight = nn.Parameter(np.zeros((5, 6), np.float32))
    with pytest.raises(OptionError, match="and anew when a parameter has been replaced"):
        step(images, labels)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int16, np.bool_])
def test_labels_of_any_whole_kind(dtype):
    images, labels = some()
    labels %= 2
    one, other = small(), small()
    first = TrainStep(one, nn.cross_entropy, optim.SGD(one, 0.1))
    second = TrainStep(other, nn.cross_entropy, optim.SGD(other, 0.1))
    assert first(images, labels) == second(images, labels.astype(dtype))
    assert first(images, labels) == second(images, list(labels))
    assert second.fallback is None


def test_an_empty_batch_is_named():
    net = small()
    with pytest.raises(ShapeError, match=r"empty batch: images of shape \(0, 6\)"):
        TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1))(np.zeros((0, 6), np.float32), np.zeros(0, np.int64))


@pytest.mark.parametrize("plan", [True, False])
def test_a_failed_step_draws_one_mask(plan):
    images, labels = some()
    net = nn.Sequential(small(), nn.Dropout(0.5, rng=ig.default_rng(5)))
    step = TrainStep(net, nn.cross_entropy, optim.SGD(net, 0.1), plan=plan)
    step(images, labels)
    images[0, 0] = np.nan
    with pytest.raises(DivergenceError):
        step(images, labels)
    expected = ig.default_rng(5)
    drawn = [int(expected.integers(2**63)) for _ in range(3)]
    assert net.layers[1].next_seed() == drawn[2]
