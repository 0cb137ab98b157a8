"""A planned training step does what the same step does operation by operation."""

import itertools

import numpy as np
import pytest

import inkgrad as ig
import plans
from inkgrad import nn


def dense(*widths, between=nn.ReLU, seed=0):
    """Flat layers of these widths with an activation between them."""
    rng = ig.default_rng(seed)
    layers = [nn.Flatten()]
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b, rng=rng), between()]
    return nn.Sequential(*layers[:-1])


def smoothed(logits, labels):
    """A loss whose gradient never vanishes, so that relative errors of gradients stay errors of rounding."""
    return nn.cross_entropy(logits, labels, label_smoothing=0.2)


# Layers whose weights are divided among the threads


@pytest.mark.parametrize(
    ("widths", "between"),
    [
        pytest.param((784, 260, 260, 10), nn.Sigmoid, id="two in a row"),
        pytest.param((784, 20, 20, 20, 3300, 10), nn.Tanh, id="behind small ones"),
        pytest.param((784, 30, 2200, 10), nn.ReLU, id="in the middle"),
    ],
)
def test_layers_divided_among_the_threads(widths, between):
    """Many times over, as threads that do not wait for each other are right most of the time."""
    planned, eager = plans.twins(lambda: dense(*widths, between=between), loss=smoothed)
    start = nn.state_of(planned.net)
    for count in (12, 3, 1, 13):
        images, labels = plans.batch(count, seed=count)
        nn.load_state(eager.net, start)
        loss = eager(images, labels)
        for _ in range(5):
            nn.load_state(planned.net, start)
            assert planned(images, labels) == pytest.approx(loss, rel=1e-5)
            assert planned.fallback is None
            plans.assert_gradients_agree(planned.net, eager.net)


# Where there is no plan, the eager way runs, and `fallback` says why


@ig.differentiable
def relu(x):
    """Another function than ours of this name."""
    slope = np.where(x > 0, np.float32(1), np.float32(0.3))
    return x * slope, (lambda g: g * slope,)


@ig.differentiable
def cube(x):
    return x**3, (lambda g: g * 3 * x**2,)


class Flat(nn.Module):
    """A dense layer and what a subclass makes of its input and output."""

    def __init__(self):
        self.flatten, self.dense = nn.Flatten(), nn.Linear(36, 10, rng=ig.default_rng(0))

    def before(self, x):
        return x

    def after(self, h):
        return h

    def forward(self, x):
        return self.after(self.dense(self.before(self.flatten(x))))


class WithNamesake(Flat):
    def after(self, h):
        return relu(h)


class WithOwnOperation(Flat):
    def before(self, x):
        return cube(x)


class ReadsValues(Flat):
    def after(self, h):
        return h * float(1 / (1 + np.abs(h.data).max()))


class ReadsOneValue(Flat):
    def after(self, h):
        return h if float(h.mean()) > 1e9 else h * 2


class TwiceOneLayer(Flat):
    def after(self, h):
        return self.dense(ig.ops.concatenate([h, h, h, h[:, :6]], axis=1))


class SharedLayer(Flat):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(10, 10, rng=ig.default_rng(1))

    def after(self, h):
        return self.inner(ig.ops.tanh(self.inner(h)))


class FrozenNorm(Flat):
    """Trained with the running statistics of a batch normalization, behind a dense layer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(10).eval()
        self.norm.running_var.data[...] = np.linspace(0.5, 4, 10)
        self.norm.weight.data[...] = np.linspace(-2, 2, 10)

    def after(self, h):
        return self.norm(h)


class FrozenNormOfImages(FrozenNorm):
    """Before everything."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(36).eval()

    def before(self, x):
        return self.norm(x)

    def after(self, h):
        return h


class FrozenNormOfConvolution(nn.Module):
    def __init__(self):
        rng = ig.default_rng(0)
        self.convolution, self.norm = nn.Conv2d(1, 3, 3, rng=rng), nn.BatchNorm2d(3).eval()
        self.norm.running_var.data[...] = 3
        self.dense = nn.Linear(48, 10, rng=rng)

    def forward(self, x):
        return self.dense(nn.Flatten()(ig.ops.relu(self.norm(self.convolution(x)))))


class FrozenNormOfDividedLayer(FrozenNorm):
    def __init__(self):
        super().__init__()
        rng = ig.default_rng(0)
        self.dense, self.norm, self.last = (
            nn.Linear(36, 460, rng=rng),
            nn.BatchNorm1d(460).eval(),
            nn.Linear(460, 10, rng=rng),
        )
        self.norm.weight.data[...] = np.linspace(-2, 2, 460)

    def after(self, h):
        return self.last(self.norm(h))


def looking_at_another(logits, labels):
    """A loss that computes another one too."""
    nn.cross_entropy(logits, labels, label_smoothing=0.5)
    return nn.cross_entropy(logits, labels)


def weighted(logits, labels):
    return nn.cross_entropy(logits, labels, class_weights=np.arange(1, 11, dtype=np.float32))


REFUSED = {
    "own operation": (WithOwnOperation, nn.cross_entropy, "the operation cube of"),
    "own operation with a name of ours": (WithNamesake, nn.cross_entropy, "the operation relu of"),
    "values": (ReadsValues, nn.cross_entropy, "looks at the values"),
    "one value": (ReadsOneValue, nn.cross_entropy, "looks at the values"),
    "one layer twice": (SharedLayer, nn.cross_entropy, "a parameter is used twice"),
    "one layer twice, put together": (TwiceOneLayer, nn.cross_entropy, "the operation"),
    "frozen normalization": (FrozenNorm, nn.cross_entropy, "running statistics"),
    "frozen normalization of images": (FrozenNormOfImages, nn.cross_entropy, "running statistics"),
    "frozen normalization of a convolution": (FrozenNormOfConvolution, nn.cross_entropy, "running statistics"),
    "frozen normalization of a divided layer": (FrozenNormOfDividedLayer, nn.cross_entropy, "running statistics"),
    "class weights": (Flat, weighted, "a cross-entropy with weights"),
    "two losses": (Flat, looking_at_another, "more than one loss"),
    "half a loss": (Flat, lambda z, y: nn.cross_entropy(z, y) * 0.5, "the operation multiply"),
    "another kind of loss": (Flat, lambda z, y: nn.mean_squared_error(z, np.eye(10)[y]), "the operation"),
    "a sum": (Flat, lambda z, y: nn.cross_entropy(z, y, reduction="sum"), "no mean"),
    "changed labels": (Flat, lambda z, y: nn.cross_entropy(z, 9 - y), "neither an input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_a_plan_the_eager_way_runs_and_says_why(case):
    make, loss, why = REFUSED[case]
    planned, eager = plans.twins(make, loss)
    for count in (6, 3, 9):
        images, labels = plans.batch(count, (1, 6, 6), seed=count)
        assert planned(images, labels) == eager(images, labels)
        assert why in planned.fallback
    for (_, one), (_, other) in zip(planned.net.named_state(), eager.net.named_state(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
