"""The constrained decoder against all sequences of labels with all of their alignments."""

import itertools
import math

import numpy as np
import pytest

from inkgrad.data.numbers import BLANK, LABELS, digits_of, labels_of, written_as
from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn import ctc_loss
from inkgrad.random import default_rng
from inkgrad.reading import (
    both,
    checksum,
    decode_expected,
    decode_free,
    expect_list,
    expect_pattern,
)


def drawn(seed, t, used):
    """Log probabilities (t, LABELS) in which only the blank and a few characters can be."""
    labels = [BLANK, *labels_of(used)]
    z = default_rng(seed).normal(0, 2, (t, len(labels)))
    log_p = np.full((t, LABELS), -np.inf)
    log_p[:, labels] = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    return log_p


def every_number(log_p, used):
    """written -> logarithm of the sum over its alignments."""
    sums = {}
    for path in itertools.product([BLANK, *labels_of(used)], repeat=len(log_p)):
        written = written_as(c for c, _ in itertools.groupby(path))
        sums.setdefault(written, []).append(math.exp(sum(log_p[i, c] for i, c in enumerate(path))))
    return {written: math.log(math.fsum(parts)) for written, parts in sums.items()}


EXPECTED = {
    "nothing": None,
    "two digits": expect_pattern(r"\d{2}"),
    "a decimal": expect_pattern(r"\d+,\d"),
    "a list": expect_list(["17", "7", "711", "1171"]),
    "a list with signs": expect_list(["1,7", "7", "11,"]),
    "a checksum": checksum("luhn"),
    "a checksum of two": both(checksum("damm"), expect_pattern(r"\d{2}")),
}


@pytest.mark.parametrize("case", EXPECTED)
@pytest.mark.parametrize("seed", range(3))
def test_against_all_sequences(case, seed):
    used, expectation = "17,", EXPECTED[case]
    log_p = drawn(seed, 6, used)
    everything = every_number(log_p, used)
    expected = {w: value for w, value in everything.items() if expectation is None or expectation.accepts(w)}
    got = decode_expected(log_p, expectation, beam=5000)
    assert {written_as(labels) for labels, _ in got} == set(expected)
    for labels, value in got:
        assert value == pytest.approx(expected[written_as(labels)], rel=1e-9)
    assert [value for _, value in got] == sorted((value for _, value in got), reverse=True)
    free, value = decode_free(log_p, beam=5000)
    assert value == pytest.approx(max(everything.values()), rel=1e-9)
    assert everything[written_as(free)] == max(everything.values())


def test_nothing_that_is_expected_is_short_enough():
    assert decode_expected(drawn(0, 3, "17"), expect_pattern(r"\d{4}")) == []
    assert decode_expected(drawn(0, 4, "17"), expect_pattern("7{3}")) == []  # equal digits need blanks between them
    ((labels, _),) = decode_expected(drawn(0, 5, "17"), expect_pattern("7{3}"))
    assert written_as(labels) == "777"


def written_out(code, wrong, rng, t=60):
    """What a recognizer gives for a number of which some digits are surely read as others."""
    z = rng.normal(0, 0.7, (t, LABELS))
    z[:, BLANK] += 7
    for i, label in enumerate(labels_of(code)):
        at = int((i + 0.5) * t / len(code))
        read = 1 + (label + int(rng.integers(9))) % 10 if i in wrong else label
        z[at : at + 2, BLANK] -= 7
        z[at : at + 2, read] += 8
        z[at : at + 2, label] += 2
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


@pytest.mark.parametrize("wrong", [1, 2, 3])
def test_a_list_corrects_what_is_surely_read_wrong(wrong):
    """An ordinary beam finds the most probable code of the list, of which all are computed one by one."""
    rng = default_rng(wrong)
    codes = sorted({f"{code:06d}" for code in rng.integers(10**6, size=300).tolist()})
    expectation = expect_list(codes)
    for _ in range(8):
        code = codes[int(rng.integers(len(codes)))]
        log_p = written_out(code, rng.choice(6, wrong, replace=False), rng)
        every = ctc_loss(np.repeat(log_p[None], len(codes), 0), [labels_of(c) for c in codes], reduction="none")
        best = codes[int(np.argmin(every.data))]
        labels, _ = decode_expected(log_p, expectation)[0]
        assert digits_of(written_as(labels)) == best
        assert digits_of(written_as(decode_free(log_p)[0])) != code


def test_a_large_list_is_searched_in_larger_steps(monkeypatch):
    """Neighboring blanks taken together change nothing here, and all steps count where they must."""
    rng = default_rng(0)
    codes = sorted({f"{code:06d}" for code in rng.integers(10**6, size=300).tolist()})
    cases = [written_out(code, {1}, rng) - 0.0 for code in codes[::40]]
    exact = [decode_expected(log_p, expect_list(codes))[0] for log_p in cases]
    blank = np.log(np.full((8, LABELS), 1e-4))
    blank[:, BLANK] = np.log(1 - 1e-4 * (LABELS - 1))
    monkeypatch.setattr("inkgrad.nn.lookahead._SMALL", 0)
    for log_p, (labels, value) in zip(cases, exact, strict=True):
        got, of_got = decode_expected(log_p, expect_list(codes))[0]
        assert got == labels and of_got == pytest.approx(value, abs=0.01)
    assert len(decode_expected(blank, expect_list(codes))[0][0]) >= 6


def test_probabilities_of_another_shape():
    for wrong in (np.zeros((3, LABELS + 1)), np.zeros((1, 3, LABELS)), np.zeros(LABELS)):
        with pytest.raises(ShapeError, match=rf"are \(t, {LABELS}\), but they have shape"):
            decode_expected(wrong, None)
    with pytest.raises(OptionError, match="at least 1 prefix, but got 0"):
        decode_free(np.zeros((3, LABELS)), beam=0)
    with pytest.raises(OptionError, match="NaN"):
        decode_free(np.full((3, LABELS), np.nan))
