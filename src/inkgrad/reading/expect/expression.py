r"""A regular expression as a tree: the stated subset, and where and why one is refused.

The subset: characters, `\d`, `\D` and escaped punctuation, `.`, classes such as `[0-5]` and `[^7]`, groups `( )` and
`(?: )`, `|`, and the counts `?`, `*`, `+`, `{m}`, `{m,}`, `{,n}` and `{m,n}`. A count may be lazy (`+?`), which changes
nothing about what fits. `^` and `$` may stand around the whole or around a branch of the outermost `|`; a number is
compared as a whole with or without them.
"""

import string
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from inkgrad.data.numbers import WRITABLE
from inkgrad.errors import OptionError
from inkgrad.reading.expect.tree import Choice, Letters, Repeat, Sequence, Tree

__all__ = ["Expression", "parsed", "shown"]

_ALLOWED = r"literals, \d, ., classes such as [0-5], groups ( ), | and the counts ? * + {m,n}"
_DEEPEST = 50
_LONGEST = 10_000
_SIGNS = frozenset(WRITABLE) - frozenset(string.digits)

_GROUPS = {
    "(?P": "named groups",
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<=": "look-behind",
    "(?<!": "look-behind",
    "(?<": "named groups",
    "(?>": "atomic groups",
    "(?#": "comments",
    "(?(": "conditions",
    "(?": "flags",
}

Characters: TypeAlias = frozenset[str]


@dataclass(frozen=True)
class Expression:
    r"""What was parsed.

    Attributes:
        tree: what fits.
        names_sign: whether a sign of the alphabet stands in it, as a character, in a class, or as `\D`.
        unwritable: the first character in it that a number cannot be written with, and its place from 0.
    """

    tree: Tree
    names_sign: bool
    unwritable: tuple[str, int] | None


def parsed(text: str, most_places: int) -> Expression:
    """The tree of an expression.

    Args:
        text: the expression.
        most_places: how many characters it may have when all counts are written out.

    Raises:
        OptionError: what is wrong with it, and at which character, counted from 1.
    """
    if not text:
        raise OptionError("the expected expression is empty: give one such as \\d{5}, or none")
    if len(text) > _LONGEST:
        raise OptionError(
            f"an expected expression has at most {_LONGEST} characters, but this has {len(text)}: "
            "put a list of numbers into a file instead (--expect-list)"
        )
    return _Parser(text, most_places).whole()


def shown(text: str) -> str:
    """An expression, or a part of one, as messages quote it.

    >>> print(shown("[0-9]" * 20))
    '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]...'
    """
    cut = text if len(text) <= 60 else text[:60] + "..."
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut) + "'"


