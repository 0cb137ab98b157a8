"""`inkgrad train --from-feedback`: what it writes, what it leaves alone, and what it refuses."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inkgrad as ig
from inkgrad.cli.main import main
from inkgrad.data import load_digits
from inkgrad.feedback import Entry, Store
from inkgrad.models import MODEL_FILE, save_classifier


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Sevens upside down, and what cannot be learned from."""
    digits = load_digits()[0]
    return kept(tmp_path / "feedback.sqlite", digits.images[digits.labels == 7][:60, ::-1])


def kept(path: Path, images: np.ndarray) -> str:
    """A database in which all images are corrected to sevens."""
    url = f"sqlite:///{path}"
    store = Store(url)
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        store.add(Entry(file.getvalue(), "7"))
    store.add(Entry(b"no picture", "1"))
    store.close()
    return url


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--from-feedback", *arguments])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


@pytest.mark.slow
def test_a_model_learns_corrections_and_another_is_written(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path / "no data"))
    monkeypatch.chdir(tmp_path)
    options = ("--database", database, "--start", "tiny", "--epochs", "15", "--learning-rate", "0.003")
    status, out, err = run(capsys, *options, "--json")
    assert status == 0, err
    assert err.splitlines()[-1].startswith("measuring")
    told = json.loads(out)
    assert told["learned"] + told["held_out"] == 60 and told["unused"] == 1
    assert told["after"]["held_out"]["right"] > told["before"]["held_out"]["right"]
    assert told["after"]["original"]["of"] == 237 and "mnist" not in told["after"]
    assert told["model"] == str(Path("runs") / "feedback" / MODEL_FILE)
    tuned = ig.models.load(told["model"])
    assert tuned.header["training"]["feedback"]["start"] == "tiny" and tuned.refuses
    status, out, err = run(capsys, *options, "--out", "mine")
    assert status == 0 and "right before" in out and "MNIST validation digits: not at hand" in out
    assert "inkgrad serve --model mine" in out
    status, out, err = run(capsys, *options, "--out", "mine")
    assert status == 2 and "exists" in err


@pytest.mark.slow
def test_a_model_is_replaced_only_when_told_and_only_by_a_better_one(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKGRAD_DATA", str(tmp_path / "no data"))
    model = tmp_path / "mine.safetensors"
    save_classifier(model, ig.models.pretrained("tiny"))
    first = model.read_bytes()
    options = ("--start", str(model), "--epochs", "5", "--replace")
    status, _, err = run(capsys, *options, "--database", database, "--learning-rate", "0.0003")
    assert status == 0, err
    second = model.read_bytes()
    assert second != first
    nonsense = kept(tmp_path / "nonsense.sqlite", load_digits()[0].images[:200])  # whatever they are
    status, _, err = run(capsys, *options, "--database", nonsense, "--learning-rate", "0.1")
    assert status == 1 and "is not replaced" in err and model.read_bytes() == second
    images = load_digits()[1].images
    assert np.isfinite(ig.models.load(model).predict_proba(images)).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hidden", "3"], "--hidden cannot be given together with --from-feedback"),
        (["--replace"], "--replace needs --start"),
        (["--replace", "--start", "digits"], "--replace needs --start"),
        (["--replace", "--start", "x", "--out", "y"], "--out cannot be given together with --replace"),
        (["--database", "sqlite:////nowhere/at/all"], "there is no database"),
        (["--start", "nowhere"], "there is no model nowhere"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, *arguments)
    assert status == 2 and words in err


def test_options_of_corrections_need_their_switch(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--start", "digits"])
    assert ended.value.code == 2 and "give --from-feedback" in capsys.readouterr().err
