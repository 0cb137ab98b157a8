"""Speed of prediction: batches of 1,000 and single images, beside ONNX Runtime and PyTorch.

The ONNX file is written from the same weights, and the logits must agree. Ours is the ordinary call of a network in
prediction mode. Each contender is a process of its own; they work in turn, round by round. Figures are medians over
the rounds of the median call of a round.

    python benchmarks/predict_speed.py [--rounds 7] [--seconds 0.5] [--only mlp] [--quick]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import contest
import harness
import networks
import numpy as np
from harness import Target

BATCH = 1000
TOLERANCE = 1e-4
THROUGHPUT = {"mlp": Target(0.8, 1.0), "lenet5": Target(0.9, 1.0), "cnn": Target(0.6, 1.0)}
LATENCY = Target(3.0, 1.5, most=True)

Predict = Callable[[np.ndarray], np.ndarray]


def ours(name: str, folder: Path) -> tuple[Predict, Callable[[], dict[str, Any]]]:
    import inkgrad as ig

    del folder
    net = networks.build(name).eval()

    def predict(images: np.ndarray) -> np.ndarray:
        with ig.no_grad():
            return net(images).data

    return predict, harness.machine


def onnx(name: str, folder: Path) -> tuple[Predict, Callable[[], dict[str, Any]]]:
    import peer_onnx

    del name
    return peer_onnx.predictor(*networks.read(folder)), peer_onnx.versions


def torch(name: str, folder: Path) -> tuple[Predict, Callable[[], dict[str, Any]]]:
    import peer_torch

    del name
    return peer_torch.predictor(*networks.read(folder)), peer_torch.versions


CONTENDERS = {"ours": ours, "onnxruntime": onnx, "torch": torch}


def worker(contender: str, options: argparse.Namespace) -> None:
    def prepare() -> tuple[contest.Answer, Callable[..., contest.Answer]]:
        images, _ = networks.read_digits(options.folder)
        whole = images[:BATCH, None].astype(np.float32) / np.float32(255)
        singles = [whole[i : i + 1].copy() for i in range(64)]
        predict, info = CONTENDERS[contender](options.only, options.folder)
        first = predict(whole)
        pace = {"warm": options.warm, "seconds": options.seconds}
        many = contest.Timed(lambda _: predict(whole), **pace)
        one = contest.Timed(lambda number: predict(singles[number % len(singles)]), **pace)
        np.savez(options.folder / f"{contender}.npz", first=first, warm=predict(whole), one=predict(singles[0]))
        return info(), lambda: {"batch": median(many.calls()), "one": median(one.calls())}

    contest.serve(prepare)


def run_case(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All contenders of a network, in turn."""
    names = [contender for contender in CONTENDERS if contender not in options.without]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        networks.export(networks.build(name), folder)
        networks.write_digits(folder, BATCH)
        more = ["--seconds", str(options.seconds), "--warm", str(options.warm), "--only", name, "--folder", place]
        contenders = [contest.Contender(c, "predict_speed.py", c, *more) for c in names]
        answers = contest.alternate(contenders, options.rounds)
        for contender in contenders:
            contender.close()
        differences = {c: difference(folder, c) for c in names}
    found: dict[str, Any] = {}
    for contender in contenders:
        rounds = answers[contender.name]
        found[contender.name] = {
            "info": contender.info,
            "images_per_second": harness.spread([BATCH / answer["batch"] for answer in rounds]),
            "latency": harness.spread([answer["one"] for answer in rounds]),
            "logits_differ": differences[contender.name],
        }
    return {"contenders": found}


def difference(folder: Path, contender: str) -> float:
    """The greatest difference of its logits from our very first ones, as part of the largest of these."""
    with np.load(folder / "ours.npz") as file:
        expected = file["first"]
    with np.load(folder / f"{contender}.npz") as file:
        pairs = [(file["first"], expected), (file["warm"], expected), (file["one"], expected[:1])]
    return float(max(np.abs(got - wanted).max() for got, wanted in pairs) / np.abs(expected).max())


def rows_of(name: str, result: dict[str, Any]) -> list[list[str]]:
    """A row for each contender; the ratios go into the result too."""
    rows, found = [], result["contenders"]
    ours = found["ours"]
    for contender, figures in found.items():
        speed, latency = figures["images_per_second"]["median"], figures["latency"]["median"]
        faster, slower = ours["images_per_second"]["median"] / speed, ours["latency"]["median"] / latency
        figures |= {"ours_over_this": faster, "our_latency_over_this": slower}
        peer = contender == "onnxruntime"
        rows.append(
            [
                name if contender == "ours" else "",
                contender,
                f"{speed:,.0f}",
                "" if contender == "ours" else f"{faster:.2f}",
                THROUGHPUT[name].judge(faster) if peer else "",
                f"{1e6 * latency:,.1f}",
                "" if contender == "ours" else f"{slower:.2f}",
                LATENCY.judge(slower) if peer else "",
                f"{figures['logits_differ']:.0e}" + ("" if figures["logits_differ"] < TOLERANCE else " WRONG"),
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a round of each kind")
    parser.add_argument("--warm", type=float, default=4.0, help="seconds of work before anything is measured")
    parser.add_argument("--only", choices=list(THROUGHPUT))
    parser.add_argument("--without", choices=["torch", "onnxruntime"], nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options)
        return
    if options.quick:
        options.rounds, options.seconds, options.warm = 2, 0.05, 0.1
    results, rows = {}, []
    for name in [options.only] if options.only else THROUGHPUT:
        results[name] = run_case(name, options)
        rows += rows_of(name, results[name])
        print(f"{name} measured", flush=True)
    columns = ["network", "contender", "images/s, batch 1,000", "ours / it", "target"]
    columns += ["us an image alone", "ours / it", "target", "logits differ"]
    harness.table(columns, rows, right=(2, 3, 5, 6, 8))
    harness.finish("predict_speed", results, quick=options.quick)


if __name__ == "__main__":
    main()
