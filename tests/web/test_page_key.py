"""The key of a server, the documentation of the API, and a page that does not get what it needs."""

from pathlib import Path

import pytest
from browsing import TIMEOUT, draw, expect, settled, visit
from hands import SLANTED
from serving import serving

pytestmark = pytest.mark.slow

KEY = "a-key-of-this-test-only"
REFUSED = "Failed to load resource.* 401"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """The address of a server that asks for its key."""
    file: Path = tmp_path_factory.mktemp("key") / "key"
    file.write_text(f"{KEY}\n")
    with serving("--host", "0.0.0.0", "--key-file", str(file)) as server:
        yield server.url.replace("0.0.0.0", "127.0.0.1")


def test_the_key_comes_with_the_address(chromium, closed):
    with visit(chromium, f"{closed}#key={KEY}") as page:
        assert "key" not in page.url
        draw(page, SLANTED[1])
        assert settled(page) == "1"
        page.goto(f"{closed}docs")  # which takes it over
        page.locator("html[data-ready]").wait_for()
        expect(page.locator("#key")).to_have_value(KEY)
    with visit(chromium, f"{closed}docs#key={KEY}") as page:
        assert "key" not in page.url
        page.locator("summary", has_text="/models").click()
        page.locator("details[open] button").click()
        page.locator("details[open] pre", has_text="200 OK").wait_for()


def test_the_key_is_asked_for(chromium, closed):
    with visit(chromium, closed, expected=REFUSED) as page:
        draw(page, SLANTED[1][:1])
        field, trouble = page.locator("#key"), page.locator("#key-trouble")
        field.wait_for()
        expect(trouble).to_have_text("")
        field.fill("schlüssel-mit-umlaut")
        page.keyboard.press("Enter")
        expect(trouble).to_contain_text("plain English keyboard")
        field.fill("a-key-that-is-wrong")
        page.keyboard.press("Enter")
        page.locator("#key-trouble", has_text="does not know this key").wait_for()
        page.locator("#key-cancel").click()
        page.locator("#notice", has_text="only with its key").wait_for()
        draw(page, SLANTED[1][:1])
        field.fill(KEY)
        page.keyboard.press("Enter")
        assert settled(page) is not None
        expect(page.locator("#notice")).to_be_hidden()
        page.reload()
        page.locator("html[data-ready]").wait_for()
        draw(page, SLANTED[1])
        assert settled(page) == "1"


def test_a_page_that_may_store_nothing_knows_its_key(chromium, closed):
    forbid = "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('forbidden'); } });"
    context = chromium.new_context()
    try:
        context.add_init_script(forbid)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(f"{closed}#key={KEY}")
        page.locator("html[data-ready]").wait_for()
        draw(page, SLANTED[1])
        assert settled(page) == "1"
    finally:
        context.close()


def test_the_documentation_of_the_api_writes_nothing_to_the_console(chromium, closed):
    with visit(chromium, f"{closed}docs") as page:
        assert page.locator("details").count() > 10
        expect(page.locator("link[rel=icon]")).to_have_count(1)
        text = page.locator("body").text_content()
        assert "`" not in text and "Successful Response" not in text


def test_without_its_texts_the_page_says_so(chromium, closed):
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.route("**/texts.json", lambda route: route.fulfill(status=500, body="{}"))
        page.goto(closed)
        page.locator("#notice", has_text="could not be loaded").wait_for()
        expect(page.locator("#notice")).to_contain_text("重新加载")
    finally:
        context.close()
