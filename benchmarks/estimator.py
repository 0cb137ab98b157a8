"""`NetworkClassifier` and `NetworkRegressor` beside scikit-learn's `MLPClassifier` and `MLPRegressor`.

Equal settings: hidden layers with ReLU, batch size, optimizer and its numbers, epochs, no penalty, no early stopping,
the same float32 rows on the same scale in an order of each seed's own. Each is a process of its own with its default
threads; they work in turn. Speeds are of whole calls of `fit`: rows times epochs a second, medians over the rounds.
Scores, accuracy or R^2 on rows that were held out, are means over seeds; ours may be worse by their spread at most. Of
MNIST the first 50,000 training digits are learned and the last 10,000 are read; the test set is not looked at.

    python benchmarks/estimator.py [--rounds 7] [--seeds 10] [--only digits] [--quick]
"""

import argparse
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import contest
import harness
import numpy as np
from harness import Target

SPEED = Target(2.0)
WORSE = Target(1.0, most=True)  # by how many standard deviations over the seeds
RATE, MOMENTUM = 0.001, 0.9

Rows = tuple[Any, Any, Any, Any]  # X and y to learn from, X and y to score


@dataclass(frozen=True)
class Case:
    """What is learned: rows, and the settings of both."""

    rows: Callable[[], Rows]
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    optimizer: str = "adam"
    classifies: bool = True


