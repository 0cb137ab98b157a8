"""An expectation as a value, two of them together, and from the options of the command."""

import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgrad.data.numbers import LABELS, WRITABLE
from inkgrad.errors import OptionError
from inkgrad.nn import Automaton
from inkgrad.reading import Expectation, both, checksum, expect_list, expect_pattern, expectation
from inkgrad.reading.expect.automata import least_labels

SHORT = ["".join(letters) for n in range(1, 4) for letters in itertools.product("019-.", repeat=n)]


def test_a_value():
    five = expect_pattern(r"\d{5}")
    assert five == expect_pattern(r"\d{5}") and hash(five) == hash(expect_pattern(r"\d{5}"))
    assert five != expect_pattern(r"\d{4}")
    assert five.allowed is five.allowed
    copy = pickle.loads(pickle.dumps(five))
    assert copy == five and copy.accepts("12.345")
    assert "allowed" not in vars(copy)
    assert len(pickle.dumps(five)) < 2000
    assert repr(five) == f"Expectation(source={five.source!r})"
    assert not five.automaton.transitions.flags.writeable
    with pytest.raises(AttributeError):
        five.source = "another"


def test_it_accepts_only_what_can_be_written():
    anything = expect_pattern(".*")
    assert anything.accepts("1") and anything.accepts(WRITABLE)
    assert not any(anything.accepts(written) for written in ("", "-", "a", "1 ", "٣", "1\n", "+1"))


PATTERNS = st.sampled_from(
    [r"\d+", r"\d{2}", "1.*", r"[^0]\d?", "0|19", r"\d-\d", r"-?\d+\.?", "9{1,2}", r"(01)*9", ".*[.-].*"]
)


@settings(deadline=None)
@given(PATTERNS, PATTERNS)
def test_both_is_what_each_accepts(first, second):
    a, b = expect_pattern(first), expect_pattern(second)
    try:
        together = both(a, b)
    except OptionError as error:
        assert str(error).startswith(f"no number fits both the expression '{first}' and the expression '{second}'")
        assert not any(a.accepts(written) and b.accepts(written) for written in SHORT)
        return
    assert [together.accepts(w) for w in SHORT] == [a.accepts(w) and b.accepts(w) for w in SHORT]
    assert np.isfinite(least_labels(together.automaton.transitions, together.automaton.accepting)).all()
    assert together.source == f"{a.source} and {b.source}"


def test_both_has_a_limit():
    with pytest.raises(OptionError, match="the checksum luhn and the checksum mod97 come to more than 500 states"):
        both(checksum("luhn"), checksum("mod97"), most_states=500)


def test_how_far_states_are():
    """Against as many rounds over all labels as there are states."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        states = int(rng.integers(1, 9))
        transitions = rng.integers(-3, states, size=(states, 3)).clip(-1)
        accepting = rng.random(states) < 0.2
        least = np.where(accepting, 0, np.inf)
        for _ in range(states):
            least = np.minimum(least, np.where(transitions >= 0, least[transitions], np.inf).min(axis=1) + 1)
        np.testing.assert_array_equal(least_labels(transitions, accepting), least)


def test_from_options(tmp_path):
    assert expectation() is None
    codes = tmp_path / "codes.txt"
    codes.write_text("﻿18\n26\n19 # no\n", encoding="utf-8")
    assert expectation(expect=r"\d\d") == expect_pattern(r"\d\d")
    assert expectation(expect_list=codes) == expect_list(["18", "26", "19"], name=str(codes))
    all_of_them = expectation(expect="1.", expect_list=codes, checksum="luhn")
    assert [w for w in ("18", "26", "19", "1-8") if all_of_them.accepts(w)] == ["18", "1-8"]
    assert all_of_them.source == f"the expression '1.' and the list {codes} and the checksum luhn"
    assert expectation(date="dmy", amount=False).source == "a date dmy"
    with pytest.raises(OptionError, match="the expected expression is empty"):
        expectation(expect="")
    with pytest.raises(
        OptionError, match=r"no number fits both the list .*codes\.txt and a date ymd: change one of them"
    ):
        expectation(expect_list=codes, date="ymd")


def test_a_list_that_cannot_be_read(tmp_path):
    with pytest.raises(OptionError, match=r"the list .*none\.txt cannot be read: No such file or directory"):
        expectation(expect_list=tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"12\n\xff\xfe\n")
    with pytest.raises(OptionError, match=r"latin\.txt is no text in UTF-8: save it as one"):
        expectation(expect_list=tmp_path / "latin.txt")
    (tmp_path / "wrong.txt").write_text("12\n1x\n")
    with pytest.raises(OptionError, match=r"line 2 of the list .*wrong\.txt, '1x'"):
        expectation(expect_list=tmp_path / "wrong.txt")


def test_it_is_made_of_an_automaton():
    transitions = np.full((2, LABELS), -1)
    transitions[0, 5] = 1
    made = Expectation.of("a four", Automaton(transitions, np.array([False, True])))
    assert [written for written in [*SHORT, "4"] if made.accepts(written)] == ["4"]


def test_nothing_heavy_is_imported():
    heavy = "{'numba', 'matplotlib', 'sklearn', 'optuna', 'cv2', 'PIL', 'scipy', 'inkgrad.training'}"
    code = (
        "import sys; from pathlib import Path; from inkgrad.reading import expectation, decode_expected; import numpy;"
        "e = expectation(expect=r'\\d{2}', checksum='luhn', date='dmy') if 0 else expectation(expect=r'\\d{2}');"
        f"decode_expected(numpy.zeros((4, {LABELS})), e); print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
