"""Layers for images: what they refuse and what is particular to them."""

import numpy as np
import pytest

import cases
import inkgrad as ig
from inkgrad import nn
from inkgrad.errors import OptionError, ShapeError


def conv(*args, **options):
    return nn.Conv2d(*args, rng=ig.default_rng(0), **options)


# Conv2d


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5, 784), r"Conv2d expects \(n, 1, h, w\), but got \(5, 784\); reshape it to \(5, 1, 28, 28\)$"),
        ((5, 783), r"expects \(n, 1, h, w\), but got \(5, 783\)$"),
        ((5, 28, 28), r"but got \(5, 28, 28\); reshape it to \(5, 1, 28, 28\)$"),
        ((5, 3, 28, 28), r"expects \(n, 1, h, w\), but got \(5, 3, 28, 28\)$"),
        ((5, 28, 28, 1), r"but got \(5, 28, 28, 1\); the channels come before rows and columns$"),
        ((784,), r"but got \(784,\)$"),
        ((5, 1, 4, 28), r"Conv2d has a window of 5x5, but got images of 4x28: use a smaller window, more padding"),
        ((5, 1, 0, 28), r"but got images of 0x28"),
    ],
)
def test_conv_refuses_what_does_not_fit(shape, words):
    with pytest.raises(ShapeError, match=words):
        conv(1, 4, 5)(np.zeros(shape))


def test_the_padding_is_named_too():
    with pytest.raises(ShapeError, match=r"window of 5x5, but got images of 2x2 with padding 1x0"):
        conv(1, 4, 5, padding=(1, 0))(np.zeros((1, 1, 2, 2)))


def test_the_layer_is_named_by_its_path():
    net = nn.Sequential(conv(1, 2, 3), nn.Sequential(nn.ReLU(), conv(3, 2, 3)), nn.BatchNorm2d(2))
    with pytest.raises(ShapeError, match=r"Conv2d layers\.1\.layers\.1 expects \(n, 3, h, w\), but got \(2, 2, 4, 4\)"):
        net(np.zeros((2, 1, 6, 6)))
    net = nn.Sequential(conv(1, 2, 3), nn.MaxPool2d(9))
    with pytest.raises(ShapeError, match=r"MaxPool2d layers\.1 has a window of 9x9, but got images of 4x4"):
        net(np.zeros((2, 1, 6, 6)))


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ((0, 4, 3), {}, "Conv2d needs at least one channel in and one out, but got 0 and 4"),
        ((1, 0, 3), {}, "but got 1 and 0"),
        ((1, 4, 0), {}, "Conv2d needs a size of one or two whole numbers, at least 1, but got 0"),
        ((1, 4, (3, 0)), {}, r"needs a size .* but got \(3, 0\)"),
        ((1, 4, 2.5), {}, "needs a size .* but got 2.5"),
        ((1, 4, None), {}, "needs a size .* but got None"),
        ((1, 4, "33"), {}, "needs a size"),
        ((1, 4, 3), {"stride": 0}, "Conv2d needs a stride of one or two whole numbers, at least 1, but got 0"),
        ((1, 4, 3), {"padding": -1}, "Conv2d needs a padding of one or two whole numbers, at least 0, but got -1"),
        ((1, 4, 3), {"padding": (1, 2, 3)}, r"needs a padding .* but got \(1, 2, 3\)"),
        ((3, 2, 3), {"connections": [[1, 0, 1], [0, 1, 1]]}, r"connections as booleans \(2, 3\) .* got int64"),
        ((3, 2, 3), {"connections": np.ones((3, 2), bool)}, r"connections as booleans \(2, 3\)"),
        ((3, 2, 3), {"connections": np.array([[True] * 3, [False] * 3])}, "at least one input for each output"),
    ],
)
def test_conv_refuses_options(args, options, words):
    with pytest.raises(OptionError, match=words):
        conv(*args, **options)


def test_numpy_integers_and_lists_are_sizes_too():
    layer = conv(1, 2, np.int64(3), stride=[1, 2], padding=np.array([0, 1]))
    assert (layer.size, layer.stride, layer.padding) == ((3, 3), (1, 2), (0, 1))
    assert all(type(v) is int for v in (*layer.size, *layer.stride, *layer.padding))


def test_conv_dtypes():
    net = nn.Sequential(conv(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))
    for images in (np.zeros((2, 1, 6, 6), np.uint8), np.zeros((2, 1, 6, 6), np.int64), np.zeros((2, 1, 6, 6)).tolist()):
        assert net(images).dtype == np.float32
        assert net[0](images).dtype == np.float32
    with pytest.raises(ShapeError, match=r"conv2d in layers\.0 got tensors of float64 and float32; make"):
        net(ig.Tensor(np.zeros((2, 1, 6, 6))))


