"""Whole numbers from photos and scans, each with a confidence one can act on."""

from inkgrad.reading.expect import (
    Expectation,
    both,
    checksum,
    decode_expected,
    decode_free,
    expect_amount,
    expect_date,
    expect_list,
    expect_pattern,
    expectation,
)
from inkgrad.reading.page import Box, Digit, Number, Page
from inkgrad.reading.reader import Reader
from inkgrad.reading.rows import Row, find_rows
from inkgrad.reading.sources import STDIN, Source, find_sources
from inkgrad.reading.sources_pages import PageImage, pages

__all__ = [
    "STDIN",
    "Box",
    "Digit",
    "Expectation",
    "Number",
    "Page",
    "PageImage",
    "Reader",
    "Row",
    "Source",
    "both",
    "checksum",
    "decode_expected",
    "decode_free",
    "expect_amount",
    "expect_date",
    "expect_list",
    "expect_pattern",
    "expectation",
    "find_rows",
    "find_sources",
    "pages",
]
