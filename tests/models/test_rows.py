"""The network for rows: a step for every four pixels, which depends on what stands near it alone."""

import numpy as np
import pytest

from inkgrad.data import linear_scaling
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models import build, save
from inkgrad.models.rows import RARER, STEP, build_rows, label_log_probabilities, load_rows, save_rows
from inkgrad.nn.state import read_arrays, write_arrays
from inkgrad.random import default_rng


@pytest.fixture(scope="module")
def net():
    made = build_rows(rng=default_rng(0), width=4)
    rng = default_rng(1)
    for _ in range(3):  # running statistics that are not those of a fresh network
        made(rng.random((8, 1, 40, 96), dtype=np.float32))
    return made.eval()


def test_a_step_sees_what_is_near(net):
    images = default_rng(2).random((2, 1, 40, 256), dtype=np.float32)
    before = net(images).data
    assert before.shape == (2, 256 // STEP, 21)
    images[:, :, :, 200:] = 0
    after = net(images).data
    np.testing.assert_allclose(after[:, :40], before[:, :40], rtol=1e-4, atol=1e-4)
    assert np.abs(after[:, 52:] - before[:, 52:]).max() > 0.01


def test_other_widths_are_the_same_network(net):
    """As paper is no ink, a longer strip changes nothing of what stands far from its end."""
    images = np.zeros((1, 1, 40, 320), np.float32)
    images[0, 0, 10:30, 40:120] = default_rng(3).random((20, 80))
    long, short = net(images).data, net(np.ascontiguousarray(images[..., :192])).data
    np.testing.assert_allclose(long[:, :38], short[:, :38], rtol=1e-4, atol=1e-4)


def test_another_character_is_rarer_than_the_network_says():
    logits = default_rng(5).normal(0, 4, (3, 50, 21))
    told = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    p = np.exp(label_log_probabilities(logits))
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)
    some, other = told[..., 1:20].sum(axis=-1), told[..., 20]
    left = p[..., 0] - told[..., 0]  # what of another character became none
    np.testing.assert_allclose(left / p[..., 1:].sum(axis=-1), RARER * other / some, rtol=1e-6)
    np.testing.assert_allclose(p[..., 1:] / p[..., 1:2], told[..., 1:20] / told[..., 1:2], rtol=1e-12)
    sure = np.full((1, 21), -900.0)
    sure[0, 20] = 900.0  # nothing else at all
    assert label_log_probabilities(sure)[0, 0] == pytest.approx(0)


def test_a_file_gives_the_network_back(net, tmp_path):
    save_rows(tmp_path / "rows.safetensors", net, reading={"calibration": None}, training={"steps": 3})
    again, header = load_rows(tmp_path / "rows.safetensors")
    images = default_rng(4).random((3, 1, 40, 128), dtype=np.float32)
    np.testing.assert_array_equal(again(images).data, net(images).data)
    assert header["training"] == {"steps": 3} and header["options"] == {"width": 4}


def test_other_files(tmp_path):
    path = tmp_path / "digits.safetensors"
    classes = tuple("0123456789")
    save(path, build("two-layer", rng=default_rng(0)), scaling=linear_scaling(), classes=classes)
    with pytest.raises(ModelFileError, match="holds a network 'two-layer', expected 'rows', which reads numbers"):
        load_rows(path)
    with pytest.raises(ModelFileError, match="there is no model file"):
        load_rows(tmp_path / "nothing")
    with pytest.raises(OptionError, match="a width of at least 1, but got 0"):
        build_rows(rng=default_rng(0), width=0)


DAMAGED = {
    "no reading": ({"reading": None}, r"its header has None as 'reading'; get or train it again"),
    "no training": ({"training": ...}, "its header has no 'training'"),
    "no options": ({"options": ..., "reading": ...}, "its header has no 'options', its header has no 'reading'"),
    "width": ({"options": {"width": "wide"}}, "its network is 'wide' wide"),
    "other labels": ({"labels": "0123456789"}, "a reader of the characters '0123456789', but this inkgrad reads"),
    "another width": ({"options": {"width": 8}}, "has shape .* instead of"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_headers(case, net, tmp_path):
    changes, message = DAMAGED[case]
    path = tmp_path / "rows.safetensors"
    save_rows(path, net, reading={}, training={})
    header, arrays = read_arrays(path, "model")
    header = {name: value for name, value in (header | changes).items() if value is not ...}
    write_arrays(path, "model", header, arrays)
    with pytest.raises(ModelFileError, match=message) as error:
        load_rows(path)
    assert str(path) in str(error.value)
