"""The lesson on training in a real browser: a training is begun, changed, watched by two, and ends with its page."""

import time

import pytest
from browsing import DESKTOP, PHONE, expect, faults, visit
from test_learn_page import fits, told

pytestmark = pytest.mark.slow
TRAINING = "/api/v1/lessons/training"


def free(server):
    """Wait until no training is left."""
    deadline = time.monotonic() + 60
    while server.get(TRAINING).json["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def begin(page, network="two-layer", rate=None):
    page.locator(f"#view-live [data-name={network}]").click()
    if rate is not None:
        page.locator("#live-first-rate").fill(rate)
    page.locator("#live-start").click()
    page.locator("#live-status[data-kind=running]").wait_for()


def figure(page, name):
    return float(page.locator(f"#live-figures [data-name={name}]").get_attribute("data-value"))


def passes(page, step):
    page.wait_for_function(
        "(step) => Number(document.querySelector('#live-figures [data-name=live_step]')?.dataset.value) > step",
        arg=step,
    )


@pytest.mark.parametrize(
    ("size", "language", "theme"),
    [(DESKTOP, "en-US", "light"), (PHONE, "zh-CN", "dark")],
    ids=["desktop-en", "phone-zh"],
)
def test_a_training_from_beginning_to_end(chromium, server, size, language, theme):
    with visit(chromium, f"{server.url}learn#live", size=size, language=language, theme=theme) as page:
        bars = page.locator("#view-live .shares .fill")
        assert bars.evaluate_all("all => all.every((one) => one.clientWidth === 0)")  # nothing is known yet
        begin(page)
        page.locator("#view-live .chips [data-name='100']").click()
        passes(page, 20)
        fits(page)
        page.locator("#live-rate").fill("0.5")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => Number(document.querySelector('#live-figures [data-name=live_accuracy_test]').dataset.value) > 0.7"
        )
        page.locator("#live-toggle").click()
        page.locator("#live-status[data-kind=waiting]").wait_for()
        expect(page.locator("#view-live svg.curve")).to_have_count(3)
        page.locator("#view-live .mark").nth(2).wait_for(state="attached")  # where the rate was changed
        page.wait_for_function(
            "() => document.querySelector('.glimpse [data-step]').dataset.step"
            " === document.querySelector('#live-figures [data-name=live_step]').dataset.value"
        )
        at = figure(page, "live_step")
        page.locator("#live-step").click()
        passes(page, at)
        assert figure(page, "live_step") == at + 1
        page.locator(".glimpse .chips [data-name='7']").click()
        page.locator(".glimpse .seen[aria-label='7']").wait_for()
        expect(page.locator(".layer-row canvas")).to_have_count(4)
        page.locator("#view-live .curves summary").first.click()
        page.locator("#view-live .curves tbody tr").nth(50).wait_for(state="attached")
        told(page, "live")
        page.locator("#live-end").click()
        page.locator("#live-status[data-kind=ended]").wait_for()
        expect(page.locator("#live-toggle")).to_be_disabled()
        begin(page, "lenet5")  # another one
        passes(page, 2)
        page.locator(".layer-row canvas").nth(9).wait_for()
    free(server)  # it ends with its page


def test_two_pages_on_one_training(chromium, server):
    with visit(chromium, f"{server.url}learn#live") as one:
        begin(one)
        passes(one, 5)
        assert "training=" in one.url
        with visit(chromium, one.url, language="zh-CN") as other:
            other.locator("#live-status[data-kind=running]").wait_for()
            one.locator("#live-share", has_text="2").wait_for()
            other.locator("#live-rate").fill("0.02")
            other.keyboard.press("Enter")
            one.wait_for_function("() => document.getElementById('live-rate').value === '0.02'")
            one.locator("#live-toggle").click()
            other.locator("#live-status[data-kind=waiting]").wait_for()
            other.locator("#live-toggle").click()
            one.locator("#live-status[data-kind=running]").wait_for()
        one.locator("#live-share", has_text="1").wait_for()
        passes(one, figure(one, "live_step") + 5)
        at = figure(one, "live_step")
        one.reload()
        one.locator("#live-status[data-kind=running]").wait_for()
        passes(one, at)
    free(server)


def test_the_rates_of_the_task(chromium, server):
    """0.3, 1 and 100, as the text says: one learns, one forgets all, one diverges."""
    with visit(chromium, f"{server.url}learn#live") as page:
        begin(page)
        page.locator("#view-live .chips [data-name='100']").click()
        passes(page, 150)
        for rate in ("0.3", "1"):
            at = figure(page, "live_step")
            page.locator("#live-rate").fill(rate)
            page.keyboard.press("Enter")
            passes(page, at + 90)
            learned = figure(page, "live_accuracy_test")
            assert (learned > 0.8) == (rate == "0.3") and figure(page, "live_loss_figure") < 2.4
        assert figure(page, "live_loss_figure") > 2.2  # it guesses
        page.locator("#live-rate").fill("100")
        page.keyboard.press("Enter")
        page.locator("#live-status.bad[data-kind=diverged] small", has_text="lower the learning rate").wait_for()
        expect(page.locator("#live-status .headline")).to_contain_text("Start again with a lower learning rate")
    free(server)


