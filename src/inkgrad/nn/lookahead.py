"""How good the end of a sequence can still become, for each state of an automaton and each step."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lookahead"]

Floats = NDArray[np.float64]
Reals = NDArray[np.float32]
Integers = NDArray[np.int64]

_SMALL = 500_000  # transitions times steps that are looked at one by one
_SURE = np.log(0.01)  # where there are more, steps in which no label is as probable as this are taken together


class Lookahead:
    """The most probable alignment from each place of an automaton to its end, by going back from the last step.

    A beam search that ranks its prefixes by what they have *and* by what they can come to keeps those that begin badly
    but are the only ones to end well, as a good bound does in A*. A place is a state behind a label, of which the
    alignment may still go on, or a state behind a blank. Two equal labels are let follow each other without a blank,
    and a loop from a state to itself counts as a blank, so the logarithms are upper bounds, but near ones.
    """

    def __init__(self, transitions: NDArray[np.int32], accepting: NDArray[np.bool_], blank: int) -> None:
        self.accepting, self.blank = accepting, blank
        states, k = transitions.shape
        own = np.arange(states)[:, None]
        self.loops = transitions == own
        sources, labels = np.nonzero((transitions >= 0) & ~self.loops)
        targets = transitions[sources, labels].astype(np.int64)
        places, towards = np.unique(targets * k + labels, return_inverse=True)
        self.towards = towards.reshape(-1)
        self.labels, self.of_place, self.label_of_place = labels, places // k, places % k
        self.with_exits, self.begins = np.unique(sources, return_index=True)
        #: The place behind each label, (states, k): behind labels, then behind blanks (loops), then nowhere.
        self.behind = np.where(self.loops, len(places) + own, len(places) + states).astype(np.int32)
        self.behind[sources, labels] = self.towards

    @property
    def closed(self) -> int:
        """The number of the first place behind a blank, that of state 0."""
        return len(self.of_place)

    @cached_property
    def _kinds_of_loops(self) -> tuple[NDArray[np.bool_], Integers]:
        """The sets of labels that lead from a state to itself, and which of them each state has."""
        kinds, which = np.unique(self.loops, axis=0, return_inverse=True)
        return kinds, which.reshape(-1)

    def over(self, log_p: Floats) -> list[Reals]:
        """For log probabilities (t, k), what is still to come behind 0..t steps, at all places and nowhere.

        With a large automaton, neighboring steps that are all but surely blank are taken as one, in which at most one
        label can be, unless no sequence would be short enough then.
        """
        t = len(log_p)
        if len(self.labels) * t > _SMALL:
            sure = np.delete(log_p, self.blank, axis=1).max(axis=1, initial=-np.inf) < _SURE
            made = self._over(log_p, [i for i in range(t) if not (i and sure[i] and sure[i - 1])])
            if made[0][self.closed] > -np.inf:
                return made
        return self._over(log_p, list(range(t)))

    def _over(self, log_p: Floats, begins: list[int]) -> list[Reals]:
        """The same for steps taken together, from each begin to the next."""
        closed = np.where(self.accepting, np.float32(0), np.float32(-np.inf))
        here = self._places(closed[self.of_place], closed)
        if not self.labels.size:
            return [here] * (len(log_p) + 1)
        rows = [here]
        for begin, end in zip(reversed(begins), reversed([*begins[1:], len(log_p)]), strict=True):
            row = log_p[begin:end].max(axis=0)
            row[self.blank] = log_p[begin:end, self.blank].sum()
            here = self._back(here, row.astype(np.float32))
            rows += [here] * (end - begin)
        return rows[::-1]

    def _back(self, after: Reals, row: Reals) -> Reals:
        """What is to come before a step, from what is to come behind it."""
        kinds, which = self._kinds_of_loops
        stay = np.maximum(np.where(kinds, row, -np.inf).max(axis=1), row[self.blank]).astype(np.float32)
        closed = after[self.closed : -1] + stay[which]
        behind_labels = row[self.label_of_place] + after[: self.closed]
        leave = np.maximum.reduceat(behind_labels[self.towards], self.begins)
        closed[self.with_exits] = np.maximum(closed[self.with_exits], leave)
        return self._places(np.maximum(behind_labels, closed[self.of_place]), closed)

    def _places(self, behind_labels: Reals, behind_blanks: Reals) -> Reals:
        return np.concatenate([behind_labels, behind_blanks, np.full(1, -np.inf, np.float32)])
