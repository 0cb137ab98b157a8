"""The real page in a real browser against a real server."""

import csv
import io
import json
import re

import cv2
import numpy as np
import pytest
from browsing import DESKTOP, PHONE, draw, expect, faults, settled, upload, visit
from hands import SLANTED, UPRIGHT
from serving import entries, serving

import inkgrad as ig
from documents import image, pdf

pytestmark = pytest.mark.slow


def test_all_digits_are_read_as_two_people_draw_them(page):
    wrong = []
    for name, hand in (("upright", UPRIGHT), ("slanted", SLANTED)):
        for digit, strokes in hand.items():
            page.locator("#clear").click()
            draw(page, strokes)
            if (value := settled(page)) != str(digit):
                wrong.append(f"{name} {digit}: {value}")
    assert len(wrong) <= 1, wrong


def test_a_blank_sheet_and_what_is_no_digit_say_so(page):
    headline = page.locator("#headline")
    expect(headline).to_have_text("Nothing drawn yet")
    expect(page.locator("#wrong")).to_be_disabled()
    zigzag = [(0.1 + 0.08 * i, 0.15 + 0.7 * (i % 2)) for i in range(11)]
    draw(page, [zigzag, [(y, x) for x, y in zigzag]])
    assert settled(page) is None
    expect(headline).to_have_text("This is no digit")
    page.keyboard.press("Delete")
    page.locator("#answer[data-state=blank]").wait_for()
    expect(headline).to_have_text("Nothing drawn yet")


def test_strokes_are_taken_back_and_bars_show_what_the_network_sees(page):
    draw(page, SLANTED[1])
    assert settled(page) == "1"
    shares = [float(text.strip("> %")) for text in page.locator("#bars .share").all_inner_texts()]
    assert len(shares) == 10 and np.argmax(shares) == 1
    seen = page.locator("#seen").evaluate("canvas => [canvas.width, canvas.height]")
    assert seen == [28, 28]
    draw(page, [[(0.2, 0.86), (0.8, 0.86)]])
    page.keyboard.press("Control+z")
    page.locator("#undo").click()
    page.locator("#answer[data-state=blank]").wait_for()


def test_the_keyboard_draws(page):
    page.locator("#draw-pad canvas").focus()
    for key in ["ArrowUp"] * 8 + [" "] + ["ArrowDown"] * 17 + [" "]:
        page.keyboard.press(key)
    assert settled(page) == "1"


def test_a_whole_number_is_read_and_corrected(page, notebook):
    page.locator(".segments [data-mode=number]").click()
    page.locator("#draw-pad canvas.broad").wait_for()
    for column, digit in enumerate((1, 4, 7)):
        box = page.locator("#draw-pad canvas").bounding_box()
        wide = box["height"] / box["width"]
        strokes = [[(0.02 + 0.6 * wide * column + wide * x, y) for x, y in stroke] for stroke in UPRIGHT[digit]]
        draw(page, strokes)
    assert settled(page) == "147"
    assert page.locator("#number-digits b").all_inner_texts() == ["1", "4", "7"]
    page.locator("#wrong").click()
    page.locator("#correct-text").fill("1471")
    page.keyboard.press("Enter")
    page.locator("#thanks", has_text="Thank you").wait_for()
    kept = entries(notebook)[-1]
    assert (kept.said, kept.correct, kept.source) == ("147", "1471", "draw")


@pytest.mark.parametrize(("choice", "correct"), [("7", "7"), ("No digit", None)])
def test_a_correction_is_kept(page, notebook, choice, correct):
    draw(page, SLANTED[1])
    assert settled(page) == "1"
    page.locator("#wrong").click()
    page.locator("#choices button", has_text=choice).click()
    page.locator("#thanks", has_text="Thank you").wait_for()
    kept = entries(notebook)[-1]
    assert (kept.said, kept.correct, kept.source) == ("1", correct, "draw")
    assert ig.models.pretrained("digits").classify(kept.image).value == 1


