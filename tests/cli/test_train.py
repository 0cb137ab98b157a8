"""`inkgrad train`: the run folder, kill -9, Ctrl-C, a full disk, divergence."""

import json
import os
import shlex
import signal
import sys
import time

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import inkgrad as ig
from inkgrad.data import load_digits
from inkgrad.training import saved_settings

QUICK = ("--model", "two-layer", "--hidden", "8", "--batch-size", "200")
KEYS = {
    *("out", "model", "parameters", "epoch", "step", "loss", "accuracy", "learning_rate"),
    *("images_per_second", "seconds", "validation_loss", "validation_accuracy"),
}


def weights(folder):
    return {name: array.tobytes() for name, array in load_file(folder / "model.safetensors").items()}


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_json_is_one_object(inkgrad, home):
    ended = inkgrad("train", *QUICK, "--epochs", 2, "--json")
    assert ended.status == 0
    assert set(ended.json) == KEYS
    assert ended.json["out"] == "runs/two-layer"
    assert ended.json["parameters"] == 784 * 8 + 8 + 80 + 10
    assert ended.json["step"] == 12
    assert ended.err.splitlines()[-1].startswith("epoch   2.00")
    assert list(home.glob("*/inkgrad")) == []


@pytest.mark.slow
def test_for_people_and_folders_of_its_own(inkgrad, tmp_path):
    for name in ("two-layer", "two-layer-2", "two-layer-3"):
        ended = inkgrad("train", *QUICK, "--steps", 3)
        assert ended.status == 0
        assert f"next: inkgrad evaluate runs/{name} --split validation\n" in ended.out
        assert "trained two-layer (6,370 parameters) for 3 steps on digits train" in ended.out
    assert sorted(p.name for p in (tmp_path / "work" / "runs").iterdir()) == ["two-layer", "two-layer-2", "two-layer-3"]


def test_every_choice_arrives(inkgrad, tmp_path):
    out = tmp_path / "run"
    line = (
        "--data digits --train-on all --model mlp --hidden 9,7 --steps 3 --batch-size 50 --optimizer adamw "
        "--learning-rate 0.01 --schedule cosine --warmup-steps 1 --l1 1e-5 --l2 1e-4 --weight-decay 0.2 "
        "--clip-norm 2 --average 0.9 --scaling standard --seed 5 --normalize deskew,size "
        "--label-smoothing 0.1 --augment rotation=5,noise=0.1 --mixup 0.3 --pca 30 --views 3"
    )
    ended = inkgrad("train", *line.split(), "--out", out, "--json")
    assert set(ended.json) == {key for key in KEYS if "validation" not in key}
    settings = saved_settings(out).as_json()
    default = ig.training.Settings().as_json()
    assert {key for key, value in settings.items() if value == default[key]} == {
        *("data", "model", "width", "depth", "epochs", "momentum", "clip_value", "early_stopping", "recipe"),
        *("teacher", "temperature", "teacher_weight", "calibrate", "members"),
    }
    assert settings["normalize"] == ("deskew", "size")
    assert settings["augmentation"] == {"rotation": 5, "noise": 0.1}
    assert settings["hidden"] == (9, 7)
    stopped = inkgrad("train", *QUICK, "--epochs", 50, "--learning-rate", 5, "--early-stopping", 1, "--clip-value", 0.1)
    assert stopped.status == 0
    assert "stopped early: the validation loss has not improved for 1 epoch" in stopped.err


@pytest.mark.slow
def test_the_recipe_of_a_run_makes_it_again(inkgrad, tmp_path):
    """As does the command on its card; with a recipe, and without."""
    line = (
        "--recipe lenet5-distorted --data digits --steps 5 --batch-size 40 --seed 3 --normalize deskew",
        "--model cnn --steps 3 --batch-size 20 --l2 1e-4 --scaling standard --label-smoothing 0.1 --augment noise=0.2",
    )
    for number, words in enumerate(line):
        first, again, third = (tmp_path / f"{name}-{number}" for name in ("first", "again", "third"))
        assert inkgrad("train", *words.split(), "--out", first).status == 0
        assert inkgrad("train", "--recipe", first / "recipe.toml", "--out", again).status == 0
        card = (first / "MODEL_CARD.md").read_text()
        command = card.split("## Make it again\n\n```sh\ninkgrad ")[1].split("\n")[0]
        assert inkgrad(*shlex.split(command), "--out", third).status == 0
        assert weights(first) == weights(again) == weights(third)


