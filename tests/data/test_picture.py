import io
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import inkgrad as ig
from inkgrad.data import load_digits, normalize_digit, read_picture, to_digit
from inkgrad.errors import ImageError


def encode(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def difference(a, b) -> float:
    assert a is not None
    assert b is not None
    return float(np.abs(a.astype(float) - b).mean())


@pytest.fixture(scope="module")
def gray(written):
    return written(5)


@pytest.fixture(scope="module")
def digit(gray):
    return to_digit(gray)


def exif(turn: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = turn
    return data


UNTURN = {2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}


def test_deep_pictures_are_scaled(gray, digit):
    deep = gray.astype(np.uint16) * 257
    for source in (
        encode(Image.fromarray(deep)),
        encode(Image.fromarray(deep), "TIFF"),
        deep,
        deep.astype(np.int32),
        encode(Image.fromarray(deep.astype(np.int32)), "TIFF"),
        encode(Image.fromarray(gray.astype(np.float32) / 255), "TIFF"),
        encode(Image.fromarray(gray.astype(np.float32)), "TIFF"),
        gray / 255,
    ):
        np.testing.assert_array_equal(to_digit(source), digit)
    assert difference(to_digit(gray.astype(np.uint16) << 4), digit) < 1


def test_one_bit(gray):
    image = Image.fromarray(gray).convert("1", dither=Image.Dither.NONE)
    twin = to_digit(np.asarray(image.convert("L")))
    for source in (encode(image), encode(image, "TIFF"), image, gray > 127, encode(image, "PPM")):
        np.testing.assert_array_equal(to_digit(source), twin)


def test_lossless_color_and_palette(gray, digit):
    image = Image.fromarray(gray)
    for source in (
        encode(image.convert("RGB")),
        encode(image.convert("RGB"), "BMP"),
        encode(image.convert("RGB"), "TIFF", compression="tiff_lzw"),
        encode(image.convert("RGB"), "WEBP", lossless=True),
        encode(image, "GIF"),
        encode(image.convert("P")),
        encode(image.convert("LA")),
        encode(image.convert("RGBA")),
        np.dstack([gray] * 3),
        gray[:, :, None],
    ):
        np.testing.assert_array_equal(to_digit(source), digit)


def test_alpha_over_nothing(gray, digit):
    ink = 255 - gray
    for level in (0, 255):  # black ink shows on white, white ink on black
        pixels = np.full((*gray.shape, 4), level, np.uint8)
        pixels[:, :, 3] = ink
        np.testing.assert_array_equal(to_digit(encode(Image.fromarray(pixels))), digit)
        np.testing.assert_array_equal(to_digit(pixels), digit)
    palette = Image.fromarray((ink > 127).astype(np.uint8), "L").convert("P")
    palette.putpalette([255, 255, 255, 0, 0, 0])
    source = encode(palette, transparency=0)
    assert difference(to_digit(source), to_digit(np.where(ink > 127, 0, 255).astype(np.uint8))) == 0


def test_cmyk_and_jpeg(gray, digit):
    image = Image.fromarray(gray)
    assert difference(to_digit(encode(image.convert("CMYK"), "TIFF")), digit) < 2
    assert difference(to_digit(encode(image.convert("CMYK"), "JPEG", quality=95)), digit) < 6
    assert difference(to_digit(encode(image, "JPEG", quality=85)), digit) < 6
    assert difference(to_digit(encode(image.convert("RGB"), "JPEG", quality=60)), digit) < 8


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif(written, turn):
    picture = written(4)[:, :130]
    expected = to_digit(picture)
    stored = picture
    if turn in UNTURN:
        stored = np.asarray(Image.fromarray(picture).transpose(Image.Transpose(UNTURN[turn][0])))
    file = encode(Image.fromarray(np.ascontiguousarray(stored)), exif=exif(turn))
    np.testing.assert_array_equal(read_picture(file), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file)))))
    np.testing.assert_array_equal(to_digit(file), expected)


