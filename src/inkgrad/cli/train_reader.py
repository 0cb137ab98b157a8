"""`inkgrad train-reader`: what it takes, and the training."""

from pathlib import Path
from typing import Annotated, Any

import typer

from inkgrad.cli.options import Json, Seed, typed

__all__ = ["train_reader"]


def train_reader(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The folder of the run.")] = Path("runs/reader"),
    steps: Annotated[int, typer.Option(help="Steps of one batch each.")] = 11_000,
    batch_size: Annotated[int, typer.Option(help="Strips of 40x384 pixels a step.")] = 16,
    width: Annotated[int, typer.Option(help="Channels of the first convolutions.")] = 40,
    learning_rate: Annotated[float, typer.Option(help="The highest.")] = 0.003,
    fold: Annotated[
        int | None, typer.Option(help="Leave out this fold, 0 to 4, of the real amounts, to measure on it.")
    ] = None,
    amounts: Annotated[
        bool,
        typer.Option("--amounts/--no-amounts", help="Learn from the real amounts, or from composed numbers alone."),
    ] = True,
    real: Annotated[
        float, typer.Option(help="Share of the rows that are real amounts, once a fifth of the steps is done.")
    ] = 0.3,
    start: Annotated[
        Path | None, typer.Option(help="A reader whose weights are the first ones; by default they are drawn.")
    ] = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    json: Json = False,
) -> None:
    """Train the network that reads whole numbers, on composed and real ones.

    Needs MNIST with the numbers of its writers, USPS, ARDIS and the amounts of cheques in the folder INKGRAD_DATA.
    The reader that ships was trained with --steps 48000 --real 0.15, in two hours on two cores.
    """
    choices = {
        "steps": steps,
        "batch_size": batch_size,
        "width": width,
        "learning_rate": learning_rate,
        "fold": fold,
        "amounts": amounts,
        "real": real,
        "start": None if start is None else str(start),
        "seed": seed,
    }
    _run(out, choices, typed(context), resume=resume, json=json)


def _run(out: Path, choices: dict[str, Any], given: set[str], *, resume: bool, json: bool) -> None:
    import time
    from dataclasses import asdict, replace

    from inkgrad.cli.output import emit_json, say
    from inkgrad.errors import OptionError
    from inkgrad.training.numbers import NumberRun, NumberSettings, number_data, saved_number_settings

    since = time.perf_counter()
    settings = NumberSettings(**choices)
    if resume:
        saved = saved_number_settings(out)
        changed = [name for name in given & choices.keys() if choices[name] != getattr(saved, name)]
        if changed:
            raise OptionError(f"a run to resume keeps its settings; leave {', '.join(sorted(changed))} out")
        settings = replace(saved)

    def tell(record: dict[str, Any]) -> None:
        left = record["seconds"] / record["step"] * (settings.steps - record["step"])
        say(
            f"step {record['step']:>6,} of {settings.steps:,}  loss {record['loss']:.4f}  "
            f"{record['canvases_per_second']:.0f} strips/s  {left / 60:.0f} min left",
            error=True,
        )

    run = NumberRun(
        out, settings, number_data(settings.fold, with_amounts=settings.amounts), resume=resume, tell=tell, since=since
    )
    last = run.train()
    if json:
        emit_json({"out": str(out), "settings": asdict(settings), **last})
        return
    say(f"trained a reader ({run.net.parameter_count():,} parameters) for {settings.steps:,} steps")
    say(f"model {run.model}, loss {last['loss']:.4f}")
