"""The page and the JSON of a diagnosis, and the words in it."""

import base64
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

import inkgrad.training.doctor
from inkgrad.cli.main import app
from inkgrad.errors import OptionError
from inkgrad.training import examine
from inkgrad.training.doctor import ILLNESSES, Finding, write_diagnosis
from inkgrad.training.doctor.findings import most_serious_first


def test_the_gallery_shows_the_flipped_labels(run_of, mislabeled, tmp_path):
    splits, wrong = mislabeled
    diagnosis = examine(run_of(splits, model="mlp"))
    page, _ = write_diagnosis(tmp_path / "new", diagnosis, title="<Ill>", images=splits.train.images)
    text = page.read_text(encoding="utf-8")
    assert "<h1>&lt;Ill&gt;</h1>" in text
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:|#)", text)
    tiles = re.findall(r'<li><img src="data:image/png;base64,([^"]+)".*?no\.&nbsp;(\d+)', text)
    assert [int(index) for _, index in tiles] == [suspect.index for suspect in diagnosis.suspects]
    assert len(set(wrong.tolist()) & {int(index) for _, index in tiles}) >= 0.9 * len(wrong)
    for png, index in tiles[:5]:
        with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
            np.testing.assert_array_equal(np.asarray(picture), splits.train.images[int(index)])
    doubted = [s for s in diagnosis.suspects if s.doubted]
    assert f"({len(doubted)} of these {len(diagnosis.suspects)})" in text
    assert f"{doubted[0].label} → <b>{doubted[0].predicted}</b>" in text


def test_the_json_holds_everything(run_of, digits, tmp_path):
    diagnosis = examine(run_of(model="mlp", learning_rate=3.0, epochs=3))
    _, data = write_diagnosis(tmp_path, diagnosis, title="x", images=digits.train.images)
    found = json.loads(data.read_text(), parse_constant=pytest.fail)
    assert [finding["name"] for finding in found["findings"]] == diagnosis.names
    assert found["findings"][0].keys() == {"name", "severity", "meaning", "measured", "advice", "evidence"}
    assert {**dict.fromkeys(found["judged"]), **found["unjudged"]}.keys() == set(ILLNESSES)
    assert [layer["name"] for layer in found["layers"]] == ["layers.1", "layers.2", "layers.3"]
    assert found["accuracy"]["training"] == diagnosis.training.accuracy
    nothing = dataclasses.replace(diagnosis, update=dataclasses.replace(diagnosis.update, ratios={}))
    _, data = write_diagnosis(tmp_path, nothing, title="x", images=digits.train.images)
    assert json.loads(data.read_text(), parse_constant=pytest.fail)["update"]["median"] is None


def test_nothing_found_is_said(run_of, digits, tmp_path):
    diagnosis = dataclasses.replace(examine(run_of(model="mlp", epochs=1)), findings=(), suspects=())
    page, _ = write_diagnosis(tmp_path, diagnosis, title="x", images=digits.train.images)
    text = page.read_text()
    assert "<p>Nothing found.</p>" in text
    assert '<th scope="row">overfitting</th><td>not found</td>' in text
    assert "fewer than two epochs have been made" in text
    assert "gallery" not in text.partition("</style>")[2]


def test_the_most_serious_first():
    findings = [Finding(n, s, "", "") for n, s in (("overfitting", "note"), ("overfitting", "serious"))]
    findings += [Finding("dead-units", s, "", "") for s in ("note", "warning")]
    assert [(f.name, f.severity) for f in most_serious_first(findings)] == [
        *(("overfitting", "serious"), ("dead-units", "warning"), ("dead-units", "note"), ("overfitting", "note"))
    ]


@pytest.mark.parametrize(("name", "severity"), [("measles", "note"), ("overfitting", "fatal")])
def test_no_such_finding(name, severity):
    with pytest.raises(OptionError, match=r"a finding needs a (name|severity) of "):
        Finding(name, severity, "", "")


def test_every_option_that_is_advised_exists():
    source = "".join(p.read_text(encoding="utf-8") for p in Path(inkgrad.training.doctor.__path__[0]).glob("*.py"))
    advised = set(re.findall(r"--[a-z0-9][a-z0-9-]+", source))
    existing = {option for parameter in get_command(app).commands["train"].params for option in parameter.opts}
    assert {"--learning-rate", "--clip-norm", "--scaling", "--augment", "--hidden"} <= advised <= existing
    models = set(re.findall(r"--model ([a-z0-9-]+)", source))
    assert models
    assert models <= set(inkgrad.models.NAMED)
