"""What a number is expected to be, as an automaton that the decoder follows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from inkgrad.data.numbers import BLANK, LABELS, WRITABLE, labels_of
from inkgrad.errors import OptionError
from inkgrad.nn import Automaton
from inkgrad.nn.automaton import Allowed
from inkgrad.reading.expect.automata import DIGITS, SIGN_LABELS, TooManyStatesError, intersection

__all__ = ["Expectation", "both"]


@dataclass(frozen=True)
class Expectation:
    r"""The numbers that are possible at a place; equal and hashable by value, and picklable.

    Attributes:
        source: what was asked for, in words for messages.
        transitions: int32 (states, LABELS) as bytes, -1 where a label is forbidden.
        accepting: bool (states,) as bytes.

    >>> from inkgrad.reading import expect_pattern
    >>> five = expect_pattern(r"\d{5}")
    >>> five.accepts("12.345"), five.accepts("1234")
    (True, False)
    """

    source: str
    transitions: bytes = field(repr=False)
    accepting: bytes = field(repr=False)

    @classmethod
    def of(cls, source: str, automaton: Automaton) -> "Expectation":
        """Made of a trimmed automaton over the recognizer's labels that starts at state 0."""
        transitions = np.ascontiguousarray(automaton.transitions, np.int32)
        return cls(source, transitions.tobytes(), np.asarray(automaton.accepting, bool).tobytes())

    @cached_property
    def automaton(self) -> Automaton:
        """Transitions int32 (states, LABELS) and accepting bool (states,), both read-only."""
        transitions = np.frombuffer(self.transitions, np.int32).reshape(-1, LABELS)
        return Automaton(transitions, np.frombuffer(self.accepting, bool))

    @cached_property
    def allowed(self) -> Allowed:
        """The automaton as `beam_search` wants it, made once for all numbers."""
        return Allowed.of(self.automaton, LABELS, BLANK)

    @cached_property
    def digits(self) -> Allowed | None:
        """The digits alone, over the blank and the labels 1 to 10, if signs may stand anywhere; else None."""
        transitions, accepting, _ = self.automaton
        own = np.arange(len(transitions))[:, None]
        if not (transitions[:, SIGN_LABELS] == own).all():
            return None
        return Allowed.of(Automaton(transitions[:, : DIGITS.stop], accepting), DIGITS.stop, BLANK)

    def accepts(self, written: str) -> bool:
        """Whether a number, with its signs, is one of those expected."""
        if any(character not in WRITABLE for character in written):
            return False
        state = 0
        for label in labels_of(written):
            state = self.automaton.transitions[state, label]
            if state < 0:
                return False
        return bool(self.automaton.accepting[state])

    def __reduce__(self) -> tuple[Callable[..., "Expectation"], tuple[Any, ...]]:
        return type(self), (self.source, self.transitions, self.accepting)


def both(a: Expectation, b: Expectation, *, most_states: int = 1_000_000) -> Expectation:
    r"""The numbers that fit two expectations.

    Args:
        a: one.
        b: the other.
        most_states: how large their automaton may become before states that lead nowhere are dropped.

    Raises:
        OptionError: no number fits both, or their automaton is over the limit.

    >>> from inkgrad.reading import checksum, expect_pattern
    >>> card = both(expect_pattern(r"\d{16}"), checksum("luhn"))
    >>> card.accepts("4539148803436467"), card.accepts("4539148803436468")
    (True, False)
    """
    try:
        made = intersection(a.automaton, b.automaton, most_states)
    except TooManyStatesError:
        raise OptionError(
            f"{a.source} and {b.source} come to more than {most_states} states together: give a shorter list or a "
            "simpler expression"
        ) from None
    if made is None:
        raise OptionError(f"no number fits both {a.source} and {b.source}: change one of them or leave it out")
    return Expectation.of(f"{a.source} and {b.source}", made)
