"""What an expression is made of, each part with the characters that it comes to when its counts are written out."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

__all__ = ["Choice", "Letters", "Repeat", "Sequence", "Tree"]


@dataclass(frozen=True)
class Letters:
    """One of these characters; none fits if there are none."""

    characters: frozenset[str]
    size = 1


@dataclass(frozen=True)
class Sequence:
    """One part behind the other; without parts it fits what is empty."""

    parts: tuple["Tree", ...]

    @cached_property
    def size(self) -> int:
        """Characters when all counts are written out."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True)
class Choice:
    """One of the branches."""

    branches: tuple["Tree", ...]

    @cached_property
    def size(self) -> int:
        """Characters when all counts are written out."""
        return sum(branch.size for branch in self.branches)


@dataclass(frozen=True)
class Repeat:
    """A part `least` to `most` times, without an end if `most` is None."""

    part: "Tree"
    least: int
    most: int | None

    @cached_property
    def size(self) -> int:
        """Characters when all counts are written out."""
        return self.part.size * (max(self.least, 1) if self.most is None else self.most)


Tree: TypeAlias = Letters | Sequence | Choice | Repeat
