"""Exported networks in ONNX Runtime: how near their logits are to ours.

Every named network with fresh weights, the weights that ship and the reader that ships, on validation digits of MNIST
(the reader on strips of noise). The bound is a relative norm of the difference of 1e-5, for the file and for the
network that is read back from it.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Target, finish, table

import inkgrad as ig

NEAR = Target(1e-5, most=True)


def digits(count: int) -> Any:
    """uint8 (count, 28, 28), of those that no shipped weights have seen."""
    return ig.data.load_mnist()[0].images[50_000 : 50_000 + count]


def networks(images: Any) -> dict[str, tuple[Any, Any]]:
    """name -> network in prediction mode, and what it takes."""
    scaled = ig.data.linear_scaling().apply(images)
    strips = ig.default_rng(0).random((16, 1, 40, 208), dtype=np.float32)
    made = {name: (ig.models.build(name, rng=ig.default_rng(0)), scaled) for name in ig.models.NAMED}
    for name in ig.models.PRETRAINED:
        classifier = ig.models.pretrained(name)
        made[f"weights {name}"] = (classifier.network, classifier.scaling.apply(images))
    return made | {"the reader": (ig.Reader.pretrained().recognizer.net, strips)}


def runtime(content: bytes) -> Callable[[Any], Any]:
    """ONNX Runtime for a model: images -> the first output."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (name, *_) = (one.name for one in session.get_inputs())
    return lambda images: session.run(None, {name: images})[0]


def apart(got: Any, expected: Any) -> float:
    """The relative norm of the difference."""
    return float(np.linalg.norm((got - expected).ravel()) / np.linalg.norm(expected.ravel()))


def measure(net: Any, images: Any) -> dict[str, float]:
    """Differences of one network."""
    net.eval()
    with ig.no_grad():
        expected = net(images).data
        model = ig.export.to_onnx(net)
        back = ig.export.from_onnx(model)(images).data
    content = model.SerializeToString()
    return {
        "runtime": apart(runtime(content)(images), expected),
        "imported": apart(back, expected),
        "bytes": len(content),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ten digits; writes nothing")
    quick = parser.parse_args().quick
    cases = {name: measure(*pair) for name, pair in networks(digits(10 if quick else 500)).items()}
    rows = [
        [
            name,
            f"{case['runtime']:.1e}",
            f"{case['imported']:.1e}",
            f"{case['bytes']:,}",
            NEAR.judge(max(case["runtime"], case["imported"])),
        ]
        for name, case in cases.items()
    ]
    columns = ["network", "ONNX Runtime", "read back", "bytes", "target"]
    table(columns, rows, right=range(1, 4))
    finish("onnx_export", cases, quick=quick)


if __name__ == "__main__":
    main()
