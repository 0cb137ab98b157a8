import io
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from documents import pdf
from inkgrad.data import decode
from inkgrad.errors import ImageError, InkgradError, OptionError
from inkgrad.reading import STDIN, find_sources, pages
from inkgrad.reading.sources_pages import only_page


def encode(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    y, x = np.mgrid[:48, :64]
    return Image.fromarray(np.dstack([x * 4, y * 5, 255 - x * 2 - y]).astype(np.uint8))


def only(source, **options):
    (page,) = pages(source, **options)
    return page


PLAIN = {"png": "PNG", "apng": "PNG", "tif": "TIFF", "bmp": "BMP", "dib": "DIB", "ppm": "PPM", "sgi": "SGI"}
LOSSLESS = {**PLAIN, "tga": "TGA", "pcx": "PCX", "ico": "ICO", "jp2": "JPEG2000"}
LOSSY = {"jpg": "JPEG", "mpo": "MPO", "webp": "WEBP", "avif": "AVIF"}
TWO_LEVELS = {"msp": "MSP", "xbm": "XBM", "pbm": "PPM", "gif": "GIF"}


@pytest.mark.parametrize(("ending", "form"), [*LOSSLESS.items(), *LOSSY.items(), *TWO_LEVELS.items()])
def test_files_of_each_format(tmp_path, picture, ending, form):
    if form == "ICO":
        picture = picture.crop((0, 0, 48, 48))
    if ending in TWO_LEVELS:
        picture = picture.convert("1", dither=Image.Dither.NONE)
    (tmp_path / f"file.{ending}").write_bytes(encode(picture, form, **({"sizes": [(48, 48)]} if form == "ICO" else {})))
    (source,) = find_sources([tmp_path])
    page = only(source)
    assert (page.source, page.name, page.number, page.count) == (str(source), str(source), 1, 1)
    pixels = page.pixels()
    assert pixels.dtype == np.uint8
    expected = np.asarray(picture.convert("L") if ending in TWO_LEVELS and pixels.ndim == 2 else picture.convert("RGB"))
    assert np.abs(pixels.astype(int) - expected).mean() <= (6 if ending in LOSSY else 0)
    np.testing.assert_array_equal(pixels, decode(source))


def test_formats_that_pillow_does_not_write(tmp_path):
    levels = bytes(range(12))
    sun = b"".join(n.to_bytes(4, "big") for n in (0x59A66A95, 4, 3, 8, 12, 1, 0, 0)) + levels
    psd = b"8BPS\0\1" + bytes(6) + b"\0\1" + (3).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"\0\x08\0\1"
    for name, file in (("a.ras", sun), ("a.psd", psd + bytes(12) + b"\0\0" + levels)):
        (tmp_path / name).write_bytes(file)
        np.testing.assert_array_equal(only(tmp_path / name).pixels(), np.arange(12).reshape(3, 4))


def test_heic(tmp_path, picture):
    heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
    heif.from_pillow(picture).save(tmp_path / "photo.HEIC", quality=-1, chroma=444)
    (source,) = find_sources([tmp_path])
    assert np.abs(only(source).pixels().astype(int) - np.asarray(picture)).mean() < 2
    (tmp_path / "cut.heic").write_bytes(source.read_bytes()[:-40])
    with pytest.raises(ImageError, match=r"cut\.heic is truncated or damaged"):
        only(tmp_path / "cut.heic").pixels()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "MPO"])
def test_of_an_animation_the_first_frame_counts(picture, form):
    black = Image.new("RGB", picture.size)
    options = {"lossless": True} if form == "WEBP" else {}
    file = encode(picture, form, save_all=True, append_images=[black, black], **options)
    assert np.abs(only(file).pixels().astype(int) - np.asarray(picture)).mean() < 6


