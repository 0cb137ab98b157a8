"""Digits of other hands: from `.npz` files and from pictures with boxes, and what is said where they are missing."""

import json

import cv2
import numpy as np
import pytest

from inkgrad.data import HANDS, load, load_hand
from inkgrad.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path))
    return tmp_path


def put(folder, name, count=40):
    path = folder / HANDS[name].file
    path.parent.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    np.savez(path, images=np.zeros((count, 16, 16), np.uint8), images28=images, labels=labels)
    return images, labels


@pytest.mark.parametrize("name", [name for name, hand in HANDS.items() if hand.file.endswith(".npz")])
def test_files_come_in_order_and_form(folder, name):
    images, labels = put(folder, name)
    hand = load_hand(name)
    np.testing.assert_array_equal(hand.images, images)
    np.testing.assert_array_equal(hand.labels, labels)
    assert (hand.labels.dtype, hand.name) == (np.int64, name)


def test_those_to_learn_from_are_split_and_those_to_test_by_are_not(folder):
    put(folder, "usps", 200)
    put(folder, "semeion", 40)
    train, validation, test = load("usps")
    assert [len(train), len(validation), len(test)] == [170, 10, 20]
    train, validation, test = load("semeion")
    assert [len(train), len(validation), len(test)] == [0, 40, 40]


def test_digits_are_cut_from_pictures(folder, written):
    place = folder / "orand_car"
    place.mkdir()
    picture = np.full((120, 300), 230, np.uint8)
    boxes = []
    for index, left in ((2, 10), (7, 110)):
        digit = written(index, side=90, paper=230, ink=40)
        picture[15:105, left : left + 90] = digit
        boxes.append([left, 15, 90, 90, str(index)])
    cv2.imwrite(str(place / "a.png"), picture)
    empty = [[210, 20, 60, 60, "1"]]  # nothing but paper
    rows = [f'a.png,27,"{json.dumps(boxes + empty)}"'.replace('", "', '"", ""')]
    lines = ["file,label,boxes_xywh_digit"]
    lines += [rows[0].split(',"')[0] + ',"' + json.dumps(boxes + empty).replace('"', '""') + '"']
    (place / "labels.csv").write_text("\n".join(lines) + "\n")
    found = load_hand("orand_car")
    assert found.labels.tolist() == [2, 7]
    from inkgrad.data import load_digits

    for image, index in zip(found.images, (2, 7), strict=True):
        true = load_digits()[0].images[index].astype(float)
        assert np.corrcoef(image.ravel(), true.ravel())[0, 1] > 0.9


def test_what_is_missing_or_damaged_is_said(folder):
    with pytest.raises(DataError, match=r"no digits of the set 'nobody'; there are usps, ardis"):
        load_hand("nobody")
    with pytest.raises(DataError, match=r"usps needs the file .*usps_train\.npz, which is not there: 7,291 .* put it"):
        load("usps")
    (folder / "ardis").mkdir()
    path = folder / HANDS["ardis"].file
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"ardis_train\.npz is not what it should be: .*; get it again"):
        load_hand("ardis")
    np.savez(path, images28=np.zeros((3, 28, 28), np.uint8))
    with pytest.raises(DataError, match=r"not what it should be: KeyError"):
        load_hand("ardis")
    np.savez(path, images28=np.zeros((3, 28, 28), np.uint8), labels=np.zeros(3))
    with pytest.raises(DataError, match="labels are float64, expected whole numbers"):
        load_hand("ardis")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not what it should be: BadZipFile"):
        load_hand("ardis")
    np.savez(path, images28=np.zeros((3, 20, 20), np.uint8), labels=np.zeros(3, np.uint8))
    with pytest.raises(DataError, match=r"images of data set 'ardis' must be uint8"):
        load_hand("ardis")
    (folder / "orand_car").mkdir()
    labels = folder / HANDS["orand_car"].file
    labels.write_text('file,label,boxes_xywh_digit\na.png,1,"[[1, 2]]"\n')
    with pytest.raises(DataError, match=r"labels\.csv is not what it should be"):
        load_hand("orand_car")
    with pytest.raises(DataError, match="is kept to test by, so there is nothing to train on"):
        load("semeion", train_on="all")
