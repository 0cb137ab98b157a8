"""`inkgrad evaluate`."""

import re
import shutil

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import DIGITS, linear_scaling

KEYS = {"model", "data", "split", "report", "accuracy", "interval", "n", "confusion"}


def save(path, name="softmax-regression", **options):
    net = ig.models.build(name, rng=ig.default_rng(0), **options.pop("build", {}))
    ig.models.save(path, net, scaling=linear_scaling(), classes=options.pop("classes", DIGITS), training=options)
    return path


@pytest.mark.parametrize("split", ["test", "validation"])
def test_json_agrees_with_the_predictions(inkgrad, trained, split):
    ended = inkgrad("evaluate", trained, "--split", split, "--json")
    assert ended.status == 0
    assert ended.err == ""
    found = ended.json
    assert found.keys() >= KEYS
    assert (found["data"], found["split"], found["report"]) == ("digits", split, None)
    dataset = getattr(ig.data.load("digits"), split)
    predicted = ig.models.load(trained).predict(dataset.images)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (dataset.labels, predicted), 1)
    assert found["confusion"] == confusion.tolist()
    assert found["n"] == len(dataset)
    assert found["accuracy"] == (predicted == dataset.labels).mean()
    low, high = found["interval"]
    assert 0.85 < low < found["accuracy"] < high < 1
    assert found == inkgrad("evaluate", trained / "model.safetensors", "--split", split, "--json").json | {
        "model": str(trained)
    }


def test_for_people(inkgrad, trained):
    ended = inkgrad("evaluate", trained)
    assert ended.status == 0
    assert re.match(r"digits test: accuracy 9\d\.\d\d% \(95 % interval \d\d\.\d\d% to \d\d\.\d\d%\)\n", ended.out)
    for words in ("of 360 images misread, calibration error", "precision", "confusion (rows: true, columns: read as)"):
        assert words in ended.out
    assert "most confused: " in ended.out


@pytest.mark.slow
def test_the_report_is_one_page_without_links(inkgrad, trained, tmp_path):
    report = tmp_path / "new" / "report.html"
    ended = inkgrad("evaluate", trained, "--report", report, "--json")
    assert ended.json["report"] == str(report)
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:|#)", page)
    assert "url(http" not in page
    assert "mlp on digits test" in page
    again = inkgrad("evaluate", trained, "--report", report)
    assert again.out.endswith(f"report written to {report}\n")


@pytest.mark.slow
def test_the_report_shows_the_layers_of_a_convolutional_network(inkgrad, tmp_path):
    report = tmp_path / "report.html"
    assert inkgrad("evaluate", save(tmp_path / "m", "tiny"), "--report", report).status == 0
    assert "<h2>What the layers see</h2>" in report.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written(inkgrad, trained, tmp_path):
    (tmp_path / "folder").mkdir()
    ended = inkgrad("evaluate", trained, "--report", tmp_path / "folder")
    assert ended.status == 1
    assert f"cannot write {tmp_path / 'folder'}" in ended.err
    assert ended.err.count("\n") == 1


def test_validation_that_was_learned_from(inkgrad, tmp_path):
    out = tmp_path / "run"
    assert (
        inkgrad("train", "--train-on", "all", "--model", "softmax-regression", "--steps", 2, "--out", out).status == 0
    )
    ended = inkgrad("evaluate", out, "--split", "validation")
    assert ended.status == 2
    assert ended.err == (
        f"inkgrad: {out} was trained with --train-on all, so it has learned from the validation part; "
        "use --split test\n"
    )
    assert inkgrad("evaluate", out, "--json").json["n"] == 360


def test_without_a_word_on_what_it_was_trained_on(inkgrad, tmp_path):
    found = inkgrad("evaluate", save(tmp_path / "m"), "--json").json
    assert (found["data"], found["n"]) == ("digits", 360)


def test_a_model_of_other_classes(inkgrad, tmp_path):
    path = save(tmp_path / "m", classes=("a", "b"), build={"classes": 2})
    ended = inkgrad("evaluate", path)
    assert ended.status == 2
    assert "the model knows the classes a, b, but digits test has 0, 1, 2" in ended.err


def test_a_split_without_images(inkgrad, tmp_path):
    rows = ["3" + ",0" * 784] * 10
    (tmp_path / "few.csv").write_text("\n".join(rows))
    ended = inkgrad("evaluate", save(tmp_path / "m"), "--data", tmp_path / "few.csv", "--split", "validation")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "few.csv validation has no images; choose another --split" in ended.err


def test_mnist(inkgrad, mnist, monkeypatch, tmp_path):
    monkeypatch.setattr("inkgrad.data.source.load_mnist", lambda: mnist)
    found = inkgrad("evaluate", save(tmp_path / "m"), "--data", "mnist", "--split", "validation", "--json").json
    assert (found["data"], found["n"]) == ("mnist", 10_000)


def test_a_run_without_a_model(inkgrad, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").unlink()
    ended = inkgrad("evaluate", tmp_path / "run")
    assert ended.status == 2
    assert "holds no model.safetensors; finish its training first or name a model file" in ended.err
