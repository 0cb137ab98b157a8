"""What is kept comes back, once, whatever the database went through."""

import random
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from databases import PostgresServer, SqliteFile
from inkgrad.errors import OptionError, StorageError
from inkgrad.feedback import Entry, FullStoreError, KeyTakenError, Store
from inkgrad.feedback.schema import FEEDBACK, LATEST, bring_forward
from inkgrad.feedback.store import _engine

Database = SqliteFile | PostgresServer


def test_entries_come_back_as_they_were_and_in_order(database: Database) -> None:
    given = [
        Entry(bytes(range(256)), "7", "draw", "1", 0.25, "digits", "a"),
        Entry(b"\0", None),
        Entry(b"x" * 100_000, "0" * 64, "read", "not \N{SNOWMAN}", 1.0, None, "\N{SNOWMAN}" * 64),
    ]
    store = Store(database.url)
    kept = [store.add(entry) for entry in given]
    store.close()
    again = Store(database.url)
    assert list(again.entries()) == given
    assert [one.id for one in kept] == sorted({one.id for one in kept}) and all(one.new for one in kept)
    again.close()


def test_of_what_is_sent_twice_at_once_one_is_kept(database: Database) -> None:
    store = Store(database.url)
    with ThreadPoolExecutor(4) as pool:
        kept = list(
            pool.map(lambda turn: store.add(Entry(b"%d" % (turn // 4), "1", key=f"key {turn // 4}")), range(16))
        )
    assert len({one.id for one in kept}) == 4 == sum(one.new for one in kept)
    assert sorted(entry.key or "" for entry in store.entries()) == [f"key {n}" for n in range(4)]
    store.close()


def test_an_older_database_is_brought_forward_with_what_it_holds(database: Database) -> None:
    engine = _engine(database.url, True)
    bring_forward(engine, "0001")
    old = "INSERT INTO feedback (created, source, image, correct) VALUES ('2026-01-02 03:04:05', 'api', :image, '7')"
    with engine.begin() as connection:
        connection.execute(sa.text(old), {"image": b"old"})
        assert "client_key" not in {column["name"] for column in sa.inspect(connection).get_columns("feedback")}
    engine.dispose()
    store = Store(database.url)
    store.add(Entry(b"new", "8", key="k"))
    assert [(entry.image, entry.correct, entry.key) for entry in store.entries()] == [
        (b"old", "7", None),
        (b"new", "8", "k"),
    ]
    store.close()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [LATEST]
    engine.dispose()


def test_a_key_names_one_entry(database: Database) -> None:
    store = Store(database.url)
    entry = Entry(b"x", "1", "draw", "7", 0.1, "digits", "k")
    first = store.add(entry)
    again = store.add(entry)
    assert (again.id, again.created, again.new) == (first.id, first.created, False)
    for other in ({"image": b"y"}, {"correct": "2"}, {"correct": None}, {"said": None}, {"confidence": 0.2}):
        with pytest.raises(KeyTakenError, match="take a new key"):
            store.add(replace(entry, **other))
    assert list(store.entries()) == [entry]
    store.close()


def test_a_store_that_is_full_keeps_no_more_and_tells_what_it_has(database: Database) -> None:
    store = Store(database.url, most_bytes=300_000)
    entry = Entry(random.Random(0).randbytes(400_000), "1", key="k")  # which no database packs
    first = store.add(entry)
    with pytest.raises(FullStoreError, match=r"at most 300,000 are kept"):
        store.add(Entry(b"y", "1"))
    assert store.add(entry).id == first.id
    assert list(store.entries()) == [entry]
    store.close()


def test_the_steps_lead_to_the_tables_that_the_program_uses(database: Database) -> None:
    Store(database.url).close()
    engine = _engine(database.url, True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [one for one in compare_metadata(context, FEEDBACK.metadata) if "alembic_version" not in str(one)]
    engine.dispose()
    assert found == []


def test_a_file_is_its_owners(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/feedback.sqlite").close()
    assert stat.S_IMODE((tmp_path / "feedback.sqlite").stat().st_mode) == 0o600


def test_servers_that_start_at_once_make_the_tables_once(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store(database.url), range(4)))
    for store in stores:
        store.add(Entry(b"x", "1"))
    assert len(list(stores[0].entries())) == 4
    for store in stores:
        store.close()


def test_a_newer_database_is_left_alone(database: Database) -> None:
    Store(database.url).close()
    engine = _engine(database.url, True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match="newer inkgrad"):
        Store(database.url)


def test_a_database_that_goes_away_is_told_of_and_used_again_when_it_is_back(database: Database) -> None:
    store = Store(database.url)
    store.add(Entry(b"before", "1"))
    database.take_away()
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot be used"):
            store.add(Entry(b"lost", "2"))
    with pytest.raises(StorageError):
        list(store.entries())
    database.bring_back()
    store.add(Entry(b"after", "3"))
    assert [entry.image for entry in store.entries()] == [b"before", b"after"]
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nothing", "must be an URL"),
        ("sqlite://", "in memory keeps nothing"),
        ("mysql://localhost/x", "mysql came, expected sqlite or postgresql"),
        ("mysql+foo://localhost/x", "mysql came, expected sqlite or postgresql"),
        ("sqlite+aiosqlite:///x", "driver aiosqlite, expected pysqlite"),
        ("postgresql+foo://localhost/x", "driver foo, expected psycopg"),
    ],
)
def test_databases_that_cannot_be(url: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Store(url)


def test_a_file_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no database"):
        Store(f"sqlite:///{tmp_path}/none.sqlite", create=False)
    assert not any(tmp_path.iterdir())


def test_a_password_is_never_told() -> None:
    with pytest.raises(StorageError) as told:
        Store("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(told.value) and "127.0.0.1" in str(told.value)
