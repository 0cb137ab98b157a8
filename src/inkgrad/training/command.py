"""The command line that makes a training with given settings."""

import shlex
from dataclasses import fields
from typing import Any

from inkgrad.data import Augmentation
from inkgrad.training.recipes import read_recipe, recipe_names
from inkgrad.training.settings import Settings

__all__ = ["train_command"]


def train_command(settings: Settings) -> str:
    """`inkgrad train` with every option whose setting is not the default, or not that of its recipe; for a shell.

    A recipe of the user's own is not named, as its file may be elsewhere, nor one from which no options lead to the
    settings.

    >>> train_command(Settings(data="mnist", hidden=(300, 100), augmentation=Augmentation(rotation=5)))
    'inkgrad train --data mnist --hidden 300,100 --augment rotation=5'
    """
    if settings.recipe in recipe_names():
        words = _differing(settings, Settings(**read_recipe(settings.recipe)))
        if words is not None:
            return shlex.join(["inkgrad", "train", "--recipe", settings.recipe, *words])
    return shlex.join(["inkgrad", "train", *(_differing(settings, Settings()) or [])])


def _differing(settings: Settings, base: Settings) -> list[str] | None:
    """The options that lead from `base` to the settings; None if there are none that do."""
    words = []
    length = settings.epochs is not None or settings.steps is not None  # either takes the place of both
    for field in fields(Settings):
        value, before = getattr(settings, field.name), getattr(base, field.name)
        if (
            value == before
            or field.name == "recipe"
            or (value is None and length and field.name in ("epochs", "steps"))
        ):
            continue
        if value is None:
            return None
        name = "augment" if field.name == "augmentation" else field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
            continue
        words += [f"--{name}", _typed(value)]
    return words


def _typed(value: Any) -> str:
    if isinstance(value, Augmentation):
        return ",".join(f"{name}={number}" for name, number in value.as_json().items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
