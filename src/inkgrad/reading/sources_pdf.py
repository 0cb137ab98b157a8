"""The pages of a PDF."""

import ctypes
import threading
from typing import Any, BinaryIO

from inkgrad.data.dataset import Images
from inkgrad.errors import ImageError
from inkgrad.reading.sources_render import render

__all__ = ["PdfFile"]

_TOGETHER = 16  # pages until PDFium starts anew, as it keeps all that it has read
_TAIL = 4096  # bytes at the end of a file, of which the mark of a PDF's end is a part
_PASSWORD, _SECURITY = 4, 5  # errors of PDFium
_pdfium = threading.RLock()  # PDFium bears one thread at a time


class PdfFile:
    """An open PDF; its pages are rendered, nothing else of it is looked at, and nothing in it is run.

    Args:
        file: belongs to this object from now on.
        name: what errors call it.
        dpi: to render at; None to choose it for each page.

    Attributes:
        pages: one index for each page, for `pixels`.

    Raises:
        ImageError: pypdfium2 is not installed, or the PDF is encrypted with a password, empty, truncated or damaged.
    """

    def __init__(self, file: BinaryIO, name: str, dpi: float | None) -> None:
        try:
            import pypdfium2
        except ImportError as error:
            raise ImageError(
                f'{name} is a PDF, which needs pypdfium2; install it with: pip install "inkgrad[pdf]"'
            ) from error
        self._file, self._name, self._dpi, self._library = file, name, dpi, pypdfium2
        self._access = _access(file, name, pypdfium2.raw)  # PDFium reads through it as long as the file is open
        self._rendered = 0
        with _pdfium:
            self._pdf = self._load()
            self.pages = range(len(self._pdf))
            if not self.pages:
                self._pdf.close()
                raise ImageError(f"{name} is a PDF without pages, expected at least one; export it again")

    def _load(self) -> Any:
        handle = self._library.raw.FPDF_LoadCustomDocument(self._access, None)
        if not handle:
            raise ImageError(f"{self._name} {_reason(self._library.raw.FPDF_GetLastError())}")
        return self._library.PdfDocument(handle)

    def pixels(self, page: int, name: str, most_pixels: int) -> Images | None:
        """Render one page; None if the file has been closed.

        Raises:
            ImageError: the page is damaged, or it or an image on it has more than `most_pixels`.
        """
        with _pdfium:
            if self._pdf is None:
                return None
            try:
                if self._rendered == _TOGETHER:
                    self._pdf.close()
                    self._pdf, self._rendered = self._load(), 0
                self._rendered += 1
                opened = self._pdf[page]
                try:
                    return render(opened, name, self._dpi, most_pixels)
                finally:
                    opened.close()
            except ImageError:
                raise
            except Exception as error:  # on damaged files it fails in any way
                raise ImageError(f"{name} is damaged ({error}); save or export it again") from error

    def close(self) -> None:
        """Close the file."""
        with _pdfium:
            if self._pdf is not None:
                self._pdf.close()
            self._pdf = None
            self._file.close()


def _access(file: BinaryIO, name: str, raw: Any) -> Any:
    """How PDFium reads a file: piece by piece."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _TAIL))
    tail = file.read()
    if b"%%EOF" not in tail and b"startxref" not in tail:
        # PDFium would make do with what is left, in which pages are missing or empty.
        raise ImageError(f"{name} is a truncated PDF, it has no mark of its end; save or copy it again")

    def read(_: Any, position: int, buffer: Any, size: int) -> int:
        try:
            file.seek(position)
            content = file.read(size)
        except (OSError, ValueError):  # nothing may be raised through PDFium
            return 0
        ctypes.memmove(buffer, content, len(content))
        return int(len(content) == size)

    access = raw.FPDF_FILEACCESS(m_FileLen=length)
    access.m_GetBlock = type(access.m_GetBlock)(read)
    return access


def _reason(code: int) -> str:
    if code == _PASSWORD:
        return "is a PDF that is encrypted with a password; save it without one"
    if code == _SECURITY:
        return "is a PDF that is encrypted in an unknown way; save it without encryption"
    return "is a damaged PDF; save or export it again"
