"""How well the recipe `digits` reads sets of hands that were left out of its training.

One run with all sets but those, both at once, and what it reads of them. Runs in the folder go on where they were
stopped, and nothing is trained twice: trained/ has the run of the figures.

    python benchmarks/left_out.py [--set usps ardis] [--keep FOLDER] [--seed 0] [--misread FOLDER]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
from accuracy import TRAINED, bring_to_end, minutes
from harness import Target
from shipped import accuracy, misread

import inkgrad as ig

SETS = ("usps", "ardis", "orand_car")
TARGETS = {"usps": Target(97.5), "ardis": Target(95.0)}


def mixture_without(names: Sequence[str]) -> str:
    """The recipe's data without some sets."""
    data = str(ig.training.read_recipe("digits")["data"])
    return "+".join(part for part in data.split("+") if part.rpartition("*")[2] not in names)


def trained(names: Sequence[str], keep: Path, seed: int) -> Path:
    """The folder of a run without the sets, once it has come to its end."""
    out, data = keep / f"without-{'-'.join(names)}-{seed}", mixture_without(names)
    settings = out / "settings.json"
    if settings.exists() and (kept := json.loads(settings.read_text())["settings"]["data"]) != data:
        raise SystemExit(
            f"{out} learns from {kept}, but the recipe without {' and '.join(names)} is {data}; name another --keep"
        )
    bring_to_end(out, f"--recipe digits --data {data} --seed {seed}")
    return out


def measure(names: Sequence[str], keep: Path, seed: int, sheets: Path | None) -> dict[str, dict[str, Any]]:
    """Train without the sets, then read each of them."""
    out = trained(names, keep, seed)
    classifier = ig.models.load(out)
    found = {}
    for name in names:
        hand = ig.data.load_hand(name)
        if sheets:
            misread(classifier, {name: hand}, sheets)
        found[name] = {
            "data": mixture_without(names),
            "seed": seed,
            "right": accuracy(classifier, hand),
            "images": len(hand),
            "mnist validation": 100 * classifier.header["metrics"]["validation_accuracy"],
            "minutes": minutes(out),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", choices=SETS, default=list(TARGETS))
    parser.add_argument("--keep", type=Path, default=TRAINED, help="a folder for the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--misread", type=Path, help="a folder for contact sheets of what is misread")
    options = parser.parse_args()
    cases = measure(options.set, options.keep, options.seed, options.misread)
    rows = []
    for name, found in cases.items():
        judged = TARGETS[name].judge(found["right"]) if name in TARGETS else ""
        rows.append([name, f"{found['images']:,}", f"{found['right']:.2f}", judged, f"{found['minutes']:.0f}"])
    harness.table(["left out", "digits", "% right", "", "minutes"], rows, right=(1, 2, 4))
    harness.finish("left_out", cases, quick=False)


if __name__ == "__main__":
    main()