def test_first_frame(gray, digit):
    frames = [Image.fromarray(gray), Image.new("L", (140, 140), 255)]
    for form in ("GIF", "TIFF"):
        file = encode(frames[0], form, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(to_digit(file), digit)


def test_polarity_size_and_contrast(written, digit):
    for paper, ink in ((0, 255), (200, 90), (60, 160)):
        assert difference(to_digit(written(5, paper=paper, ink=ink)), digit) < 3
    for side in (60, 300, 1500):
        assert difference(to_digit(written(5, side=side)), digit) < 12
    wide = np.full((140, 600), 255, np.uint8)
    wide[:, 400:540] = written(5)
    assert difference(to_digit(wide), digit) < 1


@pytest.mark.parametrize("ink", [(190, 60, 60), (60, 60, 200)])
def test_ink_as_bright_as_its_paper(written, digit, ink):
    luminance = np.dot(ink, (0.299, 0.587, 0.114))
    green = np.array((40, (luminance - 40 * 0.413) / 0.587, 40))
    share = (255 - written(5)[:, :, None]) / 255
    picture = np.rint(green + (np.array(ink) - green) * share).astype(np.uint8)
    assert np.ptp(np.asarray(Image.fromarray(picture).convert("L"))) < 6
    assert difference(to_digit(picture), digit) < 8


def test_photos_in_uneven_light(digits):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :240] / 240
    for index in range(12):
        expected = digits[0].images[index]
        large = cv2.resize(expected, (140, 140), interpolation=cv2.INTER_CUBIC) / 255.0
        for sign, base in ((-1, 210), (1, 70)):
            light = base - 60 * ((x - rng.random()) ** 2 + (y - rng.random()) ** 2)
            picture = light + rng.normal(0, 4, light.shape)
            picture[50:190, 50:190] += sign * 90 * large
            got = to_digit(np.clip(picture, 0, 255).astype(np.uint8))
            assert difference(got, expected) < 22, (index, sign)


