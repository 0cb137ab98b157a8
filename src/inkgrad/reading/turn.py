"""Pages that may lie on a side or upside down: read in all four right-angle turns, of which the best is kept."""

from typing import Any

import numpy as np

from inkgrad.data.dataset import Images
from inkgrad.reading.joints import PageReader
from inkgrad.reading.page import Page

__all__ = ["read_turned"]


def read_turned(
    reader: PageReader, pixels: Images, *, min_confidence: float = 0.5, expectation: Any = None
) -> tuple[Page, Images, int]:
    """Read a page upright and turned by 90, 180 and 270 degrees; keep the turn in which most digits are sure.

    A turn is worth the sum, over all numbers, of the confidence times the number of digits: about how many digits are
    read right. Of turns worth the same the smallest is kept.

    Args:
        reader: reads each of the four.
        pixels: uint8 (h, w) or (h, w, 3).
        min_confidence: below it a number is doubtful.
        expectation: as the reader takes it.

    Returns:
        What was read; the pixels as turned; by how many degrees clockwise, one of 0, 90, 180 and 270.
    """
    best: tuple[float, Page, Images, int] | None = None
    for quarters in range(4):
        turned: Images = np.ascontiguousarray(np.rot90(pixels, -quarters))
        page = reader.read(turned, min_confidence=min_confidence, expectation=expectation)
        worth = sum(number.confidence * len(number.text) for number in (*page.numbers, *page.doubtful))
        if best is None or worth > best[0]:
            best = worth, page, turned, 90 * quarters
    assert best is not None
    return best[1:]
