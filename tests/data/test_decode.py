import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from inkgrad.data.decode import decode
from inkgrad.errors import ImageError, OptionError


def encode(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture():
    y, x = np.mgrid[:48, :64]
    return np.dstack([x * 4, y * 5, 255 - x * 2 - y]).astype(np.uint8)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_tiff_turns_once(picture, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    for compression in (None, "tiff_lzw"):
        file = encode(Image.fromarray(picture), "TIFF", exif=exif, compression=compression)
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file))))
        np.testing.assert_array_equal(decode(file), expected)
        np.testing.assert_array_equal(decode(Image.open(io.BytesIO(file))), expected)
        assert expected.shape[:2] == ((64, 48) if turn > 4 else (48, 64))


@pytest.mark.parametrize("turn", [1, 3, 6])
def test_photos_of_phones(picture, turn):
    heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
    exif = Image.Exif()
    exif[0x0112] = turn
    buffer = io.BytesIO()
    photo = heif.from_pillow(Image.fromarray(picture))
    photo.info["exif"] = exif.tobytes()
    photo.save(buffer, quality=-1, chroma=444)
    found = decode(buffer.getvalue())
    expected = np.rot90(picture, {1: 0, 3: 2, 6: 3}[turn])
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 2


def test_heic_without_its_package(picture, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r'is a HEIC photo, .* pip install "inkgrad\[heic\]"'):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))


def test_truncated_files_are_refused_whatever_pillows_switch_says(picture, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400), np.uint8)
    whole = {form: encode(Image.fromarray(noise), form) for form in ("JPEG", "PNG", "TIFF", "BMP")}

    def refused(form: str) -> bool:
        with pytest.raises(ImageError, match="truncated or damaged"):
            decode(whole[form][: len(whole[form]) // 2])
        return decode(whole[form]).shape == (300, 400)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(refused, list(whole) * 5))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "P", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("JPEG2000", "RGB"), ("TIFF", "CMYK"), ("WEBP", "RGB"), ("GIF", "P"), ("BMP", "RGB"), ("SGI", "L")),
    ],
)
def test_the_limit_in_pixels_is_the_callers(form, mode, monkeypatch):
    file = encode(Image.new(mode, (50, 40)), form)
    assert decode(file, most_pixels=2000).shape[:2] == (40, 50)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match=r"has 50x40 pixels, at most 0\.001999 megapixels are read; shrink it first"):
        decode(file, most_pixels=1999)
    with pytest.raises(OptionError, match="most pixels of an image must be at least 1, but are 0"):
        decode(file, most_pixels=0)


def test_a_limit_above_pillows_own(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(encode(Image.new("L", (60, 50)), "PNG")).shape == (50, 60)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_a_tiff_with_tiles_larger_than_any_image():
    data = zlib.compress(bytes(1024))
    entries = {256: 32, 257: 32, 258: 8, 259: 8, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: len(data)}
    file = b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries))
    file += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items()) + bytes(4)
    with pytest.raises(ImageError, match=r"has tiles of 60000x60000 pixels, .*save it without tiles"):
        decode(file)


def test_a_jpeg_2000_that_says_its_size_twice():
    file = bytearray(encode(Image.new("L", (40, 40)), "JPEG2000"))
    size = file.index(b"\xff\x51") + 6  # in the codestream; the box around it keeps its own
    file[size : size + 8] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode(bytes(file))


def test_a_pdf_is_no_picture():
    with pytest.raises(ImageError, match="is a PDF, expected an image; make an image of the page first"):
        decode(b"%PDF-1.4\n%%EOF")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "LA", "RGBA", "PA"])
def test_large_pictures_are_copied_whole(mode):
    y, x = np.mgrid[:611, :1003]
    image = Image.fromarray(np.dstack([x % 251, y % 241, (x + y) % 256]).astype(np.uint8)).convert(mode)
    expected = np.asarray(image.convert("L" if mode in ("1", "L") else "RGB"))
    np.testing.assert_array_equal(decode(image), expected)