@pytest.mark.slow
def test_shadows_with_hard_edges(digits):
    """Half of the picture lies in a shadow whose edge runs through the digit or beside it."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :240] - 120
    found = []
    for expected, label in zip(digits[0].images[:60], digits[0].labels[:60], strict=True):
        large = np.pad(cv2.resize(expected, (140, 140), interpolation=cv2.INTER_CUBIC) / 255.0, 50)
        turn, off = rng.uniform(0, 2 * np.pi), rng.uniform(-70, 70)
        dark = 1 / (1 + np.exp(off - np.cos(turn) * x - np.sin(turn) * y))
        picture = (210 - 90 * dark) * (1 - 0.6 * large) + rng.normal(0, 3, large.shape)
        found.append((np.clip(picture, 0, 255).astype(np.uint8), label))
    model = ig.models.pretrained("digits")
    assert np.mean([model.classify(picture).value == label for picture, label in found]) >= 0.8


def test_specks_frames_lines_and_neighbors_go(written, digit):
    page = np.full((220, 220), 255, np.uint8)
    page[40:180, 40:180] = written(5)
    page[5:7, 100:103] = page[200:203, 30:33] = 0
    framed = page.copy()
    framed[:3] = framed[-3:] = framed[:, :3] = framed[:, -3:] = 0
    boxed = page.copy()
    cv2.rectangle(boxed, (12, 12), (207, 207), 0, 2)
    ruled = page.copy()
    ruled[210:213] = 60
    cut = page.copy()
    cut[60:160, 210:] = 0
    for picture in (page, framed, boxed, ruled, cut):
        assert difference(to_digit(picture), digit) < 1


def test_of_two_digits_none_is_chosen(written):
    page = np.full((220, 460), 255, np.uint8)
    page[40:180, 60:200] = written(5)
    page[40:180, 230:370] = written(2)
    both = to_digit(page)
    columns = np.flatnonzero(both.any(axis=0))
    assert columns[-1] - columns[0] >= 18
    assert not both[:, columns[0] : columns[-1]].any(axis=0).all()  # the gap between them
    assert ig.models.pretrained("digits").classify(page).value is None


def test_a_loose_bar_stays():
    five = np.full((100, 100), 255, np.uint8)
    cv2.ellipse(five, (45, 62), (18, 16), 0, -100, 150, 0, 5)
    cv2.line(five, (42, 46), (42, 28), 0, 5)
    body = to_digit(five)
    cv2.line(five, (52, 22), (70, 20), 0, 5)
    with_bar = to_digit(five)
    assert difference(body, with_bar) > 5
    assert np.flatnonzero(with_bar.any(axis=1))[0] <= 6


def test_ink_at_the_border_of_a_tight_crop_stays(digits):
    strange = 0
    for image in digits[0].images[:300]:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        found = to_digit(crop)
        strange += found is None or difference(found, image) > 8
    # In a soft crop of hardly anything but ink, little tells ink from paper.
    assert strange <= 0.12 * 300


def test_what_has_the_form_comes_back(digits):
    for image in digits[0].images[:300]:
        assert difference(normalize_digit(image), image) < 1


def test_mnist_comes_back(mnist):
    images = mnist[0].images[50_000:51_000]
    differences = np.array([difference(normalize_digit(image), image) for image in images])
    assert differences.mean() < 0.2
    assert (differences == 0).mean() > 0.95


def blanks():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :300] / 200
    yield "white", np.full((50, 40), 255, np.uint8)
    yield "one pixel", np.zeros((1, 1), np.uint8)
    yield "noise", np.clip(rng.normal(128, 10, (200, 300)), 0, 255).astype(np.uint8)
    yield "light noise", np.clip(rng.normal(250, 6, (64, 64)), 0, 255).astype(np.uint8)
    yield "gradient", (120 + 60 * x).astype(np.uint8)
    yield "vignette", np.clip(220 - 80 * (x - 0.7) ** 2 - 90 * (y - 0.5) ** 2 + rng.normal(0, 3, x.shape), 0, 255)
    jpeg = encode(Image.fromarray((180 + 30 * y).astype(np.uint8)), "JPEG", quality=40)
    yield "jpeg", np.asarray(Image.open(io.BytesIO(jpeg)))
    specks = np.full((200, 200), 255, np.uint8)
    specks[rng.integers(0, 200, 20), rng.integers(0, 200, 20)] = 0
    yield "specks", specks


@pytest.mark.parametrize(("name", "picture"), list(blanks()))
def test_blank_pictures(name, picture):
    assert to_digit(picture.astype(np.uint8)) is None


def test_paths_bytes_and_pil(tmp_path, gray, digit):
    file = tmp_path / "five.png"
    file.write_bytes(encode(Image.fromarray(gray)))
    for source in (file, str(file), file.read_bytes(), Image.open(io.BytesIO(file.read_bytes()))):
        np.testing.assert_array_equal(to_digit(source), digit)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(5), r"float64 \(5,\)"),
        (np.zeros((0, 4)), r"\(0, 4\)"),
        (np.zeros((2, 2, 5)), "channels last"),
        (np.array([["a"]]), "<U1"),
        (np.broadcast_to(np.uint8(0), (10_001, 10_000)), "100 megapixels"),
        (3.5, "came as float"),
    ],
)
def test_wrong_arrays(array, words):
    with pytest.raises(ImageError, match=words):
        to_digit(array)


def test_wrong_files(tmp_path, gray):
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    for form in ("PNG", "JPEG", "TIFF", "GIF"):
        whole = encode(Image.fromarray(gray), form)
        (tmp_path / f"cut.{form}").write_bytes(whole[: len(whole) * 6 // 10])
        with pytest.raises(ImageError, match=rf"cut\.{form} is (truncated or damaged|not an image)"):
            to_digit(tmp_path / f"cut.{form}")
    with pytest.raises(ImageError, match=r"text\.png is not an image"):
        to_digit(tmp_path / "text.png")
    with pytest.raises(ImageError, match=r"empty\.png is empty"):
        to_digit(tmp_path / "empty.png")
    with pytest.raises(ImageError, match="is empty"):
        to_digit(b"")
    with pytest.raises(ImageError, match=r"no image .*none\.png"):
        to_digit(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        to_digit(tmp_path)


@pytest.mark.parametrize("size", [(9_500, 9_500), (10_001, 10_000), (30_000, 30_000)])
def test_size_is_decided_from_the_header(size):
    # A BMP header that announces `size` with no pixels behind it.
    head = bytearray(encode(Image.new("L", (1, 1)), "BMP"))
    head[18:26] = size[0].to_bytes(4, "little") + size[1].to_bytes(4, "little")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(ImageError, match="truncated" if size[0] == 9_500 else "100 megapixels"):
            to_digit(bytes(head))
    assert not [warning for warning in seen if issubclass(warning.category, Image.DecompressionBombWarning)]


def test_the_same_digit_twice():
    assert load_digits()[0].fingerprint() == load_digits()[0].fingerprint()


def test_formats_that_start_other_programs_are_refused():
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with pytest.raises(ImageError, match="not an image of a known format"):
        to_digit(eps)