class _Parser:
    """One pass from left to right."""

    def __init__(self, text: str, most_places: int) -> None:
        self.text, self.most_places = text, most_places
        self.at = self.depth = 0
        self.names_sign = False
        self.unwritable: tuple[str, int] | None = None

    def whole(self) -> Expression:
        tree = self._choice()
        if self.at < len(self.text):  # only a parenthesis ends a choice early
            self._refuse(self.at, "this ) closes no group; take it out, or write \\) for the character")
        return Expression(tree, self.names_sign, self.unwritable)

    def _refuse(self, at: int, why: str) -> NoReturn:
        here = f" ({shown(self.text[at : at + 12])})" if at < len(self.text) else ""
        raise OptionError(f"the expression {shown(self.text)} is wrong at character {at + 1}{here}: {why}")

    def _outside(self, at: int, what: str) -> NoReturn:
        self._refuse(at, f"{what} cannot be expected; what can are {_ALLOWED}")

    def _next(self, *wanted: str) -> str:
        """Go over the first of these that comes next; the empty string if none does."""
        for token in wanted:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return token
        return ""

    def _check_size(self, tree: Tree, at: int) -> Tree:
        if tree.size > self.most_places:
            self._refuse(
                at,
                f"with its counts written out it comes to {tree.size} characters, over the limit of "
                f"{self.most_places}; give smaller counts",
            )
        return tree

    def _choice(self) -> Tree:
        start, branches = self.at, [self._sequence()]
        while self._next("|"):
            branches.append(self._sequence())
        return self._check_size(branches[0] if len(branches) == 1 else Choice(tuple(branches)), start)

    def _sequence(self) -> Tree:
        start, parts = self.at, []
        if not self.depth:
            self._next("^")
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if not self.depth and self.text[self.at] == "$" and self.text[self.at + 1 : self.at + 2] in ("", "|"):
                self.at += 1
                break
            parts.append(self._counted())
        return self._check_size(parts[0] if len(parts) == 1 else Sequence(tuple(parts)), start)

    def _counted(self) -> Tree:
        start = self.at
        tree = self._one()
        counts = self._counts()
        if counts is None:
            return tree
        if self._next("+"):
            self._outside(self.at - 1, "possessive counts")
        self._next("?")
        again = self.at
        if self.text[again : again + 1] in ("?", "*", "+", "{"):
            self._refuse(again, "a second count; put what is counted in a group, as in (\\d{2})*")
        return self._check_size(Repeat(tree, *counts), start)

    def _counts(self) -> tuple[int, int | None] | None:
        """The least and the most of the count that comes next, None without one."""
        token = self._next("?", "*", "+", "{")
        if token != "{":
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(token)
        start = self.at - 1
        end = self.text.find("}", start)
        inner = self.text[self.at : end] if end >= 0 else "?"
        least, comma, most = inner.partition(",")
        if not (least + most and set(least + most) <= set(string.digits)):
            self._refuse(start, "a count is {m}, {m,}, {,n} or {m,n} with plain numbers")
        self.at = end + 1
        if max(len(least), len(most)) > 9:
            self._refuse(start, f"a count this large is over the limit of {self.most_places} characters")
        bounds = int(least or 0), (int(most) if most else None) if comma else int(least)
        if bounds[1] is not None and bounds[0] > bounds[1]:
            self._refuse(start, f"a count from {bounds[0]} to {bounds[1]} is none; put the smaller number first")
        return bounds

    def _one(self) -> Tree:
        """A character, a class or a group."""
        start, character = self.at, self.text[self.at]
        if character == "(":
            return self._group()
        self.at += 1
        if character in "?*+{":
            self._refuse(start, f"nothing to count stands before it; write \\{character} for the character")
        if character in "^$":
            self._refuse(
                start, f"{character} only stands around the whole expression; write \\{character} for the sign"
            )
        if character == "[":
            return self._class()
        if character == ".":
            return Letters(frozenset(WRITABLE))
        return self._letters(self._escaped(start) if character == "\\" else frozenset(character), start)

    def _group(self) -> Tree:
        start = self.at
        if not self._next("(?:"):
            for token, what in _GROUPS.items():
                if self.text.startswith(token, start):
                    self._outside(start, what)
            self.at += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            self._refuse(start, f"groups may be nested {_DEEPEST} deep, not deeper")
        tree = self._choice()
        self.depth -= 1
        if not self._next(")"):
            self._refuse(start, "this group is never closed; close it with ), or write \\( for the character")
        return tree

    def _letters(self, listed: Characters, at: int, but: bool = False) -> Letters:
        """One of the listed characters, or any but them."""
        self.names_sign |= bool(listed & _SIGNS)
        unwritable = sorted(listed - set(WRITABLE))
        if unwritable and not but and not self.unwritable:
            self.unwritable = unwritable[0], at
        return Letters(frozenset(WRITABLE) - listed if but else listed & frozenset(WRITABLE))

    def _escaped(self, start: int) -> Characters:
        """What stands behind a backslash."""
        character = self.text[self.at : self.at + 1]
        self.at += 1
        if character == "":
            self._refuse(start, "a backslash at the end; write \\\\ for the character")
        if character == "d":
            return frozenset(string.digits)
        if character == "D":
            return _SIGNS
        if character in string.digits:
            self._outside(start, "back-references")
        if character.isalnum() and character.isascii():
            self._outside(start, f"the escape \\{character}")
        return frozenset(character)

    def _class(self) -> Letters:
        """What stands in brackets, the first of which is behind us."""
        start, but = self.at - 1, bool(self._next("^"))
        listed: set[str] = set()
        first = self.at
        while not (self.text.startswith("]", self.at) and self.at > first):
            if self.at >= len(self.text):
                self._refuse(start, "this class is never closed; close it with ], or write \\[ for the character")
            listed |= self._member()
        self.at += 1
        return self._letters(frozenset(listed), start, but)

    def _member(self) -> Characters:
        """A character, an escape or a range of a class."""
        start = self.at
        low = self._member_end()
        if not self.text.startswith("-", self.at) or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        high = self._member_end()
        if len(low) != 1 or len(high) != 1:
            self._refuse(start, "a range goes from one character to another, as in 0-5; write \\- for the sign")
        (least,), (most,) = low, high
        if least > most:
            self._refuse(start, f"a range from {least} to {most} is none; put the smaller character first")
        within = frozenset(c for c in WRITABLE if least <= c <= most)
        return within or low

    def _member_end(self) -> Characters:
        start, character = self.at, self.text[self.at]
        self.at += 1
        if character == "[":
            self._outside(start, "a class within a class")
        return self._escaped(start) if character == "\\" else frozenset(character)
