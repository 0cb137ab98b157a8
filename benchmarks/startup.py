"""How long the first answers take: `import inkgrad` over bare Python, `inkgrad --help`, a first `classify`.

Medians of fresh processes with warm files. Also checks that neither loads what it should not.

    python benchmarks/startup.py [--rounds 7]
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import harness

HEAVY = ("numpy", "numba", "scipy", "cv2", "sklearn", "matplotlib")
LOADED = f"import sys; print([m for m in {HEAVY} if m in sys.modules])"
HELP = "import sys; sys.argv = ['inkgrad', '--help']\nfrom inkgrad.cli.main import main\nmain()"


def seconds(command: Sequence[str], rounds: int) -> float:
    """The median time of a process, after one that warms the files."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def loaded(code: str) -> str:
    """Which heavy modules a program has loaded at its end."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds; nothing is written")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    bare = seconds([sys.executable, "-c", "pass"], rounds)
    results = {
        "bare_python": bare,
        "import_inkgrad_over_bare": seconds([sys.executable, "-c", "import inkgrad"], rounds) - bare,
        "import_loads": loaded(f"import inkgrad; {LOADED}"),
        "help": seconds([sys.executable, "-c", HELP], rounds),
        "help_loads": loaded(
            "import contextlib, io\nfrom inkgrad.cli.main import main\n"
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
            f"    main(['--help'])\n{LOADED}"
        ),
    }
    for name, value in results.items():
        print(f"{name:28} {value if isinstance(value, str) else f'{value:.3f} s'}")
    if not options.quick:
        harness.write_results("startup", results)


if __name__ == "__main__":
    main()