def test_the_seed_decides(inkgrad, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert inkgrad("train", *QUICK, "--epochs", 1, "--seed", seed, "--out", tmp_path / name).status == 0
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")


def test_nothing_is_overwritten(inkgrad, trained):
    before = files(trained)
    for line in (["--epochs", 1], ["--model", "two-layer"]):
        ended = inkgrad("train", *line, "--out", trained)
        assert ended.status == 2
        assert (
            ended.err == f"inkgrad: {trained} holds a run already; continue it with --resume or choose another --out\n"
        )
        assert files(trained) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--learning-rate 0", "the learning rate must be positive and finite, but is 0"),
        ("--learning-rate -0.1", "the learning rate must be positive and finite, but is -0.1"),
        ("--learning-rate nan", "the learning rate must be positive and finite, but is nan"),
        ("--epochs 1 --steps 1", "give a training either epochs or steps, not both"),
        ("--epochs 0", "epochs must be at least 1, but is 0"),
        ("--batch-size 0", "batch-size must be at least 1, but is 0"),
        ("--hidden 12x", "--hidden takes widths such as 128 or 300,100, but got '12x'"),
        ("--hidden 0", "mlp needs widths of at least 1"),
        ("--model two-layer --hidden 3,3", "two-layer has one hidden layer"),
        ("--model softmax-regression --hidden 3", "softmax-regression has no option 'hidden'"),
        ("--checkpoint-seconds -1", "seconds between checkpoints must not be negative"),
        ("--normalize upright", "normalization 'upright' is not known; there are deskew, center, size, stroke"),
        ("--augment rotation", "--augment takes numbers such as rotation=10,shift=2, but got 'rotation'"),
        ("--augment rotation=x", "--augment takes numbers such as rotation=10,shift=2, but got 'rotation=x'"),
        ("--augment turn=1", "there is no augmentation 'turn'; there are rotation"),
        ("--augment shift=99", "augmentation shift must be a number from 0 to 28, but is 99"),
        ("--label-smoothing 1", "label-smoothing must be from 0 to below 1"),
        ("--model mlp --width 3", "mlp has no option 'width'"),
        ("--recipe best", "there is no recipe 'best'; there are best-single"),
        ("--average 1", "average must be between 0 and 1, but is 1"),
        ("--clip-norm 0", "clip-norm must be positive and finite, but is 0"),
        ("--early-stopping 2 --train-on all", "early stopping needs validation data"),
        ("--seed -1", "seed must not be negative"),
        ("--resume", "--resume needs --out"),
        ("--resume --out nowhere", "there is no run to resume in nowhere: it has no settings.json"),
        ("--data nowhere", "there is no data set 'nowhere'"),
    ],
)
def test_choices_that_cannot_be_leave_nothing(inkgrad, tmp_path, line, words):
    ended = inkgrad("train", *line.split())
    assert ended.status == 2
    assert ended.err.startswith("inkgrad: ")
    assert ended.err.count("\n") == 1
    assert words in ended.err
    assert ended.out == ""
    assert list((tmp_path / "work").iterdir()) == []


def test_a_number_of_threads_that_cannot_be(inkgrad, monkeypatch):
    monkeypatch.setenv("INKGRAD_THREADS", "many")
    ended = inkgrad("train", *QUICK)
    assert ended.status == 2
    assert ended.err == "inkgrad: INKGRAD_THREADS must be a number from 1 to 256, but is 'many'\n"


# Resuming


