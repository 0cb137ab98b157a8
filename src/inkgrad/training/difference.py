"""Where two sets of settings differ, for messages: whole ones are too long to be read."""

from typing import Any

__all__ = ["first_difference"]


def first_difference(one: Any, other: Any) -> tuple[str, Any, Any]:
    """Where two unequal settings of plain values first differ, and what each has there.

    Returns:
        The names on the way there, each with a space behind it; what is there in `one`, and in `other`.

    >>> first_difference({"rate": 0.1, "clip": ["norm", {"limit": 1}]}, {"rate": 0.1, "clip": ["norm", {"limit": 2}]})
    ('clip limit ', 1, 2)
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(f"{key} ", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [("", a, b) for a, b in zip(one, other, strict=True)]
    else:
        return "", one, other
    name, a, b = next(pair for pair in pairs if pair[1] != pair[2])
    path, a, b = first_difference(a, b)
    return f"{name}{path}", a, b
