"""What may be searched, how it is read, and the settings that come out."""

import json
from dataclasses import replace

import optuna
import pytest

from inkgrad.data import load
from inkgrad.errors import OptionError
from inkgrad.training import Run, Settings
from inkgrad.training.tuning import Choice, Range, default_search, parse_search, parse_setting, with_values
from inkgrad.training.tuning.space import Space


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=1e-4..1e-1:log", Range(1e-4, 0.1, log=True)),
        ("l2=0..1", Range(0.0, 1.0)),
        ("batch_size=16..256:log", Range(16, 256, log=True, whole=True)),
        ("augmentation.rotation=0..20", Range(0.0, 20.0)),
        ("augmentation.cutout=0..9", Range(0, 9, whole=True)),
        ("batch_size=32, 64", Choice((32, 64))),
        ("optimizer=adam,momentum", Choice(("adam", "momentum"))),
        ("clip_norm=none,1", Choice((None, 1.0))),
        ("hidden=none,64,300+100", Choice((None, (64,), (300, 100)))),
        ("normalize=none,deskew,deskew+size", Choice(((), ("deskew",), ("deskew", "size")))),
    ],
)
def test_what_is_searched_is_read(text, expected):
    field, domain = parse_search(text)
    assert field == text.partition("=")[0]
    assert domain == expected
    assert [type(value) for value in domain.ends] == [type(value) for value in expected.ends]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["learning_rate"], "field=low..high, field=low..high:log or field=a,b,c, but got 'learning_rate'"),
        (["speed=1..2"], "a training has no setting 'speed'; there are data, train_on, model"),
        (["augmentation.spin=1..2"], "there is no augmentation 'spin'; there are rotation"),
        (["augmentation=1..2"], "name one of them, such as augmentation.rotation"),
        (["batch_size=1.5..3"], r"the setting batch_size must be a whole number, but is '1\.5'"),
        (["learning_rate=a..b"], "the setting learning_rate must be a number, but is 'a'"),
        (["hidden=64,6x4"], r"hidden must be a whole number, or several joined by \+, but is '6x4'"),
        (["learning_rate=0.1..0.01"], r"the range of learning_rate must rise from low to high, but is 0\.1\.\.0\.01"),
        (["learning_rate=nan..1"], "must rise from low to high"),
        (["clip_norm=none..1"], "must rise from low to high"),
        (["l2=0..1:log"], "a logarithmic range must begin above 0, but that of l2 begins at 0"),
        (["l2=0..1:exp"], "ends with nothing or :log"),
        (["optimizer=adam..sgd"], "optimizer is no number, so it has no range"),
        (["batch_size=32"], "batch_size needs a range or at least two values"),
        (["batch_size=32,32"], "batch_size names a value twice"),
        (["l2=0..1", "l2=0,1"], "l2 is searched twice"),
        (["data=digits,mnist"], "data cannot be searched: trials on other data cannot be compared"),
        (["train_on=train,all"], "train_on cannot be searched"),
        ([], "at least one field"),
    ],
)
def test_what_cannot_be_searched(texts, words):
    with pytest.raises(OptionError, match=words):
        Space(Settings(), texts)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            ["learning_rate=0..1"],
            "cannot search learning_rate: the learning rate must be positive and finite, but is 0",
        ),
        (["learning_rate=1..inf"], "must be positive and finite, but is inf"),
        (["batch_size=0..8"], "cannot search batch_size: batch-size must be at least 1"),
        (["average=0.5..1"], "cannot search average: average must be between 0 and 1, but is 1"),
        (["momentum=0.1..1"], "cannot search momentum: momentum must be from 0 to below 1, but is 1"),
        (["optimizer=adam,lion"], "cannot search optimizer: optimizer 'lion' is not known"),
        (["weight_decay=0..1"], "cannot search weight_decay: momentum has no weight decay; choose the optimizer adamw"),
        (["augmentation.shift=0..99"], "cannot search augmentation.shift: augmentation shift must be a number from 0"),
        (["hidden=8,0"], "cannot search hidden: mlp needs widths of at least 1"),
        (["width=4,8"], "cannot search width: mlp has no option 'width'"),
    ],
)
def test_impossible_ends_are_refused_with_the_field(small, texts, words):
    with pytest.raises(OptionError, match=words):
        Space(Settings(), texts).check(small)


def test_a_field_of_some_optimizers_is_searched_with_those_only(small):
    space = Space(
        Settings(momentum=0.5, hidden=(8,)),
        ["momentum=0.1..0.9", "weight_decay=0..1", "optimizer=sgd,momentum,adamw", "model=mlp,softmax-regression"],
    )
    space.check(small)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    seen = set()
    for _ in range(40):
        trial = study.ask()
        drawn = space.suggest(trial)
        settings = space.settings(space.values(trial.params))
        assert settings == space.settings(drawn)
        assert ("momentum" in drawn) == (settings.momentum is not None) == (settings.optimizer == "momentum")
        assert ("weight_decay" in drawn) == (settings.weight_decay is not None) == (settings.optimizer == "adamw")
        assert settings.hidden == ((8,) if settings.model == "mlp" else None)
        seen.add((settings.optimizer, settings.model))
    assert len(seen) == 6


def test_lists_survive_the_study():
    space = Space(Settings(), ["hidden=none,64,300+100", "normalize=none,deskew", "clip_norm=none,2"])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(1))
    for _ in range(20):
        trial = study.ask()
        drawn = space.suggest(trial)
        assert space.values(json.loads(json.dumps(trial.params))) == drawn


def test_a_length_replaces_the_other():
    assert with_values(Settings(epochs=3), {"steps": 10}).epochs is None
    assert with_values(Settings(steps=3), {"epochs": 10}).steps is None
    with pytest.raises(OptionError, match="not both"):
        with_values(Settings(), {"epochs": 1, "steps": 10})
    with pytest.raises(OptionError, match="field=value, such as optimizer=adam, but got 'adam'"):
        parse_setting("adam")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_the_default_search_can_be(small, optimizer):
    base = Settings(optimizer=optimizer, learning_rate=0.3)
    space = Space(base, default_search(base))
    space.check(small)
    assert space.fields["learning_rate"] == Range(0.03, 3.0, log=True)
    assert ("momentum" in space.fields) == (optimizer == "momentum")
    assert ("weight_decay" in space.fields) == (optimizer == "adamw")


def test_many_components_and_a_teacher_that_knows_another_scaling(tmp_path):
    """Settings are tried on a few images; what depends on all of them is not taken from those few."""
    splits = load("digits")
    settings = Settings(model="two-layer", hidden=(8,), epochs=1, pca=150, scaling="standard")
    Run(tmp_path / "teacher", settings, splits).train()
    Space(replace(settings, teacher=str(tmp_path / "teacher")), ["learning_rate=0.01..0.1"]).check(splits)


def test_what_cannot_stand_together():
    with pytest.raises(OptionError, match="what is searched cannot stand together: clip either by norm or by value"):
        Space(Settings(), ["clip_norm=1..2", "clip_value=0.1..0.2"]).check(load("digits"))
