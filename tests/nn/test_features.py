"""What every layer gives, without a change to any layer."""

from collections import namedtuple

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import ShapeError
from inkgrad.nn import feature_maps


def images(n=2):
    return np.random.default_rng(0).random((n, 1, 28, 28), np.float32)


def layer_by_layer(net, x):
    """The outputs of a Sequential's layers, one call each, in prediction mode."""
    net.eval()
    given = {}
    with ig.no_grad():
        for index, layer in enumerate(net.layers):
            x = layer(x)
            given[f"layers.{index}"] = x.data
    net.train()
    return given


@pytest.mark.parametrize("name", ig.models.NAMED)
def test_named_networks(name):
    net = ig.models.build(name, rng=ig.default_rng(0))
    expected, found = layer_by_layer(net, images()), feature_maps(net, images())
    dropout = {f"layers.{i}" for i, layer in enumerate(net.layers) if isinstance(layer, nn.Dropout)}
    assert [name for name in found if name.count(".") == 1] == [name for name in expected if name not in dropout]
    assert all("body" in name or "shortcut" in name for name in found.keys() - expected.keys())
    for layer in expected.keys() & found.keys():
        np.testing.assert_allclose(found[layer], expected[layer], rtol=1e-5, atol=1e-5)
    paths = dict(net.named_modules())
    assert found.keys() <= paths.keys()


def test_the_network_stays_as_it_is():
    net = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, rng=ig.default_rng(0)), nn.BatchNorm2d(3), nn.ReLU()),
        *(nn.Dropout(0.5, rng=ig.default_rng(1)), nn.Flatten(), nn.Linear(2028, 4, rng=ig.default_rng(2))),
    )
    net.layers[1].eval()
    before = {name: array.copy() for name, array in nn.state_of(net).items()}
    modes = [module.training for _, module in net.named_modules()]
    generator = net.layers[3].rng.bit_generator.state
    members = [dict(vars(module)) for _, module in net.named_modules()]
    assert list(feature_maps(net, images())) == [f"layers.{index}" for index in (0, 1, 2, 4, 5)]
    assert [module.training for _, module in net.named_modules()] == modes
    assert [vars(module) for _, module in net.named_modules()] == members
    assert net.layers[3].rng.bit_generator.state == generator
    for name, array in nn.state_of(net).items():
        np.testing.assert_array_equal(array, before[name])
    assert all(parameter.grad is None for _, parameter in net.named_parameters())


def test_later_weights_are_seen():
    net = nn.Sequential(nn.Linear(2, 2, rng=ig.default_rng(0)), nn.ReLU())
    x = np.ones((1, 2), np.float32)
    feature_maps(net, x)
    net.layers[0].weight.data[:] = 3
    assert feature_maps(net, x)["layers.1"].tolist() == [[6, 6]]


class Custom(nn.Module):
    """Shares a layer, calls functions, and keeps modules in every kind of container."""

    Pair = namedtuple("Pair", ["one", "two"])

    def __init__(self):
        rng = ig.default_rng(0)
        self.act = nn.ReLU()
        self.named = {"first": nn.Linear(4, 4, rng=rng), "scale": 2.0}
        self.pair = self.Pair(nn.Linear(4, 4, rng=rng), 0.5)
        self.plain = (nn.Linear(4, 4, rng=rng),)

    def forward(self, x):
        x = self.act(self.named["first"](x)) * self.named["scale"]
        x = self.act(self.pair.one(x)) * self.pair.two
        return self.plain[0](x) + 1


def test_modules_of_ones_own():
    net, x = Custom(), np.ones((3, 4), np.float32)
    found = feature_maps(net, x)
    assert list(found) == ["named.first", "act", "pair.0", "act (2)", "plain.0", ""]
    np.testing.assert_array_equal(found[""], net(x).data)
    np.testing.assert_array_equal(found["act (2)"], np.maximum(found["pair.0"], 0))


def test_a_layer_alone_and_a_network_without_layers():
    assert list(feature_maps(nn.ReLU(), [[1.0, -1.0]])) == [""]
    assert feature_maps(nn.Sequential(), np.ones((1, 2), np.float32)) == {}
    assert feature_maps(nn.Sequential(nn.Sequential(), nn.ReLU()), np.ones((1, 2), np.float32)).keys() == {"layers.1"}


def test_float64():
    net = ig.models.build("lenet5", rng=ig.default_rng(0)).astype(np.float64)
    assert {maps.dtype for maps in feature_maps(net, images()).values()} == {np.dtype(np.float64)}


def test_images_that_do_not_fit():
    net = ig.models.build("lenet5", rng=ig.default_rng(0))
    with pytest.raises(ShapeError, match=r"^Conv2d layers\.0 expects \(n, 1, h, w\), but got \(2, 784\); reshape"):
        feature_maps(net, images().reshape(2, 784))
    with pytest.raises(ShapeError, match=r"^Linear layers\.7 expects \(n, 400\), but got \(2, 576\)$"):
        feature_maps(net, np.zeros((2, 1, 32, 32), np.float32))
