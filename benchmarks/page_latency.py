"""How long after a stroke the page shows what it reads, in a real browser against a real server on one machine.

Chromium (on PATH) draws the ten digits of two hands by mouse with Playwright (of the test extra). For each stroke the
page itself tells the time from the last event of the pointer until the newest drawing has been read and is shown.

    python benchmarks/page_latency.py [--rounds 3] [--quick]
"""

import argparse
import statistics
import sys
from typing import Any

import harness
from harness import Target

TESTS = harness.HERE.parent / "tests"
sys.path[:0] = [str(TESTS / "web"), str(TESTS)]

from browsing import browser, draw, settled, visit  # noqa: E402
from hands import SLANTED, UPRIGHT  # noqa: E402
from serving import serving  # noqa: E402

SHOWN = Target(50, most=True)  # ms, the median

WATCH = """() => {
  window.delays = [];
  let since = null;
  for (const kind of ["pointerdown", "pointermove", "pointerup"]) {
    document.querySelector("#draw-pad canvas").addEventListener(kind, (event) => {
      if (event.buttons || kind === "pointerup") since = performance.now();
    }, { capture: true });
  }
  const answer = document.getElementById("answer");
  new MutationObserver(() => {
    if (answer.getAttribute("aria-busy") === "true" || since === null) return;
    const began = since;
    since = null;
    requestAnimationFrame(() => window.delays.push(performance.now() - began));
  }).observe(answer, { attributes: true, attributeFilter: ["aria-busy"] });
}"""


def delays(page: Any, rounds: int) -> list[float]:
    """Milliseconds from the last event of each stroke to the frame that shows its reading."""
    found: list[float] = []
    for turn in range(rounds + 1):
        for hand in (UPRIGHT, SLANTED):
            for strokes in hand.values():
                page.locator("#clear").click()
                for stroke in strokes:
                    draw(page, [stroke])
                    settled(page)
                    page.wait_for_timeout(100)
        measured = page.evaluate("() => window.delays.splice(0)")
        found += measured if turn else []  # the first round warms up
    return found


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    with browser() as opened, serving() as server, visit(opened, server.url) as page:
        page.evaluate(WATCH)
        found = delays(page, 1 if chosen.quick else chosen.rounds)
    median, slowest = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    rows = [["median", f"{median:.0f}", SHOWN.judge(median)], ["95 of 100 within", f"{slowest:.0f}", ""]]
    harness.table([f"{len(found)} readings", "ms", ""], rows, right=(1,))
    case = {"readings": len(found), "median_ms": median, "p95_ms": slowest}
    harness.finish("page_latency", {"digits of two hands": case}, quick=chosen.quick)


if __name__ == "__main__":
    main()
