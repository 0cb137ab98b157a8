"""The lesson on gradient descent in a real browser, in both languages, on a desk and on a phone."""

import pytest
from browsing import DESKTOP, browser, expect, faults, visit
from test_learn_page import VISITORS, fits, printed, told, values

from inkgrad.lessons.convergence import convergence
from inkgrad.lessons.descent import descend
from inkgrad.lessons.surfaces import SURFACES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


def loaded(page):
    page.locator("#descent-verdicts li").nth(2).wait_for()
    page.locator("#theory-told[data-measured]").wait_for()


@pytest.mark.parametrize(("size", "language", "theme"), VISITORS, ids=["desktop-en", "phone-zh"])
def test_the_descent(chromium, server, size, language, theme):
    where = f"{server.url}learn#descent"
    with visit(chromium, where, size=size, language=language, theme=theme) as page:
        loaded(page)
        page.locator("#view-descent [data-step=end]").click()
        adam = descend(SURFACES["ravine"], "adam", 0.3).places[-1]
        assert values(page, "#descent-rows [data-rule=adam] .value") == [adam.x, adam.y]
        page.locator("#view-descent [data-name=nesterov]").first.click()
        page.locator("#descent-verdicts [data-rule=nesterov]").wait_for()
        page.locator("#view-descent [data-name=large]").first.click()
        for rule in ("sgd", "momentum", "nesterov"):
            page.locator(f"#descent-verdicts [data-rule={rule}].bad[data-verdict=descent_diverged]").wait_for()
        page.locator("#descent-verdicts [data-rule=adam].bad[data-verdict=descent_leapt_back]").wait_for()
        page.locator("#descent-rate").fill("0.9")
        page.locator("#descent-rate").press("Enter")
        page.locator("#descent-verdicts [data-rule=sgd][data-verdict=descent_arrived]").wait_for()
        for name in ("bowl", "saddle", "rosenbrock"):
            page.locator(f"#view-descent [data-name={name}]").click()
            page.locator("#descent-formula", has_text=SURFACES[name].formula).wait_for()
        fits(page)
        page.locator("#descent-train").click()
        page.locator("#digits-verdicts [data-name=descent_single].good").wait_for()
        page.locator("#descent-train[aria-busy=false]").wait_for()
        expect(page.locator("#digits-curves svg.curve .line")).to_have_count(3)
        page.locator("[data-name=updates]").click()
        for theorem in ("strongly-convex", "momentum", "stochastic", "convex"):
            page.locator(f"#descent-theorems [data-name={theorem}]").click()
            measured = next(iter(convergence(theorem).rates[2 if theorem == "momentum" else 0 :])).measured[-1]
            page.wait_for_function(
                "(measured) => Number(document.getElementById('theory-told').dataset.measured) === measured",
                arg=measured,
            )
        told(page, "descent")


def test_learning_rates_on_digits_say_what_became_of_them(chromium, server):
    with visit(chromium, f"{server.url}learn#descent") as page:
        loaded(page)
        page.locator("#descent-compare [data-name=rates]").click()
        page.locator("#digits-rate").fill("10000")
        page.locator("#descent-train").click()
        for name, verdict in (("small", "nothing"), ("right", "learns"), ("large", "digits_diverged")):
            page.locator(f"#digits-verdicts [data-name=descent_{name}][data-verdict=descent_{verdict}]").wait_for()
        page.locator("#digits-verdicts [data-name=descent_own][data-verdict=descent_digits_diverged]").wait_for()
        page.locator("#lessons a").first.click()  # who leaves has no more asked for
        page.locator("#view-graph").wait_for()
        page.locator("#lessons a[href='#descent']").click()
        page.locator("#descent-train[aria-busy=false]").wait_for()


