"""ONNX Runtime as the judge of what is written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def runtime() -> Callable[..., Any]:
    """(model or path, *inputs) -> the outputs of ONNX Runtime, by name."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3

    def run(model: Any, *inputs: Any) -> dict[str, np.ndarray]:
        content = model.SerializeToString() if hasattr(model, "SerializeToString") else str(model)
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_inputs()]
        outputs = [one.name for one in session.get_outputs()]
        return dict(zip(outputs, session.run(None, dict(zip(names, inputs, strict=True))), strict=True))

    return run
