"""`inkgrad doctor`."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from inkgrad.training.doctor import ILLNESSES

KEYS = {
    *("run", "report", "source", "epoch", "step", "findings", "layers", "update", "accuracy", "suspects"),
    *("judged", "unjudged"),
}


@pytest.fixture
def ill(inkgrad, tmp_path):
    """A run whose units have died."""
    out = tmp_path / "ill"
    assert inkgrad("train", "--learning-rate", 3, "--epochs", 3, "--out", out).status == 0
    return out


def test_for_people(inkgrad, ill):
    ended = inkgrad("doctor", ill)
    assert ended.status == 0
    assert ended.err == ""
    lines = ended.out.splitlines()
    source = f"examined was the checkpoint {ill / 'checkpoint.safetensors'}"
    assert lines[0] == f"mlp on digits train, finished, after 3 epochs (30 steps); {source}"
    assert any(line.startswith("layers.2 ReLU") and line.endswith("100%") for line in lines)
    assert lines.index(next(line for line in lines if line.startswith("SERIOUS  dead-units: "))) > 5
    assert "  measured: 128 of 128 units of layers.2 ReLU are 0 for every digit looked at" in ended.out
    assert "  to do: Begin again with a lower --learning-rate" in ended.out
    assert "not looked for, as the network has no layer of sigmoid or tanh: saturated-units" in ended.out
    assert lines[-1].endswith(f"highest loss are in {ill / 'doctor.html'}; all figures in {ill / 'doctor.json'}")
    assert (ill / "doctor.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_json(inkgrad, ill, tmp_path):
    ended = inkgrad("doctor", ill, "--out", tmp_path / "new", "--json")
    assert ended.json.keys() == KEYS
    assert ended.json["findings"][0]["name"] == "dead-units"
    assert ended.json["report"] == str(tmp_path / "new" / "doctor.html")
    written = json.loads((tmp_path / "new" / "doctor.json").read_text())
    assert written == {key: value for key, value in ended.json.items() if key not in ("run", "report")}
    assert not (ill / "doctor.html").exists()
    assert inkgrad("doctor", ill, "--seed", 1, "--json").json["layers"] != written["layers"]


def test_a_healthy_run(inkgrad, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    ended = inkgrad("doctor", tmp_path / "run")
    assert "\nSERIOUS" not in ended.out
    assert "looked for: diverged, vanishing-gradients" in ended.out
    for name in ILLNESSES:
        assert name in ended.out


def test_a_run_that_diverged_can_be_examined(inkgrad, tmp_path):
    out = tmp_path / "run"
    assert inkgrad("train", "--learning-rate", 1e20, "--out", out).status == 1
    ended = inkgrad("doctor", out)
    assert ended.status == 0
    assert "mlp on digits train, not finished, after 0 epochs (0 steps)" in ended.out
    assert "SERIOUS  diverged: " in ended.out
    assert "--learning-rate a tenth of this one (the rate was 1e+20)" in ended.out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no folder {}; name the folder of a run, such as runs/mlp"),
        (lambda path: path.mkdir(), "{} holds no run: it has no settings.json; name a folder that inkgrad train made"),
        (lambda path: path.touch(), "{} is a file, but the doctor needs the folder of a run, such as runs/mlp"),
    ],
)
def test_no_run(inkgrad, tmp_path, make, words):
    make(tmp_path / "x")
    ended = inkgrad("doctor", tmp_path / "x")
    assert ended.status == 2
    assert ended.err == f"inkgrad: {words.format(tmp_path / 'x')}\n"
    assert inkgrad("doctor", tmp_path / "x", "--json").json["status"] == 2


def test_a_damaged_checkpoint(inkgrad, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"none")
    ended = inkgrad("doctor", tmp_path / "run")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "checkpoint.safetensors" in ended.err
    assert not (tmp_path / "run" / "doctor.html").exists()


def test_a_negative_seed(inkgrad, trained):
    ended = inkgrad("doctor", trained, "--seed", -1)
    assert ended.status == 2
    assert ended.err == "inkgrad: the seed must not be negative, but is -1\n"


def test_a_page_that_cannot_be_written(inkgrad, trained, tmp_path):
    (tmp_path / "file").touch()
    ended = inkgrad("doctor", trained, "--out", tmp_path / "file")
    assert ended.status == 1
    assert "cannot write" in ended.err


def test_beside_a_training(inkgrad, tmp_path):
    line = ("train", "--learning-rate", 3, "--epochs", 3, "--out")
    told, silent = inkgrad(*line, tmp_path / "a", "--doctor"), inkgrad(*line, tmp_path / "b")
    assert re.search(r"doctor, epoch 1.00: serious, dead-units. 1\d\d of 128 units", told.err)
    assert "doctor, epoch" not in silent.err
    assert f"this is hardly better than guessing; to see why: inkgrad doctor {tmp_path / 'b'}" in silent.err
    names = ("model.safetensors", "settings.json")
    weights = [load_file(tmp_path / run / names[0]) for run in "ab"]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[1])
    assert (tmp_path / "a" / names[1]).read_bytes() == (tmp_path / "b" / names[1]).read_bytes()
    resumed = inkgrad("train", "--resume", "--out", tmp_path / "b", "--epochs", 4, "--doctor")
    assert "doctor, epoch 4.00: serious, dead-units" in resumed.err


def test_a_run_whose_weights_were_not_kept(inkgrad, tmp_path):
    run = tmp_path / "run"
    assert inkgrad("train", "--model", "two-layer", "--epochs", 1, "--out", run).status == 0
    for name in ("model.safetensors", "checkpoint.safetensors"):
        (run / name).unlink()
    ended = inkgrad("doctor", run)
    assert ended.status == 2
    assert (
        f"were not kept, as of a trial of a search; to examine it, train it again: inkgrad train --recipe {run}"
        in ended.err
    )


@pytest.mark.slow
def test_the_doctor_knows_a_teacher(inkgrad, tmp_path):
    """The loss beside a teacher never comes near 0; that is no illness."""
    teacher, student = tmp_path / "teacher", tmp_path / "student"
    line = ("train", "--model", "two-layer", "--epochs", 20, "--learning-rate", 0.1)
    assert inkgrad(*line, "--out", teacher).status == 0
    taught = ("--teacher", teacher, "--temperature", 4, "--teacher-weight", 1, "--mixup", 0.2)
    assert inkgrad(*line[:-1], 0.03, *taught, "--out", student).status == 0
    found = inkgrad("doctor", student, "--json").json
    assert [one["name"] for one in found["findings"] if one["severity"] != "note"] == []


@pytest.mark.slow
def test_an_ensemble_is_examined_member_by_member(inkgrad, tmp_path):
    line = ("--model", "two-layer", "--epochs", "2", "--members", "2", "--out", tmp_path / "run")
    assert inkgrad("train", *line).status == 0
    ended = inkgrad("doctor", tmp_path / "run")
    assert (ended.status, "is an ensemble; name one of its members, such as" in ended.err) == (2, True)
    assert inkgrad("doctor", tmp_path / "run" / "member-1").status == 0
