import numpy as np
import pytest

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import panels
from inkgrad.errors import OptionError, ShapeError
from inkgrad.models import Classifier, build, feature_sheet, filter_sheet, sheets


@pytest.fixture
def drawn(monkeypatch):
    """The panels that were drawn."""
    found = []

    def draw(given, **options):
        found.extend(given)
        return panels.panel_sheet(given, **options)

    monkeypatch.setattr(sheets, "panel_sheet", draw)
    return found


def conv(*args, **options):
    return nn.Conv2d(*args, rng=ig.default_rng(0), **options)


def net(name, **options):
    return build(name, rng=ig.default_rng(0), **options)


# Filters


def test_one_channel_in_is_a_row_of_filters(drawn):
    layer = conv(1, 6, 5)
    filter_sheet(layer)
    (panel,) = drawn
    np.testing.assert_array_equal(panel.tiles, layer.weight.data[:, 0])
    assert (panel.title, panel.words) == ("Conv2d", "6 filters of 5x5")
    assert panel.captions == list("012345")
    assert panel.limit == pytest.approx(np.abs(layer.weight.data).max())


def test_several_channels_in_are_a_grid(drawn):
    layer = conv(3, 4, (2, 5))
    filter_sheet(layer, title="layers.3 Conv2d")
    (panel,) = drawn
    np.testing.assert_array_equal(panel.tiles.reshape(4, 3, 2, 5), layer.weight.data)
    assert (panel.title, panel.columns) == ("layers.3 Conv2d", 3)
    assert panel.words == "2x5; rows: 4 channels out; columns: 3 in"
    assert (panel.rows_named, panel.columns_named) == (list("0123"), list("012"))
    assert panel.missing is None


def test_no_tile_where_there_is_no_connection(drawn):
    table = np.array([[True, False, True], [False, True, False]])
    filter_sheet(conv(3, 2, 3, connections=table))
    filter_sheet(conv(3, 2, 3, connections=table), most=2)
    np.testing.assert_array_equal(drawn[0].missing.reshape(2, 3), ~table)
    np.testing.assert_array_equal(drawn[1].missing.reshape(2, 2), ~table[:, :2])


def test_many_channels_are_limited_and_that_is_said(drawn):
    filter_sheet(conv(1, 40, 3))
    filter_sheet(conv(10, 8, 3), most=5)
    assert drawn[0].words == "40 filters of 3x3 (the first 32 shown)"
    assert len(drawn[0].tiles) == 32
    assert drawn[1].words == "3x3; rows: 8 channels out (the first 5 shown); columns: 10 in (the first 5 shown)"
    assert len(drawn[1].tiles) == 25
    np.testing.assert_array_equal(drawn[1].tiles[6], conv(10, 8, 3).weight.data[1, 1])


def test_dense_layers(drawn):
    filter_sheet(net("softmax-regression").layers[1])
    filter_sheet(net("lenet5").layers[7])
    assert drawn[0].words == "10 filters of 28x28"
    assert drawn[0].tiles.shape == (10, 28, 28)
    assert drawn[1].words == "rows: 120 outputs; columns: 400 inputs"
    assert drawn[1].tiles.shape == (1, 120, 400)
    filter_sheet(net("cnn").layers[7])
    assert drawn[2].words == "rows: 128 outputs; columns: 9216 inputs (the first 1024 shown)"


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.BatchNorm2d(3), nn.Sequential(conv(1, 2, 3))])
def test_what_has_no_filters(layer):
    with pytest.raises(OptionError, match=f"^{type(layer).__name__} has no filters to show; show a Conv2d or Linear"):
        filter_sheet(layer)


# Feature maps


def test_every_layer_is_a_panel(drawn):
    image = np.arange(784).reshape(28, 28).astype(np.uint8)
    network = net("lenet5")
    feature_sheet(network, image)
    kinds = ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    places = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]  # 6 flattens
    assert [panel.title for panel in drawn] == ["image"] + [
        f"layers.{i} {k}" for i, k in zip(places, kinds, strict=True)
    ]
    notes = ["28x28", "6x28x28", "6x28x28", "6x14x14", "16x10x10", "16x10x10", "16x5x5", "120", "120", "84", "84", "10"]
    assert [panel.words for panel in drawn] == notes
    np.testing.assert_array_equal(drawn[0].tiles, image[None])
    maps = nn.feature_maps(network, ig.data.linear_scaling().apply(image[None]))
    np.testing.assert_array_equal(drawn[4].tiles, maps["layers.3"][0])
    np.testing.assert_array_equal(drawn[-1].tiles.reshape(-1), maps["layers.11"][0])
    assert drawn[-1].captions == [str(digit) for digit in range(10)]
    assert network.training


