"""Recipes: those of the package can be read and built; mistakes in one are named before anything is trained."""

import pytest

from inkgrad.data import Augmentation
from inkgrad.errors import OptionError
from inkgrad.models import build
from inkgrad.random import default_rng
from inkgrad.training import Settings, read_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_those_of_the_package(name):
    settings = Settings(**read_recipe(name))
    assert settings.recipe == name
    assert Settings.from_json(settings.as_json()) == settings
    options = {n: v for n in ("hidden", "width", "depth") if (v := getattr(settings, n)) is not None}
    net = build(settings.model, rng=default_rng(0), **options)
    if name == "tiny-mnist":
        assert net.parameter_count() <= 7000


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
        ('hidden = ["a"]', "hidden must be a list of which each is a whole number"),
        ('model = "lenet6"', "model 'lenet6' is not known"),
        ("label_smoothing = 1.5", "label-smoothing must be from 0"),
        ('label_smoothing = 0.1\nmodel = "two-layer-sigmoid"', "label-smoothing belongs to cross-entropy"),
        ("augmentation = 3", "augmentation must be a table"),
        ("[augmentation]\nrotation = 999", "augmentation rotation must be a number from 0 to 180"),
        ("[augmentation]\nturn = 9", "there is no augmentation 'turn'"),
        ("epochs = ", "mine.toml is no TOML"),
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
