import numpy as np
import pytest
from PIL import Image

from inkgrad.data import contact_sheet, show
from inkgrad.errors import OptionError, ShapeError


def test_tiles_are_where_they_belong(digits):
    images = digits[0].images[:10]
    sheet = np.asarray(contact_sheet(images, columns=5, scale=1))
    assert sheet.shape == (2 * 34 + 6, 5 * 34 + 6, 3)
    for index in range(10):
        top, left = 6 + index // 5 * 34, 6 + index % 5 * 34
        np.testing.assert_array_equal(sheet[top : top + 28, left : left + 28, 0], images[index])


def test_labels_and_marks_show(digits):
    images = digits[0].images[:4]
    plain = contact_sheet(images, columns=2)
    labeled = contact_sheet(images, columns=2, labels=list("0123"))
    assert labeled.height > plain.height
    assert contact_sheet(images, columns=2, labels=["a very long caption"] * 4).width > plain.width
    marked = np.asarray(contact_sheet(images, columns=2, marked={1})).astype(int)
    red = (marked[:, :, 0] - marked[:, :, 1]) > 100
    assert red[:, : red.shape[1] // 2].sum() == 0
    assert red.sum() > 100


def test_show_saves_a_png(tmp_path, digits):
    sheet = show(digits[0].images[0], path=tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(sheet))


@pytest.mark.parametrize(
    ("images", "options", "error", "words"),
    [
        (np.zeros((0, 28, 28), np.uint8), {}, ShapeError, "n at least 1"),
        (np.zeros((2, 28, 28)), {}, ShapeError, "float64"),
        ([1], {}, ShapeError, "are list"),
        (np.zeros((2, 8, 8), np.uint8), {"labels": ["a"]}, OptionError, "2 images came with 1 labels"),
        (np.zeros((2, 8, 8), np.uint8), {"columns": 0}, OptionError, "columns .* is 0"),
        (np.zeros((2, 8, 8), np.uint8), {"scale": 0}, OptionError, "scale .* is 0"),
        (np.zeros((2, 8, 8), np.uint8), {"marked": [2]}, OptionError, r"image 2 .* 0\.\.1"),
    ],
)
def test_errors(images, options, error, words):
    with pytest.raises(error, match=words):
        contact_sheet(images, **options)
