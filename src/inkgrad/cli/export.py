"""`inkgrad export`."""

from pathlib import Path
from typing import Any

from inkgrad.cli.model import chosen_model
from inkgrad.cli.output import emit_json, say
from inkgrad.errors import OptionError
from inkgrad.export import to_onnx
from inkgrad.models import MODEL_FILE, Classifier
from inkgrad.models.rows import is_rows, load_rows
from inkgrad.nn import Module

READER = "reader"


def run(model: Path, out: Path, *, preprocessing: bool, json: bool) -> None:
    """Write a trained network as an ONNX file."""
    if out.suffix.lower() != ".onnx":
        raise OptionError(f"export writes an ONNX file, but {out} does not end in .onnx; name another")
    chosen = _chosen(model)
    written = to_onnx(chosen, out, preprocessing=preprocessing)
    net = chosen.network if isinstance(chosen, Classifier) else chosen
    result = {
        "model": str(model),
        "out": str(out),
        "architecture": str(getattr(net, "architecture", "")),
        "parameters": net.parameter_count(),
        "preprocessing": preprocessing,
        "opset": written.opset_import[0].version,
        "nodes": len(written.graph.node),
        "bytes": out.stat().st_size,
        "inputs": [_described(one) for one in written.graph.input],
        "outputs": [_described(one) for one in written.graph.output],
    }
    if json:
        emit_json(result)
        return
    said = f"{result['nodes']} nodes, {result['bytes']:,} bytes, operators of version {result['opset']}"
    say(f"{result['architecture']} ({result['parameters']:,} parameters): {out}, {said}")
    for kind in ("inputs", "outputs"):
        for one in result[kind]:
            say(f"{kind[:-1]:<7}{one['name']}: {one['dtype']} ({', '.join(map(str, one['shape']))})")


def _chosen(given: Path) -> Classifier | Module:
    """A classifier, or the network of a reader."""
    file = given / MODEL_FILE if given.is_dir() else given
    if str(given) == READER and not file.is_file():
        from inkgrad.reading import Reader

        return Reader.pretrained().recognizer.net
    if file.is_file() and is_rows(file):
        return load_rows(file)[0]
    return chosen_model(given)


def _described(one: Any) -> dict[str, Any]:
    from onnx.helper import tensor_dtype_to_np_dtype

    tensor = one.type.tensor_type
    shape = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
    return {"name": one.name, "dtype": str(tensor_dtype_to_np_dtype(tensor.elem_type)), "shape": shape}
