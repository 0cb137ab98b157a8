"""Recipes: those of the package can be read and built; mistakes in one are named before anything is trained."""

from dataclasses import replace

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.data import Augmentation, normalize
from inkgrad.errors import ModelFileError, OptionError
from inkgrad.models import VIEWS, View, build
from inkgrad.nn.state import read_arrays, write_arrays
from inkgrad.random import default_rng
from inkgrad.training import Run, Settings, read_recipe, recipe_names, write_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_those_of_the_package(name):
    settings = Settings(**read_recipe(name))
    assert settings.recipe == name
    assert Settings.from_json(settings.as_json()) == settings
    options = {n: v for n in ("hidden", "width", "depth") if (v := getattr(settings, n)) is not None}
    net = build(settings.model, rng=default_rng(0), **options)
    if name == "tiny-mnist":
        assert net.parameter_count() <= 7000


def test_a_recipe_that_begins_with_another(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('recipe = "tiny-mnist"\nepochs = 3\n[augmentation]\nshift = 1\n')
    base, mine = (Settings(**read_recipe(name)) for name in ("tiny-mnist", str(file)))
    assert mine == replace(base, epochs=3, augmentation=Augmentation(shift=1), recipe=str(file))


def test_the_ensemble_is_of_the_best_single_networks():
    ensemble, single = (Settings(**read_recipe(name)) for name in ("ensemble", "best-single"))
    assert replace(ensemble, members=1, recipe="best-single") == single
    assert 2 <= ensemble.members <= 5


def test_a_file_of_ones_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('model = "mlp"\nhidden = [30, 20]\nepochs = 1\n\n[augmentation]\nrotation = 5\n')
    values = read_recipe(str(file))
    assert values == {
        "model": "mlp",
        "hidden": (30, 20),
        "epochs": 1,
        "augmentation": Augmentation(rotation=5),
        "recipe": str(file),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", "mine.toml: a training has no setting 'epoch'; there are data, train_on"),
        ('epochs = "3"', "the setting epochs must be a whole number, but is '3'"),
        ("epochs = 2.5", "the setting epochs must be a whole number, but is 2.5"),
        ("epochs = true", "epochs must be a whole number"),
        ("epochs = 0", "epochs must be at least 1"),
        ("learning_rate = -1", "learning rate must be positive"),
        ('train_on = "test"', "train_on must be 'train' or 'all', but is 'test'"),
        ('hidden = ["a"]', "hidden must be a list of whole numbers"),
        ('model = "lenet6"', "model 'lenet6' is not known"),
        ("label_smoothing = 1.5", "label-smoothing must be from 0"),
        ('label_smoothing = 0.1\nmodel = "two-layer-sigmoid"', "label-smoothing belongs to cross-entropy"),
        ("augmentation = 3", "augmentation must be a table"),
        ("[augmentation]\nrotation = 999", "augmentation rotation must be a number from 0 to 180"),
        ("[augmentation]\nturn = 9", "there is no augmentation 'turn'"),
        ("views = 10", "views must be from 1 to 9, but is 10"),
        ("views = []", "views must be a number, or lists of rotation, scale, down and right"),
        ("views = [[0, 1]]", "a view has four numbers, but these are"),
        ("views = [[0, 0, 0, 0]]", "a view cannot be View"),
        ("views = [3]", "the setting views must be a whole number or a list of lists of numbers"),
        ("epochs = ", "mine.toml is no TOML"),
        ('recipe = "large"', "mine.toml begins with the recipe 'large'; there are best-single"),
        ("recipe = 3", "begins with the recipe 3; there are"),
    ],
)
def test_mistakes_name_the_field_and_what_is_allowed(tmp_path, text, words):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=words.replace("[", r"\[")):
        read_recipe(str(file))


def test_what_is_not_there(tmp_path):
    with pytest.raises(OptionError, match=r"no recipe 'none'; there are .*lenet5-distorted"):
        read_recipe("none")
    with pytest.raises(OptionError, match=r"cannot read the recipe .*away.toml"):
        read_recipe(str(tmp_path / "away.toml"))


EVERYTHING = Settings(
    data='a "quoted" folder\\ü',
    model="mlp",
    hidden=(12, 7),
    steps=9,
    batch_size=30,
    optimizer="nesterov",
    learning_rate=1e-5 / 3,
    momentum=0.85,
    schedule="cosine",
    warmup_steps=2,
    l1=1e-9,
    l2=0.1,
    clip_norm=3,
    average=0.97,
    label_smoothing=0.05,
    augmentation=Augmentation(rotation=7.25, shift=2, elastic=1 / 3),
    normalize=("deskew", "size"),
    scaling="standard",
    calibrate=True,
    early_stopping=4,
    seed=11,
)


@pytest.mark.parametrize(
    "settings", [EVERYTHING, Settings(), *(Settings(**read_recipe(name) | {"recipe": None}) for name in recipe_names())]
)
def test_what_is_written_is_read_back_to_the_last_bit(tmp_path, settings):
    path = write_recipe(tmp_path / "it.toml", settings, comments=["Mine.", "Twice."])
    assert path.read_text().startswith("# Mine.\n# Twice.\n")
    assert Settings(**read_recipe(str(path)) | {"recipe": None}) == settings
    named = write_recipe(path, replace(settings, recipe="tiny-mnist"))
    assert Settings(**read_recipe(str(named)) | {"recipe": None}) == settings


def test_normalizations_travel_with_the_model(tmp_path):
    settings = Settings(model="two-layer", hidden=(8,), steps=3, batch_size=50, normalize=("deskew", "size"))
    splits = ig.data.load("digits")
    run = Run(tmp_path / "run", settings, splits)
    run.train()
    np.testing.assert_array_equal(run.trainer.train.images[:5], normalize(splits.train.images[:5], ["deskew", "size"]))
    classifier = ig.models.load(tmp_path / "run")
    assert classifier.normalizations == ("deskew", "size")
    images = splits.test.images
    expected = ig.models.network_logits(classifier.network, normalize(images, ["deskew", "size"]), classifier.scaling)
    np.testing.assert_array_equal(classifier.predict_logits(images), expected)
    header, arrays = read_arrays(tmp_path / "run" / "model.safetensors", "model")
    write_arrays(tmp_path / "other", "model", header | {"normalizations": ["upright"]}, arrays)
    with pytest.raises(ModelFileError, match="a normalization 'upright' that this inkgrad does not know"):
        ig.models.load(tmp_path / "other")


def test_ways_to_see_an_image(tmp_path):
    """As a number, those of the package; or each by its four numbers, also after a recipe was written and read."""
    (tmp_path / "mine.toml").write_text("views = [[0, 1, 0, 0], [6, 0.9, 0, -1]]")
    settings = Settings(**read_recipe(str(tmp_path / "mine.toml")))
    assert settings.ways() == (View(), View(rotation=6, scale=0.9, right=-1))
    written = write_recipe(tmp_path / "again.toml", settings)
    assert Settings(**read_recipe(str(written))).ways() == settings.ways()
    assert Settings(views=3).ways() == VIEWS[:3]
