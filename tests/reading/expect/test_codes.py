"""Lists of numbers against membership."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data.numbers import SIGNS
from inkgrad.errors import OptionError
from inkgrad.random import default_rng
from inkgrad.reading import expect_list, expect_pattern


def only_digits(written):
    return "".join(character for character in written if character.isdigit())


WORDS = st.lists(st.text("012-.", min_size=1, max_size=5).filter(only_digits), min_size=1, max_size=12)


@settings(deadline=None)
@given(WORDS, st.lists(st.text("012-.", max_size=6), max_size=20))
def test_it_accepts_what_is_in_it(words, others):
    codes = expect_list(words)
    exact = any(sign in word for word in words for sign in SIGNS)
    for written in [*words, *others, *(word[:-1] for word in words), *(word + "0" for word in words)]:
        assert codes.accepts(written) == ((written if exact else only_digits(written)) in words)
    assert codes == expect_list(reversed(words + words))


@settings(deadline=None)
@given(WORDS)
def test_it_is_minimal(words):
    """As small as what the same numbers come to as an expression."""
    pattern = "|".join(word.replace(".", r"\.") for word in words)
    assert len(expect_list(words).automaton.accepting) == len(expect_pattern(pattern).automaton.accepting)


def test_a_large_list():
    rng = default_rng(0)
    words = {f"{code:08d}" for code in rng.integers(10**8, size=20_000).tolist()}
    codes = expect_list(words)
    assert len(codes.automaton.accepting) < 20_000
    assert all(codes.accepts(word) for word in sorted(words)[::50])
    for code in rng.integers(10**8, size=500).tolist():
        assert codes.accepts(f"{code:08d}") == (f"{code:08d}" in words)


def test_all_of_a_kind_come_to_little():
    assert len(expect_list(f"{code:04d}" for code in range(10_000)).automaton.accepting) == 5


def test_what_is_no_number_in_a_list():
    codes = expect_list(["# postcodes", "", "  ", "50667 # Cologne\n", "\t10115\r\n", "80331\t# Munich"])
    assert [codes.accepts(written) for written in ("50667", "10.115", "80331", "", "-", "5066")] == [True] * 3 + [
        False
    ] * 3
    marked = expect_list(["12#4", "7"])
    assert [marked.accepts(written) for written in ("12#4", "124", "7", "7.")] == [True, False, True, False]


REFUSED = {
    "a letter": (
        ["123", "", "12a4"],
        r"line 3 of the list codes.txt, '12a4', has 'a' in it, but numbers are written with",
    ),
    "a space": (["12 34"], "line 1 .*, '12 34', has ' ' in it.*one number a line, without spaces"),
    "a foreign digit": (["٣"], "line 1 .* has '٣' in it"),
    "no digit": (["12", "--"], "line 2 of the list codes.txt, '--', has no digit: take it out"),
    "a long line": (["12", "3" * 101], "line 2 of the list codes.txt has 101 characters, but a number has at most 100"),
    "nothing": ([], "the list codes.txt has no number in it: write one a line"),
    "only comments": (["# one", " "], "no number in it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    lines, message = REFUSED[case]
    with pytest.raises(OptionError, match=message):
        expect_list(lines, name="codes.txt")


def test_the_limit_of_states(monkeypatch):
    monkeypatch.setitem(expect_list.__globals__, "_MOST_STATES", 10)
    assert expect_list(["123456789"]).accepts("123456789")
    with pytest.raises(OptionError, match=r"the list codes\.txt comes to more than 10 states: split it"):
        expect_list(["123456789", "5432154321"], name="codes.txt")
