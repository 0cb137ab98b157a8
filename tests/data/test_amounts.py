"""Amounts of cheques: a table, pictures, boxes."""

import cv2
import numpy as np
import pytest

from inkgrad.data.amounts import digits_of, folds, read_amounts
from inkgrad.data.hands import load_amounts, load_writers
from inkgrad.errors import DataError


def test_amounts_of_a_folder(tmp_path, monkeypatch):
    picture = np.full((60, 120), 230, np.uint8)
    picture[10:50, 20:28] = 20
    cv2.ellipse(picture, (80, 30), (14, 20), 0, 0, 360, 20, 5)
    (tmp_path / "orand_car").mkdir()
    cv2.imwrite(str(tmp_path / "orand_car" / "a.png"), picture)
    table = tmp_path / "orand_car" / "labels.csv"
    table.write_text('file,label,boxes_xywh_digit\na.png,10,"[[20, 10, 8, 40, ""1""], [62, 6, 36, 48, ""0""]]"\n')
    (amount,) = read_amounts(table)
    assert (amount.name, amount.digits) == ("a.png", "10")
    np.testing.assert_array_equal(amount.gray, picture)
    np.testing.assert_array_equal(amount.boxes, [[20, 10, 8, 40], [62, 6, 36, 48]])
    digits = digits_of([amount, amount], "two")
    assert digits.labels.tolist() == [1, 0, 1, 0]
    assert digits.images.shape == (4, 28, 28)
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path))
    assert [one.digits for one in load_amounts()] == ["10"]
    table.write_text("file,label,boxes_xywh_digit\na.png,10,no boxes\n")
    with pytest.raises(DataError, match="is not what it should be: JSONDecodeError"):
        load_amounts()
    with pytest.raises(DataError, match=r"writers of MNIST's digits are wanted in the file .*train-writers\.txt\.gz"):
        load_writers()


def test_folds_are_blocks_of_neighbors():
    parts = folds(703)
    assert (np.diff(parts) >= 0).all()
    assert set(np.bincount(parts)) == {140, 141}
