"""What several commands take; nothing here imports numpy."""

from typing import Annotated, Literal

import typer

__all__ = [
    "Assignments",
    "Data",
    "Json",
    "Metric",
    "Model",
    "OptimizerName",
    "Pruner",
    "ScalingName",
    "ScheduleName",
    "Seed",
    "typed",
]

Model = Literal[
    "softmax-regression",
    "two-layer",
    "two-layer-sigmoid",
    "mlp",
    "lenet1",
    "lenet5-1998",
    "lenet5",
    "cnn",
    "resnet",
    "simple-cnn",
    "vgg",
    "tiny",
]
OptimizerName = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "muon"]
ScheduleName = Literal["constant", "step", "exponential", "cosine", "one-cycle"]
ScalingName = Literal["linear", "standard"]

Metric = Literal["accuracy", "loss"]
Pruner = Literal["median", "hyperband", "none"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Data = Annotated[
    str,
    typer.Option(help="digits (bundled), mnist, a folder of IDX files or of class folders, a .pkl.gz, .npz or .csv."),
]
Seed = Annotated[int, typer.Option(help="Where chance starts: the same seed gives the same weights.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Any setting of train, such as optimizer=adam or clip_norm=none; repeatable.",
    ),
]


def typed(context: typer.Context) -> set[str]:
    """The names of the options that were typed."""
    return {name for name in context.params if getattr(context.get_parameter_source(name), "name", "") != "DEFAULT"}
