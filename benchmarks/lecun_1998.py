"""Error rates beside those of LeCun et al. 1998, "Gradient-based learning applied to document recognition".

Networks are taken from results/accuracy.json (accuracy.py trains them); nearest neighbours and the support vector
machine, which is scikit-learn's, are measured here: learned from the first 50,000 training digits for the validation
digits, from all 60,000 for the test digits.

    python benchmarks/lecun_1998.py [--split test] [--skip-svm]
"""

import argparse
import time
from typing import Any

import harness
import numpy as np

import inkgrad as ig

# Error in % on the test set, and our recipe in accuracy.py or method below.
PUBLISHED = {
    "linear classifier": (12.0, "softmax-regression"),
    "linear classifier, deskewed": (8.4, "softmax-regression-deskewed"),
    "k-nearest neighbours, L2": (5.0, "nearest"),
    "k-nearest neighbours, L2, deskewed": (2.4, "nearest-deskewed"),
    "2 layers, 300 hidden": (4.7, "mlp-300"),
    "2 layers, 300 hidden, deskewed": (1.6, "mlp-300-deskewed"),
    "3 layers, 300-100": (3.05, "mlp-300-100"),
    "LeNet-1": (1.7, "lenet1"),
    "LeNet-5": (0.95, "lenet5"),
    "LeNet-5, distortions": (0.8, "lenet5-distorted"),
    "support vectors, Gaussian": (1.4, "support-vectors"),
}


def nearest(known: Any, asked: Any, deskewed: bool) -> dict[str, float]:
    """Our own k-nearest neighbours with k = 3, chosen on the validation digits."""
    names = ["deskew"] if deskewed else []
    start = time.perf_counter()
    model = ig.models.KNearest(3).fit(ig.data.normalize(known.images, names), known.labels)
    answers = model.predict(ig.data.normalize(asked.images, names))
    return {"accuracy": float((answers == asked.labels).mean()), "seconds": time.perf_counter() - start}


def support_vectors(known: Any, asked: Any) -> dict[str, float]:
    """scikit-learn's SVC with a Gaussian kernel; C and gamma were chosen on the validation digits."""
    from sklearn.svm import SVC

    x, y = (part.images.reshape(len(part), -1).astype(np.float32) / 255 for part in (known, asked))
    start = time.perf_counter()
    answers = SVC(C=5, gamma=0.02, cache_size=2000).fit(x, known.labels).predict(y)
    return {"accuracy": float((answers == asked.labels).mean()), "seconds": time.perf_counter() - start}


def measure(split: str, skip_svm: bool) -> dict[str, dict[str, float]]:
    """What accuracy.py does not train."""
    everything, test = ig.data.load_mnist()
    known, asked = (everything, test) if split == "test" else (everything[:50_000], everything[50_000:])
    found = {
        "nearest": nearest(known, asked, False),
        "nearest-deskewed": nearest(known, asked, True),
    }
    if not skip_svm:
        found["support-vectors"] = support_vectors(known, asked)
    if split == "test":
        for name, result in found.items():
            harness.log_test_evaluation(f"{name}: benchmarks/lecun_1998.py", 0, result["accuracy"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--skip-svm", action="store_true", help="it takes minutes")
    options = parser.parse_args()
    found = measure(options.split, options.skip_svm)
    if options.split == "test":
        found = harness.read_results("lecun_1998").get("cases", {}) | found
        harness.write_results("lecun_1998", {"cases": found})
    trained = harness.read_results("accuracy")
    rows = []
    for name, (published, ours) in PUBLISHED.items():
        if ours in found:
            rows.append([name, f"{published:.2f}", f"{100 - 100 * found[ours]['accuracy']:.2f}", ours])
        elif ours in trained and options.split in trained[ours]["summary"]:
            figure = trained[ours]["summary"][options.split]
            rows.append(
                [name, f"{published:.2f}", f"{100 - 100 * figure['mean']:.2f} ± {100 * figure['std']:.2f}", ours]
            )
        else:
            rows.append([name, f"{published:.2f}", "not measured yet", ours])
    harness.table(["method", "published, error %", f"ours, {options.split} error %", "recipe"], rows, right=(1, 2))


if __name__ == "__main__":
    main()
