"""The lessons in a real browser: each is walked to its end, in both languages, on a desk and on a phone."""

import re

import pytest
from browsing import DESKTOP, PHONE, browser, expect, faults, visit

from inkgrad.lessons import Expression
from inkgrad.lessons.mistakes import MISTAKES

pytestmark = pytest.mark.slow
VISITORS = [(DESKTOP, "en-US", "light"), (PHONE, "zh-CN", "dark")]


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.fixture(params=VISITORS, ids=["desktop-en", "phone-zh"])
def lessons(request, chromium, server):
    """Opens a lesson as a visitor."""
    size, language, theme = request.param

    def opened(lesson, expected="(?!)"):
        return visit(
            chromium, f"{server.url}learn#{lesson}", size=size, language=language, theme=theme, expected=expected
        )

    return opened


def fits(page):
    """Nothing is wider than the window."""
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def printed(page):
    """On A4 all is dark on white, whatever the theme, and nothing is cut off at the side."""
    page.set_viewport_size({"width": 703, "height": 1032})
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    fits(page)
    scrolled = "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"
    found = page.locator("main section:not([hidden]) :is(.scroll, .flow)").evaluate_all(scrolled)
    assert [text for text in found if text] == []  # a folded table has no text
    page.emulate_media(media="screen")


def values(page, selector):
    return [float(cell) for cell in page.locator(selector).evaluate_all("all => all.map((one) => one.dataset.value)")]


def told(page, lesson):
    """The question has an answer, and the way on leads on."""
    section = page.locator(f"#view-{lesson}")
    section.locator(".tasks summary").click()
    expect(section.locator(".tasks details p")).to_be_visible()
    fits(page)


def test_the_graph(lessons):
    with lessons("graph") as page:
        page.locator("svg.graph").wait_for()
        step = page.locator("#view-graph [data-step=step]")
        for _ in range(4):
            step.click()
        assert values(page, "#graph-told .number") == [
            Expression("(a*100+o*150)*t").walk({"a": 2, "o": 3, "t": 1.1}).result
        ]
        page.locator(".graph-view").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        assert page.locator("svg.graph .gradient").all_text_contents().count("") == 2  # the constants
        page.locator("#graph-rows tr").nth(2).wait_for()
        walk = Expression("(apples*100 + oranges*150)*tax").walk({"apples": 2, "oranges": 3, "tax": 1.1})
        assert values(page, "#graph-rows .gradient") == list(walk.gradients.values())
        page.locator("[data-name=oranges] input").fill("4")
        page.locator("#graph-rows .gradient[data-value='800']").wait_for()
        page.locator("[data-name=thrice]").click()
        page.locator("svg.graph .name", has_text="x").first.wait_for()
        page.locator("#view-graph [data-step=end]").click()
        page.locator("#graph-rows .gradient[data-value='7']").wait_for()
        expect(page.locator("#graph-rows tr")).to_have_count(1)
        told(page, "graph")


def test_what_is_wrong_with_an_expression_stands_beside_it(lessons):
    with lessons("graph", expected="Failed to load resource.* 422") as page:
        page.locator("svg.graph").wait_for()
        for text, said in (
            ("import os", "at place"),
            ("1/(apples - 2)", "divides by zero"),
            ("exp(999*apples)", "float64"),
        ):
            page.locator("#expression").fill(text)
            page.keyboard.press("Enter")
            page.locator("#view-graph .trouble", has_text=said).wait_for()
        page.locator("#expression").fill("苹果*2")
        page.keyboard.press("Enter")
        page.locator("[data-name=苹果]").wait_for()
        expect(page.locator("#view-graph .trouble")).to_be_hidden()


def test_the_layers(lessons):
    with lessons("layers") as page:
        page.locator("#layers-result[data-loss]").wait_for()
        step = page.locator("#view-layers [data-step=step]")
        for _ in range(20):
            step.click()
        expect(page.locator(".flow .unknown")).to_have_count(0)
        expect(page.locator("#layers-told .backward")).to_have_text(re.compile("^∂L/∂x = ∂L/∂a1 · W1"))
        page.locator("[data-name=fresh]").click()
        loss = "Number(document.getElementById('layers-result').dataset.loss)"
        page.wait_for_function(f"() => Math.abs({loss} - Math.log(10)) < 0.05")  # each digit has a tenth
        before = page.evaluate(loss)
        page.locator("[data-update]").click()
        page.wait_for_function(f"(before) => {loss} < before", arg=before)
        page.locator(".flow [data-name=a2]").click()
        page.locator("#view-layers .array canvas").first.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#view-layers .readout").first).to_have_text(re.compile(r"^a2\[0, 1\] = "))
        page.locator(".digits-row button").nth(7).click()
        page.locator("#layers-result", has_text="7").wait_for()
        told(page, "layers")


