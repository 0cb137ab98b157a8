import numpy as np
import pytest

from inkgrad.data.panels import Panel, colored, panel_sheet

FRAME = (201, 206, 213)


def tiles_of(sheet, colors):
    """How many pixels of the sheet have each color."""
    pixels = np.asarray(sheet).reshape(-1, 3)
    return [int((pixels == color).all(axis=1).sum()) for color in colors]


def test_colors_are_symmetric_and_grow_darker():
    values = np.linspace(0, 1, 101)
    above, below = colored(values, 1.0).astype(int), colored(-values, 1.0).astype(int)
    assert above[0].tolist() == below[0].tolist() == [255, 255, 255]
    for colors in (above, below):
        assert (np.diff(colors.sum(axis=1)) < 0).all()
    assert (above[1:, 0] > above[1:, 2]).all()
    assert (below[1:, 2] > below[1:, 0]).all()
    np.testing.assert_array_equal(colored(values * 7, 7.0), above)


def test_what_is_not_finite_is_gray():
    found = colored(np.array([[np.nan, np.inf], [-np.inf, 2.0]]), 2.0)
    assert found.shape == (2, 2, 3)
    assert found[0].tolist() == [[130] * 3] * 2
    assert found[1].tolist() == [[130] * 3, [122, 48, 0]]


@pytest.mark.parametrize(
    ("tiles", "limit", "words"),
    [
        (np.array([[[1.0, -3.0]]]), 3.0, "note"),
        (np.zeros((2, 1, 1), np.float32), None, "note, all 0"),
        (np.array([[[np.nan, 0.5]]]), 0.5, "note, gray: not finite"),
        (np.full((1, 1, 1), np.inf), None, "note, gray: not finite"),
        (np.full((1, 2, 2), 7, np.uint8), None, "note"),
    ],
)
def test_the_scale_and_what_is_said_of_it(tiles, limit, words):
    panel = Panel("title", "note", tiles)
    assert panel.limit == limit
    assert panel.words == words
    assert panel_sheet([panel]).mode == "RGB"


@pytest.mark.parametrize("zoom", [1, 2])
def test_tiles_are_enlarged_by_whole_numbers(zoom):
    # The largest number is red here, of which the scale has but few pixels.
    tiles = np.array([[[4.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 4.0]]])
    sheet = panel_sheet([Panel("two", "", tiles, size=57)], zoom=zoom)
    side = 57 * zoom // 2
    pixels = (np.asarray(sheet) == (122, 48, 0)).all(axis=2)
    top = (16 + 25) * zoom
    found = np.argwhere(pixels[top:])
    assert len(found) == 2 * side * side
    assert found.min(axis=0).tolist() == [0, 16 * zoom]
    assert found.max(axis=0).tolist() == [2 * side - 1, (16 + 6) * zoom + 4 * side - 1]


def test_gray_tiles_are_not_colored(digits):
    image = digits[0].images[:1]
    sheet = np.asarray(panel_sheet([Panel("image", "28x28", image)]))
    tile = sheet[41 : 41 + 56, 16 : 16 + 56]
    np.testing.assert_array_equal(tile[::2, ::2, 0], image[0])
    assert (tile == tile[..., :1]).all()


def test_rows_columns_and_missing_tiles():
    ones = np.ones((6, 4, 4))
    whole = panel_sheet([Panel("grid", "", ones, size=20, columns=3)])
    some = panel_sheet([Panel("grid", "", ones, size=20, columns=3, missing=np.arange(6) == 4)])
    dark = [(122, 48, 0)]
    assert tiles_of(whole, dark)[0] - tiles_of(some, dark)[0] == 400
    named = Panel("grid", "", ones, size=20, columns=3, rows_named=["a", "b"], columns_named=["x", "y", "z"])
    assert panel_sheet([named]).height == whole.height + 16
    captioned = Panel("grid", "", ones, size=20, columns=3, captions=list("abcdef"))
    assert panel_sheet([captioned]).height == whole.height + 2 * 15


@pytest.mark.slow
def test_many_tiles_wrap():
    few, many = (panel_sheet([Panel("t", "", np.ones((n, 28, 28)))]) for n in (16, 17))
    assert many.width == few.width
    assert many.height == few.height + 62
    assert panel_sheet([Panel("t", "", np.ones((3, 2000, 900)))]).width == 900 + 32


def test_zoom_doubles_everything():
    panels = [Panel("title", "note", np.ones((5, 28, 28)), captions=list("abcde")), Panel("b", "", np.ones((9, 1, 1)))]
    one, two = (panel_sheet(panels, footnote="a footnote", zoom=zoom) for zoom in (1, 2))
    assert abs(two.width - 2 * one.width) <= 12
    assert two.height == 2 * one.height
    assert tiles_of(two, [FRAME])[0] > 3 * tiles_of(one, [FRAME])[0]


def test_long_texts_have_room():
    plain = panel_sheet([Panel("t", "", np.ones((1, 5, 5)))])
    assert panel_sheet([Panel("t" * 90, "", np.ones((1, 5, 5)))]).width > plain.width + 400
    assert panel_sheet([Panel("t", "", np.ones((1, 5, 5)))], footnote="word " * 90).width > plain.width + 400
