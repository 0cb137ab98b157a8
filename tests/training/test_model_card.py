"""The card of a run says what is true of it, and its command makes it again."""

import re
import shlex
from dataclasses import fields, replace

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.cli import train as cli_train
from inkgrad.cli.main import main
from inkgrad.data import Augmentation, Dataset, Splits
from inkgrad.training import Run, Settings, evaluate_predictions, read_recipe, recipe_names
from inkgrad.training.command import train_command


def row(card, name):
    """The value beside a name in one of the card's tables."""
    found = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", card, re.M)
    assert len(found) == 1, (name, found)
    return found[0]


def test_what_the_card_says_is_so(tmp_path, small):
    settings = Settings(
        model="two-layer-sigmoid",
        hidden=(12,),
        epochs=3,
        batch_size=50,
        optimizer="adamw",
        learning_rate=0.01,
        schedule="one-cycle",
        warmup_steps=4,
        clip_norm=5,
        augmentation=Augmentation(rotation=5),
        normalize=("deskew",),
        seed=4,
    )
    run = Run(tmp_path / "a run", settings, small)
    last = run.train()
    card = (run.folder / "MODEL_CARD.md").read_text()
    classifier = ig.models.load(run.folder)
    measured = evaluate_predictions(
        small.validation.labels, classifier.predict_proba(small.validation.images), classifier.classes
    )
    assert measured.accuracy == last["validation_accuracy"]
    low, high = measured.interval
    assert row(card, "accuracy") == f"{measured.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%} (Wilson)"
    assert row(card, "validation images") == f"60, of them misread: {60 - measured.correct}"
    assert row(card, "expected calibration error") == f"{measured.calibration_error:.2%}"
    assert row(card, "network") == "`two-layer-sigmoid`"  # not the summary, which tells of 100 hidden units
    assert row(card, "built with") == "hidden 12, classes 10"
    assert row(card, "trained parameters") == f"{784 * 12 + 12 + 120 + 10:,}"
    assert row(card, "file") == f"`model.safetensors`, {(run.folder / 'model.safetensors').stat().st_size / 1e3:.1f} kB"
    assert row(card, "fingerprint (SHA-256)") == f"`{small.train.fingerprint()}`"
    assert row(card, "images") == "200, 28x28"
    assert row(card, "optimizer") == "adamw, learning rate 0.01, weight decay 0.01, gradient clipped to norm 5"
    assert row(card, "schedule of the learning rate") == "one-cycle, after a rise over 4 steps"
    assert row(card, "augmentation") == "rotation 5"
    assert row(card, "normalization of each image") == "deskew"
    assert row(card, "length") == "3 epochs, 12 steps of 50 images"
    assert row(card, "seed") == "4"
    assert f"numpy {np.__version__}" in row(card, "versions")
    assert f"{last['accuracy']:.2%} of the training images" in card
    assert "Creative Commons Attribution 4.0" in card
    assert "It cannot refuse" in card
    assert str(run.folder) not in card  # it may be moved


