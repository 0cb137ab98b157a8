"""What people write in numbers: counts, codes, amounts of money, dates, times."""

from collections.abc import Callable

import numpy as np

__all__ = ["random_text"]

_ENDS = ("", "", "", "", ".", "-", ".-", ",-", "--", "=", ".=", "#")


def random_text(rng: np.random.Generator) -> str:
    """Digits, and the signs that belong to them, as amounts, codes, dates and times have them.

    >>> from inkgrad.random import default_rng
    >>> rng = default_rng(0)
    >>> [random_text(rng) for _ in range(3)]
    ['$0000.50', '7024440', '26734']
    """
    return _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))](rng)


def _digits(count: int, rng: np.random.Generator) -> str:
    """Any digits; sometimes one of them again and again, as recognizers lose these."""
    if rng.random() < 0.15:
        some = rng.integers(0, 10, 2)
        return "".join(str(some[int(rng.random() < 0.3)]) for _ in range(count))
    return "".join(map(str, rng.integers(0, 10, count)))


def _plain(rng: np.random.Generator) -> str:
    return _digits(int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10], p=[0.1, 0.15, *[0.15] * 4, 0.05, 0.05, 0.05])), rng)


def _amount(rng: np.random.Generator) -> str:
    """Thousands set apart or not, perhaps with cents, perhaps with something that keeps others from adding to it."""
    count = int(rng.choice([2, 3, 4, 5, 6, 7], p=[0.05, 0.15, 0.25, 0.3, 0.2, 0.05]))
    digits = _digits(count, rng)
    if rng.random() < 0.4:  # round sums are common
        kept = int(rng.integers(1, count))
        digits = digits[:kept] + "0" * (count - kept)
    point, comma = (".", ",") if rng.random() < 0.7 else (",", ".")
    if rng.random() < 0.7:
        digits = f"{int('1' + digits):,}"[1:].lstrip(",").replace(",", point)
    cents = comma + _digits(2, rng) if rng.random() < 0.15 else ""
    start = str(rng.choice(["", "", "", "", "#", "$", "="]))
    return start + digits + cents + ("" if cents else str(rng.choice(_ENDS)))


def _code(rng: np.random.Generator) -> str:
    """Groups, as in postcodes, telephone and account numbers."""
    sign = str(rng.choice(["-", ".", "/", ""]))
    return sign.join(_digits(int(rng.integers(2, 5)), rng) for _ in range(rng.integers(2, 4)))


def _date(rng: np.random.Generator) -> str:
    day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1950, 2040)
    sign = str(rng.choice([".", "/", "-"]))
    return sign.join((f"{day:02d}", f"{month:02d}", str(year)[2 * int(rng.random() < 0.5) :]))


def _time(rng: np.random.Generator) -> str:
    return f"{rng.integers(0, 24)}{rng.choice([':', '.'])}{rng.integers(0, 60):02d}"


_KINDS: tuple[Callable[[np.random.Generator], str], ...] = (_plain, _amount, _code, _date, _time)
_SHARES = (0.45, 0.4, 0.07, 0.05, 0.03)