def test_a_server_without_feedback_says_so(chromium):
    with serving() as plain, visit(chromium, plain.url) as page:
        draw(page, SLANTED[1])
        settled(page)
        page.locator("#wrong").click()
        page.locator("#choices button").first.click()
        page.locator("#thanks", has_text="--feedback").wait_for()


def saved(page, button):
    with page.expect_download() as waiting:
        page.locator(button).click()
    return waiting.value.path().read_text(encoding="utf-8")


def test_a_picture_is_read_reviewed_and_saved(page, form, notebook):
    upload(page, form)
    rows = page.locator("#rows button").all_inner_texts()
    assert rows[0].startswith("147") and rows[1].startswith("2563")
    expect(page.locator(".leaf polygon.number")).to_have_count(len(rows))
    page.locator(".leaf polygon.digit").first.click()
    expect(page.locator(".chosen-digits > div")).to_have_count(3)
    expect(page.locator(".chosen-digits > .on b")).to_have_text("1")
    page.locator("#least").fill("100")  # all are doubtful now
    page.locator("#review").click()
    texts = []
    for number in range(len(rows)):
        page.locator("#review-count", has_text=f"{number + 1} of {len(rows)}").wait_for()
        field = page.locator("#review-text")
        texts.append(field.input_value())
        if number == 1:
            page.keyboard.type("99")  # what was read is selected, so that typing replaces it
        page.keyboard.press("Enter")
    page.locator("#read-status", has_text="All reviewed").wait_for()
    expect(page.locator("#review-dialog")).to_be_hidden()
    table = list(csv.DictReader(io.StringIO(saved(page, "#save-csv"))))
    assert [row["text"] for row in table] == texts
    assert [row["final"] for row in table] == [texts[0], "99", *texts[2:]]
    assert [row["review"] for row in table[:2]] == ["confirmed", "corrected"]
    told = json.loads(saved(page, "#save-json"))["pages"][0]
    assert [number["final"] for number in told["numbers"]] == [row["final"] for row in table]
    kept = [entry for entry in entries(notebook) if entry.source == "read"]
    assert {(entry.said, entry.correct) for entry in kept} >= {(texts[0], texts[0]), (texts[1], "99")}


def test_a_review_goes_back_and_says_that_there_is_no_number(page, form):
    upload(page, form)
    page.locator("#least").fill("100")
    page.locator("#review").click()
    count = page.locator("#review-count")
    page.keyboard.press("ArrowDown")
    count.get_by_text("2 of").wait_for()
    page.keyboard.press("ArrowUp")
    count.get_by_text("1 of").wait_for()
    page.locator("#review-none").click()
    count.get_by_text("2 of").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#rows tr").first).to_have_text(re.compile("^–"))


def test_a_document_of_several_pages_and_an_expected_form(page, form, tmp_path):
    pixels = cv2.imread(str(form), cv2.IMREAD_GRAYSCALE)
    path = tmp_path / "form.pdf"
    path.write_bytes(
        pdf("900 0 0 720 0 0 cm /Im0 Do", "900 0 0 720 0 0 cm /Im0 Do", box=(900, 720), images=[image(pixels)])
    )
    page.locator(".tabs a[href='#read']").click()
    page.locator("#kind").select_option("pattern")
    page.locator("#pattern").fill(r"\d{4}")
    upload(page, path)
    expect(page.locator(".leaf")).to_have_count(2)
    assert all(len(text) == 4 for text in page.locator("#rows button").all_inner_texts())


