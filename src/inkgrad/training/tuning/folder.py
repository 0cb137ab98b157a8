"""The folder of a tuning: what may be there when it begins or goes on."""

from pathlib import Path

from inkgrad.data import Splits
from inkgrad.errors import CheckpointError, OptionError
from inkgrad.training.run import SETTINGS_FILE
from inkgrad.training.tuning.result import TUNING_FILE, TuningSettings, read_saved
from inkgrad.training.tuning.study import STUDY_FILE

__all__ = ["check_new", "check_saved", "fingerprint"]


def fingerprint(splits: Splits) -> str:
    """Of what is learned from and what trials are judged by."""
    return f"{splits.train.fingerprint()} {splits.validation.fingerprint()}"


def check_saved(folder: Path, settings: TuningSettings, splits: Splits, *, shared: bool) -> None:
    """Raise CheckpointError unless the tuning in the folder can go on with these settings and data."""
    saved = read_saved(folder)
    if TuningSettings.from_json(saved["settings"]) != settings:
        raise CheckpointError(f"the tuning in {folder} has other settings; resume with those it has")
    if saved["shared"] != shared:
        raise CheckpointError(
            f"the tuning in {folder} {'shares' if saved['shared'] else 'does not share'} a study with "
            f"others; resume {'with its' if saved['shared'] else 'without a'} storage"
        )
    if saved["data"] != fingerprint(splits):
        raise CheckpointError(
            f"the tuning in {folder} was made with other data than {splits.train.name} and "
            f"{splits.validation.name} are now; start a new one with another --out"
        )


def check_new(folder: Path) -> None:
    """Raise OptionError where a new tuning would replace something of another tuning or run."""
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file, but a tuning needs a folder; choose another --out")
    if (folder / TUNING_FILE).exists():
        raise OptionError(f"{folder} holds a tuning already; continue it with --resume or choose another --out")
    for name in (SETTINGS_FILE, STUDY_FILE):
        if (folder / name).exists():
            raise OptionError(f"{folder} holds {name} of something else; choose another --out")
