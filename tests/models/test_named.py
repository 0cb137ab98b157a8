"""The named networks."""

import itertools
from typing import get_args

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.cli.main import Model
from inkgrad.errors import OptionError
from inkgrad.models import ACTIVATIONS, NAMED, build, dense_layers

WIDTHS = {
    "softmax-regression": (784, 10),
    "two-layer": (784, 50, 10),
    "two-layer-sigmoid": (784, 100, 10),
    "mlp": (784, 128, 10),
}


def has_convolutions(net):
    return any(isinstance(module, nn.Conv2d) for _, module in net.named_modules())


def weights(net):
    return [(name, parameter.data) for name, parameter in net.named_parameters()]


@pytest.mark.parametrize("name", WIDTHS)
def test_widths_and_order_of_the_parameters(name):
    net = build(name, rng=ig.default_rng(0))
    shapes = [shape for a, b in itertools.pairwise(WIDTHS[name]) for shape in ((b, a), (b,))]
    assert [data.shape for _, data in weights(net)] == shapes
    assert [n.rpartition(".")[2] for n, _ in weights(net)] == ["weight", "bias"] * (len(shapes) // 2)
    assert all(data.dtype == np.float32 for _, data in weights(net))
    assert net.training
    logits = net(np.zeros((3, 1, 28, 28), np.float32))
    assert logits.shape == (3, 10)
    assert logits.dtype == np.float32


def test_the_command_line_knows_every_network():
    assert get_args(Model) == tuple(NAMED)
    assert set(WIDTHS) == {name for name in NAMED if not has_convolutions(build(name, rng=ig.default_rng(0)))}


@pytest.mark.parametrize("name", NAMED)
def test_the_seed_decides_the_weights(name):
    one, same, other = (build(name, rng=ig.default_rng(seed)) for seed in (3, 3, 4))
    for (_, a), (_, b), (_, c) in zip(weights(one), weights(same), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or (a != c).any()  # biases and normalization begin with 0 and 1


@pytest.mark.parametrize("name", ["softmax-regression", "two-layer"])
def test_the_textbook_begins_with_small_normal_weights(name):
    for _, data in weights(build(name, rng=ig.default_rng(0))):
        if data.ndim == 1:
            assert not data.any()
        else:
            assert data.std() == pytest.approx(0.01, rel=0.1)
            assert abs(data.mean()) < 0.001


def test_options():
    deep = build("mlp", rng=ig.default_rng(0), classes=3, hidden=[300, 100])
    assert [data.shape for _, data in weights(deep)] == [(300, 784), (300,), (100, 300), (100,), (3, 100), (3,)]
    assert deep.options == {"hidden": [300, 100], "classes": 3}
    assert build("mlp", rng=ig.default_rng(0), hidden=np.int64(7)).options["hidden"] == [7]
    assert build("two-layer", rng=ig.default_rng(0), hidden=[7]).options == {"hidden": 7, "classes": 10}


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("lenet6", {}, "no network is named 'lenet6'; there are softmax-regression, two-layer, two-layer-sigmoid, mlp"),
        ("mlp", {"width": 3}, "mlp has no option 'width'; its options are: hidden"),
        ("softmax-regression", {"hidden": 3}, "softmax-regression has no option 'hidden'; its options are: none"),
        ("mlp", {"hidden": 0}, "mlp needs widths of at least 1 in hidden, but got 0"),
        ("mlp", {"hidden": []}, "mlp needs widths of at least 1"),
        ("mlp", {"hidden": [10, -1]}, "mlp needs widths of at least 1"),
        ("mlp", {"hidden": [2.5]}, "mlp needs widths of at least 1"),
        ("mlp", {"hidden": 2.5}, "mlp needs widths of at least 1"),
        ("mlp", {"hidden": None}, "mlp needs widths of at least 1"),
        ("two-layer", {"hidden": [10, 10]}, "two-layer has one hidden layer, but got 2 widths in hidden; mlp takes"),
        ("mlp", {"classes": 0}, "at least 2 classes, but got 0"),
        ("lenet5", {"hidden": 3}, "lenet5 has no option 'hidden'; its options are: none"),
        ("resnet", {"hidden": 3}, "resnet has no option 'hidden'; its options are: width, depth"),
        ("resnet", {"width": 0}, "resnet needs a whole number of at least 1 as width, but got 0"),
        ("resnet", {"depth": 1.5}, r"resnet needs a whole number of at least 1 as depth, but got 1\.5"),
        ("resnet", {"depth": True}, "as depth, but got True"),
        ("resnet", {"width": [16]}, "as width, but got"),
    ],
)
def test_what_cannot_be_built(name, options, words):
    with pytest.raises(OptionError, match=words):
        build(name, rng=ig.default_rng(0), **options)


@pytest.mark.parametrize("name", NAMED)
def test_the_losses_know_nothing_at_first(name):
    rng = ig.default_rng(0)
    net = build(name, rng=rng).eval()
    images, labels = rng.random((200, 1, 28, 28), dtype=np.float32), np.arange(200) % 10
    if name == "simple-cnn":
        images, labels = images[:20], labels[:20]
    loss = NAMED[name].loss(net(images), labels).item()
    logits = net(images).data.astype(np.float64)
    if name == "two-layer-sigmoid":
        outputs = 1 / (1 + np.exp(-logits))
        expected = ((outputs - np.eye(10)[labels]) ** 2).sum() / 2 / len(labels)
    else:
        shifted = logits - logits.max(axis=1, keepdims=True)
        expected = np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels])
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_layers_of_any_kind(activation):
    layers = dense_layers([6, 4, 5, 2], rng=ig.default_rng(0), activation=activation, dropout=0.5, normalize=True)
    net = nn.Sequential(*layers)
    between = ACTIVATIONS[activation]
    kinds = [nn.Linear, nn.BatchNorm1d, *([between] if between else []), nn.Dropout]
    assert [type(layer) for layer in layers] == [*kinds, *kinds, nn.Linear]
    assert net(np.ones((3, 6), np.float32)).shape == (3, 2)
    linear = [layer for layer in dense_layers([6, 4, 5, 2], rng=ig.default_rng(0)) if isinstance(layer, nn.Linear)]
    assert [layer.weight.shape for layer in linear] == [(4, 6), (5, 4), (2, 5)]
    assert [type(layer) for layer in dense_layers([6, 2], rng=ig.default_rng(0))] == [nn.Linear]
