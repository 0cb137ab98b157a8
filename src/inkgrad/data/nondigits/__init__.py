"""Images of what is no digit, drawn at random: for networks that are to know what they cannot read."""

from inkgrad.data.nondigits.kinds import NO_DIGIT, TESTED, TRAINED, nondigits

__all__ = ["NO_DIGIT", "TESTED", "TRAINED", "nondigits"]