def test_what_is_wrong_stands_beside_it(chromium, server):
    with visit(chromium, f"{server.url}learn#descent", expected="Failed to load resource.* 422") as page:
        loaded(page)
        for field, value, said in (
            ("x", "70", "x from -10 to 10, but “70” came. Type"),
            ("y", "-5", "y from -4 to 4, but “-5” came. Type"),
            ("x", "left", "x from -10 to 10, but “left” came. Type"),
            ("rate", "-1", "above 0 and at most 1,000,000, but “-1” came. Type"),
            ("rate", "1e308", "but “1e+308” came. Type"),
            ("rate", "fast", "but “fast” came. Type"),
        ):
            page.locator(f"#descent-{field}").fill(value)
            page.locator(f"#descent-{field}").press("Enter")
            page.locator("#view-descent .trouble", has_text=said).wait_for()
            page.locator("#view-descent [data-name=ravine]").click()
        page.locator("#view-descent [data-name=right]").first.click()
        page.locator("#view-descent .trouble").first.wait_for(state="hidden")
        page.locator("#descent-compare [data-name=rates]").click()
        for value in ("-1", "slow"):
            page.locator("#digits-rate").fill(value)
            page.locator("#digits-rate").press("Enter")
            page.locator("#view-descent .trouble", has_text=f"but “{value}” came. Type").wait_for()
        page.locator("#digits-rate").fill("")
        page.locator("#digits-rate").press("Enter")
        expect(page.locator("#view-descent .trouble:not([hidden])")).to_have_count(0)


def test_the_path_is_stepped_by_keyboard_and_stands_still_for_whom_motion_is_reduced(chromium, server):
    context = chromium.new_context(
        reduced_motion="reduce", viewport=dict(zip(("width", "height"), DESKTOP, strict=True))
    )
    try:
        page = context.new_page()
        page.goto(f"{server.url}learn#descent")
        loaded(page)
        path = descend(SURFACES["ravine"], "sgd", 0.9).places
        assert values(page, "#descent-rows [data-rule=sgd] .value") == [path[-1].x, path[-1].y]  # no wait: at its end
        expect(page.locator("#view-descent [data-step=play]")).to_be_hidden()
        page.locator(".contour-view").focus()
        page.keyboard.press("Home")
        for step in (1, 2):
            page.keyboard.press("ArrowRight")
            assert values(page, "#descent-rows [data-rule=sgd] .value") == [path[step].x, path[step].y]
        page.keyboard.press("ArrowLeft")
        assert values(page, "#descent-rows [data-rule=sgd] .value") == [path[1].x, path[1].y]
    finally:
        context.close()


def test_the_path_runs_by_itself_and_can_be_stopped(chromium, server):
    with visit(chromium, f"{server.url}learn#descent") as page:
        loaded(page)
        page.locator("#view-descent [data-step=end]").click()
        play = page.locator("#view-descent [data-step=play]")
        play.click()
        page.wait_for_timeout(300)
        play.click()
        at = page.locator("#view-descent .where").inner_text()
        page.wait_for_timeout(300)
        assert at != "Step 300 of 300"
        expect(page.locator("#view-descent .where")).to_have_text(at)
        box = page.locator("svg.contour").bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.3 * box["height"])
        page.wait_for_function("() => Number(document.getElementById('descent-x').value) > 0")


def test_paths_and_curves_are_told_apart_without_color(chromium, server):
    with visit(chromium, f"{server.url}learn#descent", theme="dark") as page:
        loaded(page)
        page.locator("#view-descent [data-step=end]").click()
        for where in ("#descent-verdicts .sign", "svg.contour .head", "#descent-curves .legend .sign"):
            shapes = page.locator(where).evaluate_all("all => all.map((one) => one.getAttribute('d'))")
            assert len(shapes) == len(set(shapes)) == 3, where
        names = page.locator("#descent-curves svg .end").all_text_contents()
        assert sorted(names) == ["Adam", "Gradient descent", "Momentum"]
        printed(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_the_way(chromium, server, theme):
    with visit(chromium, f"{server.url}learn#descent", theme=theme) as page:
        loaded(page)
        page.locator("#view-descent [data-name=large]").first.click()
        page.locator("#descent-verdicts .bad").first.wait_for()
        page.locator("#view-descent [data-step=end]").click()
        assert faults(page) == []
