import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import browser, visit
from hands import UPRIGHT
from serving import Server, serving

from databases import database

__all__ = ["database", "numbers_picture", "server"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests that leave it as it is; its log must stay empty."""
    with serving() as started:
        yield started
        assert started.process.poll() is None
        assert started.log.read_text() == ""


@pytest.fixture(scope="session")
def numbers_picture() -> bytes:
    """A page with some handwritten numbers of the bundled digits."""
    import io

    import numpy as np
    from PIL import Image

    from inkgrad.data import load_digits

    _, digits = load_digits()
    page = Image.new("L", (600, 300), 245)
    for row, number in enumerate(("417", "2086")):
        for place, digit in enumerate(number):
            image = digits.images[np.flatnonzero(digits.labels == int(digit))[row]]
            shown = Image.fromarray(image).resize((56, 56), Image.Resampling.BICUBIC)
            page.paste(40, (60 + 44 * place, 50 + 120 * row), shown)
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; no longer than a file of tests, as it holds the event loop."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where `keeper` keeps corrections."""
    return f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'kept.sqlite3'}"


@pytest.fixture(scope="module")
def keeper(notebook: str) -> Iterator[Server]:
    """A server that keeps corrections; its log must stay empty."""
    with serving("--feedback", "--database", notebook) as started:
        yield started
        assert started.process.poll() is None
        assert started.log.read_text() == ""


@pytest.fixture
def page(chromium: Any, keeper: Server) -> Iterator[Any]:
    """The page for a new visitor, who sees no message in the console."""
    with visit(chromium, keeper.url) as opened:
        yield opened


@pytest.fixture(scope="session")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with three rows of drawn digits, the last of them smudged."""
    import cv2
    import numpy as np

    rows = [(1, 4, 7), (2, 5, 6, 3), (7, 1)]
    paper = np.full((720, 900), 255, np.uint8)
    for row, digits in enumerate(rows):
        for column, digit in enumerate(digits):
            for stroke in UPRIGHT[digit]:
                points = [(100 + 110 * column + 130 * x, 60 + 220 * row + 150 * y) for x, y in stroke]
                cv2.polylines(paper, [np.array(points, np.int32)], False, 0, 11, cv2.LINE_AA)
    cv2.line(paper, (110, 590), (330, 560), 90, 9, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("form") / "form.png"
    cv2.imwrite(str(path), paper)
    return path
