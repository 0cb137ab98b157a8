"""`inkgrad doctor`."""

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path

from inkgrad.cli.output import emit_json, say, table
from inkgrad.data import Dataset
from inkgrad.errors import OptionError
from inkgrad.training.doctor.diagnosis import Diagnosis
from inkgrad.training.doctor.examination import diagnose
from inkgrad.training.doctor.folder import OpenRun, open_run
from inkgrad.training.doctor.page import HEADER, layer_rows, write_diagnosis


def run(folder: Path, *, out: Path | None, seed: int, json: bool) -> None:
    """Examine a run, and say what is wrong with it."""
    if seed < 0:
        raise OptionError(f"the seed must not be negative, but is {seed}")
    with _status(f"examining {folder}"):
        opened = open_run(folder)
        trainer = opened.trainer
        diagnosis = diagnose(trainer, seed=seed, failure=opened.failure, finished=opened.finished, source=opened.source)
    title = f"The doctor on {folder}: {opened.settings.model} on {trainer.train.name}"
    assert isinstance(trainer.train, Dataset)  # a run's is
    page, data = write_diagnosis(
        out or folder, diagnosis, title=title, images=trainer.train.images, history=trainer.history
    )
    if json:
        emit_json({"run": str(folder), "report": str(page)} | diagnosis.as_json())
        return
    _print(diagnosis, opened)
    say(f"\n{_counted(len(diagnosis.suspects))} in {page}; all figures in {data}")


def _status(text: str) -> AbstractContextManager[object]:
    """A sign of life on a terminal: large networks take a minute."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.status(text) if console.is_terminal else contextlib.nullcontext()


def _print(diagnosis: Diagnosis, opened: OpenRun) -> None:
    state = "finished" if opened.finished else "not finished"
    say(
        f"{opened.settings.model} on {opened.trainer.train.name}, {state}, "
        f"after {diagnosis.epoch:.4g} epochs ({diagnosis.step:,} steps); examined was {diagnosis.source}\n"
    )
    table([word.lower() for word in HEADER], layer_rows(diagnosis), right=range(1, len(HEADER)))
    if diagnosis.update is not None:
        say(f"update/weight at a learning rate of {diagnosis.update.learning_rate:g}")
    say(f"\n{diagnosis}")


def _counted(suspects: int) -> str:
    return f"the {suspects} training digits with the highest loss are" if suspects else "the findings are"
