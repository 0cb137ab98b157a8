"""The `inkgrad` command: what can be typed, and how it ends.

Exit status: 0 done, 1 a run that failed, 2 a mistake in what was given, 130 Ctrl-C.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgrad.cli.ending import status_of
from inkgrad.cli.exporting import export
from inkgrad.cli.learn import learn
from inkgrad.cli.options import Assignments, Data, Json, Model, OptimizerName, ScalingName, ScheduleName, Seed, typed
from inkgrad.cli.reading import read
from inkgrad.cli.search import lr_find, tune
from inkgrad.cli.serve import serve
from inkgrad.cli.train_reader import train_reader

__all__ = ["main"]

# Nothing here imports numpy: `inkgrad --help` answers at once. Each command imports its own module when it runs.

NO_SETTINGS = (  # options of train that are none of a run's settings
    *("context", "out", "resume", "checkpoint_seconds", "tensorboard", "doctor", "assignments", "json"),
    *("from_feedback", "start", "database", "replace", "distributed"),
)

app = typer.Typer(
    name="inkgrad",
    help="Recognize handwritten digits with neural networks trained by their own backpropagation.",
    epilog="Begin with: inkgrad quickstart",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback on errors; works after a command too.")
    ] = False,
) -> None:
    """Recognize handwritten digits with neural networks trained by their own backpropagation."""
    del debug  # taken off the line before parsing, so that it may stand anywhere
    if version:
        from inkgrad.version import __version__

        typer.echo(f"inkgrad {__version__}")
        raise typer.Exit


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Where the sample pictures go.")] = Path("inkgrad-quickstart"),
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train on the bundled digits, check the gradients, read sample images, and say what to try next."""
    from inkgrad.cli.quickstart import run

    run(out=out, seed=seed, json=json)


@app.command()
def train(
    context: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Settings from best-single, digits, ensemble, lenet5-distorted, mlp-elastic, softmax-regression, "
            "tiny, tiny-mnist or a .toml file; what else is typed overrides them."
        ),
    ] = None,
    data: Data = "digits",
    train_on: Annotated[
        Literal["train", "all"], typer.Option(help="all: learn from the validation part too.")
    ] = "train",
    model: Annotated[Model, typer.Option(help="The network.")] = "mlp",
    hidden: Annotated[str | None, typer.Option(help="Widths of its hidden layers, such as 128 or 300,100.")] = None,
    width: Annotated[int | None, typer.Option(help="Channels, of networks with that option.")] = None,
    depth: Annotated[int | None, typer.Option(help="Blocks, of networks with that option.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Times through the training data.  [default: 10]")] = None,
    steps: Annotated[int | None, typer.Option(help="How many updates to make, instead of epochs.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images in each update.")] = 128,
    optimizer: Annotated[OptimizerName, typer.Option(help="How gradients change the weights.")] = "momentum",
    learning_rate: Annotated[
        float | None, typer.Option(help="Base rate of the schedule.  [default: the optimizer's]")
    ] = None,
    momentum: Annotated[float | None, typer.Option(help="Of momentum and nesterov.  [default: 0.9]")] = None,
    schedule: Annotated[ScheduleName, typer.Option(help="The learning rate over the whole run.")] = "constant",
    warmup_steps: Annotated[int, typer.Option(help="Rise to the learning rate over so many updates first.")] = 0,
    l1: Annotated[float, typer.Option(help="Strength of the L1 penalty.")] = 0.0,
    l2: Annotated[float, typer.Option(help="Strength of the L2 penalty.")] = 0.0,
    weight_decay: Annotated[float | None, typer.Option(help="Of adamw and muon.  [default: 0.01]")] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Limit of the gradient's norm.")] = None,
    clip_value: Annotated[float | None, typer.Option(help="Limit of each component of the gradient.")] = None,
    average: Annotated[
        float | None, typer.Option(help="Decay of a moving average of the weights, such as 0.999.")
    ] = None,
    label_smoothing: Annotated[float, typer.Option(help="Share of each target spread over all classes.")] = 0.0,
    augmentation: Annotated[
        str | None,
        typer.Option("--augment", help="Random changes to the images, such as rotation=10,shift=2,elastic=15."),
    ] = None,
    mixup: Annotated[float, typer.Option(help="Blend images in pairs, such as 0.2; 0 for none.")] = 0.0,
    teacher: Annotated[str | None, typer.Option(help="A trained model whose answers are learned too.")] = None,
    temperature: Annotated[float, typer.Option(help="How much the teacher's answers are softened.")] = 2.0,
    teacher_weight: Annotated[float, typer.Option(help="The teacher's share of the loss.")] = 0.9,
    normalize: Annotated[
        str | None, typer.Option(help="What is done to every image first, such as deskew,size.")
    ] = None,
    pca: Annotated[int | None, typer.Option(help="Keep so many principal components of every image.")] = None,
    views: Annotated[int, typer.Option(help="In how many ways the trained model looks at an image, 1 to 9.")] = 1,
    calibrate: Annotated[
        bool, typer.Option(help="Fit a temperature, so that confidences are as often right as they say.")
    ] = False,
    members: Annotated[int, typer.Option(help="How many networks to train, that answer together.")] = 1,
    scaling: Annotated[ScalingName, typer.Option(help="Pixels / 255, or by mean and deviation.")] = "linear",
    early_stopping: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better validation loss.")
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder.  [default: runs/MODEL, or the next that is free]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out with its own settings.")] = False,
    checkpoint_seconds: Annotated[float, typer.Option(help="Longest time between two checkpoints.")] = 60.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write a log for TensorBoard into the run's folder.")
    ] = False,
    assignments: Assignments = None,
    doctor: Annotated[bool, typer.Option("--doctor", help="Say after each epoch what goes wrong.")] = False,
    from_feedback: Annotated[
        bool,
        typer.Option("--from-feedback", help="Teach a trained network the corrections that inkgrad serve has kept."),
    ] = False,
    start: Annotated[
        Path | None, typer.Option(help="The network that learns them: a run's folder, a model file, digits or tiny.")
    ] = None,
    database: Annotated[str | None, typer.Option(help="Where the corrections are, as in serve.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write the network that has learned them in place of --start.")
    ] = False,
    distributed: Annotated[
        Literal["mpi"] | None,
        typer.Option(help="Train by all processes that mpiexec starts; each takes its part of every batch."),
    ] = None,
    json: Json = False,
) -> None:
    """Train a network."""
    choices = dict(locals())
    if from_feedback or start is not None or database is not None or replace:
        from inkgrad.cli.train_feedback import run as tune_on_feedback

        tune_on_feedback(choices, typed(context), json=json)
        return
    from inkgrad.cli.train import run

    choices = {name: value for name, value in choices.items() if name not in NO_SETTINGS}
    run(
        choices,
        typed(context) & choices.keys(),
        out=out,
        resume=resume,
        checkpoint_seconds=checkpoint_seconds,
        tensorboard=tensorboard,
        doctor=doctor,
        assignments=assignments or [],
        json=json,
        distributed=distributed,
    )