@pytest.mark.parametrize("name", ig.models.NAMED)
def test_every_named_network_is_drawn(name):
    sheet = feature_sheet(net(name), np.eye(28, dtype=np.float32), most=4)
    assert sheet.mode == "RGB"


def test_many_maps_are_limited_and_that_is_said(drawn):
    feature_sheet(net("cnn"), np.eye(28), most=5)
    assert drawn[1].words == "32x26x26 (the first 5 channels shown)"
    assert len(drawn[1].tiles) == 5


def test_a_classifier_scales_and_names(drawn):
    image = np.eye(28, dtype=np.uint8) * 255
    network = net("lenet1", classes=3)
    scaling = ig.data.Scaling("standard", 1 / 80, -0.4)
    feature_sheet(Classifier(network, scaling, ("a", "b", "c")), image)
    maps = nn.feature_maps(network, scaling.apply(image[None]))
    np.testing.assert_array_equal(drawn[1].tiles, maps["layers.0"][0])
    assert drawn[-1].captions == ("a", "b", "c")


def test_layers_that_are_called_again(drawn):
    class Twice(nn.Module):
        def __init__(self):
            self.layers = {"a (b)": conv(1, 1, 3), "act": nn.ReLU()}

        def forward(self, x):
            act = self.layers["act"]
            return -act(-act(self.layers["a (b)"](x)))

    feature_sheet(Twice(), np.eye(9))
    titles = ["image", "layers.a (b) Conv2d", "layers.act ReLU", "layers.act (2) ReLU", "Twice"]
    assert [panel.title for panel in drawn] == titles
    assert drawn[3].words == "1x7x7, all 0"


def test_maps_of_one_pixel_are_drawn_as_a_vector(drawn):
    feature_sheet(net("lenet5-1998"), np.eye(28))
    panel = next(panel for panel in drawn if panel.title == "layers.6 Conv2d")
    assert (panel.words, panel.tiles.shape, panel.columns) == ("120", (120, 1, 1), 64)


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28), (1, 1, 28, 28)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_one_image_of_any_form(drawn, shape, dtype):
    image = np.zeros(shape, dtype)
    image[..., 5:9, 3] = 1
    feature_sheet(conv(1, 2, 3), image)
    assert drawn[0].tiles.max() == (1 if dtype == np.uint8 else 255)
    assert [panel.words for panel in drawn] == ["28x28", "2x26x26"]


def test_images_of_several_channels_and_tensors(drawn):
    feature_sheet(conv(3, 2, 3), ig.Tensor(np.random.default_rng(0).normal(size=(3, 8, 8)), dtype=np.float32))
    assert [panel.words for panel in drawn] == ["3x8x8", "2x6x6"]
    assert (drawn[0].tiles.min(), drawn[0].tiles.max()) == (0, 255)


def test_weights_that_are_not_finite_are_seen(drawn):
    layer = conv(1, 2, 3)
    layer.weight.data[1] = np.nan
    filter_sheet(layer)
    feature_sheet(layer, np.eye(28))
    assert drawn[0].words.endswith(", gray: not finite")
    assert drawn[2].words == "2x26x26, gray: not finite"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((5, 28, 28), np.uint8), r"one image at a time, but got uint8 \(5, 28, 28\); take one of them"),
        (np.zeros((5, 1, 28, 28)), r"one image at a time, but got float64 \(5, 1, 28, 28\)"),
        (np.zeros(784), r"uint8 \(h, w\) or floats \(c, h, w\), but got float64 \(784,\); data.to_digit"),
        (np.zeros((28, 28), int), r"but got int64 \(28, 28\)"),
        (np.zeros((0, 28), np.uint8), r"but got uint8 \(0, 28\)"),
        ("digit.png", "but got <U9"),
        (np.zeros((3, 28, 28)), r"Conv2d layers\.0 expects \(n, 1, h, w\), but got \(1, 3, 28, 28\)"),
        (np.zeros((32, 32), np.uint8), r"Linear layers\.7 expects \(n, 400\), but got \(1, 576\)"),
    ],
)
def test_what_is_not_one_image(image, words):
    with pytest.raises(ShapeError, match=words):
        feature_sheet(net("lenet5"), image)


@pytest.mark.parametrize("option", ["most", "zoom"])
def test_numbers_below_one(option):
    with pytest.raises(OptionError, match=f"{option} of a picture is 0, expected at least 1"):
        filter_sheet(conv(1, 2, 3), **{option: 0})
    with pytest.raises(OptionError, match=f"{option} of a picture is 0"):
        feature_sheet(conv(1, 2, 3), np.zeros((28, 28)), **{option: 0})
