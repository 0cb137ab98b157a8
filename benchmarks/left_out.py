"""How well the recipe `digits` reads sets of hands that were left out of its training.

One run with all sets but those, which is harder than to leave out one at a time; and what it reads of them. A run that
is kept in a folder goes on where it was stopped, and is not trained twice.

    python benchmarks/left_out.py [--set usps ardis] [--keep FOLDER] [--seed 0]
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
from accuracy import minutes, run
from harness import Target

import inkgrad as ig

SETS = ("usps", "ardis", "orand_car")
TARGETS = {"usps": Target(97.5), "ardis": Target(95.0)}


def mixture_without(names: Sequence[str]) -> str:
    """The recipe's data without some sets."""
    data = str(ig.training.read_recipe("digits")["data"])
    return "+".join(part for part in data.split("+") if part.rpartition("*")[2] not in names)


def measure(names: Sequence[str], keep: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Train without the sets, then read each of them."""
    out = keep / f"without-{'-'.join(names)}-{seed}"
    fresh = f"--recipe digits --data {mixture_without(names)} --seed {seed}"
    trained = run(f"train {'--resume' if (out / 'settings.json').exists() else fresh} --out {out} --json")
    classifier = ig.models.load(out)
    found = {}
    for name in names:
        hand = ig.data.load_hand(name)
        found[name] = {
            "data": mixture_without(names),
            "seed": seed,
            "right": 100 * float((classifier.predict(hand.images) == hand.labels).mean()),
            "images": len(hand),
            "mnist validation": 100 * trained["validation_accuracy"],
            "minutes": minutes(out),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", choices=SETS, default=list(TARGETS))
    parser.add_argument("--keep", type=Path, help="a folder for the run; a temporary one by default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        cases = measure(options.set, options.keep or Path(place), options.seed)
    rows = []
    for name, found in cases.items():
        judged = TARGETS[name].judge(found["right"]) if name in TARGETS else ""
        rows.append([name, f"{found['images']:,}", f"{found['right']:.2f}", judged, f"{found['minutes']:.0f}"])
    harness.table(["left out", "digits", "% right", "", "minutes"], rows, right=(1, 2, 4))
    harness.finish("left_out", cases, quick=False)


if __name__ == "__main__":
    main()
