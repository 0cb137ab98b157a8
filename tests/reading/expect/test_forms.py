"""Dates against the calendar, and amounts as people write them."""

import datetime
import itertools

import pytest

from inkgrad.errors import OptionError
from inkgrad.reading import both, checksum, expect_amount, expect_date, expectation

FORMS = {"dmy": "{d}{s}{m}{s}{y}", "mdy": "{m}{s}{d}{s}{y}", "ymd": "{y}{s}{m}{s}{d}"}


def exists(year, month, day):
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_those_of_the_calendar(form):
    dates = expect_date(form)
    years = [1900, 1904, 1999, 2000, 2023, 2024, 2026, 2096, 2099]
    for year, month, day in itertools.product(years, range(14), range(33)):
        right = exists(year, month, day)
        assert dates.accepts(FORMS[form].format(d=f"{day:02d}", m=f"{month:02d}", y=year, s="")) == right
        for s in "./-":
            assert dates.accepts(FORMS[form].format(d=f"{day:02d}", m=f"{month:02d}", y=year, s=s)) == right
            assert dates.accepts(FORMS[form].format(d=day, m=month, y=year, s=s)) == right


@pytest.mark.parametrize("form", FORMS)
def test_years_of_two_digits_are_of_one_century_or_the_other(form):
    dates = expect_date(form)
    for year in range(100):
        for month, day in ((2, 28), (2, 29), (2, 30), (12, 31), (4, 31)):
            right = exists(1900 + year, month, day) or exists(2000 + year, month, day)
            for s in ("", ".", "/", "-"):
                written = FORMS[form].format(d=f"{day:02d}", m=f"{month:02d}", y=f"{year:02d}", s=s)
                assert dates.accepts(written) == right


def test_what_is_no_date_as_written():
    dates = expect_date()
    for written in (
        "1.2-2024",
        "1,2,2024",
        "1.22024",
        "1.2.1899",
        "1.2.2100",
        "1.2.024",
        "122024",
        ".1.2.2024",
        "1.2.2024.",
    ):
        assert not dates.accepts(written)


def test_another_form():
    with pytest.raises(OptionError, match="a date has one of the forms dmy, mdy, ymd, but got 'ydm'"):
        expect_date("ydm")


AMOUNTS = {
    2: "0 7 25 2250 20430 7.795.- 6808.: 1.159, 5009- 759= 10.000= 30.000 $12.- #1'000.00# 1,234,567.89 1.234.567,89 "
    "0,50 0.05 =450,00= 1234,56 12.345 $1,234 -12.50 1'234'567 100.-- 99,95/",
    0: "0 7 1.234 1,234 1'234 12345678 1.234,-",
    3: "1,234 1.234 0.500 1.234,567",
}
NO_AMOUNTS = {
    2: "1.23.45 12.34.56 1.2345 1234,5 1.234.56 1,234,56 01 00 1.23,456 007 .50 1'23 1.234'567 12.3456,00 0.001 $ - "
    "1234.567 $$$$1 1-----",
    0: "1,23 12.34 1.2 0.5",
    3: "1,23 0,50",
}


@pytest.mark.parametrize("decimals", AMOUNTS)
def test_amounts(decimals):
    amount = expect_amount(decimals)
    for written in AMOUNTS[decimals].split():
        assert amount.accepts(written), written
    for written in NO_AMOUNTS[decimals].split():
        assert not amount.accepts(written), written


def test_every_amount_as_it_is_formatted():
    amount = expect_amount()
    for value in (0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 123_456, 999_999, 1_000_000, 12_345_678_901):
        for cents in (0, 5, 99):
            english = f"{value + cents / 100:,.2f}"
            german = english.translate(str.maketrans(",.", ".,"))
            for written in (english, german, english.replace(",", ""), english.replace(",", "'"), str(value)):
                assert amount.accepts(written) and amount.accepts(f"$ {written}-".replace(" ", ""))


def test_another_number_of_decimals():
    with pytest.raises(OptionError, match="an amount has 0 to 4 decimals, but got 5"):
        expect_amount(5)


def test_the_forms_together():
    assert both(expect_amount(), expect_date()).accepts("1.12.99") is False
    assert expectation(date="dmy", amount=True).accepts("10122024")
    assert both(expect_date("ymd"), checksum("luhn")).accepts("2024-01-02") == checksum("luhn").accepts("20240102")
