"""How well the recipe `digits` reads a set of hands that was left out of its training.

One run for each set, with all the others; what it reads of the whole set that it has not seen. Runs that are kept in a
folder go on where they were stopped, and are not trained twice.

    python benchmarks/left_out.py [--set usps ardis orand_car] [--keep FOLDER] [--seed 0]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import harness
from accuracy import minutes, run
from harness import Target

import inkgrad as ig

TARGETS = {"usps": Target(97.5), "ardis": Target(95.0)}


def mixture_without(name: str) -> str:
    """The recipe's data without one set."""
    data = str(ig.training.read_recipe("digits")["data"])
    return "+".join(part for part in data.split("+") if part.rpartition("*")[2] != name)


def measure(name: str, keep: Path, seed: int) -> dict[str, Any]:
    """Train without the set, then read it."""
    out = keep / f"without-{name}-{seed}"
    fresh = f"--recipe digits --data {mixture_without(name)} --seed {seed}"
    trained = run(f"train {'--resume' if (out / 'settings.json').exists() else fresh} --out {out} --json")
    hand = ig.data.load_hand(name)
    classifier = ig.models.load(out)
    return {
        "data": mixture_without(name),
        "seed": seed,
        "right": 100 * float((classifier.predict(hand.images) == hand.labels).mean()),
        "images": len(hand),
        "mnist validation": 100 * trained["validation_accuracy"],
        "minutes": minutes(out),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="*", choices=["usps", "ardis", "orand_car"], default=list(TARGETS))
    parser.add_argument("--keep", type=Path, help="a folder for the runs; a temporary one by default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        cases = {name: measure(name, options.keep or Path(place), options.seed) for name in options.set}
    rows = []
    for name, found in cases.items():
        judged = TARGETS[name].judge(found["right"]) if name in TARGETS else ""
        rows.append([name, f"{found['images']:,}", f"{found['right']:.2f}", judged, f"{found['minutes']:.0f}"])
    harness.table(["left out", "digits", "% right", "", "minutes"], rows, right=(1, 2, 4))
    harness.finish("left_out", cases, quick=False)


if __name__ == "__main__":
    main()
