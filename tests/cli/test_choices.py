"""The choices of the command line are written out, so that help needs no numpy; they must be those of the package."""

import inspect
from typing import get_args, get_type_hints

from inkgrad.cli import main, options
from inkgrad.data import Augmentation
from inkgrad.models import NAMED
from inkgrad.training import OPTIMIZERS, SCHEDULES, Settings, recipe_names
from inkgrad.training.settings import SCALINGS
from inkgrad.training.tuning import result


def test_choices_are_those_of_the_package():
    assert get_args(options.Model) == tuple(NAMED)
    assert get_args(options.OptimizerName) == tuple(OPTIMIZERS)
    assert get_args(options.ScheduleName) == SCHEDULES
    assert get_args(options.ScalingName) == SCALINGS
    assert get_args(options.Metric) == get_args(result.Metric)
    assert get_args(options.Pruner) == get_args(result.Pruner)


def test_help_names_the_recipes():
    recipe = inspect.signature(main.train).parameters["recipe"].annotation.__metadata__[0]
    for name in recipe_names():
        assert name in recipe.help


def test_every_setting_can_be_typed_and_has_the_same_default():
    typed = inspect.signature(main.train).parameters
    for name in get_type_hints(Settings):
        default = getattr(Settings(), name)
        assert typed[name].default == (None if default in (Augmentation(), ()) else default), name
