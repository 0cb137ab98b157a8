"""Recipes: settings of trainings as TOML files, those that come with the package and the user's own."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError
from inkgrad.training.settings import Settings

__all__ = ["read_recipe", "recipe_names"]

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
    if "recipe" in values:
        raise OptionError(f"{source} names a recipe itself; copy that recipe's settings instead")
    try:
        settings = Settings.from_json(values)
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from error
    return {field: getattr(settings, field) for field in values} | {"recipe": name}
