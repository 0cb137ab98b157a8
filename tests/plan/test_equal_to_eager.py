"""Planned and eager steps agree: on the named networks, and on networks drawn at random.

Both compute in float32, in another order, so that they differ by rounding. How much a rounding error grows depends on
the network: where the sum before a ReLU or two numbers in a window are all but equal, a gradient jumps. So every
comparison allows, besides 2e-5 of an array's norm, four times what the array changes in float64 when all weights
change by one part in a million, to either side. Small arrays are measured by a tenth of all gradients together, as
their numbers may be sums of large ones that cancel; behind a batch normalization of a few samples they all are, and
the measure is the norm of all gradients, or 0.05 where even that is less.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cases
import drawn
import inkgrad as ig
import plans
from inkgrad import nn, optim
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models import NAMED, build
from inkgrad.plan import prediction, products, program
from inkgrad.plan.rules import dense, split

STRIDED = "max pooling of a padded convolution with a stride"  # not planned


class Pair:
    """A planned and an eager training of the same network, compared step by step."""

    def __init__(self, make, loss=nn.cross_entropy):
        self.make, self.loss = make, loss
        self.planned, self.eager = plans.twins(make, loss, lambda net: optim.SGD(net, 0.01))
        normalized = any("running" in name for name in nn.state_of(self.planned.net))
        self.tolerance, self.share, self.least = (1e-4, 1, 0.05) if normalized else (2e-5, 0.1, 0)

    def compare(self, images, labels, reasons=(), weights=None):
        """One step of both, from the state of the planned one."""
        nn.load_state(self.eager.net, nn.state_of(self.planned.net))
        bounds = self._sensitivity(images, labels, weights)
        losses = [step(images, labels, weights) for step in (self.planned, self.eager)]
        assert self.planned.fallback is None or self.planned.fallback in reasons, self.planned.fallback
        self._close({"loss": np.array(losses[0])}, {"loss": np.array(losses[1])}, bounds)
        self._close({"logits": self.planned.logits}, {"logits": self.eager.logits}, bounds)
        self._close(plans.gradients(self.planned.net), plans.gradients(self.eager.net), bounds)
        self._close(running(self.planned.net), running(self.eager.net), bounds)
        generators = [
            [str(rng.bit_generator.state) for _, rng in step.net.named_generators()]
            for step in (self.planned, self.eager)
        ]
        assert generators[0] == generators[1]

    def _close(self, ones, others, bounds):
        assert {n for n, g in ones.items() if g is None} == {n for n, g in others.items() if g is None}
        there = {name: array for name, array in others.items() if array is not None}
        least = self._least(there.values())
        for name, array in there.items():
            assert plans.away(ones[name], array, least) <= self.tolerance + bounds.get(name, 0), name

    def _least(self, arrays):
        return max(self.share * np.sqrt(sum(np.linalg.norm(array) ** 2 for array in arrays)), self.least)

    def _sensitivity(self, images, labels, weights):
        """name -> four times the relative change of an array by a change of the weights by a millionth."""
        exact, *others = (self._exactly(images, labels, weights, change) for change in (0, 1e-6, -1e-6))
        bounds = {}
        for kind, *changed in zip(exact, *others, strict=True):
            least = self._least([array for array in kind.values() if array is not None])
            for name, array in kind.items():
                if array is not None:
                    bounds[name] = 4 * max(plans.away(other[name], array, least) for other in changed)
        return bounds

    def _exactly(self, images, labels, weights, change):
        """Loss, logits, gradients and running statistics in float64."""
        net = self.make()
        nn.load_state(net, nn.state_of(self.planned.net))
        for (_, rng), (_, now) in zip(net.named_generators(), self.planned.net.named_generators(), strict=True):
            rng.bit_generator.state = now.bit_generator.state
        net.astype(np.float64)
        noise = np.random.default_rng(3)
        for _, parameter in net.named_parameters():
            parameter.data *= 1 + change * noise.choice([-1.0, 1.0], parameter.shape)
        with ig.kernels.use_backend("reference"):
            logits = net(ig.Tensor(images.astype(np.float64)))
            loss = self.loss(logits, labels, **({} if weights is None else {"sample_weights": weights}))
            loss.backward()
        return {"loss": loss.data}, {"logits": logits.data}, plans.gradients(net), running(net)


def running(net):
    """The running statistics by names of their own."""
    return {f"{name}*": array for name, array in nn.state_of(net).items() if "running" in name}


def smoothed(logits, labels, **options):
    return nn.cross_entropy(logits, labels, label_smoothing=0.1, **options)


LOSSES = (nn.cross_entropy, smoothed, nn.sigmoid_squared_error)


def soft(logits, targets, **options):
    return nn.cross_entropy(logits, targets, label_smoothing=0.1, **options)


def taught(logits, targets):
    return nn.distillation_loss(logits, targets, temperature=3.0, weight=0.7)


@pytest.mark.parametrize("loss, rows", [(soft, 1), (taught, 2)])
def test_targets_instead_of_labels(loss, rows):
    """Rows of probabilities, in batches that shrink and grow; labels in between get a plan of their own or none."""
    pair = Pair(lambda: build("lenet5", rng=ig.default_rng(0)), loss)
    train = ig.data.load_digits()[0]
    images = ig.data.linear_scaling().apply(train.images[:60])
    targets = cases.Draw("targets").simplex(60 * rows, 10).reshape(60, rows, 10).astype(np.float32)
    targets = targets[:, 0] if rows == 1 else targets
    for part in (slice(0, 40), slice(40, 60), slice(5, 7), slice(0, 60)):
        pair.compare(images[part], np.ascontiguousarray(targets[part]))
    if rows == 1:
        pair.compare(images[:30], train.labels[:30])
        pair.compare(images[:30], np.ascontiguousarray(targets[:30]))
        pair.planned(images[:30], targets[:30].astype(np.float64))
        assert "float32 targets" in pair.planned.fallback


OF_TARGETS = (soft, nn.mean_squared_error, nn.binary_cross_entropy)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("loss", [*LOSSES, *OF_TARGETS])
def test_samples_with_weights(loss, n):
    """In batches that shrink and grow; some weigh nothing, and those without weights in between are planned too."""
    with plans.threads(n):
        pair = Pair(lambda: plans.dense(30, 24, 10), loss)
        images, labels = plans.batch(60, (30,))
        targets = cases.Draw("targets").simplex(60, 10).astype(np.float32) if loss in OF_TARGETS else labels
        weights = np.random.default_rng(1).integers(0, 4, 60).astype(np.float32)
        for part in (slice(0, 40), slice(40, 60), slice(4, 9), slice(0, 60)):
            pair.compare(images[part], targets[part], weights=weights[part])
            pair.compare(images[part], targets[part])
        repeated = np.repeat(np.arange(60), weights.astype(int))
        eager, step = pair.eager, pair.planned
        nn.load_state(eager.net, nn.state_of(step.net))
        assert step(images, targets, weights) == pytest.approx(eager(images[repeated], targets[repeated]), rel=1e-5)


@pytest.mark.parametrize("weights, error", [([1, -1], ShapeError), ([0, 0], OptionError), ([1], ShapeError)])
def test_weights_that_are_none(weights, error):
    planned, eager = plans.twins(lambda: plans.dense(30, 10))
    images, labels = plans.batch(2, (30,))
    for step in (planned, eager):
        with pytest.raises(error):
            step(images, labels, np.array(weights))


LIMITS = {  # from which sizes on things are done in another way: as they are, or so that even small networks meet them
    split: {"FITS_CACHE": (None, 0, 10**9)},
    dense: {"FITS_CACHE": (None, 0, 10**9)},
    products: {"FAR": (None, 0)},
    program: {"MANY": (None, 1, 10**6)},
    prediction: {"LEAST": (None, 3), "SCRATCH": (None, 1), "WORTH_SHARING": (None, 0)},
}


@st.composite
def limits(draw):
    """(module, name, value) of each that is not as it is, and from how many weights on a layer is divided."""
    changed = [
        (module, name, value)
        for module, names in LIMITS.items()
        for name, values in names.items()
        if (value := draw(st.sampled_from(values))) is not None
    ]
    return changed, draw(st.sampled_from([None, 1, 300]))


def check(network, counts, n, zeros, loss, limits):
    """A few steps, and then prediction."""
    with plans.threads(n), pytest.MonkeyPatch.context() as patch:
        for module, name, value in limits[0]:
            patch.setattr(module, name, value)
        if limits[1] is not None:
            patch.setattr(split, "least", lambda x: limits[1])
        pair = Pair(network, loss)
        for seed, count in enumerate(counts):
            images, labels = drawn.images_for(network, max(count, network.least), seed, zeros)
            pair.compare(images, labels, (STRIDED,))
        net = pair.planned.net.eval()
        for count in (counts[0] + 16, 1, 1):
            images, _ = drawn.images_for(network, count, count, zeros)
            with ig.no_grad():
                logits = net(images).data
            assert plans.away(logits, plans.eagerly(net, images)) <= 1e-4
        assert net.fallback is None


DRAWN = {
    "network": drawn.networks(),
    "counts": st.lists(st.integers(1, 40), min_size=2, max_size=3),
    "n": st.sampled_from([1, 2, 2, 3]),
    "zeros": st.sampled_from([0.0, 0.5, 0.9]),
    "loss": st.sampled_from(LOSSES),
    "limits": limits(),
}


@pytest.mark.slow
@settings(max_examples=70, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(**DRAWN)
def test_networks_drawn_at_random(network, counts, n, zeros, loss, limits):
    check(network, counts, n, zeros, loss, limits)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(**DRAWN)
def test_many_more_networks_drawn_at_random(network, counts, n, zeros, loss, limits):
    check(network, counts, n, zeros, loss, limits)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_network(name):
    """Digits, most of whose pixels are 0, in batches that shrink and grow, on one thread and on several."""
    pair = Pair(lambda: build(name, rng=ig.default_rng(0)), NAMED[name].loss)
    train = ig.data.load_digits()[0]
    images, labels = ig.data.linear_scaling().apply(train.images[:60]), train.labels[:60]
    parts = {1: slice(5, 8), 2: slice(0, 5), 3: slice(8, 10)}, slice(10, 50)
    if name in ("cnn", "resnet"):
        parts = parts[0], slice(10, 16)
    elif name == "simple-cnn":
        parts = {2: slice(0, 2)}, slice(2, 5)
    for n, part in (*parts[0].items(), (2, parts[1])):
        with plans.threads(n):
            if name in plans.UNPLANNED:
                assert pair.planned(images[part], labels[part]) > 0
                assert pair.planned.fallback is not None
            else:
                pair.compare(images[part], labels[part])


# Optimizers


def small():
    """A bit of everything, without normalization, so that rounding errors stay what they are."""
    rng = ig.default_rng(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 5, 3, rng=rng, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2, rng=ig.default_rng(1))),
        *(nn.Conv2d(5, 6, 3, rng=rng), nn.Tanh(), nn.AveragePool2d(2), nn.Flatten()),
        *(nn.Linear(24, 30, rng=rng), nn.ReLU(), nn.Dropout(0.3, rng=ig.default_rng(2)), nn.Linear(30, 10, rng=rng)),
    )


EXTRAS = {
    "plain": {},
    "clipped": {"clip": optim.ClipByGlobalNorm(0.05)},
    "penalized": {"penalties": [optim.L2(0.01), optim.L1(0.001)]},
    "averaged": {"average": lambda net: optim.MovingAverage(net, decay=0.9)},
    "scheduled": {"schedule": True, "clip": optim.ClipByValue(0.01)},
}


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("case", cases.OPTIMIZERS, ids=lambda case: case.id)
def test_every_optimizer(case, extra):
    """Weights, the optimizer's state and the average after some steps, measured by how far the weights have moved."""
    options = dict(EXTRAS[extra])
    more = {name: options.pop(name) for name in ("clip",) if name in options}
    rate = optim.WarmUp(optim.Cosine(case.rate / 4, steps=9), steps=3) if options.pop("schedule", 0) else case.rate / 4
    planned, eager = plans.twins(small, optimizer=lambda net: case.make(net, rate, **more), **options)
    start = planned.optimizer.parameters.weights.copy()
    for seed, count in enumerate((7, 12, 1, 5, 12, 3)):
        images, labels = plans.batch(count, (1, 12, 12), seed)
        assert planned(images, labels) == pytest.approx(eager(images, labels), rel=1e-4)
        assert planned.fallback is None
    one, other = planned.optimizer, eager.optimizer
    assert one.step_count == other.step_count == 6
    moved = np.linalg.norm(other.parameters.weights - start)
    assert np.linalg.norm(one.parameters.weights - other.parameters.weights) <= 1e-3 * moved
    for name, array in other.state_arrays().items():
        assert plans.away(one.state_arrays()[name], array) <= 1e-3, name
    if planned.average is not None:
        averages = [step.average.state_arrays() for step in (planned, eager)]
        for name, array in averages[1].items():
            assert np.linalg.norm(np.asarray(averages[0][name], np.float64) - array) <= 1e-3 * moved, name
