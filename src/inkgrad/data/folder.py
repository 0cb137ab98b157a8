"""Pictures sorted into one folder per class."""

import os
from pathlib import Path

import numpy as np

from inkgrad.data.dataset import SIDE, Dataset
from inkgrad.data.formats import IMAGE_ENDINGS
from inkgrad.data.picture import to_digit
from inkgrad.errors import DataError

__all__ = ["IMAGE_ENDINGS", "class_folders", "load_folder"]


def load_folder(path: str | os.PathLike[str]) -> Dataset:
    """Load pictures from class folders such as `root/0/*.png` and `root/7/*.jpg`, through `to_digit`.

    Folder names are the classes, sorted, as numbers if all of them are; within a class, files are sorted by
    name. Names that begin with a dot and files without an image's ending are passed over. A blank picture
    becomes a black one, so that every file has its row.

    Args:
        path: the folder that holds the class folders.

    Returns:
        The data set, named after the folder; `classes` are the names of the folders.

    Raises:
        DataError: the folder is missing, has no class folders, or one of them has no pictures.
        ImageError: a file cannot be decoded; the message names it.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("10", "9"):
    ...         (Path(root) / name).mkdir()
    ...         Image.new("L", (30, 30)).save(Path(root) / name / "a.png")
    ...     data = load_folder(root)
    >>> data.classes, data.labels
    (('9', '10'), array([0, 1]))
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(f"there is no folder {root}, expected one with a folder of pictures per class; check the path")
    folders = class_folders(root)
    if not folders:
        raise DataError(
            f"{root} has no class folders such as {root / '0'} and {root / '7'}; sort the pictures into them"
        )
    images, labels = [], []
    for label, folder in enumerate(folders):
        files = sorted(file for file in folder.iterdir() if _is_image(file))
        if not files:
            raise DataError(f"the class folder {folder} has no pictures; put some there or remove it")
        for file in files:
            digit = to_digit(file)
            images.append(np.zeros((SIDE, SIDE), np.uint8) if digit is None else digit)
            labels.append(label)
    return Dataset(np.stack(images), np.array(labels, np.int64), root.name, tuple(folder.name for folder in folders))


def class_folders(root: Path) -> list[Path]:
    """The visible folders in `root`, sorted as numbers if every name is one, else as text.

    >>> class_folders(Path("no such folder"))
    []
    """
    if not root.is_dir():
        return []
    folders = [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__"))]
    if all(folder.name.isdecimal() for folder in folders):
        return sorted(folders, key=lambda folder: (int(folder.name), folder.name))
    return sorted(folders, key=lambda folder: folder.name)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_ENDINGS and not file.name.startswith(".") and file.is_file()
