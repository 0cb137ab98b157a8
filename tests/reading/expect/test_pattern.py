"""Compiled expressions against Python's own, on all short strings."""

import itertools
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data.numbers import SIGNS
from inkgrad.errors import OptionError
from inkgrad.reading import expect_pattern

FEW = "0379-.,"
SHORT = ["".join(letters) for n in range(5) for letters in itertools.product(FEW, repeat=n)]
ALL_SHORT = ["".join(letters) for n in range(3) for letters in itertools.product(string.digits + SIGNS, repeat=n)]


def only_digits(written):
    return "".join(character for character in written if character.isdigit())


def agrees_with_re(pattern, names_sign, strings=SHORT):
    """A number has a digit; a pattern that names no sign is about the digits alone."""
    compiled = re.compile(pattern)
    expected = {
        written
        for written in strings
        if only_digits(written) and compiled.fullmatch(written if names_sign else only_digits(written))
    }
    try:
        expectation = expect_pattern(pattern)
    except OptionError as error:
        if "comes to an automaton of more than" in str(error):  # some patterns of Hypothesis do
            return
        assert str(error).startswith("no number fits the expression")
        assert not expected
        return
    assert {written for written in strings if expectation.accepts(written)} == expected
    assert_minimal(expectation.automaton)


def assert_minimal(automaton):
    """No two states have the same fate, by a table of pairs that differ, and each leads to an end."""
    transitions, accepting = automaton.transitions, np.append(automaton.accepting, False)
    differ = accepting[:, None] != accepting
    after = np.vstack([transitions, np.full(transitions.shape[1], -1)])  # the last is where a forbidden label leads
    while True:
        more = differ | differ[after[:, None, :], after[None, :, :]].any(axis=2)
        if (more == differ).all():
            break
        differ = more
    assert (differ | np.eye(len(differ), dtype=bool)).all()


ATOMS = st.one_of(
    st.sampled_from([("0", False), ("7", False), (r"\d", False), (".", False), ("[3-8]", False), ("[^7]", False)]),
    st.sampled_from([("[07]", False), ("[^0-3]", False), (r"[\d]", False), ("x", False), ("[a-z7]", False)]),
    st.sampled_from([("-", True), (r"\.", True), (",", True), ("[.,]", True), ("[^-]", True), (r"\D", True)]),
    st.sampled_from([("[,-9]", True), (r"[\-7]", True), (r"[^\d.]", True), ("[7-]", True), ("[]7-]", True)]),
)
COUNTS = ["", "", "?", "*", "+", "{2}", "{1,}", "{,2}", "{0,3}", "{2,3}", "{0}", "+?", "*?", "??", "{1,2}?"]


def _grown(inner):
    groups = st.tuples(st.sampled_from(["(", "(?:"]), inner).map(lambda g: (g[0] + g[1][0] + ")", g[1][1]))
    counted = st.tuples(st.one_of(ATOMS, groups), st.sampled_from(COUNTS)).map(lambda p: (p[0][0] + p[1], p[0][1]))
    rows = st.lists(counted, max_size=3).map(lambda ps: ("".join(p for p, _ in ps), any(named for _, named in ps)))
    return st.lists(rows, min_size=1, max_size=3).map(lambda ps: ("|".join(p for p, _ in ps), any(n for _, n in ps)))


PATTERNS = st.recursive(ATOMS, _grown, max_leaves=8).filter(lambda pattern: pattern[0])


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(PATTERNS)
def test_it_accepts_what_re_accepts(pattern):
    agrees_with_re(*pattern)


@pytest.mark.parametrize(
    "pattern, names_sign",
    [
        (r"^\d{2}$", False),
        (r"^\d$|^77$", False),
        (r"..", False),
        (r".[-.].?", True),
        (r"[$#]?\d", True),
        (r"[^\d]\d", False),
        (r"[]\-a7]+", True),
        (r"\$\d|\#\d|\/|\=\d", True),
        (r"(|7)(3|)", False),
        (r"()7(){5}", False),
    ],
)
def test_with_all_labels(pattern, names_sign):
    agrees_with_re(pattern, names_sign, ALL_SHORT)


def test_counts_that_people_use():
    card = expect_pattern(r"(\d{4}-?){4}")
    assert card.accepts("1234-56781234-5678") and not card.accepts("1234-5678-1234-567")
    assert len(card.automaton.accepting) == 21
    assert len(expect_pattern(r"\d{13,19}").automaton.accepting) == 20
    assert expect_pattern(r"\d{6}").accepts("$1.234,56-")
    assert not expect_pattern(r"\d{6}").accepts("1 23456")


LARGE = [
    (
        r"(\d{1,50}){1,50}",
        r"at character 1 \('\(\\d\{1,50\}\)\{1'\): .* comes to 2500 characters, over the limit of 2000",
    ),
    (r"7(((\d{1,9}){1,9}){1,9}){1,999999999}", "at character 2 .* comes to 728999999271 characters"),
    (r"\d{99999999999999999999}", "at character 3 .*a count this large is over the limit of 2000"),
    ("1" * 2001, "at character 1 .* comes to 2001 characters"),
    ("|".join(["12"] * 1001), "at character 1 .* comes to 2002 characters"),
    (r"(0|1)*1(0|1){20}", "an automaton of more than 2000 states"),
    (r".*1.{15}-.*", "an automaton of more than 2000 states"),
    (r"\d{2000}", "an automaton of more than 2000 states"),
    ("1" * 10_001, "at most 10000 characters, but this has 10001: .*--expect-list"),
    ("(" * 51 + "1" + ")" * 51, "at character 51 .*nested 50 deep"),
]


