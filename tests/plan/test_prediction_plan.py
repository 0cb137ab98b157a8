"""Prediction by a plan is the prediction of the network as it is now, and nothing of it is left behind."""

import copy
import gc
import weakref

import numpy as np
import pytest

import inkgrad as ig
import plans
from inkgrad import nn
from inkgrad.models import NAMED, build


def convolutional(seed=0):
    """Where the images and the first bias stand in loops over images only, and everything is folded that can be."""
    rng = ig.default_rng(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 3, 3, rng=rng), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 5, 3, rng=rng, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(125, 20, rng=rng), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 10, rng=rng)),
    )


def stirred(net, seed=1):
    """The network with other biases and statistics than those of a new one, in prediction mode."""
    rng = ig.default_rng(seed)
    for name, member in net.named_state():
        if member.data.ndim == 1:
            low = 0.5 if name.endswith(("running_var", "weight")) else -0.5
            member.data[...] = rng.uniform(low, low + 1, member.data.shape)
    return net.eval()


def predicted(net, images):
    with ig.no_grad():
        return net(images).data


def assert_as_ever(net, images, *, planned=True):
    """What comes out twice is what the reference gives, and it came as expected."""
    expected = plans.eagerly(net, images)
    for _ in range(2):
        got = predicted(net, images)
        assert got.dtype == expected.dtype
        assert plans.away(got, expected) <= 1e-5
    if planned is not None:
        assert (net.fallback is None) == planned, net.fallback


@pytest.fixture
def net():
    net = stirred(convolutional())
    assert_as_ever(net, images(20))
    return net


def images(n, seed=0, shape=(1, 12, 12)):
    return plans.batch(n, shape, seed)[0]


@pytest.mark.parametrize("name", NAMED)
def test_every_named_network(name):
    net = stirred(build(name, rng=ig.default_rng(0)))
    large = name in ("cnn", "resnet", "simple-cnn")
    for n, counts in {1: (17,), 2: (16, 1) if large else (20, 1, 2, 70), 3: (16,)}.items():
        with plans.threads(n):
            for count in counts:
                assert_as_ever(net, images(count, count, (1, 28, 28)), planned=name not in plans.UNPLANNED)


# A plan is that of the network as it is


CHANGES = {
    "a weight in place": lambda net: net.layers[0].weight.data.__imul__(2),
    "another weight array": lambda net: setattr(net.layers[7].weight, "data", net.layers[7].weight.data * 2),
    "another array for a bias within a loop": lambda net: setattr(
        net.layers[0].bias, "data", net.layers[0].bias.data + 1
    ),
    "a running mean in place": lambda net: net.layers[4].running_mean.data.__iadd__(1),
    "another running variance": lambda net: setattr(
        net.layers[8].running_var, "data", net.layers[8].running_var.data * 3
    ),
    "a normalization's weight": lambda net: net.layers[4].weight.data.__imul__(-1),
    "another state": lambda net: nn.load_state(net, nn.state_of(stirred(convolutional(5), 6))),
    "another parameter": lambda net: setattr(net.layers[9 + 1], "bias", nn.Parameter(np.full(10, 3, np.float32))),
    "another layer in the list": lambda net: net.layers.__setitem__(9, nn.Tanh()),
    "a layer less": lambda net: net.layers.pop(9),
    "a layer more": lambda net: net.layers.append(nn.Sigmoid()),
    "layers that change places": lambda net: net.layers.__setitem__(slice(8, 10), net.layers[9:7:-1]),
    "an option of a layer": lambda net: setattr(net.layers[4], "eps", 0.5),
    "a layer's eps and the mode, to and fro": lambda net: (net.train(), setattr(net.layers[8], "eps", 2.0), net.eval()),
    "training": lambda net: _train(net),
}


def _train(net):
    net.train()
    step = ig.training.TrainStep(net, nn.cross_entropy, ig.optim.SGD(net, 0.5))
    step(*plans.batch(8, (1, 12, 12)))
    net.eval()


