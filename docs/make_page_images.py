"""Make the pictures of the page: `python docs/make_page_images.py`, with the test extra and chromium on PATH.

A real server, a real browser, a digit drawn by mouse; written to `docs/images`.
"""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "web"), str(HERE.parent / "tests")]

from browsing import browser, draw, settled, visit  # noqa: E402
from hands import UPRIGHT  # noqa: E402
from serving import serving  # noqa: E402

COLORS = 96  # the pictures are small files


def main() -> None:
    """Draw a three, and take a picture of two views; then of the lessons."""
    with browser() as opened, serving("--feedback") as server, visit(opened, server.url, size=(1180, 760)) as page:
        page.set_default_timeout(300_000)  # also on a machine that is at work
        draw(page, UPRIGHT[3])
        settled(page)
        page.mouse.move(600, 740)
        page.wait_for_timeout(500)  # bars grow for a moment
        _save(page.screenshot(), "page-draw.png")
        page.locator("#look").click()
        page.locator("#change-maps figure").nth(2).wait_for()
        _save(page.screenshot(), "page-inside.png")
        _lessons(page, server.url)


def _lessons(page: Any, url: str) -> None:
    """The benches of the lessons, each at a telling moment."""
    page.set_viewport_size({"width": 1180, "height": 2400})  # so that the bar at the top covers nothing
    page.goto(f"{url}learn#graph")
    page.locator("svg.graph").wait_for()
    for _ in range(7):
        page.locator("#view-graph [data-step=step]").click()
    _save(page.locator("#view-graph .walk").screenshot(), "learn-graph.png")
    page.goto(f"{url}learn#layers")
    page.locator("#layers-result[data-loss]").wait_for()
    page.locator("#view-layers [data-step=end]").click()
    page.locator(".flow [data-name=W1]").click()
    _save(page.locator("#view-layers .bench > .card").last.screenshot(), "learn-layers.png")
    page.goto(f"{url}learn#check")
    page.locator("svg.curve").wait_for()
    _save(page.locator("#steps-curves .curves").screenshot(), "learn-check.png")
    page.goto(f"{url}learn#descent")
    page.locator("#descent-verdicts li").nth(2).wait_for()
    page.locator("#view-descent [data-step=end]").click()
    _save(page.locator("svg.contour").screenshot(), "learn-descent.png")
    page.set_viewport_size({"width": 1180, "height": 3000})
    page.goto(f"{url}learn#troubles")
    page.locator("#troubles-layers .layer").nth(15).wait_for()
    page.locator("#troubles-helps [data-name=batch_norm]").click()
    page.locator("#troubles-train").click()
    page.locator("#troubles-train[aria-busy=false]").wait_for()
    page.locator("#view-troubles [data-step=start]").click()
    _save(page.locator("#view-troubles .walk").screenshot(), "learn-troubles.png")
    _training(page, url)


def _training(page: Any, url: str) -> None:
    """The course of a training, half way; it ends with the next page."""
    page.goto(f"{url}learn#live")
    page.locator("#live-start").click()
    page.locator("#live-status[data-kind=running]").wait_for()
    page.wait_for_timeout(8000)
    page.locator("#live-rate").fill("0.3")
    page.keyboard.press("Enter")
    page.wait_for_timeout(7000)
    page.locator("#live-toggle").click()
    page.wait_for_timeout(1000)
    _save(page.locator("#view-live .bench > .card").nth(2).screenshot(), "learn-live.png")
    page.goto(f"{url}learn#pixels")
    page.locator(".disagreements li").first.wait_for()
    _save(page.locator("#view-pixels .bench > .card").nth(1).screenshot(), "learn-pixels.png")


def _save(content: bytes, name: str) -> None:
    picture = Image.open(io.BytesIO(content)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    picture.save(HERE / "images" / name, optimize=True)


if __name__ == "__main__":
    main()