def tiff(*frames: Image.Image, **options) -> bytes:
    return encode(frames[0], "TIFF", save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg"])
def test_the_pages_of_a_tiff(tmp_path, picture, compression):
    frames = [picture, picture.convert("L").rotate(90, expand=True), picture.crop((5, 5, 20, 12))]
    file = tmp_path / "scan.tif"
    file.write_bytes(tiff(*frames, compression=compression))
    seen = list(pages(file))
    assert [(page.number, page.count, page.name) for page in seen] == [(n, 3, f"{file}, page {n}") for n in (1, 2, 3)]
    for page in [*seen, *reversed(seen)]:  # in any order, and after the file was closed
        expected = np.asarray(frames[page.number - 1])
        assert page.pixels().shape == expected.shape
        assert np.abs(page.pixels().astype(int) - expected).mean() <= (20 if compression == "jpeg" else 0)
    for page, frame in zip(pages(file), frames, strict=True):
        assert page.pixels().shape == np.asarray(frame).shape


def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(picture):
    buffer = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(buffer) as writer:
        for kind, frame in ((0, picture), (1, picture.resize((8, 6))), (4, picture.convert("1")), (2, picture)):
            frame.save(writer, "TIFF", tiffinfo={254: kind})
            writer.newFrame()
    seen = list(pages(buffer.getvalue()))
    assert [(page.number, page.count, page.pixels().shape) for page in seen] == [(n, 2, (48, 64, 3)) for n in (1, 2)]


def test_a_damaged_page_leaves_the_others_unharmed(picture):
    file = bytearray(tiff(picture, Image.new("L", (30, 20), 77), picture, compression="tiff_deflate"))
    second = file.index(b"x\x9c", file.index(b"x\x9c") + 2)
    file[second : second + 4] = b"\xff" * 4
    first, damaged, third = pages(bytes(file))
    with pytest.raises(ImageError, match=r"the file of \d+ bytes, page 2 is truncated or damaged"):
        damaged.pixels()
    np.testing.assert_array_equal(first.pixels(), third.pixels())
    sizes = [page.number for page in pages(tiff(picture, Image.new("L", (90, 90)), picture)) if fits(page)]
    assert sizes == [1, 2, 3]
    large = tiff(picture, Image.new("L", (90, 90)), picture)
    assert [page.number for page in pages(large, most_pixels=4000) if fits(page)] == [1, 3]


def fits(page) -> bool:
    try:
        return page.pixels().size > 0
    except ImageError as error:
        assert "page 2 has 90x90 pixels, at most 0.004 megapixels are read" in str(error)
        return False


def test_a_tiff_that_breaks_off_between_its_pages(picture):
    file = tiff(picture, picture, picture)
    seen = []
    for page in pages(file[: len(file) * 6 // 10]):
        try:
            seen.append(page.pixels().shape)
        except ImageError as error:
            assert f"page {page.number} is truncated or damaged" in str(error)
            seen.append(None)
    assert seen[0] == (48, 64, 3)
    assert not any(seen[1:])
    assert len(seen) in (2, 3)


def test_a_tiff_whose_pages_go_round_in_a_circle(picture):
    file = bytearray(tiff(picture, picture))
    first = int.from_bytes(file[4:8], "little")
    after = first + 2 + 12 * int.from_bytes(file[first : first + 2], "little")
    file[after : after + 4] = first.to_bytes(4, "little")
    assert len(list(pages(bytes(file)))) == 1


def test_a_tiff_that_claims_to_be_huge(picture):
    file = bytearray(encode(picture, "TIFF"))
    for tag in (256, 257):
        place = file.index(tag.to_bytes(2, "little"), int.from_bytes(file[4:8], "little"))
        file[place + 8 : place + 12] = (60_000).to_bytes(2, "little") + bytes(2)
    with pytest.raises(ImageError, match="has 60000x60000 pixels, at most 100 megapixels are read; shrink it first"):
        only(bytes(file)).pixels()


def test_transparent_parts_are_white_and_photos_upright(picture):
    see_through = picture.convert("RGBA")
    see_through.putalpha(0)
    see_through.paste((0, 0, 0, 255), (10, 10, 20, 20))
    pixels = only(encode(see_through, "PNG")).pixels()
    assert (pixels[0, 0].tolist(), pixels[15, 15].tolist()) == ([255] * 3, [0] * 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert only(encode(picture, "JPEG", exif=exif)).pixels().shape == (64, 48, 3)


def test_only_page(tmp_path, picture):
    expected = np.asarray(picture)
    one, two = tmp_path / "one.tif", tmp_path / "two.tif"
    one.write_bytes(tiff(picture))
    two.write_bytes(tiff(picture, picture))
    for source in (one, str(one), one.read_bytes(), bytearray(one.read_bytes())):
        np.testing.assert_array_equal(only_page(source), expected)
    assert only_page(expected) is expected
    assert only_page(pdf("")).ndim == 2
    words = r"two\.tif has 2 pages, expected one picture; take its pages from inkgrad\.reading\.pages and read the"
    with pytest.raises(ImageError, match=words):
        only_page(two)
    with pytest.raises(ImageError, match=r"the file of \d+ bytes has 3 pages"):
        only_page(pdf("", "", ""))


class Input:
    def __init__(self, content: bytes, terminal: bool = False) -> None:
        self.buffer = io.BytesIO(content)
        self.buffer.isatty = lambda: terminal  # type: ignore[method-assign]


def test_standard_input(picture, monkeypatch):
    for content in (encode(picture, "PNG"), tiff(picture, picture)):
        monkeypatch.setattr(sys, "stdin", Input(content))
        seen = list(pages(STDIN))
        assert seen[0].source == "standard input"
        for page in seen:  # and again, although there is nothing more to read
            np.testing.assert_array_equal(page.pixels(), np.asarray(picture))
    for stream, words in ((Input(b""), "standard input is empty"), (Input(b"", terminal=True), "is a terminal")):
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ImageError, match=words):
            list(pages(STDIN))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_can_be_named(picture):
    out, into = os.pipe()
    with os.fdopen(into, "wb") as pipe:
        pipe.write(encode(picture, "PNG"))
    try:
        for page in pages(Path(f"/dev/fd/{out}")):
            np.testing.assert_array_equal(page.pixels(), np.asarray(picture))
    finally:
        os.close(out)


def test_errors(tmp_path, picture):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("7 apples")
    (tmp_path / "plot.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    for name, words in {
        "none.png": r"there is no image .*none\.png; check the path",
        "gone.png": r"gone\.png is a link to nowhere\.png, which is not there; mend the link",
        "empty.png": r"empty\.png is empty, expected an image file",
        "notes.txt": r"notes\.txt is not an image of a known format \(PDF, PNG, JPEG, TIFF, .* and PCX\); convert it",
        "plot.eps": r"plot\.eps is not an image of a known format",
        ".": r"is a folder, expected one image file",
        "nul\0": r"cannot read the image .*null byte",
    }.items():
        with pytest.raises(ImageError, match=words):
            next(pages(tmp_path / name))
    with pytest.raises(ImageError, match="the file of 0 bytes is empty"):
        next(pages(b""))
    with pytest.raises(ImageError, match="a source came as int; give a path"):
        next(pages(3))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="most pixels of an image must be at least 1, but are 0"):
        pages(b"", most_pixels=0)
    with pytest.raises(OptionError, match="resolution must be positive and finite dots per inch, but is nan"):
        pages(b"", dpi=float("nan"))


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match=r"no permission to read .*secret\.png; change that, or copy the file"):
        next(pages(tmp_path / "secret.png"))


def test_a_file_that_vanishes_on_the_way(tmp_path, picture):
    file = tmp_path / "brief.png"
    picture.save(file)
    (source,) = find_sources([tmp_path])
    (page,) = pages(source)
    file.unlink()
    with pytest.raises(ImageError, match=r"there is no image .*brief\.png"):
        page.pixels()
    with pytest.raises(ImageError, match=r"there is no image .*brief\.png"):
        next(pages(source))


def test_nothing_of_earlier_files_is_kept(tmp_path):
    for index in range(12):
        Image.fromarray(np.full((500, 500), index, np.uint8)).save(tmp_path / f"{index}.png")
    sources = find_sources([tmp_path])
    kept = []
    tracemalloc.start()
    try:
        for source in sources:
            for page in pages(source):
                assert page.pixels()[0, 0] == len(kept)
                kept.append(page)
            held = tracemalloc.get_traced_memory()[0]
            assert held < 300_000, "less than two of the images"
    finally:
        tracemalloc.stop()


SMALL = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8))
VALID = {
    "png": encode(SMALL, "PNG"),
    "jpeg": encode(SMALL, "JPEG"),
    "gif": encode(SMALL, "GIF"),
    "tiff": tiff(SMALL, SMALL.convert("1"), compression="tiff_lzw"),
    "raw tiff": tiff(SMALL, SMALL),
    "psd": b"8BPS\0\1" + bytes(6) + b"\0\1\0\0\0\3\0\0\0\4\0\x08\0\1" + bytes(14) + bytes(12),
    "pdf": pdf("20 20 50 50 re f", "0 0 9 9 re f", box=(30, 20)),
    "encrypted pdf": pdf("20 20 50 50 re f", box=(30, 20), password=""),
}


def read(file: bytes) -> int:
    """How many pages could be read; only errors of our own are let through."""
    count = 0
    try:
        for page in pages(file, most_pixels=1_000_000):
            try:
                count += page.pixels().dtype == np.uint8
            except InkgradError as error:
                assert str(error)
    except InkgradError as error:
        assert str(error)
    return count


@pytest.mark.parametrize("form", VALID)
def test_a_whole_file_is_read(form):
    assert read(VALID[form]) == (2 if form in ("tiff", "raw tiff", "pdf") else 1)


@pytest.mark.parametrize("form", VALID)
@settings(max_examples=60, deadline=5_000)
@given(data=st.data())
def test_damaged_files_give_pages_or_errors(form, data):
    file = VALID[form]
    if data.draw(st.booleans()):
        read(file[: data.draw(st.integers(0, len(file) - 1))])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(file) - 1))
        file = file[:place] + bytes([file[place] ^ data.draw(st.integers(1, 255))]) + file[place + 1 :]
    read(file)
