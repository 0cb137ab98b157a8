"""The view that reads files: how they come, what is told of them, and review by hand on a phone."""

import base64
import io
import re

import cv2
import pytest
from browsing import PHONE, draw, expect, settled, upload, visit
from hands import SLANTED
from PIL import Image
from serving import entries

from documents import image, pdf

pytestmark = pytest.mark.slow

BRING = """([kind, name, type, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const brought = new DataTransfer();
  brought.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true };
  const place = document.getElementById("drop");
  if (kind === "paste") place.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: brought }));
  else for (const step of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(step, { ...options, dataTransfer: brought }));
  }
}"""


@pytest.fixture
def notes(tmp_path):
    """A file that is no picture."""
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    return path


@pytest.mark.parametrize(("kind", "ending"), [("drop", "png"), ("paste", "png"), ("drop", "pdf")])
def test_a_file_is_dropped_or_pasted(page, form, kind, ending):
    content = form.read_bytes()
    if ending == "pdf":
        pixels = cv2.imread(str(form), cv2.IMREAD_GRAYSCALE)
        content = pdf("900 0 0 720 0 0 cm /Im0 Do", box=(900, 720), images=[image(pixels)])
    page.locator(".tabs a[href='#read']").click()
    given = [kind, f"form.{ending}", "application/pdf" if ending == "pdf" else "image/png"]
    page.evaluate(BRING, [*given, base64.b64encode(content).decode()])
    page.locator("#result").wait_for()
    expect(page.locator("#rows button").first).to_have_text(re.compile("^147"))
    expect(page.locator("#drop.over")).to_have_count(0)


def test_a_mistake_is_seen_from_where_one_is_and_leaves_no_result_of_another_file(chromium, keeper, form, notes):
    with visit(chromium, keeper.url, expected="Failed to load resource.* 422") as page:
        page.set_viewport_size({"width": 900, "height": 500})
        upload(page, form)
        page.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
        page.locator("#file").set_input_files(notes)
        notice = page.locator("#notice", has_text="cannot be read")
        notice.wait_for()
        expect(page.locator("#result")).to_be_hidden()
        page.evaluate("() => document.body.style.setProperty('min-height', '2000px')")
        page.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
        assert page.evaluate("() => window.scrollY") > 100
        box = notice.bounding_box()
        assert 0 <= box["y"] <= 500 - box["height"]
        page.locator("#language").click()
        expect(notice.page.locator("#notice")).to_contain_text("无法读取此文件")


def test_a_photo_with_too_many_pixels_is_made_smaller(chromium, keeper, form):
    """The server takes fewer than the picture has, or so it says."""
    most = 300_000
    with visit(chromium, keeper.url) as page:

        def limited(route):
            told = route.fetch().json()
            told["limits"]["pixels"] = most
            route.fulfill(json=told)

        page.route("**/api/v1/health", limited)
        page.reload()
        page.locator("html[data-ready]").wait_for()
        upload(page, form)
        wide, tall = (int(page.locator(".leaf img").get_attribute(side)) for side in ("width", "height"))
        assert 0.9 * most < wide * tall <= most
        expect(page.locator("#rows button").first).to_have_text(re.compile("^147"))


def test_corrections_and_reviews_by_touch_in_chinese(chromium, keeper, notebook, form, notes):
    before = len(entries(notebook))
    with visit(chromium, keeper.url, size=PHONE, language="zh-CN", expected="Failed to load resource.* 422") as page:
        draw(page, SLANTED[1])
        assert settled(page) == "1"
        assert "Ctrl" not in page.locator("main").inner_text()
        page.locator("#wrong").tap()
        page.locator("#choices button", has_text="不是数字").tap()
        page.locator("#thanks", has_text="谢谢").wait_for()
        upload(page, form)
        shown = page.locator("#view-read").inner_text()
        assert "拍照" in shown and "拖" not in shown and "Ctrl" not in shown
        page.locator("#least").fill("100")
        count = page.locator("#rows tr").count()
        page.locator("#review").tap()
        assert "Enter" not in page.locator("#review-dialog").inner_text()
        widths = []
        for number in range(count):
            page.locator("#review-count", has_text=f"第 {number + 1} 个").wait_for()
            widths.append(page.locator("#crop").evaluate("canvas => canvas.width"))
            page.locator("#review-accept" if number else "#review-none").tap()
        page.locator("#read-status", has_text="全部审核完毕").wait_for()
        page.locator("#file").set_input_files(notes)
        page.locator("#notice", has_text="无法读取此文件").wait_for()
        failed = {"pages": [{"page": 2, "error": "the page is damaged"}], "read": 0, "failed": 1}
        page.route("**/api/v1/read", lambda route: route.fulfill(json=failed))
        upload(page, form)
        expect(page.locator(".leaf figcaption")).to_have_text(re.compile("^第 2 页无法读取"))
    page.close()
    kept = entries(notebook)[before:]
    assert [one.correct for one in kept[:2]] == [None, None] and len(kept) == 1 + count
    assert all(one.key for one in kept) and len({one.key for one in kept}) == len(kept)
    sent = sorted(Image.open(io.BytesIO(one.image)).width for one in kept[1:])
    assert all(alone < shown for alone, shown in zip(sent, sorted(widths), strict=True))  # without its neighbours
