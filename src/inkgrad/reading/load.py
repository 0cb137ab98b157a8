"""The reader that the command line reads with."""

from pathlib import Path

from inkgrad.errors import ModelFileError
from inkgrad.models import MODEL_FILE
from inkgrad.reading.reader import Reader

__all__ = ["load_reader", "reader_file"]


def load_reader(model: Path | None) -> Reader:
    """The reader of a model file or of a run's folder, or the one that comes with inkgrad.

    Raises:
        ModelFileError: the file is missing, damaged, foreign or too new.
    """
    if model is None:
        return Reader.pretrained()
    file = reader_file(model)
    try:
        return Reader.load(file)
    except ModelFileError as error:
        told = str(error) if str(file) in str(error) else f"{file}: {error}"
        raise ModelFileError(told) from error
    except (AttributeError, KeyError, TypeError) as error:  # a header that lacks what a reader needs
        raise ModelFileError(
            f"{file} is no reader's model file, or a damaged one ({type(error).__name__} {error}); name another"
        ) from error


def reader_file(model: Path) -> Path:
    """The model file that is meant by a file or a run's folder.

    Raises:
        ModelFileError: there is none.
    """
    file = model / MODEL_FILE if model.is_dir() else model
    if file.is_file():
        return file
    if model.is_dir():
        raise ModelFileError(f"the folder {model} holds no {MODEL_FILE}, expected the folder of a reader's training")
    raise ModelFileError(f"there is no reader's model file {model}; check the path")
