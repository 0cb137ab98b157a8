"""The convolutional networks: sizes, structure, and that they learn."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.models import NAMED, build
from inkgrad.models.convolutional import _TABLE_I

# parameters, and the shapes that tell the networks apart
COUNTS = {
    "lenet1": (
        3_278,
        {"layers.0.weight": (4, 1, 5, 5), "layers.3.weight": (12, 4, 5, 5), "layers.7.weight": (10, 192)},
    ),
    "lenet5-1998": (
        60_850,
        {"layers.1.weight": (6,), "layers.3.weight": (16, 6, 5, 5), "layers.6.weight": (120, 16, 5, 5)},
    ),
    "lenet5": (
        61_706,
        {"layers.0.weight": (6, 1, 5, 5), "layers.0.bias": (6,), "layers.3.weight": (16, 6, 5, 5)}
        | {"layers.7.weight": (120, 400), "layers.9.weight": (84, 120), "layers.11.weight": (10, 84)},
    ),
    "cnn": (1_199_882, {"layers.2.weight": (64, 32, 3, 3), "layers.7.weight": (128, 9216)}),
    "resnet": (77_754, {"layers.0.weight": (16, 1, 3, 3), "layers.5.shortcut.layers.0.weight": (32, 16, 1, 1)}),
    "simple-cnn": (1_124_180, {"layers.27.weight": (176, 160, 3, 3), "layers.31.weight": (10, 11264)}),
    "vgg": (170_242, {"layers.3.weight": (24, 24, 3, 3), "layers.23.weight": (10, 864)}),
    "tiny": (6_866, {"layers.0.weight": (8, 1, 5, 5)}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_sizes(name):
    net = build(name, rng=ig.default_rng(0))
    count, shapes = COUNTS[name]
    assert net.parameter_count() == count
    parameters = dict(net.named_parameters())
    assert {path: parameters[path].shape for path in shapes} == shapes
    assert all(parameter.data.dtype == np.float32 for parameter in parameters.values())
    assert f"{count:,}" in NAMED[name].summary or name in ("resnet", "vgg")


def test_every_convolutional_network_has_a_row():
    assert set(NAMED) - {"softmax-regression", "two-layer", "two-layer-sigmoid", "mlp"} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_logits(name):
    net = build(name, rng=ig.default_rng(0), classes=7)
    assert net.options["classes"] == 7
    for mode in ("train", "eval"):
        logits = getattr(net, mode)()(np.zeros((3, 1, 28, 28), np.float32))
        assert logits.shape == (3, 7)
        assert logits.dtype == np.float32
    with ig.no_grad():
        assert net(np.zeros((0, 1, 28, 28), np.float32)).shape == (0, 7)


@pytest.mark.parametrize("name", COUNTS)
def test_flat_images_are_refused_with_advice(name):
    with pytest.raises(ig.errors.ShapeError, match=r"reshape it to \(3, 1, 28, 28\)$"):
        build(name, rng=ig.default_rng(0))(np.zeros((3, 784)))


@pytest.mark.parametrize("name", COUNTS)
def test_logits_are_of_reasonable_size_at_first(name):
    images = ig.data.load_digits()[0].images[:32]
    net = build(name, rng=ig.default_rng(0))
    loss = nn.cross_entropy(net(ig.data.linear_scaling().apply(images)), np.arange(32) % 10)
    assert 1.5 < loss.item() < 4.5
    loss.backward()
    assert all(np.isfinite(p.grad).all() and p.grad.any() for _, p in net.named_parameters())


def test_the_partial_connection_is_that_of_the_paper():
    assert [len(seen) for seen in _TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert sum(len(seen) for seen in _TABLE_I) == 60
    times = [sum(k in seen for seen in _TABLE_I) for k in range(6)]
    assert times == [10] * 6  # each map of S2 is seen ten times
    weight = dict(build("lenet5-1998", rng=ig.default_rng(0)).named_parameters())["layers.3.weight"].data
    for one, seen in enumerate(_TABLE_I):
        assert [k for k in range(6) if weight[one, k].any()] == list(seen)
    features = 156 + 12 + 1516 + 32 + 48120 + 10164  # by layer, as the paper counts
    assert features == 60_000
    assert build("lenet5-1998", rng=ig.default_rng(0)).parameter_count() == features + 850


@pytest.mark.parametrize("width, depth", [(1, 1), (4, 2), (3, 3)])
def test_resnet_grows(width, depth):
    net = build("resnet", rng=ig.default_rng(0), width=np.int64(width), depth=depth)
    assert net.options == {"width": width, "depth": depth, "classes": 10}
    assert type(net.options["width"]) is int
    blocks = [module for _, module in net.named_modules() if isinstance(module, nn.Residual)]
    assert len(blocks) == 3 * depth
    assert sum(block.shortcut is not None for block in blocks) == 2
    assert net(np.zeros((2, 1, 28, 28), np.float32)).shape == (2, 10)
    x = np.zeros((2, 1, 28, 28), np.float32)
    sizes = []
    for layer in net.layers:
        x = layer(x)
        if isinstance(layer, nn.Residual):
            sizes.append(x.shape[1:])
    assert sizes == [(width << stage, side, side) for stage, side in enumerate((28, 14, 7)) for _ in range(depth)]


def test_the_dropouts_of_cnn_have_generators_of_their_own():
    net = build("cnn", rng=ig.default_rng(0))
    generators = dict(net.named_generators())
    assert list(generators) == ["layers.5.rng", "layers.9.rng"]
    states = {str(generator.bit_generator.state) for generator in generators.values()}
    assert len(states) == 2
    again = dict(build("cnn", rng=ig.default_rng(0)).named_generators())
    assert {str(generator.bit_generator.state) for generator in again.values()} == states


LARGE = ("cnn", "resnet", "vgg")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in COUNTS if name != "simple-cnn"],
)
def test_they_learn(name):
    """Forty steps on 64 digits halve the loss, operation by operation."""
    train = ig.data.load_digits()[0][:64]
    images = ig.data.linear_scaling().apply(train.images)
    net = build(name, rng=ig.default_rng(0))
    step = ig.training.TrainStep(net, NAMED[name].loss, ig.optim.Adam(net, 3e-3), plan=False)
    losses = [step(images, train.labels) for _ in range(40)]
    assert losses[-1] < losses[0] / 2
