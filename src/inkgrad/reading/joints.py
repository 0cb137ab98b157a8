"""What the output of a reading asks of the reader and of the pages that it reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from inkgrad.data.dataset import Images
from inkgrad.data.decode import PictureSource
from inkgrad.reading.page import Page

__all__ = ["BadInput", "PagePicture", "PageReader"]


class PageReader(Protocol):
    """Anything that reads the numbers of a picture."""

    def read(self, image: PictureSource, *, min_confidence: float = 0.5, expectation: Any = None) -> Page:
        """The numbers of one page; those below `min_confidence` are doubtful."""

    def confidence_at_error(self, error: float) -> float:
        """The least confidence at which of the numbers read in validation at most the share `error` was wrong."""


class PagePicture(Protocol):
    """One page of a file, not loaded yet; it can be pickled, so that another process may load it."""

    @property
    def file(self) -> str:
        """The name of the file, as it was given or found."""

    @property
    def page(self) -> int:
        """Its page, from 1."""

    @property
    def path(self) -> Path | None:
        """Where the file lies; None for standard input."""

    def pixels(self) -> Images:
        """uint8 (h, w) gray, or (h, w, 3) red, green, blue; an ImageError if it cannot be read."""


@dataclass(frozen=True)
class BadInput:
    """A file, or a page of it, that cannot be read.

    Attributes:
        file: its name.
        error: one sentence that says why.
        page: from 1; None if no page of it can be read.
    """

    file: str
    error: str
    page: int | None = None