@pytest.mark.slow
def test_a_finished_run_may_go_on(inkgrad, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert inkgrad("train", *QUICK, "--epochs", 4, "--out", whole).status == 0
    assert inkgrad("train", *QUICK, "--epochs", 2, "--out", parts).status == 0
    ended = inkgrad("train", "--resume", "--epochs", 4, "--out", parts, "--json")
    assert ended.json["step"] == 24
    assert weights(parts) == weights(whole)
    assert saved_settings(parts) == saved_settings(whole)
    again = inkgrad("train", "--resume", "--out", parts)
    assert again.status == 0
    assert weights(parts) == weights(whole)


@pytest.mark.slow
def test_a_log_for_tensorboard_goes_on_by_itself(inkgrad, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with_log, without = tmp_path / "with", tmp_path / "without"
    ended = inkgrad("train", *QUICK, "--epochs", 2, "--tensorboard", "--out", with_log)
    assert f"log for: tensorboard --logdir {with_log / 'tensorboard'}\n" in ended.out
    assert inkgrad("train", "--resume", "--epochs", 4, "--out", with_log).status == 0
    log = EventAccumulator(str(with_log / "tensorboard")).Reload()
    lines = [json.loads(line) for line in (with_log / "history.jsonl").read_text().splitlines()]
    assert [(e.step, e.value) for e in log.Scalars("accuracy/validation")] == [
        (line["step"], pytest.approx(line["validation_accuracy"])) for line in lines
    ]
    assert len(lines) == 4
    assert inkgrad("train", *QUICK, "--epochs", 4, "--out", without).status == 0
    assert weights(with_log) == weights(without)
    assert not (without / "tensorboard").exists()
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    refused = inkgrad("train", *QUICK, "--tensorboard", "--out", tmp_path / "none")
    assert refused.status == 2
    assert 'pip install "inkgrad[tensorboard]"' in refused.err
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_resuming_something_else_is_refused(inkgrad, tmp_path):
    out = tmp_path / "run"
    assert inkgrad("train", *QUICK, "--epochs", 2, "--schedule", "cosine", "--out", out).status == 0
    before = files(out)
    for line, words in [
        ("--model mlp", "--model is mlp here, but the run to resume has two-layer"),
        ("--hidden 30,20", "--hidden is 30,20 here, but the run to resume has 8; leave"),
        ("--clip-norm 2", "--clip-norm is 2.0 here, but the run to resume has its default"),
        ("--model softmax-regression", "--model is softmax-regression here, but the run to resume has two-layer"),
        ("--optimizer adam", "--optimizer is adam here, but the run to resume has momentum; leave it out, or start"),
        ("--data mnist", "--data is mnist here, but the run to resume has digits"),
        ("--batch-size 20", "--batch-size is 20 here, but the run to resume has 200"),
        ("--seed 3", "--seed is 3 here, but the run to resume has 0"),
        ("--epochs 9", "has a cosine schedule made for its own length, so it cannot be prolonged"),
        ("--epochs 1", "cosine schedule"),
    ]:
        ended = inkgrad("train", "--resume", "--out", out, *line.split())
        assert ended.status == 2, line
        assert ended.err.count("\n") == 1
        assert words in ended.err
        assert files(out) == before


@pytest.mark.slow
def test_resuming_with_data_that_have_changed_is_refused(inkgrad, tmp_path):
    digits = load_digits()[0]

    def write(labels):
        rows = np.column_stack([labels, digits.images[:200].reshape(200, -1)])
        np.savetxt(tmp_path / "some.csv", rows, fmt="%d", delimiter=",")

    write(digits.labels[:200])
    out = tmp_path / "run"
    line = ("--data", tmp_path / "some.csv", "--batch-size", 30)
    assert inkgrad("train", *line, "--epochs", 1, "--out", out).status == 0
    before = files(out)
    write((digits.labels[:200] + 1) % 10)
    ended = inkgrad("train", "--resume", "--epochs", 3, "--out", out)
    assert ended.status == 2
    assert "belongs to another training: its data is " in ended.err
    assert files(out) == before


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "settings.json"])
def test_a_damaged_run_is_not_resumed(inkgrad, tmp_path, name):
    out = tmp_path / "run"
    assert inkgrad("train", *QUICK, "--epochs", 1, "--out", out).status == 0
    (out / name).write_bytes((out / name).read_bytes()[:-20])
    before = files(out)
    ended = inkgrad("train", "--resume", "--out", out)
    assert ended.status == 2
    assert f"{name} is damaged" in ended.err
    assert ended.err.count("\n") == 1
    assert files(out) == before


# Processes that end before their time


LONG = (
    "--model",
    "mlp",
    "--hidden",
    "64",
    "--batch-size",
    "4",
    "--epochs",
    "4",
    "--average",
    "0.99",
    "--optimizer",
    "adam",
)


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


