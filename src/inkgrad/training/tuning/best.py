"""Settings as a recipe, which `inkgrad train --recipe FILE` takes."""

from collections.abc import Sequence
from typing import Any

from inkgrad.training.settings import Settings
from inkgrad.training.tuning.study import require

__all__ = ["recipe_of"]


def recipe_of(settings: Settings, comments: Sequence[str] = ()) -> str:
    """The TOML of a recipe: data, model, length, seed, and all that differs from the defaults.

    Args:
        settings: any.
        comments: lines to stand above it.

    >>> print(recipe_of(Settings(hidden=(64,), learning_rate=0.05), ["Mine."]).strip())
    # Mine.
    data = "digits"
    model = "mlp"
    hidden = [64]
    learning_rate = 0.05
    seed = 0
    """
    tomlkit = require("tomlkit")
    values, default = settings.as_json(), Settings().as_json()
    document = tomlkit.document()
    for line in comments:
        document.add(tomlkit.comment(line))
    for field, value in values.items():
        if field in ("recipe", "augmentation") or value is None:
            continue
        if field in ("data", "model", "seed") or value != default[field]:
            document.add(field, list(value) if isinstance(value, tuple) else value)
    if values["augmentation"]:
        table = tomlkit.table()
        table.update(values["augmentation"])
        document.add("augmentation", table)
    text: Any = tomlkit.dumps(document)
    return str(text)
