"""Checksums against their plain formulas, and numbers that are in use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.errors import OptionError
from inkgrad.reading import both, checksum, expect_pattern


def luhn(text):
    """Every second digit from the right doubled, the digits of all of them added up."""
    parts = [int(c) * (1 + i % 2) for i, c in enumerate(reversed(text))]
    return len(text) >= 2 and sum(int(c) for part in parts for c in str(part)) % 10 == 0


def ean(length):
    return lambda text: (
        len(text) == length and sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(reversed(text))) % 10 == 0
    )


def mod97(text):
    return len(text) >= 3 and int(text) % 97 == 1


FORMULAS = {"luhn": luhn, "ean8": ean(8), "ean13": ean(13), "mod97": mod97}
IN_USE = {
    "luhn": ["79927398713", "4539148803436467", "18", "00"],
    "ean8": ["73513537", "96385074"],
    "ean13": ["4006381333931", "9780306406157"],
    "mod97": ["79444"],
    "damm": ["5724", "00"],
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_against_the_formula(kind):
    expectation, formula = checksum(kind), FORMULAS[kind]

    @settings(deadline=None, max_examples=300)
    @given(st.text("0123456789", max_size=15) | st.text("0123456789", min_size=7, max_size=7))
    def agrees(start):
        for text in [start, *(start + c for c in "0123456789")]:
            assert expectation.accepts(text) == formula(text)

    agrees()
    assert not any(expectation.accepts(text) for text in ("", "0", "1", "-"))


@pytest.mark.parametrize("kind", IN_USE)
def test_numbers_in_use(kind):
    """Right as they are, with signs among them, and wrong with any one digit changed."""
    expectation = checksum(kind)
    for text in IN_USE[kind]:
        assert expectation.accepts(text)
        assert expectation.accepts("#" + "-".join(text) + ".")
        for i, digit in enumerate(text):
            others = {text[:i] + c + text[i + 1 :] for c in "0123456789" if c != digit}
            assert not any(expectation.accepts(other) for other in others)


def test_damm_sees_two_digits_change_places():
    damm = checksum("damm")
    right = [text for text in (f"{n:04d}" for n in range(10_000)) if damm.accepts(text)]
    assert len(right) == 1000  # one check digit for each three
    for text in right:
        for i in range(3):
            swapped = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
            assert swapped == text or not damm.accepts(swapped)


def test_with_an_expression():
    card = both(checksum("luhn"), expect_pattern(r"\d{4}(-\d{4}){3}"))
    assert card.accepts("4539-1488-0343-6467")
    assert not card.accepts("4539148803436467") and not card.accepts("4539-1488-0343-6468")


def test_another_kind():
    with pytest.raises(OptionError, match="a checksum is one of luhn, ean8, ean13, damm, mod97, but got 'iban'"):
        checksum("iban")