@pytest.mark.parametrize("case", CHANGES)
def test_changes_count_at_once(net, case):
    x = images(20)
    before = predicted(net, x)
    CHANGES[case](net)
    assert plans.away(predicted(net, x), before) > 1e-3
    assert_as_ever(net, x)
    assert_as_ever(net, x[:1])


class Nested(nn.Module):
    """Layers in a list within a dict within a list."""

    def __init__(self):
        rng = ig.default_rng(0)
        self.parts = [{"both": [nn.Linear(8, 6, rng=rng), nn.Sigmoid()]}, (nn.Linear(6, 3, rng=rng),)]

    def forward(self, x):
        first, second = self.parts[0]["both"]
        return self.parts[1][0](second(first(x)))


def test_changes_within_nested_lists_count():
    net, x = Nested().eval(), images(20, 0, (8,))
    assert_as_ever(net, x)
    before = predicted(net, x)
    net.parts[0]["both"][1] = nn.Tanh()
    assert plans.away(predicted(net, x), before) > 1e-3
    assert_as_ever(net, x)


def test_training_and_prediction_mode_take_turns(net):
    x = images(20)
    for _ in range(2):
        net.train()
        with ig.no_grad():
            mean = net.layers[4].running_mean.data.copy()
            net(x)  # by the batch's statistics, and they are followed
            assert (net.layers[4].running_mean.data != mean).any()
        net.eval()
        assert_as_ever(net, x)


def test_arrays_of_another_kind_are_no_trap(net):
    """A plan reads numbers where they lie; it must not read those of another dtype, layout or size."""
    x = images(20)
    net.layers[7].weight.data = np.asfortranarray(net.layers[7].weight.data)
    assert_as_ever(net, x, planned=False)
    net.layers[7].weight.data = np.ascontiguousarray(net.layers[7].weight.data)
    net.astype(np.float64)
    assert_as_ever(net, x, planned=False)
    net.astype(np.float32)
    assert_as_ever(net, x)
    for layer, name in ((net.layers[7], "weight"), (net.layers[7], "bias")):
        member = getattr(layer, name)
        member.data = member.data[:12].copy()
    for _, member in net.layers[8].named_state():
        member.data = member.data[:12].copy()
    net.layers[10].weight.data = net.layers[10].weight.data[:, :12].copy()
    assert_as_ever(net, x, planned=None)


@pytest.mark.parametrize("make", [lambda: nn.Dropout(0.5, rng=ig.default_rng(0)), lambda: nn.BatchNorm1d(20)])
def test_a_single_layer_in_training_mode(make):
    """Dropout while predicting, for a spread of answers; statistics that go on adapting."""
    nets = []
    for _ in range(2):
        rng = ig.default_rng(0)
        nets.append(nn.Sequential(nn.Linear(30, 20, rng=rng), make(), nn.Linear(20, 10, rng=rng)).eval())
        nets[-1].layers[1].train()
    x = images(40, 0, (30,))
    results = []
    for _ in range(3):
        results.append(predicted(nets[0], x))
        assert plans.away(results[-1], plans.eagerly(nets[1], x)) <= 1e-5
    for one, other in zip(nn.state_of(nets[0]).values(), nn.state_of(nets[1]).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    if isinstance(nets[0].layers[1], nn.Dropout):
        assert plans.away(results[0], results[1]) > 0.1
    assert nets[0].fallback == "a layer within the network is in training mode"


# Inputs


def test_other_arrays_than_plans_need(net):
    x = images(20)
    assert_as_ever(net, x)
    for given in (
        np.repeat(x, 2, axis=0)[::2],
        np.asfortranarray(x),
        np.frombuffer(x.tobytes(), np.float32).reshape(x.shape),
        x.astype(np.float64),
        x.tolist(),
        ig.Tensor(x),
        ig.Tensor(x, requires_grad=True),
    ):
        with ig.no_grad():
            result = net(given)
        assert not result.requires_grad
        assert result.data.dtype == np.float32
        assert plans.away(result.data, plans.eagerly(net, x)) <= 1e-5
    assert predicted(net, x[:0]).shape == (0, 10)
    with pytest.raises(ig.errors.ShapeError):
        predicted(net, x[:, :, :7])
    assert_as_ever(net, x)


def test_images_of_several_sizes():
    rng = ig.default_rng(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, rng=rng), nn.ReLU(), nn.GlobalAveragePool2d(), nn.Linear(4, 3, rng=rng)
    ).eval()
    for _ in range(2):
        for shape in ((1, 8, 8), (1, 5, 9)):
            assert_as_ever(net, images(20, 0, shape))


