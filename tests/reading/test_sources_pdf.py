import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from documents import image, pdf
from inkgrad.errors import ImageError
from inkgrad.reading import find_sources, pages

pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")

CORNER = "0 60 80 40 re f"  # black, upper left on a page of 200x100 points
SCAN = "q 200 0 0 100 0 0 cm /Im0 Do Q"


def pixels(file: bytes, number: int = 1, **options) -> np.ndarray:
    return list(pages(file, **options))[number - 1].pixels()


@pytest.fixture(scope="module")
def scan() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (150, 300), np.uint8)


def test_two_pages_of_which_one_is_turned(tmp_path):
    (tmp_path / "form.PDF").write_bytes(pdf(CORNER, CORNER, pages=["", "/Rotate 90"]))
    (source,) = find_sources([tmp_path])
    first, second = pages(source)
    assert (first.name, second.name) == (f"{source}, page 1", f"{source}, page 2")
    assert (first.count, second.number) == (2, 2)
    upright = np.full((278, 556), 255, np.uint8)  # at 200 dots per inch
    upright[:111, :222] = 0
    found = first.pixels()
    assert found.shape == upright.shape
    assert (found != upright).mean() < 0.01
    assert (second.pixels() != np.rot90(found, -1)).mean() < 0.01


def test_color_stays_and_gray_has_one_channel():
    assert pixels(pdf(CORNER)).ndim == 2
    red = pixels(pdf("1 0 0 rg " + CORNER))
    assert red.shape == (278, 556, 3)
    assert red[50, 100].tolist() == [255, 0, 0]


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_a_stated_resolution(dpi, scan):
    expected = (round(100 * dpi / 72), round(200 * dpi / 72))
    assert pixels(pdf(CORNER), dpi=dpi).shape == expected
    assert pixels(pdf(SCAN, images=[image(scan)]), dpi=dpi).shape == expected


@pytest.mark.parametrize("points", [(200, 100), (300, 150), (3000, 1500), (28.8, 14.4), (200, 99.9)])
def test_a_scanned_page_comes_as_it_was_scanned(scan, points):
    text = "BT 3 Tr /F1 9 Tf (7) Tj ET"  # unseen, as text recognition lays it over a scan
    content = f"q {points[0]} 0 0 {points[1]} 0 0 cm /Im0 Do Q {text}"
    np.testing.assert_array_equal(pixels(pdf(content, box=points, images=[image(scan)])), scan)


def test_a_scan_in_strips(scan):
    strips = "q 200 0 0 50 0 50 cm /Im0 Do Q q 200 0 0 50 0 0 cm /Im1 Do Q"
    np.testing.assert_array_equal(pixels(pdf(strips, images=[image(scan[:75]), image(scan[75:])])), scan)


def test_ink_over_a_coarse_background_keeps_the_usual_resolution(scan):
    coarse = [image(scan[:15, :30])]
    assert pixels(pdf(SCAN, images=coarse)).shape == (15, 30)
    assert pixels(pdf(SCAN + " 0 0 5 5 re f", images=coarse)).shape == (278, 556)
    logo = "q 20 0 0 10 0 0 cm /Im0 Do Q"
    assert pixels(pdf(logo, images=[image(scan)])).shape == (278, 556)


def test_pages_too_large_for_the_resolution():
    assert pixels(pdf(CORNER), most_pixels=100_000).size <= 100_000
    assert pixels(pdf(CORNER), most_pixels=100_000).size > 99_000
    with pytest.raises(
        ImageError, match=r"is 2.78 x 1.39 inches, at 72 dots per inch 200x100 pixels, .*the page smaller"
    ):
        pixels(pdf(CORNER), most_pixels=19_999)
    with pytest.raises(ImageError, match=r"at 300 dots per inch 833x417 pixels, .*, or the resolution lower"):
        pixels(pdf(CORNER), most_pixels=100_000, dpi=300)
    with pytest.raises(
        ImageError, match=r"is 200 x 200 inches, at 72 dots per inch 14400x14400 pixels, at most 100 meg"
    ):
        pixels(pdf(CORNER, box=(14_400, 14_400)))


def test_a_page_that_cannot_be_read_leaves_the_others_unharmed(scan):
    bomb = pdf(SCAN, CORNER, "", images=[image(scan, 60_000, 60_000)])
    first, second, third = pages(bomb)
    with pytest.raises(ImageError, match="page 1 has an image of 60000x60000 pixels, at most 100 megapixels are read"):
        first.pixels()
    assert second.pixels().min() == 0
    assert third.pixels().min() == 255
    file = pdf(CORNER, CORNER)
    found = list(
        pages(file.replace(b"5 0 obj\n<< /Type /Page ", b"5 0 obj\n<< /Tipe /Pane ").replace(b"5 0 R ]", b"9 0 R ]"))
    )
    assert found[0].pixels().min() == 0


def test_a_scan_that_cannot_be_decoded_is_no_blank_page(scan):
    entries, data = image(scan)
    for damaged in (
        (entries, b"\xff" * len(data)),
        (entries.replace("FlateDecode", "DCTDecode"), data),
        (entries.replace("FlateDecode", "JPXDecode"), data),
    ):
        with pytest.raises(ImageError, match=r"the file of \d+ bytes has a damaged image that cannot be shown"):
            pixels(pdf(SCAN, images=[damaged]))
    np.testing.assert_array_equal(pixels(pdf(SCAN, images=[image(scan * 0 + 9)])), scan * 0 + 9)


def test_encryption():
    np.testing.assert_array_equal(pixels(pdf(CORNER, password="")), pixels(pdf(CORNER)))
    with pytest.raises(ImageError, match="is a PDF that is encrypted with a password; save it without one"):
        pixels(pdf(CORNER, password="secret"))
    with pytest.raises(ImageError, match="is a PDF that is encrypted in an unknown way"):
        pixels(pdf(CORNER, password="").replace(b"/Filter /Standard", b"/Filter /Stranger"))


def test_empty_damaged_and_truncated_files(tmp_path):
    with pytest.raises(ImageError, match="is a PDF without pages, expected at least one; export it again"):
        list(pages(pdf()))
    with pytest.raises(ImageError, match="is a damaged PDF; save or export it again"):
        list(pages(b"%PDF-1.4\nnothing\n%%EOF"))
    whole = pdf(CORNER)
    for part in (0.2, 0.5, 0.9):
        with pytest.raises(ImageError, match="is a truncated PDF, it has no mark of its end; save or copy it again"):
            list(pages(whole[: int(len(whole) * part)]))
    (tmp_path / "empty.pdf").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.pdf is empty"):
        list(pages(tmp_path / "empty.pdf"))
    np.testing.assert_array_equal(pixels(b"\x1b%-12345X@PJL\r\n" + whole), pixels(whole))


def test_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(ImageError, match=r'is a PDF, which needs pypdfium2; .* pip install "inkgrad\[pdf\]"'):
        list(pages(pdf(CORNER)))


def test_several_threads(tmp_path):
    (tmp_path / "form.pdf").write_bytes(pdf(*[f"{5 * n} 0 5 100 re f" for n in range(40)]))

    def inks(start: int) -> list[int]:
        seen = [page for page in pages(tmp_path / "form.pdf") if page.number % 3 == start]
        return [int(page.pixels()[50].argmin()) for page in seen]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(inks, [0, 1, 2] * 4))
    assert sum(map(len, found[:3])) == 40
    assert found[:3] == found[3:6] == found[6:9] == found[9:]
    inked = sorted(place for part in found[:3] for place in part)
    assert np.abs(np.array(inked) - np.arange(40) * 5 * 200 / 72).max() <= 1
