"""The lesson from pixels to digits in a real browser: a kernel slides, a digit is drawn and moved, readers disagree."""

import numpy as np
import pytest
from browsing import DESKTOP, PHONE, draw, expect, faults, visit
from hands import UPRIGHT
from test_learn_page import fits, told, values

from inkgrad.lessons.digits import lesson_digits
from inkgrad.lessons.pixels import convolve

pytestmark = pytest.mark.slow
EDGE = np.array([[-1, 0, 1]] * 3, np.float32)


def total(page, row, column):
    """The sum at a place, once it is shown."""
    page.wait_for_function(
        "([row, column]) => document.getElementById('pixels-total').textContent.match(/\\d+/g)"
        "?.slice(0, 2).join() === `${row},${column}`",
        arg=[row, column],
    )
    return float(page.locator("#pixels-total").get_attribute("data-value"))


@pytest.mark.parametrize(
    ("size", "language", "theme"),
    [(DESKTOP, "en-US", "light"), (PHONE, "zh-CN", "dark")],
    ids=["desktop-en", "phone-zh"],
)
def test_the_lesson_from_beginning_to_end(chromium, server, size, language, theme):
    with visit(chromium, f"{server.url}learn#pixels", size=size, language=language, theme=theme) as page:
        _, test = lesson_digits()
        image = test.images[np.flatnonzero(test.labels == 3)[0]]
        found = convolve(image, EDGE)
        assert total(page, 10, 12) == pytest.approx(found.maps[10, 12], rel=1e-5)
        page.locator("#pixels-step").click()
        assert total(page, 10, 13) == pytest.approx(found.maps[10, 13], rel=1e-5)
        assert sum(values(page, "#pixels-products span")) == pytest.approx(found.maps[10, 13], rel=1e-4)
        page.locator("#view-pixels .array canvas").first.focus()
        page.keyboard.press("ArrowDown")
        assert total(page, 11, 13) == pytest.approx(found.maps[11, 13], rel=1e-5)
        largest = float(page.locator("#pixels-largest").get_attribute("data-value"))
        assert largest == pytest.approx(found.pooled[5, 6], rel=1e-5)
        page.locator("#pixels-kernel input").nth(4).fill("2")
        page.keyboard.press("Enter")
        changed = EDGE.copy()
        changed[1, 1] = 2
        expected = float(convolve(image, changed).maps[11, 13])
        page.wait_for_function(
            "(value) => Math.abs(Number(document.getElementById('pixels-total').dataset.value) - value) < 1e-4",
            arg=expected,
        )
        page.locator("#view-pixels [data-name='5']").click()
        page.locator("#pixels-kernel input").nth(24).wait_for()
        page.locator("#pixels-window span").nth(24).wait_for()
        page.locator("#view-pixels [data-name=blur]").click()
        page.locator("#pixels-play").click()
        total(page, 11, 16)
        page.locator("#pixels-play").click()
        fits(page)
        page.locator("#pixels-where[data-place='0,0']").wait_for()
        page.locator("[data-key=ArrowRight]").click()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        page.locator("#pixels-where[data-place='-1,2']").wait_for()
        page.locator("[data-key=Home]").click()
        page.locator("#pixels-where[data-place='0,0']").wait_for()
        page.locator("#view-pixels .pad").evaluate("(pad) => pad.scrollIntoView({ block: 'center' })")
        draw(page, UPRIGHT[7], "#view-pixels .pad canvas")
        page.locator("#pixels-vote", has_text="7").wait_for()
        expect(page.locator("#view-pixels .digits-row [aria-pressed=true]")).to_have_count(0)
        expect(page.locator("#view-pixels svg.curve .line")).to_have_count(4)
        assert page.locator(".disagreements li").count() > 5
        told(page, "pixels")


def test_a_kernel_that_cannot_be_used_is_said(chromium, server):
    with visit(chromium, f"{server.url}learn#pixels", expected="Failed to load resource.* 422") as page:
        total(page, 10, 12)
        page.locator("#pixels-kernel input").first.fill("100000")
        page.keyboard.press("Enter")
        page.locator("#view-pixels .trouble", has_text="numbers from -1,000 to 1,000, but got 100000").wait_for()
        expect(page.locator("#view-pixels .trouble span")).to_have_text("A kernel has numbers from −1,000 to 1,000.")
        page.locator("#pixels-kernel input").first.fill("1")
        page.keyboard.press("Enter")
        page.locator("#view-pixels .trouble").wait_for(state="hidden")


def test_what_fails_is_said_and_can_be_tried_again(chromium, server):
    with visit(chromium, f"{server.url}learn", expected="Failed to load resource") as page:
        asked = []

        def fail(route):
            asked.append(route)
            route.abort()

        page.route("**/lessons/readers", fail)
        page.goto(f"{server.url}learn#pixels")
        expect(page.locator("#pixels-told")).to_have_text("This could not be computed.")
        expect(page.locator("#pixels-where")).to_have_text("This could not be computed.")
        assert len(asked) == 1  # nothing goes on in the background
        page.unroute("**/lessons/readers")
        page.locator("#pixels-again").click()
        page.locator("#pixels-where[data-place='0,0']").wait_for()
        expect(page.locator("#pixels-again")).to_be_hidden()
        expect(page.locator("#pixels-told")).to_contain_text("360 test digits")


def test_every_text_is_translated(chromium, server):
    with visit(chromium, f"{server.url}learn#pixels") as page:
        page.locator("#pixels-where[data-place]").wait_for()
        page.locator(".disagreements li").first.wait_for()
        english = set(page.locator("#view-pixels").inner_text().split("\n"))
        page.locator("#language").click()
        page.locator("#pixels-vote", has_text="投票").wait_for()
        left = {
            line for line in page.locator("#view-pixels").inner_text().split("\n") if line in english and " " in line
        }
        assert {line for line in left if not any(mark in line for mark in ("[", "=", "·", "%"))} == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_the_way(chromium, server, theme):
    with visit(chromium, f"{server.url}learn#pixels", theme=theme) as page:
        page.locator("#pixels-where[data-place]").wait_for()
        page.locator(".disagreements li").first.wait_for()
        assert faults(page) == []
        page.emulate_media(media="print")
        expect(page.locator("#view-pixels svg.curve")).to_be_visible()
        fits(page)
