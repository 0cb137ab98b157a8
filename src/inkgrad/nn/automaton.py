"""Which sequences of labels are allowed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkgrad.errors import OptionError, ShapeError
from inkgrad.nn.lookahead import Lookahead

__all__ = ["Allowed", "Automaton"]


class Automaton(NamedTuple):
    """Which sequences of labels are allowed: a deterministic automaton that reads them.

    Attributes:
        transitions: integers (states, k), the state behind each label, -1 where the label is forbidden. The column of
            the blank is not read.
        accepting: bool (states,), where a sequence may end.
        start: the state before the first label.
    """

    transitions: Any
    accepting: Any
    start: int = 0


@dataclass(frozen=True, eq=False)
class Allowed:
    """An automaton that is checked and taken apart, once for as many searches as there are.

    Attributes:
        transitions: int32 (states, k), the state behind each label, -1 where there is none and for the blank.
        accepting: bool (states,).
        start: the state before the first label.
        blank: the label that means none.
    """

    transitions: NDArray[np.int32]
    accepting: NDArray[np.bool_]
    start: int
    blank: int

    @classmethod
    def of(cls, allow: Any, k: int, blank: int = 0) -> "Allowed":
        """Made of an automaton, a tuple (transitions, accepting) or (transitions, accepting, start), or None for all.

        Raises:
            ShapeError: no automaton for k labels.
            OptionError: states that do not exist.
        """
        if isinstance(allow, cls) and allow.transitions.shape[1] == k and allow.blank == blank:
            return allow
        made, accepting, start = _checked(allow, k)
        made[:, blank] = -1  # it makes no prefix longer
        return cls(made, accepting, start, blank)

    def accepts(self, labels: Sequence[int]) -> bool:
        """Whether a sequence of labels, without blanks, is allowed."""
        state = self.start
        for label in labels:
            state = int(self.transitions[state, label])
            if state < 0:
                return False
        return bool(self.accepting[state])

    @cached_property
    def lookahead(self) -> Lookahead:
        """What its sequences can still come to."""
        return Lookahead(self.transitions, self.accepting, self.blank)


def _checked(allow: Any, k: int) -> tuple[NDArray[np.int32], NDArray[np.bool_], int]:
    """Transitions (a copy), accepting states and the start; without an automaton everything is accepted."""
    if allow is None:
        return np.zeros((1, k), np.int32), np.ones(1, bool), 0
    if not isinstance(allow, tuple) or len(allow) not in (2, 3):
        raise ShapeError(f"allow is an automaton (transitions, accepting, start), but got {allow!r}")
    given = Automaton(*allow)
    transitions, accepting = np.asarray(given.transitions), np.asarray(given.accepting)
    states = len(transitions) if transitions.ndim else 0
    if transitions.shape != (states, k) or accepting.shape != (states,) or transitions.dtype.kind not in "iu":
        raise ShapeError(
            f"an automaton for {k} labels has integer transitions (states, {k}) and accepting (states,), but they are "
            f"{transitions.dtype} of shape {transitions.shape} and {accepting.shape}"
        )
    start, least, most = int(given.start), transitions.min(initial=0), transitions.max(initial=-1)
    if not 0 <= start < states or most >= states or least < -1:
        raise OptionError(
            f"an automaton of {states} states goes to 0..{states - 1}, or to -1 for a forbidden label, but it starts "
            f"at {start} and goes to {least}..{most}"
        )
    return transitions.astype(np.int32), accepting.astype(bool), start