def test_no_images():
    net = nn.Sequential(
        *(conv(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.ScaledAveragePool2d(2, 2), conv(2, 3, 1)),
        *(nn.AveragePool2d(1), nn.Dropout2d(0.5, rng=ig.default_rng(0)), nn.GlobalAveragePool2d()),
        nn.Linear(3, 4, rng=ig.default_rng(0)),
    )
    x = ig.Tensor(np.zeros((0, 1, 10, 10)), dtype=np.float32, requires_grad=True)
    y = net(x)
    assert y.shape == (0, 4)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert all(not p.grad.any() and p.grad.shape == p.shape for _, p in net.named_parameters())
    with pytest.raises(ShapeError, match="at least 2 pixels for a batch's statistics, but got 0"):
        nn.BatchNorm2d(1)(x)
    with pytest.raises(OptionError, match="at least one sample"):
        nn.cross_entropy(y, np.empty(0, int))


def test_conv_starts_with_its_initializer():
    default = nn.Conv2d(3, 4, 5, rng=ig.default_rng(5))
    np.testing.assert_array_equal(default.weight.data, nn.init.he_normal((4, 3, 5, 5), ig.default_rng(5)))
    assert not default.bias.data.any()
    other = nn.Conv2d(3, 4, (1, 2), rng=ig.default_rng(5), init=nn.init.xavier_uniform)
    np.testing.assert_array_equal(other.weight.data, nn.init.xavier_uniform((4, 3, 1, 2), ig.default_rng(5)))


# Partial connection


def test_weights_without_a_connection_are_and_stay_zero():
    table = np.array([[True, False, True], [False, True, False]])
    layer = conv(3, 2, 3, connections=table)
    off = ~table
    assert not layer.weight.data[off].any()
    assert (layer.weight.data[table] != 0).all()
    assert layer.parameter_count() == 3 * 9 + 2
    optimizer = ig.optim.AdamW(layer, 0.1)
    x = ig.Tensor(cases.Draw("partial").normal(4, 3, 5, 5), dtype=np.float32)
    start = layer.weight.data.copy()
    for _ in range(5):
        optimizer.zero_grad()
        (layer(x) ** 2).sum().backward()
        assert not layer.weight.grad[off].any()
        optimizer.step()
    assert not layer.weight.data[off].any()
    assert (layer.weight.data[table] != start[table]).all()


def test_an_output_sees_only_its_connections():
    layer = conv(2, 2, 3, connections=np.eye(2, dtype=bool))
    x = cases.Draw("seen").normal(1, 2, 5, 5).astype(np.float32)
    before = layer(x).data
    x[:, 0] += 1
    after = layer(x).data
    assert (before[:, 0] != after[:, 0]).all()
    np.testing.assert_array_equal(before[:, 1], after[:, 1])


def test_the_fan_in_counts_connections_only():
    table = np.zeros((2, 100), bool)
    table[0, :4] = table[1, :] = True
    weight = nn.Conv2d(100, 2, 5, rng=ig.default_rng(0), init=nn.init.lecun_normal, connections=table).weight.data
    assert weight[0, :4].std() == pytest.approx(np.sqrt(1 / 100), rel=0.2)
    assert weight[1].std() == pytest.approx(np.sqrt(1 / 2500), rel=0.05)


# Pooling


@pytest.mark.parametrize("name", ["MaxPool2d", "AveragePool2d"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 0}, "needs a size of one or two whole numbers, at least 1, but got 0"),
        ({"size": 2, "stride": 0}, "needs a stride .* but got 0"),
        ({"size": 2, "padding": -1}, "needs a padding .* but got -1"),
        ({"size": 3, "padding": 2}, r"needs a padding of at most half its size \(3, 3\), but got \(2, 2\)"),
    ],
)
def test_pools_refuse_options(name, options, words):
    with pytest.raises(OptionError, match=f"{name} {words}"):
        getattr(nn, name)(**options)


@pytest.mark.parametrize("layer", [nn.MaxPool2d(3), nn.AveragePool2d(3), nn.ScaledAveragePool2d(2, 3)])
def test_pools_refuse_what_does_not_fit(layer):
    name = type(layer).__name__
    with pytest.raises(ShapeError, match=f"{name} has a window of 3x3, but got images of 2x5"):
        layer(np.zeros((1, 2, 2, 5)))
    with pytest.raises(ShapeError, match=rf"{name} expects \(n, ., h, w\), but got \(4, 10\)"):
        layer(np.zeros((4, 10)))


