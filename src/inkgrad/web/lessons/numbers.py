"""Numbers that people type into the lessons, and what is said where they cannot be used."""

from typing import Annotated, Any, TypeAlias

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from inkgrad.lessons.limits import MOST_RATE, RATE_ADVICE, RATE_EXPECTED

__all__ = ["LearningRate", "told"]

_LONGEST = 40  # characters of a text that are told again


def told(expected: str, advice: str) -> WrapValidator:
    """Tell what was expected of a number, what came, and what to do, instead of pydantic's words.

    Args:
        expected: the thing and its bounds, "the learning rate must be a number above 0".
        advice: "take one such as 0.1".
    """

    def checked(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except ValidationError:
            raise PydanticCustomError(
                "number", "{told}", {"told": f"{expected}, but got {_seen(value)}; {advice}"}
            ) from None

    return WrapValidator(checked)


def _seen(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {value[:_LONGEST]!r}{' ...' if len(value) > _LONGEST else ''}"
    return f"{value:.10g}" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


LearningRate: TypeAlias = Annotated[
    float,
    Field(gt=0, le=MOST_RATE, allow_inf_nan=False),
    told(RATE_EXPECTED, RATE_ADVICE),
]
