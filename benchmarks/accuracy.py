"""Test accuracy of the frozen recipes on MNIST, as mean and spread over seeds.

The recipes were chosen on the last 10,000 training digits; every evaluation here goes into test_ledger.jsonl.

    python benchmarks/accuracy.py [--seeds 3] [--recipe NAME]
"""

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path

import harness

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
}


def run(line: str) -> dict[str, float]:
    from inkgrad.cli.main import main

    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        main(line.split())
    result: dict[str, float] = json.loads(printed.getvalue())
    return result


def train_and_evaluate(recipe: str, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        trained = run(f"train --data mnist {RECIPES[recipe]} --seed {seed} --out {out} --json")
        tested = run(f"evaluate {out} --data mnist --split test --json")
    return {"validation": trained["validation_accuracy"], "test": tested["accuracy"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", choices=list(RECIPES))
    options = parser.parse_args()
    results = {}
    for recipe in [options.recipe] if options.recipe else RECIPES:
        runs = []
        for seed in range(options.seeds):
            runs.append(train_and_evaluate(recipe, seed))
            harness.log_test_evaluation(
                f"{recipe}: inkgrad train --data mnist {RECIPES[recipe]}", seed, runs[-1]["test"]
            )
            print(
                f"{recipe}  seed {seed}  validation {runs[-1]['validation']:.2%}  test {runs[-1]['test']:.2%}",
                flush=True,
            )
        summary = {key: harness.spread([r[key] for r in runs]) for key in ("validation", "test")}
        v, t = summary["validation"], summary["test"]
        print(f"{recipe}: validation {v['mean']:.2%} ± {v['std']:.2%}, test {t['mean']:.2%} ± {t['std']:.2%}")
        results[recipe] = {"command": RECIPES[recipe], "runs": runs, "summary": summary}
    kept = {name: result for name, result in harness.read_results("accuracy").items() if name in RECIPES}
    harness.write_results("accuracy", kept | results)


if __name__ == "__main__":
    main()
