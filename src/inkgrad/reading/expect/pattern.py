"""Numbers that fit a regular expression."""

import string

from inkgrad.data.numbers import NAMED_SIGNS, WRITABLE
from inkgrad.errors import OptionError
from inkgrad.reading.expect.automata import (
    HAS_DIGIT,
    TooManyStatesError,
    free_of_signs,
    intersection,
    minimal,
)
from inkgrad.reading.expect.expected import Expectation
from inkgrad.reading.expect.expression import Expression, parsed, shown
from inkgrad.reading.expect.positions import automaton_of

__all__ = ["expect_pattern"]


def expect_pattern(pattern: str, *, most_states: int = 2000, source: str | None = None) -> Expectation:
    r"""The numbers that fit a regular expression as a whole.

    A pattern that names no sign is about the digits alone: `\d{6}` fits "123456" and "1.234,56", as signs may stand
    before, between and behind. A pattern that names one is about all that is written: `\d+,\d\d` fits "1234,56"
    only. `.` and `[^7]` name none; they stand for signs only where the pattern names one elsewhere. A number has at
    least one digit, whatever the pattern says.

    Args:
        pattern: literals, `\d`, `\D`, escaped punctuation, `.`, classes, groups `( )` and `(?: )`, `|`, and the counts
            `? * + {m} {m,} {,n} {m,n}`, lazy or not. `^` and `$` around it change nothing.
        most_states: the limit of its automaton, and of the characters that it comes to when its counts are written out.
        source: what messages call it; the expression itself by default.

    Raises:
        OptionError: a pattern outside of that, wrong at a character that is named, over the limit, or one that nothing
            fits that can be written.

    >>> expect_pattern(r"\d{3}-?\d{2}").accepts("123-45")
    True
    >>> expect_pattern("[a-z]+")
    Traceback (most recent call last):
    ...
    inkgrad.errors.OptionError: no number fits the expression '[a-z]+': numbers are written with digits and . , - = # '
    / : $, but at character 1 it wants 'a'
    """
    expression = parsed(pattern, most_states)
    try:
        if expression.names_sign:
            made = automaton_of(expression.tree, WRITABLE, most_states)
        else:
            made = free_of_signs(automaton_of(expression.tree, string.digits, most_states))
    except TooManyStatesError:
        raise OptionError(
            f"the expression {shown(pattern)} comes to an automaton of more than {most_states} states: give smaller "
            "counts, or fewer choices before them"
        ) from None
    trim = intersection(made, HAS_DIGIT, 2 * most_states)
    if trim is None:
        raise OptionError(f"no number fits the expression {shown(pattern)}: {_reason(expression)}")
    return Expectation.of(source or f"the expression {shown(pattern)}", minimal(trim))


def _reason(expression: Expression) -> str:
    if expression.unwritable is None:
        return "it leaves no place for a digit, and a number has at least one"
    character, at = expression.unwritable
    return f"numbers are written with digits and {NAMED_SIGNS}, but at character {at + 1} it wants {shown(character)}"
