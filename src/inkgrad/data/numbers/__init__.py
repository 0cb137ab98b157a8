"""Numbers composed of the digits of one hand, on paper: what a reader of whole numbers learns from."""

from inkgrad.data.numbers.alphabet import (
    BLANK,
    LABELS,
    NAMED_SIGNS,
    OTHER,
    WRITABLE,
    digits_of,
    is_digit,
    labels_of,
    written_as,
)
from inkgrad.data.numbers.bare import without_ink
from inkgrad.data.numbers.composer import Composed, Composer, random_style
from inkgrad.data.numbers.hands import Hands
from inkgrad.data.numbers.page import ComposedPage, Layout, Written, compose_page
from inkgrad.data.numbers.paper import HARD, Paper, on_sheet
from inkgrad.data.numbers.place import row_of_boxes
from inkgrad.data.numbers.signs import SIGNS
from inkgrad.data.numbers.strip import DIGIT_HEIGHT, MARGIN, STRIP_HEIGHT, Strip, to_strip
from inkgrad.data.numbers.texts import random_text
from inkgrad.data.numbers.writing import Row, Style, write_row

__all__ = [
    "BLANK",
    "DIGIT_HEIGHT",
    "HARD",
    "LABELS",
    "MARGIN",
    "NAMED_SIGNS",
    "OTHER",
    "SIGNS",
    "STRIP_HEIGHT",
    "WRITABLE",
    "Composed",
    "ComposedPage",
    "Composer",
    "Hands",
    "Layout",
    "Paper",
    "Row",
    "Strip",
    "Style",
    "Written",
    "compose_page",
    "digits_of",
    "is_digit",
    "labels_of",
    "on_sheet",
    "random_style",
    "random_text",
    "row_of_boxes",
    "to_strip",
    "without_ink",
    "write_row",
    "written_as",
]
