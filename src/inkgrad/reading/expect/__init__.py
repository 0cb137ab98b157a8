"""What a number is expected to be, and the decoder that reads it so."""

from inkgrad.reading.expect.checksums import CHECKSUMS, checksum
from inkgrad.reading.expect.codes import expect_list
from inkgrad.reading.expect.decoding import decode_expected, decode_free
from inkgrad.reading.expect.expected import Expectation, both
from inkgrad.reading.expect.forms import DATES, expect_amount, expect_date
from inkgrad.reading.expect.options import expectation
from inkgrad.reading.expect.pattern import expect_pattern

__all__ = [
    "CHECKSUMS",
    "DATES",
    "Expectation",
    "both",
    "checksum",
    "decode_expected",
    "decode_free",
    "expect_amount",
    "expect_date",
    "expect_list",
    "expect_pattern",
    "expectation",
]
