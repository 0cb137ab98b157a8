"""Every kind of bad input ends in one sentence and exit status 2, and nothing is lost or overwritten."""

import gzip
import os
import pickle
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

import inkgrad as ig
from inkgrad.data import DIGITS, linear_scaling
from inkgrad.nn.state import write_arrays

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)
LABELS = (np.arange(60) % 10).astype(np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist_like(folder, packed=True, **changed):
    """The four files; `changed` gives the content of some, None for a missing one."""
    folder.mkdir()
    for name, array in zip(NAMES, (IMAGES, LABELS, IMAGES[:20], LABELS[:20]), strict=True):
        content = changed.get(name.partition("-idx")[0].replace("-", "_"), idx(array))
        if content is not None:
            path = folder / (name + (".gz" if packed else ""))
            path.write_bytes(gzip.compress(content) if packed and content[:2] != b"\x1f\x8b" else content)
    return folder


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def row(label="7", pixel="0", columns=784):
    return ",".join([str(label), *[pixel] * columns])


def npz(path, **changed):
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:9], "y_test": LABELS[:9]} | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


PACKED = gzip.compress(idx(IMAGES))

DATA = {
    "no such folder": (lambda d: d / "none", "there is no data set '.*none', expected 'mnist', 'digits', a folder"),
    "an empty folder": (lambda d: (d / "empty").mkdir() or d / "empty", "holds no data set, expected"),
    "a missing IDX": (lambda d: mnist_like(d / "x", t10k_labels=None), r"needs the file .*t10k-labels-idx1-ubyte\.gz"),
    "a truncated IDX": (
        lambda d: mnist_like(d / "x", False, train_images=idx(IMAGES)[:-1]),
        r"train-images-idx3-ubyte is truncated: its shape \(60, 28, 28\) needs 47040 bytes of values, but only 47039",
    ),
    "an IDX that ends in its header": (lambda d: mnist_like(d / "x", False, train_images=b"\0\0\x08\x03\0"), "header"),
    "an empty IDX": (lambda d: mnist_like(d / "x", False, train_images=b""), "is empty, expected an IDX file"),
    "a wrong magic": (lambda d: mnist_like(d / "x", False, train_labels=b"PNG" * 30), "is not an IDX file: it begins"),
    "labels for images": (lambda d: mnist_like(d / "x", train_images=idx(LABELS)), r"must be \(n, 28, 28\) or"),
    "a gzip cut off": (lambda d: mnist_like(d / "x", train_images=PACKED[:-500]), "cut off or damaged inside its gzip"),
    "a gzip damaged": (
        lambda d: mnist_like(d / "x", train_images=PACKED[:900] + b"\0" * 50 + PACKED[950:]),
        "cut off or damaged inside its gzip",
    ),
    "counts that differ": (lambda d: mnist_like(d / "x", train_labels=idx(LABELS[:59])), "60 images but 59 labels"),
    "a label of 10": (lambda d: mnist_like(d / "x", t10k_labels=idx(LABELS[:20] + 1)), r"label 10 at index 9 .*0\.\.9"),
    "an evil pickle": (lambda d: written(d / "x.pkl", pickle.dumps(Evil())), "holds .*system.* nothing of it was run"),
    "an evil packed pickle": (lambda d: written(d / "x.pkl.gz", gzip.compress(pickle.dumps(Evil()))), "nothing of it"),
    "a cut pickle": (lambda d: written(d / "x.pkl.gz", gzip.compress(pickle.dumps(IMAGES)[:-9])), "cut off"),
    "a pickle of something else": (lambda d: written(d / "x.pkl", pickle.dumps([1, 2])), "must hold three pairs"),
    "an npz that lacks an array": (lambda d: npz(d / "x.npz", y_test=None), "lacks the array y_test"),
    "an npz of objects": (lambda d: npz(d / "x.npz", y_test=np.array([Evil()], object)), "no .npz of numeric arrays"),
    "an npz with a negative label": (
        lambda d: npz(d / "x.npz", y_test=LABELS[:9].astype(int) - 1),
        "label -1 at index 0",
    ),
    "an npz that is none": (lambda d: written(d / "x.npz", b"PK"), "cut off or is no .npz"),
    "a ragged CSV": (
        lambda d: written(d / "x.csv", f"{row()}\n{row(columns=700)}"),
        "line 2 .* has 701 columns, expected",
    ),
    "text in a CSV": (
        lambda d: written(d / "x.csv", f"{row()}\n{row('seven')}"),
        "line 2 .* 'seven' where a whole number",
    ),
    "a label of 12 in a CSV": (lambda d: written(d / "x.csv", row(12)), r"line 1 .* the label 12, expected 0\.\.9"),
    "a pixel of 300 in a CSV": (lambda d: written(d / "x.csv", row(1, "300")), "line 1 .* the pixel 300"),
    "bytes for a CSV": (lambda d: written(d / "x.csv", bytes(range(256))), ""),
    "an empty CSV": (lambda d: written(d / "x.csv", ""), "has no rows"),
    "a file of no known kind": (lambda d: written(d / "x.txt", "7"), "there is no data set"),
}


