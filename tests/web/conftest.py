import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
