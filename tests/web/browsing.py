"""A page in Debian's Chromium, and what a person does with it."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1280, 860), (390, 844)
TIMEOUT = 60_000


def expect(found: Any) -> Any:
    """Playwright's assertions on what was found; they wait until they hold, as a page answers when it can."""
    from playwright.sync_api import expect as waiting

    waiting.set_options(timeout=TIMEOUT)
    return waiting(found)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium as it is found on PATH."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the test extra has playwright")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not on PATH; Debian has it in the package chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


@contextlib.contextmanager
def visit(opened: Any, url: str, *, size=DESKTOP, language="en-US", theme="light", expected="(?!)") -> Iterator[Any]:
    """The page for a new visitor; nothing may be written to the console meanwhile but what is expected."""
    width, height = size
    touch = size == PHONE
    context = opened.new_context(
        viewport={"width": width, "height": height}, locale=language, color_scheme=theme, has_touch=touch
    )
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        page.goto(url)
        page.locator("html[data-ready]").wait_for()
        yield page
        assert [line for line in said if not re.search(expected, line)] == []
    finally:
        context.close()


def draw(page: Any, strokes: Iterable[Any], pad: str = "#draw-pad canvas") -> None:
    """With the mouse, point by point."""
    box = page.locator(pad).bounding_box()

    def place(point):
        return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]

    for stroke in strokes:
        page.mouse.move(*place(stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*place(point))
        page.mouse.up()


def settled(page: Any) -> str | None:
    """What is read of the drawing once its newest state has been read; None for no digit."""
    page.locator("#answer:not([aria-busy=true]):not([data-state=blank])").wait_for()
    value = page.locator("#value").inner_text()
    return None if value == "–" else value


def upload(page: Any, path: Any) -> None:
    """Have a file read."""
    page.locator(".tabs a[href='#read']").click()
    page.locator("#file").set_input_files(path)
    page.locator("#result").wait_for()


def faults(page: Any) -> list[str]:
    """What axe-core finds of serious and critical faults."""
    file = os.environ.get("INKGRAD_AXE", "")
    if not Path(file).is_file():
        pytest.skip("INKGRAD_AXE names no axe.min.js; npm has it in the package axe-core")
    page.evaluate(Path(file).read_text(encoding="utf-8"))
    violations = page.evaluate("() => axe.run().then((found) => found.violations)")
    return [
        f"{v['id']}: {v['help']}: {node['html'][:160]}"
        for v in violations
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]