def test_the_check(lessons):
    with lessons("check") as page:
        for one in MISTAKES:
            page.locator(f"[data-name={one.name}]").click()
            page.locator("#check-verdict.bad .complaint", has_text="correct its pull-back").wait_for()
            expect(page.locator(".source .wrong-part")).to_have_text(one.wrong)
            page.locator("#check-mend").click()
            page.locator("#check-verdict.good").wait_for()
            expect(page.locator(".source ins")).to_have_text(one.right)
        page.locator("svg.curve").wait_for()
        expect(page.locator("svg.curve .line")).to_have_count(4)
        page.locator("#steps-expression").fill("relu(x)")
        page.locator("#steps-x").fill("0.001")
        page.keyboard.press("Enter")
        page.locator("svg.curve[aria-label*='relu(x)']").wait_for()
        page.locator(".curves summary").click()
        page.locator(".curves tbody tr").first.wait_for()  # the table is made when it is unfolded
        expect(page.locator(".curves tbody tr")).to_have_count(23)
        told(page, "check")


def test_the_keyboard_alone_suffices(chromium, server):
    with visit(chromium, f"{server.url}learn") as page:
        page.locator("svg.graph").wait_for()
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.dataset.step") == "step":
                break
        for _ in range(8):
            page.keyboard.press("Enter")
        assert values(page, "#graph-rows .gradient")[2] == 650
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.classList.contains('next')"):
                break
        page.keyboard.press("Enter")
        page.locator("#view-layers").wait_for()
        expect(page.locator("#lessons [aria-current]")).to_have_attribute("href", "#layers")


def test_the_languages_are_switched_everywhere(chromium, server):
    with visit(chromium, f"{server.url}learn#check") as page:
        page.locator("#check-verdict.bad").wait_for()
        page.locator("svg.curve").wait_for()
        english = set(page.locator("main").inner_text().split("\n"))
        page.locator("#language").click()
        left = {line for line in page.locator("main").inner_text().split("\n") if line in english and " " in line}
        plain = {line for line in left if not any(mark in line for mark in ("(", "=", "*", "@", "e-"))}
        assert plain == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["graph", "layers", "check"])
def test_nothing_bars_the_way(chromium, server, lesson, theme):
    with visit(chromium, f"{server.url}learn#{lesson}", theme=theme) as page:
        page.locator(
            {"graph": "svg.graph", "layers": "#layers-result[data-loss]", "check": "#check-verdict.bad"}[lesson]
        ).wait_for()
        page.locator(f"#view-{lesson} [data-step=end]").first.click() if lesson != "check" else None
        assert faults(page) == []


def test_print_shows_the_lesson_alone(chromium, server):
    with visit(chromium, f"{server.url}learn") as page:
        page.locator("svg.graph").wait_for()
        page.emulate_media(media="print")
        assert page.locator(".bar").is_hidden() and page.locator("svg.graph").is_visible()
        fits(page)


def test_print_has_every_array(chromium, server):
    with visit(chromium, f"{server.url}learn#layers") as page:
        page.locator("#layers-result[data-loss]").wait_for()
        printed(page)


def test_all_lessons_are_in_sight(chromium, server):
    with visit(chromium, f"{server.url}learn") as page:
        right = page.locator("#lessons a").evaluate_all("all => all.map((one) => one.getBoundingClientRect().right)")
        assert len(right) == 7 and max(right) <= DESKTOP[0]


def test_a_field_that_is_emptied_gets_its_number_back(chromium, server):
    with visit(chromium, f"{server.url}learn") as page:
        field = page.locator("#view-graph .inputs input").first
        field.fill("")
        page.keyboard.press("Tab")
        expect(field).to_have_value("2")
