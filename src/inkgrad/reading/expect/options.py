"""What is expected, from the options that a user gives."""

from functools import reduce
from pathlib import Path

from inkgrad.errors import OptionError
from inkgrad.reading.expect.checksums import checksum as expect_checksum
from inkgrad.reading.expect.codes import expect_list as expect_codes
from inkgrad.reading.expect.expected import Expectation, both
from inkgrad.reading.expect.forms import expect_amount, expect_date
from inkgrad.reading.expect.pattern import expect_pattern

__all__ = ["expectation"]


def expectation(
    expect: str | None = None,
    expect_list: Path | None = None,
    checksum: str | None = None,
    date: str | None = None,
    amount: bool = False,
) -> Expectation | None:
    r"""All that is asked for at once, None if nothing is.

    Args:
        expect: a regular expression, see `expect_pattern`.
        expect_list: a text file of numbers, one a line, see `expect_list`.
        checksum: its kind, see `checksum`.
        date: the order of its parts, see `expect_date`.
        amount: an amount of money with two decimals or none, see `expect_amount`.

    Raises:
        OptionError: one that cannot be, a file that cannot be read, or some that no number fits together.

    >>> expectation(expect=r"\d{8}", date="ymd").accepts("20240229")
    True
    >>> expectation(expect="7{8}", date="ymd")
    Traceback (most recent call last):
    ...
    inkgrad.errors.OptionError: no number fits both the expression '7{8}' and a date ymd: change one of them or leave
    it out
    """
    asked = []
    if expect is not None:
        asked.append(expect_pattern(expect))
    if expect_list is not None:
        asked.append(_from_file(expect_list))
    if checksum is not None:
        asked.append(expect_checksum(checksum))
    if date is not None:
        asked.append(expect_date(date))
    if amount:
        asked.append(expect_amount())
    return reduce(both, asked) if asked else None


def _from_file(path: Path) -> Expectation:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return expect_codes(lines, name=str(path))
    except OSError as error:
        raise OptionError(f"the list {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"the list {path} is no text in UTF-8: save it as one, one number a line") from error