def steps_of(path):
    """How many steps the checkpoint has seen; it is whole at any time."""
    from inkgrad.nn.state import read_arrays

    return read_arrays(path, "checkpoint")[0]["trainer"]["step_count"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The weights of the long run when nothing happens to it."""
    from inkgrad.cli.main import main

    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    with pytest.raises(SystemExit):
        main(["train", *LONG, "--out", str(folder)])
    return weights(folder)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_kill_9_in_the_middle_of_an_epoch(inkgrad, process, tmp_path, uninterrupted):
    out = tmp_path / "run"
    checkpoint = out / "checkpoint.safetensors"
    killed_at = []
    for line in (("train", *LONG), ("train", "--resume")):
        running = process(*line, "--out", out, "--checkpoint-seconds", "0.02")
        past = killed_at[-1] if killed_at else 0
        wait_for(lambda: checkpoint.exists() and steps_of(checkpoint) > past + 50, running)  # noqa: B023
        running.send_signal(signal.SIGKILL)
        assert running.wait(30) == -signal.SIGKILL
        killed_at.append(steps_of(checkpoint))
        assert not (out / "model.safetensors").exists()
    assert any(step % 300 for step in killed_at)
    ended = inkgrad("train", "--resume", "--out", out, "--json")
    assert ended.status == 0
    assert ended.json["step"] == 1200
    assert weights(out) == uninterrupted
    assert len((out / "history.jsonl").read_text().splitlines()) == 4


@pytest.mark.skipif(os.name != "posix", reason="the signal is POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_save_a_checkpoint(inkgrad, process, tmp_path, uninterrupted, number):
    out = tmp_path / "run"
    running = process("train", *LONG, "--out", out, "--checkpoint-seconds", "0.02", "--json")
    wait_for((out / "checkpoint.safetensors").exists, running)
    running.send_signal(number)
    told, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"a checkpoint is saved; continue with: inkgrad train --resume --out {out}\n" in said
    assert said.endswith("inkgrad: interrupted\n")
    assert "Traceback" not in said
    assert json.loads(told) == {"error": "interrupted", "status": 130}
    assert inkgrad("train", "--resume", "--out", out).status == 0
    assert weights(out) == uninterrupted


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the limit is POSIX's")
def test_a_full_disk_while_a_checkpoint_is_written(inkgrad, process, tmp_path):
    import resource

    out = tmp_path / "run"
    line = ("--model", "mlp", "--hidden", "200", "--batch-size", "100", "--optimizer", "momentum")
    assert inkgrad("train", *line, "--epochs", 1, "--out", out).status == 0
    before = files(out)
    size = len(before["checkpoint.safetensors"])

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1000, size - 1000))

    full = process("train", "--resume", "--epochs", 3, "--out", out, preexec_fn=limit)
    told, said = full.communicate(timeout=60)
    assert full.returncode == 1
    assert told == ""
    assert said.splitlines()[-1] == (
        f"inkgrad: cannot write {out / 'checkpoint.safetensors'}: File too large; what was there before is unchanged"
    )
    assert "Traceback" not in said
    after = files(out)
    assert after.keys() == before.keys()  # no temporary file is left
    for name in ("checkpoint.safetensors", "model.safetensors"):
        assert after[name] == before[name]
    whole = tmp_path / "whole"
    assert inkgrad("train", *line, "--epochs", 3, "--out", whole).status == 0
    assert inkgrad("train", "--resume", "--epochs", 3, "--out", out).status == 0
    assert weights(out) == weights(whole)


def test_divergence_ends_in_1_and_leaves_the_last_good_checkpoint(inkgrad, tmp_path):
    out = tmp_path / "run"
    ended = inkgrad("train", "--optimizer", "sgd", "--learning-rate", 1e4, "--epochs", 5, "--out", out)
    assert ended.status == 1
    assert ended.out == ""
    assert ended.err.splitlines()[-1].startswith("inkgrad: training ")
    assert "lower the learning rate" in ended.err
    assert "Warning" not in ended.err
    assert not (out / "model.safetensors").exists()
    kept = out / "checkpoint.safetensors"
    if kept.exists():
        for array in load_file(kept).values():
            assert np.isfinite(array).all()


def test_a_loss_that_runs_away(inkgrad, tmp_path):
    line = ("--model", "two-layer", "--optimizer", "sgd", "--learning-rate", 80, "--batch-size", 10)
    ended = inkgrad("train", *line, "--epochs", 5, "--out", tmp_path / "run")
    assert ended.status == 1
    last = ended.err.splitlines()[-1]
    assert last.startswith("inkgrad: training diverged: the loss rose from 2.3 to ")
    advice = "lower the learning rate or clip the gradient; for more: inkgrad doctor "
    assert f"at a learning rate of 80; {advice}" in last


def test_class_folders_of_any_name(inkgrad, tmp_path):
    digits = load_digits()[0]
    for digit, name in ((1, "one"), (7, "seven")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in np.flatnonzero(digits.labels == digit)[:40]:
            Image.fromarray(digits.images[index]).save(tmp_path / "data" / name / f"{index}.png")
    out = tmp_path / "run"
    line = ("--data", tmp_path / "data", "--batch-size", 8, "--hidden", 16, "--epochs", 15)
    assert inkgrad("train", *line, "--out", out).status == 0
    found = inkgrad("evaluate", out, "--json").json
    assert found["n"] == 8
    assert np.shape(found["confusion"]) == (2, 2)
    assert found["accuracy"] > 0.8
    some = next((tmp_path / "data" / "seven").iterdir())
    assert inkgrad("classify", some, "--model", out, "--json").json["results"][0]["label"] == "seven"
    wrong = inkgrad("evaluate", out, "--data", "digits")
    assert wrong.status == 2
    assert "the model knows the classes one, seven, but digits test has 0, 1, 2" in wrong.err