def scaled(X: Any, y: Any, held: int, *, targets: bool = False) -> Rows:
    """Columns, and targets where wanted, with mean 0 and deviation 1 of the first rows; the last are held out."""
    mean, deviation = X[:-held].mean(axis=0), X[:-held].std(axis=0)
    X = ((X - mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)
    y = ((y - y[:-held].mean()) / y[:-held].std()).astype(np.float32) if targets else y
    return X[:-held], y[:-held], X[-held:], y[-held:]


def digits() -> Rows:
    from sklearn.datasets import load_digits

    return scaled(*load_digits(return_X_y=True), 360)


def mnist() -> Rows:
    import inkgrad as ig

    train, _ = ig.data.load_mnist()
    X = (train.images.reshape(-1, 784) / np.float32(255)).astype(np.float32)
    return X[:50_000], train.labels[:50_000], X[50_000:], train.labels[50_000:]


def table() -> Rows:
    from sklearn.datasets import make_classification

    options = {"n_features": 40, "n_informative": 15, "n_classes": 5, "random_state": 0}
    return scaled(*make_classification(24_000, **options), 4_000)


def diabetes() -> Rows:
    from sklearn.datasets import load_diabetes

    return scaled(*load_diabetes(return_X_y=True), 88, targets=True)


def friedman() -> Rows:
    from sklearn.datasets import make_friedman1

    return scaled(*make_friedman1(24_000, n_features=20, noise=1.0, random_state=0), 4_000, targets=True)


CASES = {
    "digits": Case(digits, (100,), 200, 60),
    "mnist": Case(mnist, (128,), 128, 5),
    "mnist-momentum": Case(mnist, (128,), 128, 5, "momentum"),
    "mnist-deep": Case(mnist, (256, 128), 128, 3),
    "table": Case(table, (100,), 200, 20),
    "diabetes": Case(diabetes, (100,), 200, 200, classifies=False),
    "friedman": Case(friedman, (100, 50), 200, 20, classifies=False),
}


def ours(case: Case, seed: int) -> Any:
    from inkgrad.estimator import NetworkClassifier, NetworkRegressor

    return (NetworkClassifier if case.classifies else NetworkRegressor)(
        hidden_layer_sizes=case.hidden,
        optimizer=case.optimizer,
        learning_rate=RATE,
        momentum=MOMENTUM if case.optimizer == "momentum" else None,
        batch_size=case.batch,
        max_iter=case.epochs,
        n_iter_no_change=None,
        scale=False,
        random_state=seed,
    )


def theirs(case: Case, seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return (MLPClassifier if case.classifies else MLPRegressor)(
        hidden_layer_sizes=case.hidden,
        solver={"adam": "adam", "momentum": "sgd"}[case.optimizer],
        learning_rate_init=RATE,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        alpha=0.0,
        batch_size=case.batch,
        max_iter=case.epochs,
        tol=0.0,
        n_iter_no_change=case.epochs + 1,
        random_state=seed,
    )


CONTENDERS = {"inkgrad": ours, "scikit-learn": theirs}


def worker(contender: str, options: argparse.Namespace) -> None:
    def prepare() -> tuple[contest.Answer, Callable[..., contest.Answer]]:
        warnings.simplefilter("ignore")  # that all epochs were needed
        case, make = CASES[options.only], CONTENDERS[contender]
        X, y, held_X, held_y = case.rows()
        if options.quick:
            X, y = X[:2_000], y[:2_000]

        def fit(seed: int) -> Any:
            return make(case, seed).fit(X, y)

        timed = contest.Timed(fit, warm=options.warm, seconds=options.seconds)

        def act(seed: int | None = None) -> contest.Answer:
            if seed is None:
                return {"speed": case.epochs * len(X) / timed.round()}
            return {"score": float(fit(seed).score(held_X, held_y))}

        return {"rows": len(X), "held": len(held_X), "columns": X.shape[1], **harness.machine()}, act

    contest.serve(prepare)


def run_case(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Speeds of both in turn, then their scores."""
    more = ["--only", name, "--seconds", str(options.seconds), "--warm", str(options.warm)]
    more += ["--quick"] if options.quick else []
    contenders = [contest.Contender(c, "estimator.py", c, *more) for c in CONTENDERS]
    speeds = contest.alternate(contenders, options.rounds)
    scores = {c.name: [c.go(seed=seed)["score"] for seed in range(options.seeds)] for c in contenders}
    case, info = CASES[name], contenders[0].info
    for contender in contenders:
        contender.close()
    found = {
        c: {
            "rows_per_second": harness.spread([answer["speed"] for answer in speeds[c]]),
            "score": harness.spread(scores[c]),
        }
        for c in CONTENDERS
    }
    us, them = found["inkgrad"], found["scikit-learn"]
    deviation = math.sqrt((us["score"]["std"] ** 2 + them["score"]["std"] ** 2) / 2)
    return {
        "settings": {"hidden": case.hidden, "batch": case.batch, "epochs": case.epochs, "optimizer": case.optimizer},
        "measure": "accuracy" if case.classifies else "R^2",
        "rows": [info["rows"], info["columns"], info["held"]],
        "contenders": found,
        "ratio": us["rows_per_second"]["median"] / them["rows_per_second"]["median"],
        "worse_by_deviations": (them["score"]["mean"] - us["score"]["mean"]) / max(deviation, 1e-12),
    }


def rows_of(name: str, result: dict[str, Any]) -> list[list[str]]:
    """A row for each contender."""
    rows, settings = [], result["settings"]
    layers = "-".join(str(width) for width in settings["hidden"])
    for contender, figures in result["contenders"].items():
        speed, score = figures["rows_per_second"], figures["score"]
        first = contender == "inkgrad"
        ratio, worse = result["ratio"], result["worse_by_deviations"]
        rows.append(
            [
                f"{name} ({layers}, {settings['batch']}, {settings['optimizer']})" if first else "",
                contender,
                f"{speed['median']:,.0f}",
                f"{speed['min']:,.0f} to {speed['max']:,.0f}",
                f"{ratio:.2f}" if first else "",
                SPEED.judge(ratio) if first else "",
                f"{score['mean']:.4f} ± {score['std']:.4f}",
                f"worse by {worse:.2f} deviations, {WORSE.judge(worse)}" if first else result["measure"],
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--warm", type=float, default=4.0, help="seconds of work before anything is measured")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--quick", action="store_true", help="a look whether it works; nothing is written")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options)
        return
    if options.quick:
        options.rounds, options.seconds, options.warm, options.seeds = 2, 0.05, 0.1, 2
    results, rows = {}, []
    for name in [options.only] if options.only else CASES:
        results[name] = run_case(name, options)
        rows += rows_of(name, results[name])
        print(f"{name} measured", flush=True)
    columns = [
        "case (hidden, batch, optimizer)",
        "contender",
        "rows/s",
        "least to most",
        "ratio",
        "target",
        "score",
        "",
    ]
    harness.table(columns, rows, right=(2, 3, 4))
    harness.finish("estimator", results, quick=options.quick)


if __name__ == "__main__":
    main()
