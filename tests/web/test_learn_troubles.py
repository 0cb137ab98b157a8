"""The lesson on what goes wrong in a real browser, in both languages, on a desk and on a phone."""

import re

import pytest
from browsing import browser, expect, faults, visit
from test_learn_page import VISITORS, fits, printed, told

from inkgrad.lessons.starts import from_starts
from inkgrad.lessons.troubles import CASES, stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


def loaded(page):
    page.locator("#troubles-layers [data-side=after] .layer").nth(7).wait_for()
    page.locator("#starts-told[data-stuck]").wait_for()


@pytest.mark.parametrize(("size", "language", "theme"), VISITORS, ids=["desktop-en", "phone-zh"])
def test_the_troubles(chromium, server, size, language, theme):
    where = f"{server.url}learn#troubles"
    with visit(chromium, where, size=size, language=language, theme=theme) as page:
        loaded(page)
        before = stage(CASES["vanishing"].switches, 1).layers
        shown = page.locator("#troubles-layers [data-side=before] .layer")
        found = [float(norm) for norm in shown.evaluate_all("all => all.map((one) => one.dataset.norm)")]
        assert found == pytest.approx([layer.norm for layer in before], rel=1e-4)
        page.locator("#troubles-helps [data-name=batch_norm]").click()
        page.locator("#troubles-train").click()
        page.locator("#troubles-train[aria-busy=false]").wait_for()
        page.locator("#troubles-verdicts [data-side=before].bad").wait_for()
        page.locator("#troubles-verdicts [data-side=after].good").wait_for()
        page.locator("#troubles-layers").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#troubles-layers [data-side=before] .hint").first).to_contain_text("10")
        for name, case in CASES.items():
            page.locator(f"#troubles-cases [data-name={name}]").click()
            page.locator(
                f"#troubles-layers [data-side=after] .layer:last-child[data-layer='{case.switches.depth}']"
            ).wait_for()
        fits(page)
        for hidden in ("8", "2"):
            page.locator(f"#starts-hidden [data-name='{hidden}']").click()
            stuck = sum(start.outcome == "stuck" for start in from_starts(int(hidden)).starts)
            page.locator(f"#starts-told[data-stuck='{stuck}']").wait_for()
        told(page, "troubles")


def test_a_training_that_diverges_says_so(chromium, server):
    with visit(chromium, f"{server.url}learn#troubles") as page:
        loaded(page)
        page.locator("#troubles-cases [data-name=exploding]").click()
        page.locator("#troubles-start [data-name=he]").click()
        page.locator("#troubles-train").click()
        page.locator("#troubles-verdicts [data-side=before][data-diverged].bad").wait_for()
        page.locator("#lessons a").first.click()  # who leaves has no more asked for
        page.locator("#view-graph").wait_for()
        page.locator("#lessons a[href='#troubles']").click()
        page.locator("#troubles-train[aria-busy=false]").wait_for()


def test_clipping_and_weight_decay_are_seen(chromium, server):
    with visit(chromium, f"{server.url}learn#troubles", theme="dark") as page:
        loaded(page)
        page.locator("#troubles-cases [data-name=exploding]").click()
        page.locator("#troubles-helps [data-name=clip]").click()
        expect(page.locator("#troubles-norms .line.dashed")).to_have_count(2)  # in the picture and the legend
        shown = page.locator("#troubles-layers [data-side=after] .layer").first
        expect(shown).to_have_attribute("data-norm", re.compile(r"^\d{3}"))
        expect(shown).to_have_attribute("data-clipped", re.compile(r"^0\.\d"))
        page.locator("#troubles-cases [data-name=overfitting]").click()
        page.locator("#troubles-helps [data-name=weight_decay]").click()
        page.locator("#troubles-train").click()
        page.locator("#troubles-verdicts [data-side=after].good").wait_for()
        layers = page.locator("#troubles-layers .layer")
        alone, _, decayed, _ = layers.evaluate_all("all => all.map((one) => Number(one.dataset.weights))")
        assert decayed < 0.8 * alone
        printed(page)


def test_what_is_wrong_stands_beside_it(chromium, server):
    with visit(chromium, f"{server.url}learn#troubles", expected="Failed to load resource.* 422") as page:
        loaded(page)
        for field, value, said in (
            ("depth", "12", "from 2 to 8, but “12” came. Type"),
            ("depth", "deep", "from 2 to 8, but “deep” came. Type"),
            ("depth", "3", None),
            ("rate", "0", "above 0 and at most 1,000,000, but “0” came. Type"),
            ("rate", "0.02", None),
        ):
            page.locator(f"#troubles-{field}").fill(value)
            page.locator(f"#troubles-{field}").press("Enter")
            if said is None:
                page.locator("#view-troubles .trouble").wait_for(state="hidden")
            else:
                page.locator("#view-troubles .trouble", has_text=said).wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_the_way(chromium, server, theme):
    with visit(chromium, f"{server.url}learn#troubles", theme=theme) as page:
        loaded(page)
        assert faults(page) == []
