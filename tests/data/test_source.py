import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from inkgrad.data import load, load_digits, load_folder
from inkgrad.errors import DataError, ImageError, OptionError


def put(root, name, pictures):
    (root / name).mkdir(parents=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(root / name / f"{index:03}.png")


def test_bundled_digits(digits):
    train, test = digits
    assert train.images.shape == (1437, 28, 28)
    assert train.images.max() == 255
    rows = np.flatnonzero(train.images.any(axis=(0, 2)))
    assert rows[0] >= 2
    for image in train.images[:50]:
        y, x = np.nonzero(image)
        assert max(np.ptp(y), np.ptp(x)) == 19
        assert abs(np.average(np.arange(28), weights=image.sum(1)) - 14) < 1
    splits = load("digits")
    np.testing.assert_array_equal(splits.train.images, train.images[:1200])
    np.testing.assert_array_equal(splits.validation.labels, train.labels[1200:])
    np.testing.assert_array_equal(splits.test.labels, test.labels)
    everything = load("digits", train_on="all")
    np.testing.assert_array_equal(everything.train.labels, train.labels)
    assert len(everything.validation) == 0
    assert load_digits()[0].fingerprint() == train.fingerprint()


def test_mnist(mnist, monkeypatch):
    monkeypatch.setattr("inkgrad.data.source.load_mnist", lambda: mnist)
    train, validation, test = load("mnist")
    assert (len(train), len(validation), len(test)) == (50_000, 10_000, 10_000)
    assert np.shares_memory(validation.images, mnist[0].images[50_000:])
    assert load("mnist", train_on="all").train.fingerprint() == mnist[0].fingerprint()


def test_files_like_mnist_keep_the_last_sixth(tmp_path):
    x, y = np.zeros((60, 28, 28), np.uint8), np.arange(60) % 10
    np.savez(tmp_path / "some.npz", x_train=x, y_train=y, x_test=x[:7], y_test=y[:7])
    train, validation, test = load(tmp_path / "some.npz")
    assert [len(train), len(validation), len(test)] == [50, 10, 7]
    np.testing.assert_array_equal(validation.labels, y[50:])
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, array in (("train", y), ("t10k", y[:5])):
        labels = array.astype(np.uint8).tobytes()
        head = struct.pack(">I", len(array))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + head + labels)
        images = b"\0\0\x08\x03" + head + struct.pack(">2I", 28, 28) + bytes(784 * len(array))
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    assert [len(part) for part in load(str(folder))] == [50, 10, 5]


def test_csv_is_split_by_tens_of_each_label(tmp_path):
    rows = [f"{label},{n}" + ",0" * 783 for n in range(100) for label in (3, 8)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    train, validation, test = load(tmp_path / "t.csv")
    assert [len(train), len(validation), len(test)] == [162, 18, 20]
    assert sorted(test.images[:, 0, 0][test.labels == 3]) == list(range(9, 100, 10))
    assert np.bincount(validation.labels)[[3, 8]].tolist() == [9, 9]
    joined = load(tmp_path / "t.csv", train_on="all").train
    assert len(joined) == 180
    assert (np.diff(joined.images[::2, 0, 0].astype(int)) > 0).all()


def test_class_folders(tmp_path, written):
    for name, index in (("10", 1), ("9", 2)):
        put(tmp_path / "all", name, [written(index)] * 12)
    data = load_folder(tmp_path / "all")
    assert data.classes == ("9", "10")
    assert data.labels.tolist() == [0] * 12 + [1] * 12
    assert [len(part) for part in load(tmp_path / "all")] == [20, 2, 2]
    put(tmp_path / "two" / "train", "a", [written(3)] * 10)
    put(tmp_path / "two" / "test", "a", [written(3)] * 3)
    assert [len(part) for part in load(tmp_path / "two")] == [9, 1, 3]
    put(tmp_path / "two" / "test", "b", [written(3)])
    with pytest.raises(DataError, match="only one has 'b'"):
        load(tmp_path / "two")


def test_a_blank_picture_keeps_its_row(tmp_path, written):
    put(tmp_path, "0", [written(0), np.full((30, 30), 255, np.uint8)])
    data = load_folder(tmp_path)
    assert data.images[0].any()
    assert not data.images[1].any()


def test_folder_errors(tmp_path, written):
    with pytest.raises(DataError, match=r"no folder .*none"):
        load_folder(tmp_path / "none")
    with pytest.raises(DataError, match="no class folders"):
        load_folder(tmp_path)
    with pytest.raises(DataError, match="holds no data set"):
        load(tmp_path)
    put(tmp_path, "3", [written(3)])
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"class folder .*4 has no pictures"):
        load_folder(tmp_path)
    (tmp_path / "4" / "bad.png").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"bad\.png"):
        load_folder(tmp_path)


def test_unknown_names_and_options():
    with pytest.raises(DataError, match="no data set 'emnist', expected 'mnist', 'digits', a folder"):
        load("emnist")
    with pytest.raises(OptionError, match="'some', expected 'train' or 'all'"):
        load("digits", train_on="some")  # type: ignore[arg-type]