def test_the_other_pools_refuse():
    with pytest.raises(ShapeError, match=r"GlobalAveragePool2d expects \(n, c, h, w\), but got \(4, 3\)"):
        nn.GlobalAveragePool2d()(np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="GlobalAveragePool2d needs images of at least one pixel"):
        nn.GlobalAveragePool2d()(np.zeros((4, 3, 0, 2)))
    with pytest.raises(OptionError, match="ScaledAveragePool2d needs at least one channel, but got 0"):
        nn.ScaledAveragePool2d(0, 2)
    with pytest.raises(ShapeError, match=r"ScaledAveragePool2d expects \(n, 2, h, w\), but got \(1, 3, 4, 4\)"):
        nn.ScaledAveragePool2d(2, 2)(np.zeros((1, 3, 4, 4)))


def test_the_stride_of_a_pool_is_its_size():
    assert nn.MaxPool2d((2, 3)).stride == (2, 3)
    assert nn.MaxPool2d((2, 3), 1).stride == (1, 1)


# Batch normalization


def test_batch_norm_follows_batches_of_images():
    layer = nn.BatchNorm2d(2, momentum=0.25).astype(np.float64)
    mean, var = np.zeros(2), np.ones(2)
    for seed in range(3):
        x = cases.Draw(f"images {seed}").normal(3, 2, 4, 5) * 3 + 1
        y = layer(x)
        np.testing.assert_allclose(y.data.mean(axis=(0, 2, 3)), 0, atol=1e-12)
        mean = 0.75 * mean + 0.25 * x.mean(axis=(0, 2, 3))
        var = 0.75 * var + 0.25 * x.var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.running_mean.data, mean)
    np.testing.assert_allclose(layer.running_var.data, var)


def test_batch_norm_refuses():
    layer = nn.BatchNorm2d(3)
    with pytest.raises(ShapeError, match=r"BatchNorm2d expects \(n, 3, h, w\), but got \(2, 2, 4, 4\)"):
        layer(np.zeros((2, 2, 4, 4)))
    with pytest.raises(ShapeError, match=r"BatchNorm2d expects \(n, 3, h, w\), but got \(4, 3\)"):
        layer(np.zeros((4, 3)))
    with pytest.raises(
        ShapeError, match=r"BatchNorm2d needs at least 2 pixels .* but got 1; use larger batches or eval"
    ):
        layer(np.zeros((1, 3, 1, 1)))
    assert layer.eval()(np.zeros((1, 3, 1, 1))).shape == (1, 3, 1, 1)
    assert layer(np.zeros((0, 3, 4, 4))).shape == (0, 3, 4, 4)
    with pytest.raises(ShapeError, match=r"BatchNorm1d expects \(n, 3\), but got .*; BatchNorm2d takes images"):
        nn.BatchNorm1d(3)(np.zeros((2, 3, 4, 4)))
    with pytest.raises(OptionError, match="BatchNorm2d needs features"):
        nn.BatchNorm2d(0)


# Dropout


def test_dropout_of_whole_channels():
    layer = nn.Dropout2d(0.25, rng=ig.default_rng(0))
    y = layer(np.ones((200, 50, 2, 3))).data
    assert (y == y[:, :, :1, :1]).all()
    channels = y[:, :, 0, 0]
    assert set(np.unique(channels)) == {0, np.float32(1 / 0.75)}
    assert abs((channels != 0).mean() - 0.75) < 5 * np.sqrt(0.25 * 0.75 / 10_000)
    assert (layer(np.ones((200, 50, 2, 3))).data != y).any()
    with pytest.raises(ShapeError, match=r"Dropout2d expects \(n, c, h, w\), but got \(4, 3\)"):
        layer(np.ones((4, 3)))
    with pytest.raises(OptionError, match=r"Dropout2d needs a probability in \[0, 1\), but got 1"):
        nn.Dropout2d(1, rng=ig.default_rng(0))


def test_a_batch_draws_one_number():
    layer, twin = nn.Dropout(0.5, rng=ig.default_rng(3)), ig.default_rng(3)
    for shape in ((4, 5), (2, 3, 4, 5)):
        y = layer(np.ones(shape)).data
        np.testing.assert_array_equal(y, ig.kernels.dropout_mask(int(twin.integers(2**63)), shape, 0.5))
    assert layer.rng.bit_generator.state == twin.bit_generator.state
    layer.eval()(np.ones((4, 5)))
    assert layer.rng.bit_generator.state == twin.bit_generator.state


def test_masks_of_successive_batches_are_independent():
    layer = nn.Dropout(0.5, rng=ig.default_rng(0))
    masks = np.stack([layer.mask((10_000,)) for _ in range(20)])
    table = np.corrcoef(masks)
    assert np.abs(table - np.eye(20)).max() < 5 / np.sqrt(10_000)


def test_dropout_through_the_hash_has_its_gradient():
    layer = nn.Dropout2d(0.5, rng=ig.default_rng(0))
    x = ig.Tensor(np.ones((4, 5, 2, 2)), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)
