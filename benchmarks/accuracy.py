"""Test accuracy of the frozen recipes on MNIST, as mean and spread over seeds.

The recipes were chosen on the last 10,000 training digits; every evaluation on the test set goes into
test_ledger.jsonl. Runs in the folder go on where they were stopped, and nothing is trained or evaluated twice: trained/
has the runs of the figures, another folder trains all anew.

    python benchmarks/accuracy.py [--seeds 3] [--recipe NAME ...] [--keep FOLDER] [--split validation]
"""

import argparse
import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np

import inkgrad as ig
from inkgrad.training.members import accuracies_without_one
from inkgrad.training.run import write_settings

DENSE = (
    "--model mlp --optimizer momentum --learning-rate 0.03 --schedule cosine --l2 0.0005 --scaling standard "
    "--batch-size 32 --epochs 30"
)
ENSEMBLE = "ensemble"
TRAINED = Path(__file__).parent / "trained"
RECIPES = {
    "mlp": (
        "--model mlp --optimizer momentum --learning-rate 0.03 --schedule cosine --l2 0.0005 --scaling standard "
        "--batch-size 32 --epochs 30"
    ),
    "two-layer-sigmoid": (
        "--model two-layer-sigmoid --optimizer adam --learning-rate 0.001 --schedule cosine --batch-size 64 --epochs 20"
    ),
    "lenet5": (
        "--model lenet5 --optimizer adamw --learning-rate 0.003 --weight-decay 0.05 --schedule one-cycle "
        "--batch-size 64 --epochs 20"
    ),
    "cnn": (
        "--model cnn --optimizer adamw --learning-rate 0.003 --weight-decay 0.05 --schedule one-cycle "
        "--batch-size 64 --epochs 10"
    ),
    "mlp-300": f"{DENSE} --hidden 300",
    "mlp-300-deskewed": f"{DENSE} --hidden 300 --normalize deskew",
    "mlp-300-100": f"{DENSE} --hidden 300,100",
    "lenet1": (
        "--model lenet1 --optimizer adamw --learning-rate 0.005 --weight-decay 0.01 --schedule one-cycle "
        "--batch-size 64 --epochs 30"
    ),
    "softmax-regression": "--recipe softmax-regression",
    "softmax-regression-deskewed": "--recipe softmax-regression --normalize deskew",
    "mlp-elastic": "--recipe mlp-elastic",
    "lenet5-distorted": "--recipe lenet5-distorted",
    "tiny-mnist": "--recipe tiny-mnist",
    "best-single": "--recipe best-single",
}


def run(line: str) -> dict[str, Any]:
    from inkgrad.cli.main import main

    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        main(line.split())
    result: dict[str, Any] = json.loads(printed.getvalue())
    if "error" in result:
        raise SystemExit(result["error"])
    return result


def measure_ensemble(keep: Path, split: str) -> dict[str, Any]:
    """The recipe `ensemble`, whose members are the runs of `best-single`: nothing is trained twice."""
    out = keep / "ensemble-0"
    out.mkdir(parents=True, exist_ok=True)
    for member in filter(Path.is_dir, keep.glob("best-single-*")):
        link = out / member.name.replace("best-single", "member")
        if not link.exists():
            link.symlink_to(member.resolve(), target_is_directory=True)
    if not (out / "settings.json").exists():  # its members are there before it is
        write_settings(out, ig.training.Settings(**ig.training.read_recipe("ensemble") | {"data": "mnist"}))
    trained = run(f"train --resume --out {out} --json")
    folders = [out / f"member-{number}" for number in range(trained["members"])]
    found: dict[str, Any] = {"minutes": sum(minutes(folder) for folder in folders)}

    def answered() -> dict[str, Any]:
        dataset = ig.data.load("mnist").test
        answers = np.stack([ig.models.load(folder).predict_proba(dataset.images) for folder in folders])
        accuracy = float((answers.mean(axis=0).argmax(axis=1) == dataset.labels).mean())
        without = harness.spread(accuracies_without_one(answers, dataset.labels))
        return {"test_accuracy": accuracy, "without_one": without}

    without_one = harness.spread(trained["validation_accuracy_without_one"])
    parts = {"validation": {"validation_accuracy": trained["validation_accuracy"], "without_one": without_one}}
    if split == "test":
        parts["test"] = on_test(out, "ensemble: inkgrad train --recipe ensemble", 0, answered)
    for name, part in parts.items():
        without = part["without_one"]
        found[name] = {"mean": part[f"{name}_accuracy"], "std": without["std"], "without_one": without}
    print(f"ensemble of {len(folders)}: {found}", flush=True)
    return {"command": "--recipe ensemble", "summary": found}


