"""`inkgrad train --members` and `inkgrad ensemble`."""

import os
import signal
import time

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import load_digits

LINE = ("--model", "two-layer", "--hidden", "8", "--batch-size", "20", "--epochs", "4", "--members", "3")


def members(folder):
    return [array.tobytes() for array in ig.nn.state_of(ig.models.load(folder).network).values()]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_kill_9_in_the_middle_of_an_ensemble(inkgrad, process, tmp_path):
    whole = inkgrad("train", *LINE, "--out", tmp_path / "whole")
    assert whole.status == 0, whole.err
    assert "trained an ensemble of 3 two-layer (19,110 parameters) for 720 steps" in whole.out
    assert "validation accuracy of the members alone: " in whole.out
    assert "member 3 of 3, seed 2\n" in whole.err
    out = tmp_path / "killed"
    checkpoint = out / "member-1" / "checkpoint.safetensors"
    running = process("train", *LINE, "--out", out, "--checkpoint-seconds", "0.01")
    end = time.monotonic() + 60
    while not checkpoint.exists() and running.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.wait(30) == -signal.SIGKILL
    assert not (out / "model.safetensors").exists()
    again = inkgrad("train", "--resume", "--out", out, "--json")
    assert again.status == 0, again.err
    assert again.json["members"] == 3
    assert members(out) == members(tmp_path / "whole")


def test_joining_runs(inkgrad, tmp_path, trained):
    other = tmp_path / "other"
    assert inkgrad("train", "--train-on", "all", "--epochs", "2", "--out", other).status == 0
    out = tmp_path / "both.safetensors"
    joined = inkgrad("ensemble", trained, other, "--out", out, "--json")
    assert joined.status == 0, joined.err
    assert joined.json["members"] == 2
    images = load_digits()[1].images
    answers = [ig.models.load(path).predict_proba(images) for path in (trained, other)]
    both = ig.models.load(out)
    np.testing.assert_allclose(both.predict_proba(images), np.mean(answers, axis=0), rtol=1e-4, atol=1e-7)
    assert both.header["training"]["settings"]["model"] == "mlp"
    assert inkgrad("evaluate", out, "--json").status == 0
    seen = inkgrad("evaluate", out, "--split", "validation")
    assert (seen.status, "so it has learned from the validation part" in seen.err) == (2, True)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("run",), "an ensemble needs at least two models, but got 1"),
        (("run", "run"), "an ensemble needs different models, but one is named twice"),
        (("run", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_joined(inkgrad, tmp_path, trained, names, words):
    ended = inkgrad("ensemble", *(trained if name == "run" else tmp_path / name for name in names))
    assert (ended.status, words in ended.err) == (2, True)
    assert list(tmp_path.glob("**/*.safetensors")) == []


def test_nothing_is_replaced(inkgrad, tmp_path, trained):
    other = tmp_path / "other.safetensors"
    other.write_bytes((trained / "model.safetensors").read_bytes())
    ended = inkgrad("ensemble", trained, other, "--out", other)
    assert (ended.status, "other.safetensors is there already; choose another --out" in ended.err) == (2, True)
