"""What `inkgrad export` takes; nothing here imports numpy."""

from pathlib import Path
from typing import Annotated

import typer

from inkgrad.cli.options import Json

__all__ = ["export"]


def export(
    model: Annotated[
        Path, typer.Argument(help="A run's folder, a model file, digits, tiny or reader.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="The ONNX file to write.", show_default=False)],
    preprocessing: Annotated[
        bool, typer.Option("--preprocessing", help="From pixels to probabilities, with all that the model does.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a trained network as an ONNX file."""
    from inkgrad.cli.export import run

    run(model, out, preprocessing=preprocessing, json=json)
