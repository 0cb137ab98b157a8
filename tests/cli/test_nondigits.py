"""Commands on a network that has learned what is no digit, and on a class that is merely called so."""

import numpy as np
import pytest
from PIL import Image

import inkgrad as ig

WITH_NONE = ("--data", "digits+nondigits", "--model", "two-layer", "--hidden", 32, "--epochs", 8)


@pytest.mark.slow
def test_everything_else_knows_of_the_class_behind_the_digits(inkgrad, tmp_path):
    """TensorBoard, ensembles, the doctor, the evaluation and the history tell of the ten digits."""
    pytest.importorskip("tensorboardX")
    trained = inkgrad("train", *WITH_NONE, "--tensorboard", "--members", 2, "--calibrate", "--out", "r", "--json").json
    assert min(trained["members_validation_accuracy"]) > 0.6
    found = inkgrad("evaluate", "r", "--split", "validation", "--json").json
    assert found["data"] == "digits+nondigits"
    assert found["accuracy"] == trained["validation_accuracy"]
    assert found["log_loss"] == pytest.approx(trained["validation_loss"], rel=1e-6)
    alone = inkgrad("evaluate", "r/member-0", "--split", "validation", "--json").json
    assert alone["accuracy"] == trained["members_validation_accuracy"][0]
    said = inkgrad("doctor", "r/member-0", "--json").json
    assert not {"class-imbalance", "inverted-polarity", "blank-images"} & {f["name"] for f in said["findings"]}
    ended = inkgrad("ensemble", "r/member-0", "r/member-1", "--out", "both.safetensors")
    assert ended.status == 0
    assert "not calibrated" not in ended.err  # the members of a run are not, either
    student = ("--teacher", "r/member-0", "--out", "student")
    assert inkgrad("train", *WITH_NONE, *student).status == 0
    ended = inkgrad("train", "--data", "digits+nondigits", "--model", "two-layer-sigmoid", "--out", "s")
    assert ended.status == 2
    assert "cannot learn what is none of them" in ended.err


def test_a_class_that_is_called_none_is_a_class(inkgrad, tmp_path):
    for name in ("bar", "none"):
        (tmp_path / "work" / "shapes" / name).mkdir(parents=True)
        for index in range(24):
            picture = np.zeros((28, 28), np.uint8)
            picture[4:24, 8 + index % 6 : 12 + index % 6] = 255
            Image.fromarray(picture if name == "bar" else picture.T).save(f"shapes/{name}/{index}.png")
    assert inkgrad("train", "--data", "shapes", "--model", "two-layer", "--epochs", 3, "--out", "r").status == 0
    classifier = ig.models.load("r")
    assert (classifier.classes, classifier.refuses) == (("bar", "none"), False)
    assert inkgrad("evaluate", "r", "--json").json["accuracy"] == 1