@pytest.mark.parametrize("case", DATA)
def test_data(inkgrad, tmp_path, case):
    make, words = DATA[case]
    source = make(tmp_path)
    ended = inkgrad("train", "--data", source, "--epochs", 1)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("inkgrad: ")
    assert ended.err.count("\n") == 1
    assert re.search(words, ended.err), ended.err
    assert str(source) in ended.err
    assert list((tmp_path / "work").iterdir()) == []  # no run was begun, nothing was run
    assert inkgrad("gradcheck", "--data", source).err == ended.err


def test_mnist_that_is_not_where_it_should_be(inkgrad, monkeypatch, tmp_path):
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path / "nowhere"))
    ended = inkgrad("train", "--data", "mnist")
    assert ended.status == 2
    missing = tmp_path / "nowhere" / "mnist" / "train-images-idx3-ubyte.gz"
    assert ended.err == f"inkgrad: MNIST needs the file {missing} (or without .gz), which is not there; put it there\n"


def png(width, height):
    """The head of a PNG of this size, with no more than its first row."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(width + 1)))


def picture(path, part=1.0):
    Image.fromarray(IMAGES[0]).resize((200, 200)).save(path)
    content = path.read_bytes()
    return written(path, content[: int(len(content) * part)])


PICTURES = {
    "missing": (lambda d: d / "none.png", "there is no image .*none.png; check the path"),
    "no image": (lambda d: written(d / "x.png", "I am a text"), "is not an image of a known format"),
    "empty": (lambda d: written(d / "x.png", ""), "is empty, expected an image file"),
    "truncated PNG": (lambda d: picture(d / "x.png", 0.5), "is truncated or damaged"),
    "truncated JPEG": (lambda d: picture(d / "x.jpg", 0.5), "is truncated or damaged"),
    "truncated TIFF": (lambda d: picture(d / "x.tif", 0.5), "is truncated or damaged|not an image"),
    "over 100 megapixels": (lambda d: written(d / "x.png", png(10_001, 10_000)), "at most 100 megapixels are read"),
    "a bomb": (lambda d: written(d / "x.png", png(60_000, 60_000)), "at most 100 megapixels are read"),
    "a folder without images": (lambda d: (d / "e").mkdir() or d / "e", "the folder .*e holds no images"),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(inkgrad, trained, tmp_path, case):
    make, words = PICTURES[case]
    source = make(tmp_path)
    ended = inkgrad("classify", source, "--model", trained)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("inkgrad: ")
    assert ended.err.count("\n") == 1
    assert re.search(words, ended.err), ended.err
    assert str(source) in ended.err


def model(path, **header):
    net = ig.models.build("softmax-regression", rng=ig.default_rng(0))
    full = {"architecture": "softmax-regression", "options": {"classes": 10}, "scaling": linear_scaling().as_json()}
    write_arrays(path, "model", full | {"classes": list(DIGITS)} | header, ig.nn.state_of(net))
    return path


def cut(path, size):
    return written(path, path.read_bytes()[:size])


MODELS = {
    "missing": (lambda d: d / "none", "there is no model file at .*none"),
    "a folder without a model": (
        lambda d: d,
        r"holds no model\.safetensors; finish its training first or name a model",
    ),
    "empty": (lambda d: written(d / "m", ""), "is damaged or no safetensors file"),
    "text": (lambda d: written(d / "m", "I am a text, no model"), "is damaged or no safetensors file"),
    "truncated": (lambda d: cut(model(d / "m"), -100), "is damaged or no safetensors file"),
    "truncated in its header": (lambda d: cut(model(d / "m"), 50), "is damaged or no safetensors file"),
    "changed": (lambda d: written(d / "m", model(d / "m").read_bytes()[:-1] + b"x"), "does not match its checksum"),
    "of another program": (
        lambda d: save_file({"w": np.zeros(3, np.float32)}, d / "m") or d / "m",
        "not one that inkgrad wrote",
    ),
    "a pickle": (lambda d: written(d / "m", pickle.dumps(Evil())), "is damaged or no safetensors file"),
    "of an unknown architecture": (
        lambda d: model(d / "m", architecture="alexnet"),
        "'alexnet' that this inkgrad does not know",
    ),
    "of another architecture": (
        lambda d: model(d / "m", architecture="two-layer", options={"classes": 10, "hidden": 50}),
        r"does not fit Network: layers\.3\.weight is missing; .*layers\.1\.weight has shape \(10, 784\) instead of",
    ),
    "of a newer format": (lambda d: model(d / "m", format=2), "has format 2, newer than this inkgrad understands"),
    "a picture": (lambda d: picture(d / "m.png"), "is damaged or no safetensors file"),
}


@pytest.mark.parametrize("case", MODELS)
def test_models(inkgrad, tmp_path, pictures, case):
    make, words = MODELS[case]
    path = make(tmp_path)
    ended = inkgrad("classify", pictures[0], "--model", path)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("inkgrad: ")
    assert ended.err.count("\n") == 1
    assert re.search(words, ended.err), ended.err
    assert str(path) in ended.err
    assert inkgrad("evaluate", path).err == ended.err
    assert not (tmp_path / "work" / "evil").exists()


def test_a_checkpoint_is_no_model(inkgrad, trained):
    ended = inkgrad("evaluate", trained / "checkpoint.safetensors")
    assert ended.status == 2
    assert "is a checkpoint file, but a model file is needed here" in ended.err
