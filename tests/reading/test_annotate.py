"""What was read stands upon the page, and nothing else is written over."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgrad.errors import OptionError, StorageError
from inkgrad.reading.annotate import AnnotationFolder, annotated, write_annotated
from inkgrad.reading.annotate.drawing import AMBER, GREEN, RED

GRAY = (120, 120, 120)


def number(left, top, right, bottom, confidence, written="123"):
    return {
        "written": written,
        "confidence": confidence,
        "box": [[left, top], [right, top], [right, bottom], [left, bottom]],
    }


def record(numbers, doubtful=()):
    return {"numbers": list(numbers), "doubtful": list(doubtful)}


def drawn(found, size=(400, 600)):
    return np.asarray(annotated(np.full((*size, 3), GRAY[0], np.uint8), found))


def along(picture, row, left, right, color):
    """Which pixels of a row have a color."""
    return (picture[row, left:right] == color).all(axis=1)


@pytest.mark.parametrize(
    ("confidence", "doubtful", "color", "share"),
    [(0.99, False, GREEN, (1, 1)), (0.7, False, AMBER, (0.5, 0.8)), (0.2, True, RED, (0.25, 0.5))],
)
def test_colors_and_lines_say_how_sure(confidence, doubtful, color, share):
    one = number(100, 200, 400, 300, confidence)
    picture = drawn(record([] if doubtful else [one], [one] if doubtful else []))
    assert picture.shape == (400, 600, 3)
    for row in (200, 300):
        line = along(picture, row, 100, 400, color)
        assert share[0] <= line.mean() <= share[1]
        if share != (1, 1):
            assert np.abs(np.diff(line.astype(int))).sum() > 10  # it is broken many times
    inside = picture[210:290, 110:390]
    assert (inside == GRAY).all(), "what was read stays visible"
    others = {GREEN, AMBER, RED} - {color}
    assert not any((picture == other).all(axis=2).any() for other in others)


def plates(picture):
    """The parts of a picture that are white: labels."""
    import cv2

    white = (picture >= 250).all(axis=2).astype(np.uint8)
    closed = cv2.morphologyEx(white, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(closed)
    return [tuple(stats[i, :4]) for i in range(1, count) if stats[i, 4] > 100]


@pytest.mark.parametrize("tall", [40, 80, 160])
def test_words_are_as_large_as_the_writing(tall):
    ((_, _, _, height),) = plates(drawn(record([number(100, 200, 100 + 2 * tall, 200 + tall, 0.99)])))
    assert 0.35 * tall < height < 0.8 * tall


def test_labels_cover_no_box_and_no_label():
    numbers = [number(40 + 260 * x, 60 + 110 * y, 200 + 260 * x, 110 + 110 * y, 0.99) for x in (0, 1) for y in range(3)]
    picture = drawn(record(numbers))
    assert len(plates(picture)) == 6
    for one in numbers:
        (left, top), _, (right, bottom), _ = one["box"]
        assert (picture[top + 5 : bottom - 5, left + 5 : right - 5] == GRAY).all()


def test_a_page_without_room_gets_a_margin():
    picture = drawn(record([number(0, 0, 599, 99, 0.99)]), (100, 600))
    assert picture.shape[0] > 130
    assert picture.shape[1] == 600
    margin = (picture.shape[0] - 100) // 2
    assert along(picture, margin, 0, 600, GREEN).all()


def test_a_small_page_is_enlarged():
    assert drawn(record([number(3, 5, 25, 20, 0.9)]), (28, 28)).shape[1] == 28 * 8
    assert drawn(record([]), (30, 100)).shape == (120, 400, 3)


def test_gray_pages_and_slanted_boxes():
    slanted = {"written": "€ 5", "confidence": 0.95, "box": [[100, 200], [300, 100], [340, 180], [140, 280]]}
    picture = np.asarray(annotated(np.full((400, 600), 120, np.uint8), record([slanted])))
    for x, y in ((200, 150), (240, 230), (120, 240)):
        assert (picture[y - 2 : y + 3, x - 2 : x + 3] == GREEN).all(axis=2).any()


def test_fields_of_a_form():
    box = number(100, 100, 300, 200, None)["box"]
    field = {"written": "", "confidence": None, "doubtful": True, "box": box}
    picture = drawn({"fields": {"amount": field}})
    assert 0.2 < along(picture, 200, 100, 300, RED).mean() < 0.6


@dataclass(frozen=True)
class Picture:
    file: str
    page: int = 1
    path: Path | None = None


def test_names(tmp_path):
    folder = AnnotationFolder(tmp_path / "new" / "drawn")
    names = [
        folder.place(Picture(*which)).name
        for which in (
            *(("a/x.png",), ("b/x.PNG",), ("x.jpeg",), ("scan.pdf", 1), ("scan.pdf", 2), ("scan.tif", 1)),
            *(("y.webp",), ("y.bmp",), ("standard input",), ("b/x.png",)),
        )
    ]
    assert names == [
        *("x.png", "x_2.PNG", "x.jpeg", "scan-1.png", "scan-2.png", "scan-1_2.png"),
        *("y.png", "y_2.png", "standard input.png", "x_3.png"),
    ]


def test_many_files_of_one_name(tmp_path):
    folder, count = AnnotationFolder(tmp_path), 8000
    began = time.process_time()
    names = {folder.place(Picture(f"{index}/x.png")).name for index in range(count)}
    assert time.process_time() - began < 3  # one that goes through all numbers for each takes thrice as long
    assert len(names) == count


def test_only_its_own_pictures_are_replaced(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "x.png").write_bytes(b"mine")
    for again in (True, False):
        with pytest.raises(OptionError, match="mine holds other files; name a new or empty one"):
            AnnotationFolder(mine, again=again)
    folder = AnnotationFolder(tmp_path / "drawn")
    path = folder.place(Picture("x.png"))
    write_annotated(path, np.zeros((400, 400), np.uint8), record([]))
    with pytest.raises(OptionError, match="drawn holds annotated pages of an earlier run"):
        AnnotationFolder(tmp_path / "drawn")
    assert AnnotationFolder(tmp_path / "drawn", again=True).place(Picture("x.png")) == path
    assert folder.holds(path)
    assert not folder.holds(mine / "x.png")
    assert not folder.holds(None)
    with pytest.raises(OptionError, match="--annotate needs a folder"):
        AnnotationFolder(mine / "x.png")
    with pytest.raises(StorageError, match="name another --annotate"):
        AnnotationFolder(mine / "x.png" / "folder")


@pytest.mark.parametrize(("name", "kind"), [("x.png", "PNG"), ("x.JPG", "JPEG"), ("x.jpeg", "JPEG")])
def test_formats(tmp_path, name, kind):
    write_annotated(tmp_path / name, np.zeros((400, 400), np.uint8), record([]))
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size, image.mode) == (kind, (400, 400), "RGB")
