"""Bounds that the lessons share."""

from inkgrad.errors import OptionError

__all__ = ["MOST_RATE", "RATE_ADVICE", "RATE_EXPECTED", "RUNAWAY", "check_rate"]

MOST_RATE = 1e6
"""The largest learning rate that is taken."""
RATE_EXPECTED = f"the learning rate must be a number above 0 and at most {MOST_RATE:,.0f}"
RATE_ADVICE = "take one such as 0.1"
RUNAWAY = 10.0
"""A training whose loss is so many times the first one has diverged, as the trainer has it."""


def check_rate(rate: float) -> None:
    """Raise OptionError unless a learning rate is above 0 and at most 1,000,000.

    >>> check_rate(0.1)
    """
    if not 0 < rate <= MOST_RATE:
        raise OptionError(f"{RATE_EXPECTED}, but got {rate:.10g}; {RATE_ADVICE}")
