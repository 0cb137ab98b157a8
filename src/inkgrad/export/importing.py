"""`from_onnx`: a network from an ONNX file."""

import os
from pathlib import Path
from typing import Any

from inkgrad.errors import ModelFileError, OptionError
from inkgrad.export.assembly import assembled
from inkgrad.export.extra import onnx_module
from inkgrad.export.guard import check_message, read_bounded
from inkgrad.export.network import OnnxNetwork
from inkgrad.export.tensors import Reader, told

__all__ = ["from_onnx"]

_OLDEST = 6


def from_onnx(path: str | os.PathLike[str] | Any) -> OnnxNetwork:
    """The network in an ONNX file, in prediction mode.

    It predicts as any module does, `TrainStep` fine-tunes it, `ig.show` and `ig.graph` draw it, and `to_onnx` writes it
    again. Its weights are those of the file, under their names there. Dropout is active in training, and batch
    normalization takes the statistics of the batch, as in any network here.

    A file may come from a stranger: it is refused where it is damaged, has more than 256 MiB, names weights outside
    its own folder, has a shape that its bytes do not fill, or operators that are not known. When it runs, it is refused
    what takes more than 64 million numbers for one input.

    Args:
        path: the file; weights may lie in files beside it. An `onnx.ModelProto` is taken as well.

    Raises:
        OptionError: the package `onnx` is missing.
        ModelFileError: missing, damaged, too large, of a version that is not known, or with an operator that is not.

    >>> import inkgrad as ig
    >>> net = ig.models.build("mlp", rng=ig.default_rng(0))
    >>> again = from_onnx(ig.export.to_onnx(net))
    >>> [name for name, _ in again.named_parameters()]
    ['layers.1.weight', 'layers.1.bias', 'layers.3.weight', 'layers.3.bias']
    """
    onnx = onnx_module()
    if isinstance(path, str | os.PathLike):
        name, folder = str(path), Path(path).absolute().parent
        model = _parsed(onnx, read_bounded(path), name)
    elif isinstance(path, onnx.ModelProto):
        name, folder, model = "the model", None, path
    else:
        raise OptionError(f"from_onnx takes the path of a file or an onnx.ModelProto, but got {type(path).__name__}")
    try:
        return assembled(model.graph, _version(onnx, model, name), Reader(name, folder)).eval()
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{name} is damaged: a name in it is no text; export it again") from error


def _parsed(onnx: Any, content: bytes, name: str) -> Any:
    check_message(content, onnx.ModelProto.DESCRIPTOR, name)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's DecodeError, whose module is not always the same
        raise ModelFileError(f"{name} is damaged or no ONNX file; export it again") from error
    if not model.HasField("graph"):
        raise ModelFileError(f"{name} is no ONNX file: it has no graph")
    return model


def _version(onnx: Any, model: Any, name: str) -> int:
    """The version of ONNX's own operators."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version, newest = versions.get("", versions.get("ai.onnx")), onnx.defs.onnx_opset_version()
    if version is None:
        raise ModelFileError(f"{name} does not say which version of ONNX's operators it uses")
    if not _OLDEST <= version <= newest:
        raise ModelFileError(
            f"{name} uses version {version} of ONNX's operators, but versions {_OLDEST} to {newest} are known; "
            "export it for one of them" + ("" if version < _OLDEST else ", or update the package onnx")
        )
    if len(model.functions):
        raise ModelFileError(f"{name} has functions of its own, such as {told(model.functions[0].name)}; inline them")
    return int(version)