def test_what_cannot_be_read_is_said(chromium, keeper, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    with visit(chromium, keeper.url, expected="Failed to load resource.* 422") as page:
        page.locator(".tabs a[href='#read']").click()
        page.locator("#file").set_input_files(path)
        page.locator("#notice", has_text="image").wait_for()
        page.locator(".tabs a[href='#draw']").click()
        expect(page.locator("#notice")).to_be_hidden()


def test_inside_the_network(page):
    draw(page, UPRIGHT[4])
    assert settled(page) == "4"
    page.locator("#look").click()
    page.locator("#change-maps figure").nth(2).wait_for()
    expect(page.locator("#why")).to_have_text("Why 4?")
    expect(page.locator("#why-maps canvas")).to_have_count(4)
    expect(page.locator("#inside-value")).to_have_text("Read as 4")
    steps = page.locator("#layer-steps button")
    expect(steps.first).to_have_text(re.compile("^1 Conv2d"))
    steps.last.click()
    assert page.locator("#layer-maps figcaption").all_inner_texts() == [*"0123456789", "No digit"]
    expect(page.locator("#behind-maps .pair")).to_have_count(12)
    expect(page.locator("#behind-maps .pair p").first).to_have_text(re.compile("^Channel "))
    steps.nth(2).click()
    expect(page.locator("#layer-maps .hint")).to_have_text(re.compile(r"^Layer 3, ReLU \(layers\.2 in Python\)"))
    expect(page.locator("#layer-maps figcaption").first).to_have_text("1")
    expect(page.locator("#filter-maps")).to_contain_text("each with one filter")
    page.locator("#filter-steps button").nth(1).click()
    expect(page.locator("#filter-maps")).to_contain_text("24 × 24, 3 × 3")
    page.locator("#filter-steps button").last.click()
    out, into, tall, wide = map(int, re.findall(r"\d+", page.locator("#filter-maps figcaption").inner_text()))
    sides = page.locator("#filter-maps canvas").evaluate("canvas => [canvas.width, canvas.height]")
    assert out > 24 and sides == [into * (wide + 1) - 1, out * (tall + 1) - 1]  # all of them are shown
    page.locator("#change-to button", has_text="9").click()
    page.locator("#change-maps", has_text="Now read as 9").wait_for()
    page.locator("#inside-clear").click()
    page.locator("#inside-empty").wait_for()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    ("language", "draw_word", "none"), [("en-US", "Draw", "Nothing drawn yet"), ("zh-CN", "书写", "还没有书写")]
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_in_every_look(chromium, keeper, form, size, language, draw_word, none, theme):
    """Both languages, both themes, both sizes: nothing is cut off, and axe finds no serious fault."""
    with visit(chromium, keeper.url, size=size, language=language, theme=theme) as page:
        expect(page.locator("html")).to_have_attribute(
            "lang", language.replace("en-US", "en").replace("zh-CN", "zh-Hans")
        )
        expect(page.locator("#headline")).to_have_text(none)
        found = faults(page)
        draw(page, UPRIGHT[3])
        settled(page)
        page.locator("#wrong").click()
        found += faults(page)
        fits(page)
        page.locator(".tabs a[href='#inside']").click()
        page.locator("#change-maps figure").nth(2).wait_for()
        found += faults(page)
        fits(page)
        upload(page, form)
        page.locator("#rows button").first.click()
        found += faults(page)
        fits(page)
        page.locator("#least").fill("100")
        page.locator("#review").click()
        found += faults(page)
        page.keyboard.press("Escape")
        assert found == []
        page.locator("#language").click()
        assert page.locator(".tabs a[href='#draw']").inner_text() != draw_word


def fits(page):
    """Nothing is wider than the window."""
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_language_and_theme_are_remembered(page):
    page.locator("#language").click()
    page.locator("#theme").click()
    page.reload()
    page.locator("html[data-ready]").wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_finger_draws(chromium, keeper):
    with visit(chromium, keeper.url, size=PHONE) as page:
        box = page.locator("#draw-pad canvas").bounding_box()
        client = page.context.new_cdp_session(page)
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in UPRIGHT[7][0]]
        client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
        for point in points[1:]:
            client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert settled(page) == "7"
