"""Dates and amounts of money as people write them, put together as regular expressions."""

from inkgrad.errors import OptionError
from inkgrad.reading.expect.expected import Expectation
from inkgrad.reading.expect.pattern import expect_pattern

__all__ = ["DATES", "expect_amount", "expect_date"]

DATES = ("dmy", "mdy", "ymd")

_YEAR = r"(19|20)?\d\d"
_LEAP = r"((19|20)?(0[48]|[2468][048]|[13579][26])|(20)?00)"  # 1900 is none; 00 is taken as 2000
_UP_TO = {28: r"1\d|2[0-8]", 29: r"[12]\d", 30: r"[12]\d|30", 31: r"[12]\d|3[01]"}


def expect_date(form: str = "dmy") -> Expectation:
    """Dates that exist, with their separators.

    The separators are two dots, two slashes, two hyphens, or none. With separators days and months below 10 may be
    written with a 0 before or without; without separators they are. Years are 1900 to 2099, or their last two digits.
    29 February is there in leap years, for two digits where 19.. or 20.. is one (00 is 2000).

    Args:
        form: the order of day, month and year: "dmy", "mdy" or "ymd".

    Raises:
        OptionError: another form.

    >>> dates = expect_date("dmy")
    >>> [dates.accepts(written) for written in ("1.2.2024", "01022024", "29/02/23", "29/02/24", "31-4-99")]
    [True, True, False, True, False]
    """
    if form not in DATES:
        raise OptionError(f"a date has one of the forms {', '.join(DATES)}, but got {form!r}")
    branches = [_dates(form, separator) for separator in (r"\.", "/", "-", "")]
    return expect_pattern("|".join(branches), source=f"a date {form}")


def _dates(form: str, separator: str) -> str:
    """All dates with one separator."""
    zero = "0?" if separator else "0"
    long, short = f"({zero}[13578]|1[02])", f"({zero}[469]|11)"
    february = f"{zero}2"
    kinds = [(31, long, _YEAR), (30, short, _YEAR), (28, february, _YEAR), (29, february, _LEAP)]
    return "|".join(
        separator.join({"d": f"({zero}[1-9]|{_UP_TO[days]})", "m": month, "y": year}[part] for part in form)
        for days, month, year in kinds
    )


def expect_amount(decimals: int = 2) -> Expectation:
    """An amount of money: 1234, 1.234,56, 1,234.56, $12.-, #1'000.00#, 7.795.- and the like.

    Digits may be put in threes by one of . , and ', each time by the same and all of them or none. A decimal part of
    exactly so many digits may follow behind . or ,, whichever is not used for that. Before it may stand up to three of
    $ # = -, behind it up to four of . , - = # : / $, which close an amount against additions. No 0 stands in front but
    one that is the whole of the units.

    Args:
        decimals: digits of the decimal part, 0 to 4; 0 for none.

    Raises:
        OptionError: another number of decimals.

    >>> amount = expect_amount()
    >>> [amount.accepts(written) for written in ("1.234,56", "$1,234.-", "12.34.56", "1234,5", "0,50")]
    [True, True, False, False, True]
    """
    if not 0 <= decimals <= 4:
        raise OptionError(f"an amount has 0 to 4 decimals, but got {decimals}")
    branches = []
    for separator, point in (("", "[.,]"), (r"\.", ","), (",", r"\."), ("'", "[.,]")):
        units = rf"[1-9]\d{{0,2}}({separator}\d{{3}})+" if separator else r"(0|[1-9]\d*)"
        branches.append(units + (rf"({point}\d{{{decimals}}})?" if decimals else ""))
    pattern = rf"[$#=\-]{{0,3}}({'|'.join(branches)})[.,\-=#:/$]{{0,4}}"
    return expect_pattern(pattern, source="an amount of money")
