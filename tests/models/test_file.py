"""Model files: what is written comes back bit for bit, and what is no model is refused in one sentence."""

import json
import struct

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import inkgrad as ig
from inkgrad import nn
from inkgrad.data import DIGITS, Scaling
from inkgrad.errors import ModelFileError, OptionError, StorageError
from inkgrad.models import MODEL_FILE, NAMED, Classifier, build, load, save
from inkgrad.nn.state import write_arrays

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
SCALING = Scaling("standard", 0.0127, -0.4242)


def saved(folder, name="two-layer", seed=1, **options):
    net = build(name, rng=ig.default_rng(seed), **options)
    path = folder / MODEL_FILE
    save(path, net, scaling=SCALING, classes=DIGITS, metrics={"validation_accuracy": 0.5}, training={"seed": seed})
    return path, net


def rewritten(path, change):
    """The same file with its header changed, and no checksum."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["inkgrad"])
    header.pop("crc32", None)
    change(header)
    save_file(load_file(path), path, metadata={"inkgrad": json.dumps(header)})
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_predictions_come_back_bit_for_bit(tmp_path, name):
    options = {"hidden": [20, 30]} if name == "mlp" else {}
    path, net = saved(tmp_path, name, **options)
    before = Classifier(net, SCALING, DIGITS, NAMED[name].probabilities)
    for source in (path, str(path), tmp_path):
        after = load(source)
        np.testing.assert_array_equal(after.predict_logits(IMAGES), before.predict_logits(IMAGES))
        np.testing.assert_array_equal(after.predict_proba(IMAGES), before.predict_proba(IMAGES))
    assert after.scaling == SCALING
    assert after.classes == DIGITS
    assert after.probabilities == NAMED[name].probabilities
    assert after.header["architecture"] == name
    assert after.header["metrics"] == {"validation_accuracy": 0.5}
    assert after.header["training"] == {"seed": 1}
    assert not after.network.training


def test_the_file_is_plain_safetensors_with_a_json_header(tmp_path):
    path, net = saved(tmp_path)
    arrays = load_file(path)
    assert arrays.keys() == {name for name, _ in net.named_state()}
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["inkgrad"])
    assert header["format"] == 1
    assert header["kind"] == "model"
    assert header["options"] == {"hidden": 50, "classes": 10}


def test_only_named_networks_are_saved(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=ig.default_rng(0)))
    with pytest.raises(OptionError, match=r"Sequential was not built by models\.build"):
        save(tmp_path / "x", net, scaling=SCALING, classes=DIGITS)  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / MODEL_FILE).mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        saved(tmp_path)


def test_a_file_cut_off_anywhere(tmp_path):
    path, _ = saved(tmp_path)
    content = path.read_bytes()
    (header,) = struct.unpack("<Q", content[:8])
    for size in (0, 1, 7, 8, 9, header // 2, header + 7, header + 8, header + 9, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ModelFileError, match="is damaged or no safetensors file"):
            load(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ModelFileError, match="is damaged"):
        load(path)


def test_no_changed_byte_goes_unnoticed(tmp_path):
    path, _ = saved(tmp_path, hidden=1)
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    whole = load(path)
    rng = np.random.default_rng(0)
    places = [*range(8 + length), *rng.integers(8 + length, len(content), 100)]
    for place in places:
        changed = content.copy()
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            again = load(path)
        except ModelFileError as error:
            assert str(path) in str(error)
        else:  # a byte of the padding, or of the checksum's own name
            assert {key: again.header[key] for key in whole.header} == whole.header
            np.testing.assert_array_equal(again.predict_logits(IMAGES), whole.predict_logits(IMAGES))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda h: h.update(architecture="lenet9"),
            "a network 'lenet9' that this inkgrad does not know; it knows soft",
        ),
        (lambda h: h.update(format=2), r"has format 2, newer than this inkgrad understands \(1\); update inkgrad"),
        (lambda h: h.update(format=float("inf")), "damaged header"),
        (lambda h: h.update(format="x"), "damaged header"),
        (lambda h: h.update(kind="checkpoint"), "is a checkpoint file, but a model file is needed"),
        (lambda h: h.pop("options"), "damaged header: KeyError 'options'"),
        (lambda h: h.update(options="abc"), "damaged header"),
        (lambda h: h.update(options={"hidden": -1}), "damaged header"),
        (lambda h: h.update(options={"depth": 1}), "damaged header: .* no option 'depth'"),
        (lambda h: h.update(scaling=7), "damaged header: .* needs kind, scale and shift"),
        (lambda h: h.update(classes=3), "damaged header"),
        (lambda h: h.update(classes=["a", "b"]), "names 2 classes for 10 outputs"),
    ],
)
def test_headers_that_cannot_be(tmp_path, change, words):
    path = rewritten(saved(tmp_path)[0], change)
    with pytest.raises(ModelFileError, match=words) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


def test_another_architecture_is_told_with_all_its_differences(tmp_path):
    path = rewritten(saved(tmp_path)[0], lambda h: h.update(architecture="mlp", options={"hidden": [20, 10]}))
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path} does not fit Network: layers.5.weight is missing; layers.5.bias is missing; "
        "layers.1.weight has shape (50, 784) instead of (20, 784); layers.1.bias has shape (50,) instead of (20,); "
        "layers.3.weight has shape (10, 50) instead of (10, 20)"
    )


def test_files_of_something_else(tmp_path):
    with pytest.raises(ModelFileError, match=r"there is no model file at .*none"):
        load(tmp_path / "none")
    with pytest.raises(ModelFileError, match=r"holds no model\.safetensors; finish its training first"):
        load(tmp_path)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, foreign)
    with pytest.raises(ModelFileError, match="not one that inkgrad wrote"):
        load(foreign)
    save_file({"weight": np.zeros(3, np.float32)}, foreign, metadata={"inkgrad": "[1"})
    with pytest.raises(ModelFileError, match="damaged header"):
        load(foreign)
    save_file({"weight": np.zeros(3, np.float32)}, foreign, metadata={"inkgrad": "[1]"})
    with pytest.raises(ModelFileError, match="damaged header"):
        load(foreign)
    write_arrays(foreign, "checkpoint", {}, {"weight": np.zeros(3, np.float32)})
    with pytest.raises(ModelFileError, match="is a checkpoint file, but a model file is needed here"):
        load(foreign)


@pytest.mark.parametrize(
    "damage",
    [
        {"temperature": 0},
        {"temperature": "warm"},
        {"refusal": {"threshold": 2}},
        {"refusal": {}},
        {"refusal": {"threshold": 0.5}},  # and no output for it
    ],
)
def test_a_damaged_calibration_is_refused(tmp_path, damage):
    path, _ = saved(tmp_path)
    rewritten(path, lambda header: header.update(damage))
    with pytest.raises(ModelFileError, match="has a damaged header"):
        load(path)
