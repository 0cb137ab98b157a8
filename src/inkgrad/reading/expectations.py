"""What a number is expected to look like, as it is asked for on the command line and in forms."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError

__all__ = ["Expected", "content_digest"]


@dataclass(frozen=True)
class Expected:
    r"""The words of an expectation, all of which must hold.

    Attributes:
        expect: a regular expression for the digits, such as r"\d{5}".
        list: all that may stand there, or a file with one a line.
        checksum: the name of one, such as "luhn".
        date: the form of a date.
        amount: whether it is an amount of money.
    """

    expect: str | None = None
    list: Path | Sequence[str] | None = None
    checksum: str | None = None
    date: str | None = None
    amount: bool = False

    def __bool__(self) -> bool:
        return any(value is not None and value is not False for value in vars(self).values())

    def compiled(self) -> Any:
        """What the reader takes as `expectation`; None if nothing is expected.

        Raises:
            OptionError: it cannot be understood or can never hold.
        """
        from inkgrad.reading.expect import both, expect_list, expectation

        file, entries = (self.list, None) if isinstance(self.list, Path) else (None, self.list)
        found = expectation(self.expect, file, self.checksum, self.date, self.amount)
        if entries is None:
            return found
        listed = expect_list(entries)
        return listed if found is None else both(found, listed)

    def without_file(self) -> "Expected":
        """The same with what its file holds, for machines that do not have it.

        Raises:
            OptionError: it cannot be read.
        """
        if not isinstance(self.list, Path):
            return self
        try:
            return replace(self, list=tuple(self.list.read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"cannot read {self.list}: {error}; check the path") from error

    def words(self) -> dict[str, Any]:
        """What was said, as plain values; of a file also what is in it, as it decides what is read.

        >>> Expected(expect="[0-9]{5}", amount=True).words()
        {'expect': '[0-9]{5}', 'amount': True}
        """
        said = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        if isinstance(self.list, Path):
            said["list"] = f"{self.list} ({content_digest(self.list)})"
        return said


def content_digest(path: Path) -> str:
    """A short digest of what is in a file, by which one sees whether it has changed.

    Raises:
        OptionError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror or error}; check the path") from error
