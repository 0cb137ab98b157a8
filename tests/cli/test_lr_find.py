"""`inkgrad lr-find`."""

import math

import pytest


def test_json_is_one_object(inkgrad, tmp_path):
    ended = inkgrad("lr-find", "--model", "two-layer", "--set", "optimizer=adam", "--set", "batch_size=64", "--json")
    assert ended.status == 0
    found = ended.json
    assert set(found) == {
        "out",
        "optimizer",
        "suggestion",
        "steepest",
        "minimum",
        "ran_away",
        "rates",
        "losses",
        "smoothed",
    }
    assert found["out"] == "lr-find.png"
    assert found["optimizer"] == "adam"
    assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"])
    assert math.isclose(found["rates"][0], 1e-6)
    assert (tmp_path / "work" / "lr-find.png").read_bytes().startswith(b"\x89PNG")


def test_for_people(inkgrad, tmp_path):
    line = ("--model", "two-layer", "--lowest", "1e-5", "--highest", "1e3", "--steps", 100, "--out", "new/plot.png")
    ended = inkgrad("lr-find", *line)
    assert ended.status == 0
    steps, where, suggested, plot = ended.out.splitlines()
    assert "steps of two-layer with momentum; the loss ran away at" in steps
    assert where.startswith("the loss falls fastest at")
    assert suggested.startswith("suggested learning rate: 0.")
    assert plot == "plot new/plot.png"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--out plot.svg", "--out must end with .png, but is plot.svg"),
        ("--set adam", "a setting is given as field=value"),
        ("--set model=mlp --model mlp", "model is given twice; give it once"),
        ("--lowest 1 --highest 0.1", "must rise from above 0"),
        ("--steps 1", "at least 10 steps"),
        ("--recipe nothing", "there is no recipe 'nothing'"),
    ],
)
def test_mistakes_end_in_2(inkgrad, line, words, tmp_path):
    ended = inkgrad("lr-find", *line.split())
    assert ended.status == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1
    assert list((tmp_path / "work").iterdir()) == []
