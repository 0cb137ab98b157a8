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
    joined = inkgrad("ensemble", trained, trained, "--out", tmp_path / "both.safetensors", "--json")
    assert joined.status == 0, joined.err
    assert joined.json["members"] == 2
    images = load_digits()[1].images
    one, two = ig.models.load(trained), ig.models.load(tmp_path / "both.safetensors")
    np.testing.assert_allclose(one.predict_proba(images), two.predict_proba(images), rtol=1e-4, atol=1e-7)
    assert two.header["training"]["settings"]["model"] == "mlp"
    evaluated = inkgrad("evaluate", tmp_path / "both.safetensors", "--json")
    assert evaluated.status == 0, evaluated.err
    again = inkgrad("ensemble", trained, "--out", tmp_path / "both.safetensors")
    assert (again.status, "both.safetensors is there already; choose another --out" in again.err) == (2, True)
    missing = inkgrad("ensemble", tmp_path / "nowhere")
    assert missing.status == 2
    assert "nowhere" in missing.err
