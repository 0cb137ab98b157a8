"""`inkgrad lr-find`."""

from pathlib import Path
from typing import Any

from inkgrad.cli.output import emit_json, say
from inkgrad.cli.tune import chosen_settings
from inkgrad.data import load
from inkgrad.errors import OptionError
from inkgrad.files import write_atomically
from inkgrad.training import assemble, plot_range_test, range_test


def run(
    choices: dict[str, Any], given: set[str], *, lowest: float, highest: float, range_steps: int, out: Path, json: bool
) -> None:
    """Test learning rates, draw the losses, and suggest a rate; `given` names the options that were typed."""
    if out.suffix.lower() != ".png":
        raise OptionError(f"the picture is a PNG, so --out must end with .png, but is {out}")
    settings = chosen_settings(choices, given)
    trainer = assemble(settings, load(settings.data, train_on=settings.train_on))
    found = range_test(trainer, lowest=lowest, highest=highest, steps=range_steps)
    write_atomically(out, plot_range_test(found))
    if json:
        emit_json({"out": str(out), "optimizer": settings.optimizer} | found.as_json())
        return
    end = "the loss ran away at" if found.ran_away else "the last rate was"
    say(f"{len(found.rates)} steps of {settings.model} with {settings.optimizer}; {end} {found.rates[-1]:.2g}")
    say(f"the loss falls fastest at {found.steepest:.2g} and is lowest at {found.minimum:.2g}")
    say(f"suggested learning rate: {found.suggestion:.2g}")
    say(f"plot {out}")
