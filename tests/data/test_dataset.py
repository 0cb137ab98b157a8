import numpy as np
import pytest

from inkgrad.data import Dataset
from inkgrad.errors import DataError


def make(n: int = 5) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n, dtype=np.int64) % 10, "toy")


def test_slices_arrays_and_masks_pick_in_order():
    data = make()
    assert list(data[1:3].labels) == [1, 2]
    assert np.shares_memory(data[1:3].images, data.images)
    assert list(data[np.array([4, 0])].labels) == [4, 0]
    assert list(data[[3, 1]].labels) == [3, 1]
    assert list(data[data.labels > 2].labels) == [3, 4]
    assert len(data[[]]) == 0
    assert data[1:].name == "toy"


def test_an_integer_gives_image_and_label_and_iteration_ends():
    data = make(3)
    image, label = data[-1]
    assert image.shape == (28, 28)
    assert label == 2
    assert [label for _, label in data] == [0, 1, 2]


def test_empty_is_allowed():
    assert len(make(0)) == 0
    assert make(0).fingerprint()


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (np.array([9]), "cannot be indexed"),
        (np.array([True]), "cannot be indexed"),
        (np.array([0.5]), "float64"),
        (np.zeros((1, 1), int), "one-dimensional"),
    ],
)
def test_wrong_indices(index, words):
    with pytest.raises(DataError, match=words):
        make()[index]


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.int64), "2 images but 3 labels"),
        (np.zeros((2, 28, 28), np.float32), np.zeros(2, np.int64), r"uint8 \(n, 28, 28\).*float32"),
        (np.zeros((2, 28, 27), np.uint8), np.zeros(2, np.int64), r"\(2, 28, 27\)"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.int32), r"int64 \(n,\).*int32"),
        (np.zeros((2, 28, 28), np.uint8), [0, 1], "came as list"),
        (np.zeros((2, 28, 28), np.uint8), np.array([0, 10]), r"label 10 at index 1 .* 0\.\.9"),
        (np.zeros((2, 28, 28), np.uint8), np.array([-1, 3]), "label -1 at index 0"),
    ],
)
def test_inconsistent_data_is_refused(images, labels, words):
    with pytest.raises(DataError, match=words):
        Dataset(images, labels, "wrong")


def test_class_names_bound_the_labels():
    with pytest.raises(DataError, match=r"outside 0\.\.1"):
        Dataset(np.zeros((1, 28, 28), np.uint8), np.array([2]), "two", ("a", "b"))
    with pytest.raises(DataError, match="twice"):
        Dataset(np.zeros((1, 28, 28), np.uint8), np.array([0]), "two", ("a", "a"))


def test_fingerprint_sees_images_labels_and_classes_but_not_the_name():
    data = make()
    images, labels = data.images.copy(), data.labels.copy()
    assert Dataset(images, labels, "other").fingerprint() == data.fingerprint()
    images[0, 0, 0] ^= 1
    assert Dataset(images, labels, "toy").fingerprint() != data.fingerprint()
    labels[0] = 9
    assert Dataset(data.images, labels, "toy").fingerprint() != data.fingerprint()
    classes = (*"123456789", "0")
    assert Dataset(data.images, data.labels, "toy", classes).fingerprint() != data.fingerprint()
    assert data[::2].fingerprint() == Dataset(data.images[::2].copy(), data.labels[::2].copy(), "").fingerprint()
