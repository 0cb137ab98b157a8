"""What a gradient check found: a row for each input, readable as text."""

from collections.abc import Iterator
from dataclasses import dataclass

from inkgrad.errors import GradientCheckError

__all__ = ["Element", "GradientReport", "GradientRow"]


@dataclass(frozen=True)
class Element:
    """One element of an input with its partial derivative from either side.

    Attributes:
        index: its position in the input, () for a number.
        analytic: the derivative that the backward pass gave.
        numeric: the difference quotient.
        relative_error: their difference relative to the larger of them.
    """

    index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_error: float


@dataclass(frozen=True)
class GradientRow:
    """The check of one input or parameter.

    Attributes:
        name: its name, "input 0" where it has none.
        shape: its shape.
        norm: the Euclidean norm of the analytic gradient.
        analytic: the analytic derivative along the direction that was tried; element by element, that of the
            worst element.
        numeric: the difference quotient for the same.
        relative_error: their difference relative to the larger of them.
        passed: whether the error is within the tolerance.
        worst: the worst element that was looked at; looked for only element by element and after a failure.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    analytic: float
    numeric: float
    relative_error: float
    passed: bool
    worst: Element | None = None

    def complaint(self) -> str:
        """What is wrong, in words; for a row that failed."""
        if self.worst is None:
            what = f"is {self.analytic:.6g} along a direction, but numerically {self.numeric:.6g}"
        else:
            place = f" at {self.worst.index}" if self.worst.index else ""
            what = f"is {self.worst.analytic:.6g}{place}, but numerically {self.worst.numeric:.6g}"
        error = self.relative_error if self.worst is None else self.worst.relative_error
        return f"the gradient of {self.name} {self.shape} {what} (relative error {error:.1e})"


@dataclass(frozen=True)
class GradientReport:
    """The rows of a gradient check; prints as a table.

    Attributes:
        rows: one for each input, in the order given.
        tolerance: the relative error that still passes.

    >>> row = GradientRow("weight", (2, 3), norm=1.5, analytic=2.0, numeric=2.0, relative_error=0.0, passed=True)
    >>> print(GradientReport((row,), tolerance=1e-6))
    name    shape   gradient norm  relative error
    weight  (2, 3)  1.5            0.0e+00         ok
    """

    rows: tuple[GradientRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    @property
    def failed(self) -> tuple[GradientRow, ...]:
        """The rows that did not pass."""
        return tuple(row for row in self.rows if not row.passed)

    def raise_if_failed(self) -> None:
        """Do nothing if every row passed.

        Raises:
            GradientCheckError: a row failed; the message names the worst input and element.
        """
        if self.passed:
            return
        worst = max(self.failed, key=lambda row: row.relative_error)
        others = len(self.failed) - 1
        more = f", and {others} more of {len(self.rows)} failed too" if others else ""
        raise GradientCheckError(
            f"{worst.complaint()}; the tolerance is {self.tolerance:g}{more}: correct its pull-back"
        )

    def __iter__(self) -> Iterator[GradientRow]:
        return iter(self.rows)

    def __str__(self) -> str:
        head = ("name", "shape", "gradient norm", "relative error", "")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _cells(row: GradientRow) -> tuple[str, str, str, str, str]:
    verdict = "ok"
    if not row.passed:
        verdict = "WRONG"
        if row.worst is not None:
            place = f" at {row.worst.index}" if row.worst.index else ""
            verdict += f"{place}: {row.worst.analytic:.6g}, numerically {row.worst.numeric:.6g}"
    return row.name, str(row.shape), f"{row.norm:.4g}", f"{row.relative_error:.1e}", verdict
