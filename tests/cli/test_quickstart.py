"""`inkgrad quickstart`: the first minute, in a process of its own, and what it leaves."""

import re

import pytest

import inkgrad as ig
from inkgrad.errors import StorageError


def test_from_nothing_to_digits_in_files(process, inkgrad, home, tmp_path):
    told, said = (running := process("quickstart")).communicate(timeout=120)
    assert running.returncode == 0, said
    for words in ("1. Train a network (784-256-128-10)", "2. Check every gradient", "3. Recognize", "Try next:"):
        assert words in told
    assert "WRONG" not in told
    assert "Traceback" not in said
    model = home / "xdg_data_home" / "inkgrad" / "quickstart" / "model.safetensors"
    assert model.exists()
    assert sorted(p.name for p in model.parent.parent.iterdir()) == ["quickstart"]
    samples = sorted((tmp_path / "work" / "inkgrad-quickstart").iterdir())
    assert [p.name for p in samples] == [f"sample-{n}.png" for n in range(1, 7)]
    shown = [line.split() for line in told.splitlines() if "shows a" in line]
    assert len(shown) == 6
    assert sum(words[3].rstrip(",") == words[6] for words in shown) >= 5
    # Every command that it proposes works.
    proposed = [
        line.split("  ")[1].split() for line in told.split("Try next:")[1].splitlines() if re.match("  \\S", line)
    ]
    assert [words[:2] for words in proposed] == [["inkgrad", name] for name in ("classify", "evaluate", "train")]
    assert inkgrad(*proposed[0][1:]).status == 0
    assert inkgrad(*proposed[1][1:]).status == 0
    assert (tmp_path / "work" / "report.html").exists()
    # Its model is named by its path; without, the weights that ship read the samples.
    results = inkgrad("classify", "inkgrad-quickstart", "--model", model, "--json").json["results"]
    assert [str(r["value"]) for r in results] == [words[6] for words in shown]
    results = inkgrad("classify", "inkgrad-quickstart", "--json").json["results"]
    assert sum(str(r["value"]) == words[3].rstrip(",") for r, words in zip(results, shown, strict=True)) >= 5


@pytest.mark.slow
def test_json_and_a_second_time(inkgrad, home, tmp_path, monkeypatch):
    short = ig.training.Settings(model="softmax-regression", epochs=2)
    monkeypatch.setattr("inkgrad.cli.quickstart.quickstart_settings", lambda seed: short)
    ended = inkgrad("quickstart", "--json", "--out", tmp_path / "samples")
    assert ended.status == 0
    assert set(ended.json) == {"model", "test", "gradients", "samples", "seconds"}
    assert ended.json["gradients"]["passed"] is True
    assert ended.json["test"]["n"] == 360
    for sample in ended.json["samples"]:
        assert set(sample) == {"file", "digit", "value", "confidence"}
        assert sample["file"].startswith(str(tmp_path / "samples"))
    model = ig.models.load(ended.json["model"])
    again = inkgrad("quickstart", "--json", "--out", tmp_path / "samples")
    assert again.json["test"] == ended.json["test"]
    for name, array in ig.nn.state_of(ig.models.load(again.json["model"]).network).items():
        assert (array == dict(model.network.named_state())[name].data).all()

    def fail(*_, **__):
        raise StorageError("the disk is full")

    before = (home / "xdg_data_home/inkgrad/quickstart/model.safetensors").read_bytes()
    monkeypatch.setattr("inkgrad.training.run.save_classifier", fail)
    failed = inkgrad("quickstart", "--out", tmp_path / "samples")
    assert failed.status == 1
    assert failed.err.endswith("inkgrad: the disk is full\n")
    assert (home / "xdg_data_home/inkgrad/quickstart/model.safetensors").read_bytes() == before


def test_a_place_where_no_samples_can_go(inkgrad, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "inkgrad.cli.quickstart.quickstart_settings",
        lambda seed: ig.training.Settings(model="softmax-regression", steps=1),
    )
    (tmp_path / "file").write_text("mine")
    ended = inkgrad("quickstart", "--out", tmp_path / "file")
    assert ended.status in (1, 2)
    assert ended.err.splitlines()[-1].startswith(f"inkgrad: cannot write {tmp_path / 'file'}")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", ["quickstart", "classify"])
def test_nothing_of_the_user_is_looked_for_elsewhere(home, command):
    from inkgrad.training.quickstart import quickstart_folder

    assert quickstart_folder() == home / "xdg_data_home" / "inkgrad" / "quickstart"
