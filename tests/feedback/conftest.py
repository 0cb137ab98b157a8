from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import PostgresServer, SqliteFile, postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteFile | PostgresServer]:
    if request.param == "sqlite":
        yield SqliteFile(tmp_path)
        return
    with postgres() as server:
        yield server