def test_results_belong_to_the_caller(net):
    x = images(20)
    one = predicted(net, x)
    kept = one.copy()
    other = predicted(net, -x)
    assert not np.shares_memory(one, other)
    np.testing.assert_array_equal(one, kept)
    one[...] = 0
    assert plans.away(predicted(net, x), kept) <= 1e-6


def test_blocks_of_images_do_not_depend_on_each_other(net):
    """More images than fit into one block, and none of them twice."""
    x = images(1500)
    whole = predicted(net, x)
    assert plans.away(whole, plans.eagerly(net, x)) <= 1e-5
    for part in (slice(0, 1), slice(511, 513), slice(700, 1100), slice(1490, 1500)):
        assert plans.away(predicted(net, x[part]), whole[part]) <= 1e-5


# Nothing is left behind


@pytest.mark.slow
def test_a_network_that_nobody_needs_any_more_goes(net):
    other = stirred(convolutional())
    predicted(other, images(20))
    gone = weakref.ref(other)
    del other
    gc.collect()
    assert gone() is None


def test_a_copy_goes_its_own_way(net):
    x = images(20)
    before = predicted(net, x)
    other = copy.deepcopy(net)
    other.layers[0].weight.data[...] = 0
    assert_as_ever(other, x)
    np.testing.assert_array_equal(predicted(net, x), before)


class Noisy(nn.Module):
    """Draws noise and counts, in prediction mode too."""

    def __init__(self):
        self.dense, self.rng, self.calls = nn.Linear(8, 3, rng=ig.default_rng(0)), ig.default_rng(1), 0

    def forward(self, x):
        self.calls += 1
        noise = self.rng.standard_normal(3).astype(np.float32)
        return self.dense(x) + noise if self.calls % 3 else self.dense(x)


def test_a_trial_run_leaves_no_trace():
    one, other = Noisy().eval(), Noisy().eval()
    x = images(20, 0, (8,))
    for call in range(5):
        np.testing.assert_allclose(predicted(one, x), plans.eagerly(other, x), rtol=1e-5, atol=1e-6)
        assert one.calls == other.calls == call + 1
        assert one.fallback is not None


class Reading(Noisy):
    def forward(self, x):
        h = self.dense(x)
        return h * float(1 / (1 + np.abs(np.asarray(h)).max()))


class Pair(Noisy):
    def forward(self, x):
        return self.dense(x), x


class Choosy(Noisy):
    def forward(self, x):
        return self.dense(x) if {20: True}[x.shape[0]] else x


@pytest.mark.parametrize("make", [Reading, Pair, Choosy])
def test_what_cannot_be_planned_is_computed_as_it_stands(make):
    net, x = make().eval(), images(20, 0, (8,))
    for _ in range(3):
        with ig.no_grad():
            result = net(x)
        with ig.kernels.use_backend("reference"), ig.no_grad():
            expected = net(x)
        one, other = (r[0] if isinstance(r, tuple) else r for r in (result, expected))
        np.testing.assert_allclose(one.data, other.data, rtol=1e-5, atol=1e-6)
        assert net.fallback is not None


def test_outside_no_grad_and_in_training_mode_everything_is_recorded(net):
    x = ig.Tensor(images(20), requires_grad=True)
    net(x).sum().backward()
    assert x.grad is not None
