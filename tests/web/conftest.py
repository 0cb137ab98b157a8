import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from serving import Server, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests that leave it as it is; its log must stay empty."""
    with serving() as started:
        yield started
        assert started.process.poll() is None
        assert started.log.read_text() == ""
