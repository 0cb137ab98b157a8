"""Right-angle turns: all of the page is kept."""

import numpy as np

from inkgrad.reading.page import Number, Page
from inkgrad.reading.turn import read_turned

BOX = ((0.0, 0.0),) * 4


class Knowing:
    """Reads a number where a page's first row is dark, and remembers the pages."""

    def __init__(self):
        self.pages = []

    def read(self, image, *, min_confidence=0.5, expectation=None):
        self.pages.append(image)
        sure = 1.0 if image[0].max() == 0 else 0.1
        return Page((Number("12", "12", sure, BOX, ()),), (), image.shape[1], image.shape[0])

    def confidence_at_error(self, error):
        return error


def test_nothing_is_cut_off():
    page = np.arange(1, 7 * 4 + 1, dtype=np.uint8).reshape(7, 4)
    page[:, -1] = 0  # on its side
    reader = Knowing()
    read, turned, degrees = read_turned(reader, page)
    assert degrees == 270
    assert (read.width, read.height) == (7, 4)
    assert all(np.array_equal(np.sort(seen, axis=None), np.sort(page, axis=None)) for seen in reader.pages)
    assert np.array_equal(np.rot90(turned, 3), page)