@pytest.mark.parametrize("pattern, message", LARGE, ids=range(len(LARGE)))
def test_what_is_too_large(pattern, message):
    with pytest.raises(OptionError, match=message):
        expect_pattern(pattern)


def test_much_that_comes_to_little():
    assert len(expect_pattern(r"((\d*)*)*").automaton.accepting) == 2
    assert len(expect_pattern("((1?){40}){40}").automaton.accepting) == 1601
    assert len(expect_pattern("(){999999999}7").automaton.accepting) == 2
    assert len(expect_pattern("(" * 50 + "1" + ")*" * 50).automaton.accepting) == 2
    assert len(expect_pattern(r"\d{5}", most_states=6).automaton.accepting) == 6
    with pytest.raises(OptionError, match="more than 5 states"):
        expect_pattern(r"\d{5}", most_states=5)


IMPOSSIBLE = {
    "[a-z]+": "digits and . , - = # ' / : [$], but at character 1 it wants 'a'",
    r"EUR \d+": "at character 1 it wants 'E'",
    r"\d{3} \d{3}": "at character 6 it wants ' '",
    "((a*)*)*": "at character 3 it wants 'a'",
    r"7\\": r"at character 2 it wants '\\'",
    "\t\n7": r"at character 1 it wants '\\t'",
    "-+": "it leaves no place for a digit, and a number has at least one",
    "()": "no place for a digit",
    "^$": "no place for a digit",
    r"[^\d]": "no place for a digit",
    "٣": "at character 1 it wants '٣'",
}


@pytest.mark.parametrize("pattern", IMPOSSIBLE)
def test_what_no_number_fits(pattern):
    with pytest.raises(OptionError, match="no number fits the expression .*" + IMPOSSIBLE[pattern]):
        expect_pattern(pattern)


OUTSIDE = {
    r"(\d)\1": (5, "back-references cannot be expected; what can are literals"),
    r"(?P<a>\d)": (1, "named groups"),
    r"(?<a>\d)": (1, "named groups"),
    r"(?i)7": (1, "flags"),
    r"(?=7)": (1, "look-ahead"),
    r"1(?!7)": (2, "look-ahead"),
    r"(?<=7)1": (1, "look-behind"),
    r"(?<!7)1": (1, "look-behind"),
    r"(?>7)": (1, "atomic groups"),
    r"(?#seven)7": (1, "comments"),
    r"(7)?(?(1)7|8)": (5, "conditions"),
    r"7++": (3, "possessive counts"),
    r"\w+": (1, r"the escape \\w"),
    r"\b7": (1, r"the escape \\b"),
    r"\x37": (1, r"the escape \\x"),
    r"[\s7]": (2, r"the escape \\s"),
    "[[:digit:]]": (2, "a class within a class"),
}
WRONG = {
    "7)": (2, "closes no group"),
    "7(8": (2, "this group is never closed"),
    "7[8": (2, "this class is never closed"),
    "[]": (1, "this class is never closed"),
    "*7": (1, "nothing to count"),
    "(+)": (2, "nothing to count"),
    "7**": (3, "a second count; put what is counted in a group"),
    "7{2}{3}": (5, "a second count"),
    "7{3": (2, "a count is {m}"),
    "7{}": (2, "a count is {m}"),
    "7{,}": (2, "a count is {m}"),
    "7{a}": (2, "a count is {m}"),
    "7{٣}": (2, "a count is {m}"),
    "7{3,2}": (2, "a count from 3 to 2 is none; put the smaller number first"),
    "[7-3]": (2, "a range from 7 to 3 is none"),
    r"[\d-9]": (2, "a range goes from one character to another"),
    "7^8": (2, r"\^ only stands around the whole"),
    "7$8": (2, r"\$ only stands around the whole"),
    "(7$)": (3, r"\$ only stands around the whole"),
    "7\\": (2, "a backslash at the end"),
}


@pytest.mark.parametrize("pattern", [*OUTSIDE, *WRONG])
def test_what_is_wrong_is_named_with_its_place(pattern):
    at, message = {**OUTSIDE, **WRONG}[pattern]
    with pytest.raises(OptionError, match=rf"the expression .* is wrong at character {at} \(.*\): .*{message}"):
        expect_pattern(pattern)


def test_an_empty_expression():
    with pytest.raises(OptionError, match="is empty: give one such as"):
        expect_pattern("")


@settings(deadline=None, max_examples=300)
@given(st.text("017\\d.,-|()[]{}^$?*+:=!<P#a ", max_size=12))
def test_any_text_is_compiled_or_refused(text):
    """What compiles here and names no sign means what it means to `re`."""
    try:
        expectation = expect_pattern(text)
    except OptionError as error:
        assert "\n" not in str(error)
        return
    try:
        compiled = re.compile(text)
    except (re.error, FutureWarning):
        return
    if not set(SIGNS) & set(text):
        assert all(expectation.accepts(w) == bool(compiled.fullmatch(w)) for w in ("0", "7", "17", "01", "771"))
