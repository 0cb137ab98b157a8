"""Numbers whose check digit is right."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeAlias

import numpy as np

from inkgrad.data.numbers import LABELS
from inkgrad.errors import OptionError
from inkgrad.nn import Automaton
from inkgrad.reading.expect.automata import DIGITS, free_of_signs, minimal, trimmed
from inkgrad.reading.expect.expected import Expectation

__all__ = ["CHECKSUMS", "checksum"]

State: TypeAlias = Hashable
Rule: TypeAlias = tuple[State, Callable[..., State | None], Callable[..., bool]]
"""The state before the first digit, the state behind a digit (None: too many), and whether a state is right."""


def checksum(kind: str) -> Expectation:
    """The numbers whose digits satisfy a checksum; signs may stand anywhere.

    Args:
        kind: "luhn" (cards and accounts: at least 2 digits), "ean8" and "ean13" (goods and books: that many digits),
            "damm" (Damm 2004: at least 2), or "mod97" (ISO 7064 MOD 97-10: at least 3, the remainder by 97 is 1).

    Raises:
        OptionError: another kind.

    >>> checksum("luhn").accepts("7992-7398-713"), checksum("luhn").accepts("7992-7398-710")
    (True, False)
    """
    if kind not in CHECKSUMS:
        raise OptionError(f"a checksum is one of {', '.join(CHECKSUMS)}, but got {kind!r}")
    made = trimmed(_automaton(*CHECKSUMS[kind]))
    assert made is not None
    return Expectation.of(f"the checksum {kind}", free_of_signs(minimal(made)))


def _automaton(start: State, step: Callable[..., State | None], right: Callable[..., bool]) -> Automaton:
    """All states of a rule that are within reach."""
    numbers, waiting = {start: 0}, [start]
    rows: list[list[int]] = []
    while len(rows) < len(waiting):
        row = [-1] * LABELS
        for label in DIGITS:
            state = step(waiting[len(rows)], label - 1)
            if state is None:
                continue
            row[label] = numbers.setdefault(state, len(numbers))
            if len(numbers) > len(waiting):
                waiting.append(state)
        rows.append(row)
    return Automaton(np.array(rows, np.int32), np.array([right(state) for state in waiting]))


def _alternating(second: Iterable[int], least: int, most: int | None) -> Rule:
    """From the right, digits count once and as `second` says by turns; the sum is a multiple of 10.

    From the left it is not known which digit counts how. So both sums are kept, that in which the last digit counts
    once and that in which it does not, and change places with each digit.
    """
    other = tuple(second)

    def step(state: tuple[int, int, int], digit: int) -> State | None:
        once, not_once, length = state
        if length == most:
            return None
        return (not_once + digit) % 10, (once + other[digit]) % 10, length + 1 if most else min(length + 1, least)

    return (0, 0, 0), step, lambda state: state[0] == 0 and state[2] >= least


_QUASIGROUP = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def _damm() -> Rule:
    def step(state: tuple[int, int], digit: int) -> State:
        return int(_QUASIGROUP[state[0]][digit]), min(state[1] + 1, 2)

    return (0, 0), step, lambda state: state == (0, 2)


def _mod97() -> Rule:
    def step(state: tuple[int, int], digit: int) -> State:
        return (state[0] * 10 + digit) % 97, min(state[1] + 1, 3)

    return (0, 0), step, lambda state: state == (1, 3)


_TRIPLED = [3 * digit for digit in range(10)]

CHECKSUMS: dict[str, Rule] = {
    "luhn": _alternating([2 * digit - 9 * (digit > 4) for digit in range(10)], 2, None),
    "ean8": _alternating(_TRIPLED, 8, 8),
    "ean13": _alternating(_TRIPLED, 13, 13),
    "damm": _damm(),
    "mod97": _mod97(),
}
