"""Numbers from a list."""

import re
from collections.abc import Iterable

import numpy as np

from inkgrad.data.numbers import LABELS, NAMED_SIGNS, SIGNS, WRITABLE
from inkgrad.errors import OptionError
from inkgrad.nn import Automaton
from inkgrad.reading.expect.automata import free_of_signs
from inkgrad.reading.expect.expected import Expectation
from inkgrad.reading.expect.expression import shown

__all__ = ["expect_list"]

_LONGEST = 100
_MOST_STATES = 2_000_000
_FOREIGN = re.compile(f"[^{re.escape(WRITABLE)}]")
_COMMENT = re.compile(r"(^|\s)#.*")
_AS_LABELS = str.maketrans({character: chr(label) for label, character in enumerate(WRITABLE, 1)})


def expect_list(lines: Iterable[str], *, name: str = "given") -> Expectation:
    """The numbers of a list, one a line.

    Empty lines, and comments from a `#` at the start of a line or behind a space, are left out. As with patterns, a
    list in which no sign stands is about digits alone, and signs may stand anywhere among them; a list with a sign in
    any of its lines is about all that is written.

    Args:
        lines: numbers of digits and signs, at most 100 characters each.
        name: what messages call the list, such as the name of its file.

    Raises:
        OptionError: a line that is no number, by its number in the list; a list without any; one that is too long.

    >>> codes = expect_list(["4711  # Cologne", "", "8000"])
    >>> [codes.accepts(written) for written in ("4711", "8.000", "8001")]
    [True, True, False]
    """
    words = {word for number, line in enumerate(lines, 1) if (word := _word(line, number, name))}
    if not words:
        raise OptionError(f"the list {name} has no number in it: write one a line")
    made = _minimal_acyclic(sorted(word.translate(_AS_LABELS) for word in words), name)
    if not any(sign in word for word in words for sign in SIGNS):
        made = free_of_signs(made)
    return Expectation.of(f"the list {name}", made)


def _word(line: str, number: int, name: str) -> str:
    """The number in a line, empty if there is none."""
    word = _COMMENT.sub("", line, count=1).strip()
    foreign = _FOREIGN.search(word)
    if foreign:
        raise OptionError(
            f"line {number} of the list {name}, {shown(word)}, has {shown(foreign[0])} in it, but numbers are written "
            f"with digits and {NAMED_SIGNS}: write one number a line, without spaces"
        )
    if len(word) > _LONGEST:
        raise OptionError(
            f"line {number} of the list {name} has {len(word)} characters, but a number has at most {_LONGEST}: "
            "write one number a line"
        )
    if word and not any(character.isdigit() for character in word):
        raise OptionError(f"line {number} of the list {name}, {shown(word)}, has no digit: take it out")
    return word


class _Node:
    """A state whose transitions may still grow."""

    __slots__ = ("accepting", "after")

    def __init__(self) -> None:
        self.accepting = False
        self.after: dict[str, int] = {}


def _minimal_acyclic(words: list[str], name: str) -> Automaton:
    """The smallest automaton of sorted words (Daciuk, Mihov, Watson and Watson 2000).

    Behind the prefix that a word shares with the one before nothing can grow any more: those states are final, and
    become one with a state that is there already and does the same.

    Args:
        words: of characters chr(label), ascending and without repeats.
        name: of the list.
    """
    known: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
    path, before = [_Node()], ""

    def finish(depth: int) -> None:
        while len(path) - 1 > depth:
            node = path.pop()
            state = known.setdefault((node.accepting, tuple(node.after.items())), len(known))
            path[-1].after[before[len(path) - 1]] = state
        if len(known) > _MOST_STATES:
            raise OptionError(f"the list {name} comes to more than {_MOST_STATES} states: split it into shorter ones")

    for word in words:
        shared = 0
        while shared < len(before) and before[shared] == word[shared]:
            shared += 1
        finish(shared)
        path.extend(_Node() for _ in word[shared:])
        path[-1].accepting = True
        before = word
    finish(0)
    known[path[0].accepting, tuple(path[0].after.items())] = len(known)
    return _from_start(list(known))


def _from_start(states: list[tuple[bool, tuple[tuple[str, int], ...]]]) -> Automaton:
    """The table of states that were finished before those that lead to them: the last is the start, and becomes 0."""
    last = len(states) - 1
    edges = np.array(
        [(last - i, ord(c), last - j) for i, (_, after) in enumerate(states) for c, j in after], np.int64
    ).T
    transitions = np.full((len(states), LABELS), -1, np.int32)
    transitions[edges[0], edges[1]] = edges[2]
    return Automaton(transitions, np.array([accepting for accepting, _ in reversed(states)]))
