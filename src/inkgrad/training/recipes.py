"""Recipes: settings of trainings as TOML files, those that come with the package and the user's own."""

import os
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError
from inkgrad.files import write_atomically
from inkgrad.training.settings import Settings

__all__ = ["read_recipe", "recipe_names", "write_recipe"]

RECIPE_FILE = "recipe.toml"
"""Of a run's folder: all its settings."""

_FOLDER = files("inkgrad") / "recipes"


def recipe_names() -> list[str]:
    """The recipes that come with the package.

    >>> "lenet5-distorted" in recipe_names()
    True
    """
    return sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))


def read_recipe(name: str) -> dict[str, Any]:
    """The settings of a recipe that comes with the package, or of a .toml file; each is checked.

    Raises:
        OptionError: there is no such recipe, it is no TOML, or a field is unknown, of another type or impossible.
    """
    if name.endswith(".toml"):
        try:
            text, source = Path(name).read_text(encoding="utf-8"), name
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"cannot read the recipe {name}: {getattr(error, 'strerror', None) or error}") from error
    elif name in recipe_names():
        text, source = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"the recipe {name}"
    else:
        raise OptionError(f"there is no recipe {name!r}; there are {', '.join(recipe_names())}, or give a .toml file")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{source} is no TOML: {error}") from error
    if "recipe" in values:  # one to begin with
        base = values.pop("recipe")
        if base not in recipe_names() or base == name:
            raise OptionError(f"{source} begins with the recipe {base!r}; there are {', '.join(recipe_names())}")
        values = tomllib.loads((_FOLDER / f"{base}.toml").read_text(encoding="utf-8")) | values
    try:
        settings = Settings.from_json(values)
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from error
    return {field: getattr(settings, field) for field in values} | {"recipe": name}


def write_recipe(path: str | os.PathLike[str], settings: Settings, *, comments: Sequence[str] = ()) -> Path:
    """Write all settings as a recipe, from which `inkgrad train --recipe PATH` makes the same training.

    Where the settings came from (`recipe`) and those that are None, for which TOML has no word, are left out.

    Args:
        path: the file, which shall end in .toml.
        settings: any.
        comments: lines above them.

    Returns:
        The path written.

    Raises:
        StorageError: the file could not be written.

    >>> import tempfile
    >>> settings = Settings(hidden=(300, 100), learning_rate=0.01, seed=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_recipe(Path(folder) / "mine.toml", settings)
    ...     Settings(**read_recipe(str(path)) | {"recipe": None}) == settings
    True
    """
    import tomli_w

    values = {name: value for name, value in settings.as_json().items() if value is not None and name != "recipe"}
    values["augmentation"] = values.pop("augmentation")  # tables come last in TOML
    heading = "".join(f"# {line}\n" for line in comments)
    return write_atomically(path, heading + tomli_w.dumps(values, multiline_strings=False))
