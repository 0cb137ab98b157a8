"""All benchmarks in order, one after the other: `python benchmarks/all.py [--quick] [--only NAME ...]`.

Run nothing else meanwhile. MNIST to 99 % is measured on the validation digits here; `to_99.py --split test` is for a
frozen recipe and run by hand, as are the evaluations of accuracy.py, lecun_1998.py, textbook.py and full_batch.py.
"""

import argparse
import subprocess
import sys
import time

import harness

SCRIPTS = (
    *("train_speed", "predict_speed", "roofline", "scaling", "to_99"),
    *("memory", "first_use", "parity", "startup", "augmentation", "lesson_steps"),
    "ray_read",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look whether all of it works; nothing is written")
    parser.add_argument("--only", choices=SCRIPTS, nargs="*", default=SCRIPTS)
    options = parser.parse_args()
    failed = []
    for name in options.only:
        print(f"\n== {name}", flush=True)
        start = time.perf_counter()
        quick = ["--quick"] if options.quick else []
        done = subprocess.run([sys.executable, str(harness.HERE / f"{name}.py"), *quick], check=False)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
