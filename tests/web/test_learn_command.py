"""`inkgrad learn`: it serves the lessons, and opens them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest


@contextlib.contextmanager
def learning(*options, **environment):
    """The command until the end of the block, and what it has printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inkgrad", "learn", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        yield json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert (process.wait(60), process.stderr.read()) == (0, "")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a browser that is a shell script")
def test_the_lessons_are_opened(tmp_path):
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part && mv {seen}.part {seen}\n')
    browser.chmod(0o755)
    with learning(BROWSER=f"{browser} %s") as told:
        assert told.keys() == {"url", "urls", "key"} and told["key"] is None and told["url"].endswith("/learn")
        with urllib.request.urlopen(told["url"], timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/html")
            assert b"lessons/app.js" in answer.read()
        deadline = time.monotonic() + 60
        while not seen.is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert seen.read_text() == told["url"]


@pytest.mark.slow
def test_elsewhere_than_on_loopback_a_key_is_asked_for(tmp_path):
    with learning("--host", "0.0.0.0", "--no-browser", BROWSER=str(tmp_path / "none")) as told:
        assert len(told["key"]) >= 16
