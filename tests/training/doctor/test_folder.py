"""Runs as they lie in their folders: finished, stopped, diverged, damaged."""

import json
import shutil

import pytest

from inkgrad.errors import CheckpointError, DataError, DivergenceError, InputError, ModelFileError, OptionError
from inkgrad.training import CHECKPOINT_FILE, Callback, Run, Settings, examine

SMALL = {"model": "softmax-regression", "batch_size": 200}


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def diverged(folder, digits, rate, **more):
    with pytest.raises(DivergenceError) as error:
        Run(folder, Settings(**SMALL, learning_rate=rate, **more), digits).train()
    return str(error.value)


def test_a_finished_run(finished, digits):
    before = files(finished)
    diagnosis = examine(finished)
    assert files(finished) == before
    assert (diagnosis.epoch, diagnosis.step) == (3, 30)
    assert diagnosis.source == f"the checkpoint {finished / CHECKPOINT_FILE}"
    history = [json.loads(line) for line in (finished / "history.jsonl").read_text().splitlines()]
    assert diagnosis.validation.accuracy == pytest.approx(history[-1]["validation_accuracy"])
    assert len(diagnosis.training) == len(digits.train)


def test_a_finished_run_without_its_checkpoint(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / CHECKPOINT_FILE).unlink()
    diagnosis, whole = examine(tmp_path / "run"), examine(finished)
    assert "with a fresh optimizer, as there is no checkpoint" in diagnosis.source
    assert diagnosis.training.accuracy == whole.training.accuracy
    assert diagnosis.layers == whole.layers
    assert diagnosis.update.ratios != whole.update.ratios  # its momentum is lost
    (tmp_path / "run" / "history.jsonl").unlink()
    assert examine(tmp_path / "run").unjudged["overfitting"] == "no epoch has been made"


@pytest.mark.parametrize(("rate", "left"), [(100.0, 3), (1e38, 0)])  # after some epochs, and in the first
def test_a_run_that_diverged(tmp_path, digits, rate, left):
    message = diverged(tmp_path, digits, rate, epochs=20)
    assert (tmp_path / CHECKPOINT_FILE).exists() == (left > 0)
    before = files(tmp_path)
    diagnosis = examine(tmp_path)
    assert files(tmp_path) == before
    assert diagnosis.findings[0].name == "diverged"
    assert diagnosis.findings[0].evidence["message"] == message
    assert "suspect-labels" not in diagnosis.judged
    assert (diagnosis.epoch > 0) == (left > 0)


def test_a_run_that_was_stopped(tmp_path, digits):
    class Stop(Callback):
        def on_epoch(self, trainer, record):
            if trainer.step_count >= 12:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, Settings(**SMALL, epochs=5), digits, callbacks=[Stop()]).train()
    diagnosis = examine(tmp_path)
    assert diagnosis.step == 6
    assert "diverged" not in diagnosis.names
    assert diagnosis.unjudged["underfitting"] == "fewer than two epochs have been made"


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("settings.json", "{", CheckpointError, r"settings\.json is damaged: JSONDecodeError"),
        ("settings.json", None, CheckpointError, r"holds no run: it has no settings\.json; name a folder that inkgrad"),
        (CHECKPOINT_FILE, "none", ModelFileError, "checkpoint"),
        ("settings.json", '{"settings": {"data": "/none/such"}}', DataError, "there is no data set"),
        ("settings.json", '{"settings": {"model": "mlp"}}', InputError, "belongs to another training"),
    ],
)
def test_a_damaged_run(finished, tmp_path, name, content, error, words):
    shutil.copytree(finished, tmp_path / "run")
    if content is None:
        (tmp_path / "run" / name).unlink()
    else:
        (tmp_path / "run" / name).write_text(content)
    with pytest.raises(error, match=words):
        examine(tmp_path / "run")


@pytest.mark.parametrize("content", ["{", '{"epoch": 1}', "[]"])
def test_a_damaged_history_matters_where_it_is_needed(finished, tmp_path, content):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "history.jsonl").write_text(content)
    examine(tmp_path / "run")  # the checkpoint has it too
    (tmp_path / "run" / CHECKPOINT_FILE).unlink()
    with pytest.raises(CheckpointError, match=r"history\.jsonl is damaged: .*delete it to examine the run without"):
        examine(tmp_path / "run")


def test_no_run(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no folder .*; name the folder of a run"):
        examine(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="is a file, but the doctor needs the folder of a run"):
        examine(tmp_path / "file")


def test_what_is_no_examination(finished, run_of, digits):
    trainer = run_of(model="softmax-regression", epochs=1)
    images = digits.train.images[:5, None].astype("float32")
    with pytest.raises(OptionError, match="at least 1 digit"):
        examine(finished, digits=0)
    with pytest.raises(OptionError, match=r"give it a batch: examine\(step, images, labels\)"):
        examine(trainer.step)
    with pytest.raises(OptionError, match="a batch belongs to a TrainStep"):
        examine(trainer, images, digits.train.labels[:5])
