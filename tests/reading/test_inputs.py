"""Pages by their numbers, loaded one after the other or in any order, here or in another process."""

import io
import os
import pickle
import sys

import numpy as np
import pytest
from PIL import Image

import fake_reader
from documents import pdf
from inkgrad.errors import ImageError, StorageError
from inkgrad.reading.inputs import FileError, FilePage, Opener, find_files, find_pages
from inkgrad.reading.joints import BadInput
from inkgrad.reading.sources import STDIN
from inkgrad.reading.spool import Spool


def tiff(count):
    file = io.BytesIO()
    first, *others = [Image.fromarray(fake_reader.page(str(i))) for i in range(count)]
    first.save(file, "TIFF", save_all=True, append_images=others)
    return file.getvalue()


@pytest.fixture
def spool():
    with Spool() as opened:
        yield opened


def first_pixels(pages):
    return [int(page.pixels()[0, 0]) for page in pages]


@pytest.mark.parametrize("apart", [False, True])
def test_all_pages_of_all_files_in_order(tmp_path, monkeypatch, spool, apart):
    (tmp_path / "b.tif").write_bytes(tiff(3))
    (tmp_path / "a9.tif").write_bytes(b"II*\0 no picture")
    fake_reader.save(tmp_path / "a10.png", "7")
    (tmp_path / "c.pdf").write_bytes(pdf("", ""))
    (tmp_path / "d.pdf").write_bytes(b"%PDF-1.4 and no more")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(tiff(2))))
    files = find_files([tmp_path, tmp_path / "none", "-", tmp_path / "b.tif"])
    nine, ten, *document, one, two, damaged, missing, piped, piped2 = find_pages(files, spool, apart=apart)
    assert len(files) == 7
    assert (ten.file, ten.page, ten.path) == (str(tmp_path / "a10.png"), 1, tmp_path / "a10.png")
    assert [type(page) for page in (nine, damaged, missing)] == [BadInput] * 3
    assert [page.page for page in (nine, damaged, missing)] == [None] * 3
    assert [page.file for page in (nine, damaged, missing)] == [str(tmp_path / n) for n in ("a9.tif", "d.pdf", "none")]
    assert [(page.file, page.page) for page in document] == [(str(tmp_path / "b.tif"), i) for i in (1, 2, 3)]
    assert [(page.page, page.rendered) for page in (one, two, ten)] == [(1, True), (2, True), (1, False)]
    assert (piped2.file, piped2.page, piped2.path) == ("standard input", 2, None)
    pages = pickle.loads(pickle.dumps([ten, *document, piped, piped2]))
    assert first_pixels(pages) == [7, 0, 1, 2, 0, 1]


def test_standard_input_is_kept_once_and_not_for_long(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(tiff(40))))
    with Spool() as spool:
        pages = list(find_pages([STDIN], spool))
        assert len(pages) == 40
        assert len(pickle.dumps(pages[0])) < 1_000
        assert pages[7].pixels()[0, 0] == 7
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_standard_input_that_is_no_picture(monkeypatch, spool):
    for content, words in ((b"", "standard input is empty, expected"), (b"II*", "standard input is not an image of a")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        (bad,) = find_pages([STDIN], spool)
        assert (bad.file, bad.page) == ("standard input", None)
        assert bad.error.startswith(words)


def test_no_room_for_standard_input(monkeypatch, spool, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    with pytest.raises(StorageError, match=r"cannot keep standard input in .*none: No such file.*; make room"):
        list(find_pages([STDIN], spool))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_read_once(spool):
    out, into = os.pipe()
    with os.fdopen(into, "wb") as pipe:
        pipe.write(tiff(2))
    try:
        name = f"/dev/fd/{out}"
        one, two = find_pages(find_files([name]), spool)
    finally:
        os.close(out)
    assert (one.file, one.path) == (name, None)
    assert first_pixels([two, one]) == [1, 0]


def test_what_cannot_be_opened_has_no_page(tmp_path, spool):
    (tmp_path / "x.png").write_bytes(b"no picture")
    (page,) = find_pages([tmp_path / "x.png"], spool)
    with pytest.raises(FileError, match=r"x\.png is not an image of a known format"):
        page.pixels()
    fake_reader.save(tmp_path / "y.png", "1")
    (tmp_path / "y.png").write_bytes((tmp_path / "y.png").read_bytes()[:-30])
    with pytest.raises(ImageError, match=r"y\.png is truncated or damaged") as caught:
        next(find_pages([tmp_path / "y.png"], spool)).pixels()
    assert not isinstance(caught.value, FileError)


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 2, 4, 1, 3)])
def test_any_order(tmp_path, order):
    path = tmp_path / "x.tif"
    path.write_bytes(tiff(4))
    opener = Opener()
    for number in order:
        assert opener.pixels(FilePage("x", number, path))[0, 0] == number - 1
    with pytest.raises(ImageError, match="x has no page 5 any more; it was changed while it was read"):
        opener.pixels(FilePage("x", 5, path))
    path.unlink()
    with pytest.raises(FileError, match="there is no"):
        opener.pixels(FilePage("x", 1, path))


def test_pages_of_a_document_are_looked_for_once(tmp_path, monkeypatch):
    from inkgrad.reading import inputs

    path, opened = tmp_path / "x.tif", []
    path.write_bytes(tiff(5))
    real = inputs.named_pages
    monkeypatch.setattr(inputs, "named_pages", lambda *source: opened.append(source) or real(*source))
    opener = Opener()
    found = [np.array(opener.pixels(FilePage("x", number, path)))[0, 0] for number in range(1, 6)]
    assert (found, len(opened)) == ([0, 1, 2, 3, 4], 1)
