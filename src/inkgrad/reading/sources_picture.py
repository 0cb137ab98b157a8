"""The pages of a file with pictures: one, or those of a TIFF."""

import threading
from typing import TYPE_CHECKING, BinaryIO

from inkgrad.data.dataset import Images
from inkgrad.data.decode import decode_image
from inkgrad.data.opening import open_picture, quietly
from inkgrad.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PictureFile"]

_SUBFILE_TYPE = 254  # a tag of a TIFF's page
_NO_PAGE = 1 | 4  # a smaller copy of another page, a transparency mask
_MOST_PAGES = 10_000


class PictureFile:
    """An open picture; of an animation, a photo with a second picture and the like only the first one counts.

    Args:
        file: belongs to this object from now on.
        name: what errors call it.

    Attributes:
        pages: one index for each page, for `pixels`.

    Raises:
        ImageError: it is no picture of a known format, or has more than 10,000 pages.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._lock = threading.Lock()  # a TIFF stands at one page at a time
        self._file = file
        self._image: Image.Image | None = open_picture(file, name, known="PDF, ")
        self.pages = _frames(self._image, name) if self._image.format == "TIFF" else [0]

    def pixels(self, page: int, name: str, most_pixels: int) -> Images | None:
        """Decode one page; None if the file has been closed.

        Raises:
            ImageError: it has more than `most_pixels`, or is truncated or damaged.
        """
        with self._lock:
            image = self._image
            if image is None:
                return None
            if image.format == "TIFF":
                try:
                    with quietly():
                        image.seek(page)
                except Exception as error:  # decoders fail in any way on damaged files
                    raise ImageError(f"{name} is truncated or damaged ({error}); save or copy it again") from error
            return decode_image(image, name, most_pixels)

    def close(self) -> None:
        """Close the file and forget what was decoded."""
        with self._lock:
            if self._image is not None:
                self._image.close()
            self._image = None
            self._file.close()


def _frames(image: "Image.Image", name: str) -> list[int]:
    """Which frames of a TIFF are pages; one that cannot be found is the last, so that reading it tells why."""
    frames: list[int] = []
    for index in range(_MOST_PAGES + 1):
        try:
            with quietly():
                image.seek(index)
        except EOFError:
            return frames or [0]
        except Exception:  # decoders fail in any way on damaged files
            return [*frames, index]
        kind = getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE)
        if not (isinstance(kind, int) and kind & _NO_PAGE):
            frames.append(index)
    raise ImageError(f"{name} has more than {_MOST_PAGES} pages, which is the most that are read; split it")
