"""From the tree of an expression to a deterministic automaton, by way of the places of its characters (Glushkov 1961).

Each character of the expression, with its counts written out, is a place. Which places may come first, which last, and
which may follow each other is all that matters. A set of places is an integer, of which each bit is one.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from inkgrad.data.numbers import LABELS, WRITABLE
from inkgrad.nn import Automaton
from inkgrad.reading.expect.automata import TooManyStatesError
from inkgrad.reading.expect.tree import Choice, Letters, Repeat, Sequence, Tree

__all__ = ["automaton_of"]


class _Part(NamedTuple):
    """A part of an expression: the places that may be its first and its last, and whether it may be empty."""

    first: int
    last: int
    empty: bool


_NOTHING = _Part(0, 0, True)


def automaton_of(tree: Tree, characters: str, most_states: int) -> Automaton:
    """What fits a tree, as an automaton that starts at 0 and of which all states are within reach.

    Args:
        tree: its size is checked before; it decides the time that this takes.
        characters: those that are allowed at all; where the tree names others, it cannot go on.
        most_states: the limit.

    Raises:
        TooManyStatesError: there are more states.
    """
    places = _Places()
    whole = places.of(tree)
    having = [
        (label, sum(1 << i for i, letters in enumerate(places.letters) if character in letters))
        for label, character in enumerate(WRITABLE, 1)
        if character in characters
    ]
    # A state is what may follow and whether it may end here: fewer than there are sets of places just read.
    start = whole.first, whole.empty
    numbers, waiting = {start: 0}, [start]
    rows: list[list[int]] = []
    while len(rows) < len(waiting):
        follow, _ = waiting[len(rows)]
        row, reached = [-1] * LABELS, {0: -1}
        for label, places_of_label in having:
            here = follow & places_of_label
            if here not in reached:
                state = places.behind(here), bool(here & whole.last)
                reached[here] = numbers.setdefault(state, len(numbers))
                if len(numbers) > len(waiting):
                    waiting.append(state)
            row[label] = reached[here]
        rows.append(row)
        if len(waiting) > most_states:
            raise TooManyStatesError
    return Automaton(np.array(rows, np.int32), np.array([accepting for _, accepting in waiting]))


class _Places:
    """The characters of an expression one by one, and which may follow which."""

    def __init__(self) -> None:
        self.letters: list[frozenset[str]] = []
        self.follow: list[int] = []

    def behind(self, here: int) -> int:
        """What may follow one of these places."""
        after = 0
        for place in _members(here):
            after |= self.follow[place]
        return after

    def of(self, tree: Tree) -> _Part:
        """Add the places of a tree."""
        if isinstance(tree, Letters):
            self.letters.append(tree.characters)
            self.follow.append(0)
            here = 1 << len(self.letters) - 1
            return _Part(here, here, False)
        if isinstance(tree, Sequence):
            made = _NOTHING
            for part in reversed([self.of(part) for part in tree.parts]):
                made = self._joined(part, made)
            return made
        if isinstance(tree, Choice):
            first = last = 0
            empty = False
            for branch in tree.branches:
                part = self.of(branch)
                first, last, empty = first | part.first, last | part.last, empty or part.empty
            return _Part(first, last, empty)
        return self._repeated(tree)

    def _repeated(self, tree: Repeat) -> _Part:
        """Written out from the last copy to the first: `x{2,4}` is `xx(x(x)?)?`, `x{2,}` is `xx+`."""
        if not tree.part.size:
            return _NOTHING
        made = _NOTHING
        copies = max(tree.least, 1) if tree.most is None else tree.most
        for i in reversed(range(copies)):
            part = self.of(tree.part)
            if tree.most is None and i == copies - 1:
                self._link(part.last, part.first)
            made = self._joined(part, made)
            if i >= tree.least:
                made = made._replace(empty=True)
        return made

    def _joined(self, a: _Part, b: _Part) -> _Part:
        self._link(a.last, b.first)
        return _Part(
            a.first | b.first if a.empty else a.first, a.last | b.last if b.empty else b.last, a.empty and b.empty
        )

    def _link(self, last: int, first: int) -> None:
        for place in _members(last):
            self.follow[place] |= first


def _members(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest
