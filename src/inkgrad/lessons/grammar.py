"""Reading an expression such as `(apples*100 + oranges*150)*tax`: never as Python, only by the grammar below.

```
sum      = product {("+" | "-") product}
product  = signed {("*" | "/") signed}
signed   = "-" signed | power
power    = atom ["**" signed]
atom     = number | name | ("exp" | "log" | "relu" | "sigmoid") "(" sum ")" | "(" sum ")"
```

Operators bind as in Python: -x**2 is -(x**2), and 2**3**2 is 2**(3**2). The printed signs × · ÷ − and the wide forms
that Chinese keyboards type, such as （＋）, are read as the plain ones.
"""

import math
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from inkgrad.errors import InputError

__all__ = ["FUNCTIONS", "MOST_CHARACTERS", "MOST_NODES", "Term", "parse"]

FUNCTIONS = ("exp", "log", "relu", "sigmoid")
MOST_CHARACTERS = 1 << 16
MOST_NODES = 100  # more than that no picture shows legibly
MOST_DEPTH = 50
LONGEST_NAME = 24

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\*\*|[-+*/()])"
)
_PLAIN = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | str.maketrans("×·⋅÷−\u3000", "***/- ")
_POWER = "a power is written with **, as in x**2"
_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}


class Term(NamedTuple):
    """A part of an expression.

    Attributes:
        kind: "number", "name", or the operation's name in `inkgrad.ops`.
        text: as it is written.
        arguments: which terms before it the operation takes.
        number: the value of a number, else 0.
    """

    kind: str
    text: str
    arguments: tuple[int, ...] = ()
    number: float = 0.0


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def parse(text: str) -> tuple[Term, ...]:
    """The terms of an expression, each after those that it takes; the last is the whole, and a name is one term.

    Raises:
        InputError: the text is not in the grammar, or is too large.

    >>> [(term.kind, term.text, term.arguments) for term in parse("2*x + x")]
    [('number', '2', ()), ('name', 'x', ()), ('multiply', '2*x', (0, 1)), ('add', '2*x + x', (2, 1))]
    """
    text = text.translate(_PLAIN)
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"an expression may have {MOST_CHARACTERS:,} characters, but this has {len(text):,}")
    tokens = _tokens(text)
    nodes = sum(token.text not in "()" for token in tokens)
    if nodes > MOST_NODES:
        raise InputError(
            f"a lesson shows graphs of at most {MOST_NODES} nodes, but this expression has about {nodes:,}; "
            f"take a part of it"
        )
    return _Parser(text, tokens).parse()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            allowed = f"write names, numbers, + - * / ** and {', '.join(FUNCTIONS)}"
            raise InputError(
                f"{text[at]!r} at place {at + 1} is not in the grammar; {_POWER if text[at] in '^²³' else allowed}"
            )
        kind = str(match.lastgroup)
        if kind == "name" and not match[0].isidentifier():  # x² would be a name of its own, without x in it
            raise InputError(f"{match[0]!r} at place {at + 1} is no name; {_POWER}")
        if kind != "space":
            found.append(_Token(kind, match[0], at, match.end()))
        at = match.end()
    if not found:
        raise InputError("the expression is empty; write one such as (apples*100 + oranges*150)*tax")
    return found


class _Parser:
    """Recursive descent, one token ahead; no deeper than `MOST_DEPTH`."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text, self._tokens = text, [*tokens, _Token("end", "", len(text), len(text))]
        self._at, self._depth = 0, 0
        self._terms: list[Term] = []
        self._names: dict[str, int] = {}

    def parse(self) -> tuple[Term, ...]:
        self._sum()
        if self._next.kind != "end":
            self._unexpected()
        return tuple(self._terms)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *marks: str) -> str | None:
        """The next token's text if it is one of the marks, which then is done with."""
        token = self._next
        if token.kind != "mark" or token.text not in marks:
            return None
        self._at += 1
        return token.text

    def _sum(self) -> int:
        return self._chain(self._product, "+", "-")

    def _product(self) -> int:
        return self._chain(self._signed, "*", "/")

    def _chain(self, part: Callable[[], int], *marks: str) -> int:
        start = self._next.start
        left = part()
        while mark := self._take(*marks):
            right = part()
            left = self._add(_OPERATORS[mark], start, left, right)
        return left

    def _signed(self) -> int:
        start = self._next.start
        if self._take("-"):
            self._deeper()
            inner = self._signed()
            self._depth -= 1
            return self._add("negative", start, inner)
        base = self._atom()
        if not self._take("**"):
            return base
        self._deeper()
        exponent = self._signed()
        self._depth -= 1
        return self._add("power", start, base, exponent)

    def _atom(self) -> int:
        token = self._next
        if self._take("("):
            return self._closed()
        if token.kind not in ("number", "name"):
            self._unexpected()
        self._at += 1
        if token.kind == "number":
            return self._number(token)
        if token.text in FUNCTIONS:
            if not self._take("("):
                raise InputError(f"{token.text} at place {token.start + 1} is a function; write {token.text}(...)")
            return self._add(token.text, token.start, self._closed())
        return self._name(token)

    def _closed(self) -> int:
        self._deeper()
        inner = self._sum()
        self._depth -= 1
        if not self._take(")"):
            self._unexpected(", where a parenthesis is still open")
        return inner

    def _number(self, token: _Token) -> int:
        number = float(token.text)
        if not math.isfinite(number):
            raise InputError(f"the number {token.text} is larger than float64 holds (1.8e308); write a smaller one")
        self._terms.append(Term("number", token.text, number=number))
        return len(self._terms) - 1

    def _name(self, token: _Token) -> int:
        if self._next.text == "(":
            raise InputError(f"{token.text!r} is no function; there are {', '.join(FUNCTIONS)}")
        if len(token.text) > LONGEST_NAME:
            raise InputError(f"a name may have {LONGEST_NAME} characters, but {token.text[:12]!r}... is longer")
        if token.text not in self._names:
            self._names[token.text] = len(self._terms)
            self._terms.append(Term("name", token.text))
        return self._names[token.text]

    def _add(self, kind: str, start: int, *arguments: int) -> int:
        text = self._text[start : self._tokens[self._at - 1].end]
        self._terms.append(Term(kind, " ".join(text.split()), arguments))
        return len(self._terms) - 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise InputError(f"the expression is nested more than {MOST_DEPTH} deep; write it with fewer parentheses")

    def _unexpected(self, more: str = "") -> NoReturn:
        token = self._next
        if token.kind == "end":
            raise InputError(f"the expression ends too early{more}; a name, a number or a parenthesis is missing")
        raise InputError(
            f"{token.text!r} at place {token.start + 1} does not fit there{more}; an operator or a value is missing"
        )
