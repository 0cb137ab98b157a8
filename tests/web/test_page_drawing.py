"""What is drawn on the page stays, and what is said of it is kept once and belongs to it."""

import pytest
from browsing import draw, expect, settled, visit
from hands import SLANTED, UPRIGHT
from serving import entries

pytestmark = pytest.mark.slow


def test_a_double_click_sends_one_correction_with_its_model_and_a_key(page, notebook):
    draw(page, SLANTED[1])
    assert settled(page) == "1"
    before = len(entries(notebook))
    page.locator("#wrong").click()
    page.locator("#choices button", has_text="7").dblclick()
    page.locator("#thanks", has_text="Thank you").wait_for()
    kept = entries(notebook)[before:]
    assert [(one.correct, one.model) for one in kept] == [("7", "digits")]
    assert len(kept[0].key) == 32


def test_a_correction_that_failed_is_sent_again_with_the_same_key(chromium, keeper, notebook):
    keys = []

    def fail_once(route):
        keys.append(route.request.post_data_json["key"])
        if len(keys) > 1:
            route.continue_()
        else:
            problem = '{"type": "/problems/database-away", "status": 503, "detail": "the database cannot be written"}'
            route.fulfill(status=503, content_type="application/problem+json", body=problem)

    with visit(chromium, keeper.url, expected="Failed to load resource.* 503") as page:
        page.route("**/api/v1/feedback", fail_once)
        draw(page, SLANTED[1])
        settled(page)
        page.locator("#wrong").click()
        for told in ("#notice:has-text('nothing was kept')", "#thanks:has-text('Thank you')"):
            page.locator("#choices button:enabled", has_text="7").click()
            page.locator(told).wait_for()
    assert keys == [entries(notebook)[-1].key] * 2


def test_no_ink_is_lost(page):
    draw(page, SLANTED[1])
    assert settled(page) == "1"
    digit, number = page.locator("button[data-mode=digit]"), page.locator("button[data-mode=number]")
    digit.click()
    assert settled(page) == "1"
    page.locator("#clear").click()
    page.locator("#answer[data-state=blank]").wait_for()
    page.locator("#undo").click()
    assert settled(page) == "1"
    number.click()
    page.locator("#answer[data-state=blank]").wait_for()
    draw(page, [[(0.05 + 0.3 * x, y) for x, y in stroke] for stroke in UPRIGHT[7]])
    assert settled(page) == "7"
    page.locator(".tabs a[href='#inside']").click()
    page.locator("#inside-value", has_text="Read as 1").wait_for()
    page.locator(".tabs a[href='#draw']").click()
    expect(digit).to_have_attribute("aria-pressed", "true")
    number.click()
    page.locator("#draw-pad canvas.broad").wait_for()
    assert settled(page) == "7"


def test_a_correction_belongs_to_the_picture_that_was_read(page, notebook):
    asked, held, released = [], [], []

    def hold(route):
        asked.append(route.request.post_data_buffer)
        if released:
            route.continue_()
        else:
            held.append(route)

    draw(page, SLANTED[1])
    assert settled(page) == "1"
    page.route("**/classify*", hold)
    draw(page, [[(0.3, 0.86), (0.7, 0.86)]])
    expect(page.locator("#value")).to_have_text("1")  # still of the drawing before
    expect(page.locator("#wrong")).to_be_disabled()
    released.append(True)
    for route in held:
        route.continue_()
    settled(page)
    page.locator("#wrong:enabled").click()
    page.locator("#choices button", has_text="2").click()
    page.locator("#thanks", has_text="Thank you").wait_for()
    assert entries(notebook)[-1].image not in asked[0]  # which had the first point of the new stroke alone
