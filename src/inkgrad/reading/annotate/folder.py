"""The folder for annotated pages: of which names they are there, and that nothing else is written over."""

from pathlib import Path, PurePath

from inkgrad.data.dataset import Images
from inkgrad.errors import OptionError, StorageError
from inkgrad.files import write_atomically
from inkgrad.reading.joints import PagePicture
from inkgrad.reading.record import Record

__all__ = ["AnnotationFolder", "write_annotated"]

_MARK = ".inkgrad-annotations"
_JPEG, _PNG = (".jpg", ".jpeg", ".jpe", ".jfif"), (".png",)
_OF_PAGES = (".pdf", ".tif", ".tiff")
_JPEG_QUALITY = 90


class AnnotationFolder:
    """A folder that holds annotated pages and nothing else; a file in it says so.

    A JPEG file becomes a JPEG of the same name, any other image a PNG. The page number comes behind the name for
    documents: `scan.pdf` becomes `scan-1.png`, `scan-2.png` and so on. Files of one name from several folders are
    numbered `a.png`, `a_2.png`.

    Args:
        folder: made if it is not there.
        again: whether annotated pages of an earlier run may be replaced.

    Raises:
        OptionError: the folder holds other files, or annotated pages and `again` is false.
        StorageError: it cannot be made.
    """

    def __init__(self, folder: Path, *, again: bool = False) -> None:
        self.folder = folder
        mark = folder / _MARK
        if folder.exists() and not folder.is_dir():
            raise OptionError(f"--annotate needs a folder, but {folder} is a file; name another")
        if folder.is_dir() and any(folder.iterdir()):
            if not mark.exists():
                raise OptionError(f"the folder {folder} holds other files; name a new or empty one with --annotate")
            if not again:
                raise OptionError(
                    f"the folder {folder} holds annotated pages of an earlier run; name another with --annotate, or "
                    f"replace them with --overwrite"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            mark.write_text("Pages in this folder were drawn upon by inkgrad read, which may replace them.\n")
        except OSError as error:
            raise StorageError(f"cannot write {mark}: {error.strerror or error}; name another --annotate") from error
        self._whole = folder.resolve()
        self._names: set[str] = set()
        self._counts: dict[str, int] = {}  # the last number of each name, as thousands may have one

    def holds(self, path: Path | None) -> bool:
        """Whether a file lies in the folder, so that it is no input."""
        return path is not None and self._whole in path.resolve().parents

    def place(self, picture: PagePicture) -> Path:
        """Where an annotated page goes; asked once for each page, in order."""
        pure = PurePath(picture.file)
        ending = pure.suffix
        numbered = picture.page > 1 or ending.lower() in _OF_PAGES
        base = f"{pure.stem}-{picture.page}" if numbered else pure.stem
        ending = ending if ending.lower() in (*_JPEG, *_PNG) else ".png"
        name = base + ending
        first = name.lower()
        count = self._counts.get(first, 1)
        while name.lower() in self._names:  # some file systems do not tell upper from lower case
            count += 1
            name = f"{base}_{count}{ending}"
        self._names.add(name.lower())
        self._counts[first] = count
        return self.folder / name


def write_annotated(path: Path, pixels: Images, record: Record) -> None:
    """Draw what was read and write the picture, as PNG or JPEG by the ending of the name.

    Raises:
        StorageError: it cannot be written.
    """
    from inkgrad.reading.annotate.drawing import annotated

    image = annotated(pixels, record)
    if path.suffix.lower() in _JPEG:
        write_atomically(path, lambda file: image.save(file, "JPEG", quality=_JPEG_QUALITY))
    else:
        write_atomically(path, lambda file: image.save(file, "PNG"))