def train_and_evaluate(recipe: str, seed: int, keep: Path, split: str) -> dict[str, float]:
    out = keep / f"{recipe}-{seed}"
    bring_to_end(out, f"--data mnist {RECIPES[recipe]} --seed {seed}")
    metrics = ig.models.load(out).header["metrics"]
    found = {"validation": metrics["validation_accuracy"], "minutes": minutes(out)}
    if split == "test":
        command = f"{recipe}: inkgrad train --data mnist {RECIPES[recipe]}"
        found["test"] = on_test(out, command, seed, lambda: evaluated(out))["test_accuracy"]
    return found


def bring_to_end(out: Path, options: str) -> None:
    """Train with these options what is not there yet, and resume what was begun."""
    if not (out / "MODEL_CARD.md").exists():  # the last thing that a run writes
        line = "--resume" if (out / "settings.json").exists() else options
        run(f"train {line} --out {out} --json")


def evaluated(out: Path) -> dict[str, Any]:
    return {"test_accuracy": run(f"evaluate {out} --data mnist --split test --json")["accuracy"]}


def on_test(out: Path, command: str, seed: int, evaluate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The first evaluation on the test set is the one that counts: it is logged, and kept beside the run."""
    kept = out / "test.json"
    if not kept.exists():
        figures = evaluate()
        accuracy = figures["test_accuracy"]
        more = {name: figure for name, figure in figures.items() if name != "test_accuracy"}
        harness.log_test_evaluation(command, seed, accuracy, **more)
        kept.write_text(json.dumps(figures) + "\n")
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def minutes(out: Path) -> float:
    """How long the training took, without what was before its epochs and after."""
    return sum(json.loads(line)["seconds"] for line in (out / "history.jsonl").read_text().splitlines()) / 60


def measured(recipe: str, seeds: int, keep: Path, split: str) -> dict[str, Any]:
    """All seeds of a recipe, printed and summed up."""
    runs = []
    for seed in range(seeds):
        runs.append(train_and_evaluate(recipe, seed, keep, split))
        print(f"{recipe}  seed {seed}  " + in_words(runs[-1]), flush=True)
    summary = {key: harness.spread([r[key] for r in runs]) for key in runs[0]}
    means = [f"{key} {s['mean']:.2%} ± {s['std']:.2%}" for key, s in summary.items() if key != "minutes"]
    print(f"{recipe}: {', '.join(means)}, {summary['minutes']['median']:.1f} minutes a run", flush=True)
    return {"command": RECIPES[recipe], "runs": runs, "summary": summary}


def in_words(found: dict[str, float]) -> str:
    return "  ".join(f"{k} {v:.1f}" if k == "minutes" else f"{k} {v:.2%}" for k, v in found.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", choices=[*RECIPES, ENSEMBLE], nargs="*", default=list(RECIPES))
    parser.add_argument(
        "--keep", type=Path, default=TRAINED, help="a folder for the runs; those of the figures: trained"
    )
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    options = parser.parse_args()
    results = {}
    for recipe in options.recipe:
        if recipe == ENSEMBLE:
            results[recipe] = measure_ensemble(options.keep, options.split)
        else:
            results[recipe] = measured(recipe, options.seeds, options.keep, options.split)
    if options.split == "validation":
        return
    kept = {name: result for name, result in harness.read_results("accuracy").items() if name in {*RECIPES, ENSEMBLE}}
    harness.write_results("accuracy", kept | results)


if __name__ == "__main__":
    main()
