"""What can be typed behind `inkgrad tune` and `inkgrad lr-find`; nothing here imports numpy."""

from pathlib import Path
from typing import Annotated

import typer

from inkgrad.cli.options import Assignments, Data, Json, Metric, Model, Pruner, Seed, typed

__all__ = ["lr_find", "tune"]


def tune(
    context: typer.Context,
    recipe: Annotated[str | None, typer.Option(help="Start from a recipe, or a .toml file.")] = None,
    data: Data = "digits",
    model: Annotated[Model, typer.Option(help="The network.")] = "mlp",
    epochs: Annotated[int | None, typer.Option(help="Times through the data, each trial.  [default: 10]")] = None,
    assignments: Assignments = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=WHAT",
            help="A setting to search: learning_rate=1e-4..0.1:log, batch_size=32,64 or augmentation.rotation=0..20; "
            "repeatable.  [default: learning rate, batch size, momentum, decay]",
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="How many trainings to make in all.  [default: 30]")] = None,
    metric: Annotated[Metric, typer.Option(help="What is best on the validation part.")] = "accuracy",
    pruner: Annotated[Pruner, typer.Option(help="What ends bad trials early.")] = "median",
    processes: Annotated[int, typer.Option(help="How many trials at a time.")] = 1,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="The folder.  [default: runs/tune-MODEL, or the next that is free]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the tuning in --out; --trials may grow.")] = False,
    checkpoint_seconds: Annotated[float, typer.Option(help="Longest time between two checkpoints of a trial.")] = 60.0,
    storage: Annotated[
        str | None,
        typer.Option(
            help="A file or postgresql://USER@HOST/DATABASE: tunings that are started with the same one share their "
            "trials."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Name of the search in --storage.  [default: inkgrad]", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Search good settings: many trainings, each chosen by what the earlier ones showed."""
    from inkgrad.cli.tune import run

    choices = {"recipe": recipe, "data": data, "model": model, "epochs": epochs, "seed": seed}
    run(
        choices | {"assignments": assignments or []},
        typed(context),
        search=search or [],
        metric=metric,
        pruner=pruner,
        trials=trials,
        processes=processes,
        out=out,
        resume=resume,
        checkpoint_seconds=checkpoint_seconds,
        storage=storage,
        study=study,
        json=json,
    )


def lr_find(
    context: typer.Context,
    recipe: Annotated[str | None, typer.Option(help="Settings from a recipe, or a .toml file.")] = None,
    data: Data = "digits",
    model: Annotated[Model, typer.Option(help="The network.")] = "mlp",
    assignments: Assignments = None,
    lowest: Annotated[float, typer.Option(help="The first learning rate.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="The last learning rate.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Updates from the one to the other.")] = 200,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Where the plot goes.")] = Path("lr-find.png"),
    json: Json = False,
) -> None:
    """Let the learning rate rise until the loss runs away, and suggest a rate."""
    from inkgrad.cli.lr_find import run

    choices = {"recipe": recipe, "data": data, "model": model, "seed": seed, "assignments": assignments or []}
    run(choices, typed(context), lowest=lowest, highest=highest, range_steps=steps, out=out, json=json)