app.command()(tune)
app.command("lr-find")(lr_find)
app.command("train-reader")(train_reader)


@app.command()
def ensemble(
    models: Annotated[
        list[Path], typer.Argument(help="Runs' folders, model files, digits or tiny.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="The model file to write.")] = Path("ensemble.safetensors"),
    json: Json = False,
) -> None:
    """Join trained models into one that answers with the mean of their probabilities."""
    from inkgrad.cli.ensemble import run

    run(models, out=out, json=json)


app.command()(export)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A run's folder, a model file, digits or tiny.", show_default=False)],
    data: Annotated[str | None, typer.Option(help="As in train.  [default: what it was trained on]")] = None,
    split: Annotated[Literal["test", "validation"], typer.Option(help="Which part to measure on.")] = "test",
    report: Annotated[Path | None, typer.Option(help="Write a report as one HTML page.")] = None,
    json: Json = False,
) -> None:
    """Measure a trained network: accuracy, confusion, calibration."""
    from inkgrad.cli.evaluate import run

    run(model, data=data, split=split, report=report, json=json)


@app.command()
def doctor(
    run: Annotated[Path, typer.Argument(help="A run's folder, finished or not.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where doctor.html and doctor.json go.  [default: the run's folder]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the digits that are looked at.")] = 0,
    json: Json = False,
) -> None:
    """Say what is wrong with a training, and what to do."""
    from inkgrad.cli.doctor import run as examine

    examine(run, out=out, seed=seed, json=json)


@app.command()
def classify(
    files: Annotated[
        list[Path], typer.Argument(help="Image files, one digit each, or folders of them.", show_default=False)
    ],
    model: Annotated[
        Path | None, typer.Option(help="A run's folder, a model file, digits or tiny.  [default: digits]")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the 28x28 image that the network saw.")] = False,
    json: Json = False,
) -> None:
    """Say which digit each image shows."""
    from inkgrad.cli.classify import run

    run(files, model=model, show=show, json=json)


app.command()(read)
app.command()(learn)
app.command()(serve)


@app.command()
def gradcheck(
    model: Annotated[Model, typer.Option(help="The network.")] = "mlp",
    data: Data = "digits",
    batch_size: Annotated[int, typer.Option(help="Images in the loss.")] = 8,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare backpropagation with numerical gradients, parameter by parameter."""
    from inkgrad.cli.gradcheck import run

    run(model=model, data=data, batch_size=batch_size, seed=seed, json=json)


@app.command()
def benchmark(
    quick: Annotated[bool, typer.Option("--quick", help="A few seconds instead of a minute: rough figures.")] = False,
    json: Json = False,
) -> None:
    """Measure how fast this machine trains and predicts, and say what it runs on."""
    from inkgrad.cli.benchmark import run

    run(quick=quick, json=json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in line
    line = [word for word in line if word != "--debug"]
    sys.exit(status_of(app, line, debug=debug))