def test_no_click_is_lost(chromium, server):
    """However fast one asks for single steps, each is made."""
    with visit(chromium, f"{server.url}learn#live") as page:
        begin(page)
        passes(page, 3)
        page.locator("#live-toggle").click()
        page.locator("#live-status[data-kind=waiting]").wait_for()
        step = page.locator("#live-figures [data-name=live_step]")
        shown = page.locator(".glimpse [data-step]")
        page.wait_for_timeout(600)
        at = int(figure(page, "live_step"))
        page.evaluate("() => { for (let i = 0; i < 5; i += 1) document.getElementById('live-step').click(); }")
        expect(step).to_have_attribute("data-value", str(at + 5))
        expect(shown).to_have_attribute("data-step", str(at + 5))
        expect(step).to_have_attribute("data-value", str(at + 5))  # and no more
    free(server)


def test_start_leaves_a_training_to_those_who_watch_it_too(chromium, server):
    with visit(chromium, f"{server.url}learn#live") as one:
        begin(one)
        passes(one, 3)
        with visit(chromium, one.url) as other:
            other.locator("#live-status[data-kind=running]").wait_for()
            expect(other.locator("#live-share")).to_contain_text("2")
            begin(other, "mlp")
            expect(other.locator("#live-status")).to_contain_text("mlp")
            expect(one.locator("#live-share")).to_contain_text("1")
            assert one.url != other.url
            passes(one, figure(one, "live_step") + 5)
            expect(one.locator("#live-status")).to_contain_text("two-layer")
            assert server.get(TRAINING).json["running"] == 2
            begin(other)  # it is alone: its own ends, and frees the place
            expect(other.locator("#live-status")).to_contain_text("two-layer")
            passes(other, 2)
    free(server)


def test_what_goes_wrong_is_said(chromium, server):
    with visit(chromium, f"{server.url}learn#live", expected="Failed to load resource.* (422|503|404)") as page:
        begin(page, rate="100000")
        page.locator("#live-status.bad[data-kind=diverged] small", has_text="lower the learning rate").wait_for()
        free(server)
        notice = page.locator("#notice")
        for typed, said in (("0", "0"), ("1e308", "1e+308"), ("fast", "the text 'fast'"), ("", "null")):
            page.locator("#live-first-rate").fill(typed)
            page.locator("#live-start").click()
            expect(notice).to_contain_text("The learning rate must be above 0")
            expect(notice).to_contain_text(f"but got {said}; take one such as 0.1")
        page.locator("#live-first-rate").fill("0.1")
        page.locator("#live-batch").fill("0")
        page.locator("#live-start").click()
        expect(notice).to_contain_text("whole number from 1 to 1,000, but got 0; take one such as 64")
        page.locator("#live-batch").fill("64")
        held = [server.post(TRAINING, {}).json["training"] for _ in range(2)]
        page.locator("#live-first-rate").fill("0.1")
        page.locator("#live-start").click()
        page.locator("#notice", has_text="As many trainings run as this server takes").wait_for()
        for training in held:
            server.post(f"{TRAINING}/change", {"training": training, "end": True})
        page.goto(f"{server.url}learn?training=gone#live")
        page.locator("#notice", has_text="This training has ended").wait_for()
        begin(page)
    free(server)


def test_the_keyboard_alone_suffices_and_every_text_is_translated(chromium, server):
    with visit(chromium, f"{server.url}learn#live") as page:
        page.locator("#live-start").focus()
        page.keyboard.press("Enter")
        page.locator("#live-status[data-kind=running]").wait_for()
        passes(page, 3)
        page.locator("#live-slider").focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => Number(document.getElementById('live-rate').value) < 0.1")
        page.locator("#live-toggle").focus()
        page.keyboard.press("Enter")
        page.locator("#live-status[data-kind=waiting]").wait_for()
        page.wait_for_timeout(500)
        english = set(page.locator("#view-live").inner_text().split("\n"))
        page.locator("#language").click()
        page.wait_for_timeout(500)
        left = {line for line in page.locator("#view-live").inner_text().split("\n") if line in english and " " in line}
        assert {line for line in left if not any(mark in line for mark in ("(", "=", "←", "%"))} == set()
    free(server)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_the_way(chromium, server, theme):
    with visit(chromium, f"{server.url}learn#live", theme=theme) as page:
        begin(page)
        passes(page, 12)
        page.locator("#live-toggle").click()
        page.locator("#live-status[data-kind=waiting]").wait_for()
        page.wait_for_timeout(600)
        assert faults(page) == []
        page.emulate_media(media="print")
        expect(page.locator("#view-live svg.curve").first).to_be_visible()
        fits(page)
    free(server)