def test_the_code_and_the_commands_of_the_card_run(tmp_path, small, capsys, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Run(".", Settings(model="two-layer", hidden=(8,), epochs=1), small).train()
    Image.fromarray(small.test.images[0]).resize((90, 90)).save("picture.png")
    card = (tmp_path / "MODEL_CARD.md").read_text()
    exec(re.search(r"```python\n(.*?)```", card, re.S)[1], {})
    assert capsys.readouterr().out.strip() in set("0123456789")
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", card):
        assert (tmp_path / picture).is_file()
    for line in re.findall(r"inkgrad (?:classify|evaluate) [^`\n]*", card):
        with pytest.raises(SystemExit) as end:
            main(shlex.split(line)[1:])
        assert not end.value.code, line


def test_without_validation_and_of_other_classes(tmp_path, small):
    train = Dataset(small.train.images, small.train.labels % 3, "three", ("a", "b", "c"))
    splits = Splits(train, train[:0], train[:20])
    run = Run(tmp_path, Settings(data="/some/where", train_on="all", model="two-layer", steps=3), splits)
    run.train()
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "nothing is known of unseen ones" in card
    assert "validation images" not in card
    assert "its classes (a, b, c)" in card
    assert "Origin, license and writers of these data are not known" in card
    assert row(card, "network").startswith("`two-layer`: 784-50-10")


def test_of_a_mixture_each_source_and_what_is_refused(tmp_path, small):
    none = ig.data.nondigits(["figures", "turned digits"], 30, small.train, ig.default_rng(0))
    images, labels = (
        np.concatenate([getattr(part, name) for part in (small.train, none)]) for name in ("images", "labels")
    )
    splits = small._replace(train=Dataset(images, labels, "some", none.classes, rejects=True))
    settings = Settings(data="digits+3*usps+nondigits", model="two-layer", epochs=1, calibrate=True)
    Run(tmp_path, settings, splits).train()
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "reads single handwritten digits" in card
    assert "refuses what is below a threshold" in card
    assert "It cannot refuse" not in card
    for words in ("Creative Commons Attribution 4.0", "7,291 digits from US envelopes", "turned digits"):
        assert words in card.replace("\n", " ")
    assert row(card, "calibration").startswith("a temperature and a threshold")
    assert "not known to inkgrad" not in card


# The command


ANYTHING = Settings(
    data="mnist",
    train_on="all",
    model="resnet",
    width=8,
    depth=2,
    steps=30,
    batch_size=16,
    optimizer="nesterov",
    learning_rate=0.1 / 3,
    momentum=0.8,
    schedule="step",
    warmup_steps=5,
    l1=1e-7,
    l2=0.0001,
    clip_value=0.5,
    average=0.99,
    label_smoothing=0.1,
    augmentation=Augmentation(rotation=10, noise=0.1, elastic=1e-5),
    mixup=0.3,
    normalize=("center", "stroke"),
    pca=40,
    views=3,
    members=2,
    scaling="standard",
    seed=9,
)


def typed(line, monkeypatch):
    """The settings that a command line makes, with nothing trained."""
    found = []

    def note(choices, given, **_):
        chosen = cli_train._parsed({name: value for name, value in choices.items() if name in given})
        found.append(Settings(**cli_train.with_recipe(chosen)))

    monkeypatch.setattr(cli_train, "run", note)
    words = shlex.split(line)
    assert words.pop(0) == "inkgrad"
    with pytest.raises(SystemExit) as end:
        main(words)
    assert not end.value.code
    return found[0]


RECIPES = [Settings(**read_recipe(name)) for name in recipe_names()]
DISTORTED = Settings(**read_recipe("lenet5-distorted"))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        ANYTHING,
        replace(ANYTHING, label_smoothing=0.0, teacher="/a/teacher", temperature=3.0, teacher_weight=0.5),
        *RECIPES,
        replace(DISTORTED, epochs=None, steps=70, seed=3, augmentation=Augmentation(), average=0.5),
        replace(DISTORTED, normalize=("size",), hidden=None),
        replace(ANYTHING, normalize=(), early_stopping=2, train_on="train", optimizer="adamw", momentum=None),
        replace(DISTORTED, calibrate=True),
    ],
)
def test_the_command_leads_back_to_the_settings(settings, monkeypatch):
    assert typed(train_command(settings), monkeypatch) == settings


def test_a_recipe_that_does_not_lead_there_is_not_named(monkeypatch, tmp_path):
    gone = replace(ANYTHING, recipe=str(tmp_path / "gone.toml"))
    changed = replace(DISTORTED, average=None)  # no option takes a recipe's average away
    for settings in (gone, changed):
        line = train_command(settings)
        assert "--recipe" not in line
        assert typed(line, monkeypatch) == replace(settings, recipe=None)


def test_every_setting_is_an_option():
    differ = {
        field.name for field in fields(Settings) if getattr(ANYTHING, field.name) != getattr(Settings(), field.name)
    }
    rest = {
        "calibrate",
        "teacher",
        "temperature",
        "teacher_weight",
        "hidden",
        "epochs",
        "weight_decay",
        "clip_norm",
        "early_stopping",
        "recipe",
    }
    assert differ | rest == {field.name for field in fields(Settings)}
