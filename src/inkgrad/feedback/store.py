"""`Store`: what people said, in SQLite or PostgreSQL; what it has acknowledged survives whatever ends the process."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inkgrad.errors import OptionError, StorageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

__all__ = ["Entry", "FullStoreError", "Kept", "KeyTakenError", "Store", "database_named", "default_database"]

_SECONDS = 10  # that the database may take to connect, or to answer
# A server that is gone without a word is noticed after about as long, whether it is asked or waited for.
_KEEPALIVE = {
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg"}
_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_total_relation_size('feedback')",
}


class KeyTakenError(OptionError):
    """Another entry has the key already."""


class FullStoreError(StorageError):
    """The store is as large as it may become."""


@dataclass(frozen=True)
class Entry:
    """What someone said of a picture.

    Attributes:
        image: a picture file.
        correct: the digits that it shows; None for none.
        source: where it was said, such as "draw".
        said: what was read; None for nothing.
        confidence: of what was read.
        model: what read it.
        key: names it, among all that are kept: what is sent again with its key is kept once. None: it has no name.
    """

    image: bytes
    correct: str | None
    source: str = "api"
    said: str | None = None
    confidence: float | None = None
    model: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Kept:
    """An entry in the database.

    Attributes:
        id: its number, from 1.
        created: when, in UTC.
        new: whether it was not there before.
    """

    id: int
    created: datetime
    new: bool = True


def default_database() -> str:
    """The SQLite file in the user's data folder, as the system names it, as an URL."""
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('inkgrad', appauthor=False) / 'feedback.sqlite'}"


def database_named(url: str | None) -> str:
    """The database that a command means: the one that was named, that of INKGRAD_DATABASE, or the default one."""
    return url or os.environ.get("INKGRAD_DATABASE") or default_database()


class Store:
    """Keeps entries, and gives them back in their order. Thread-safe.

    Args:
        url: of the database, as SQLAlchemy takes it: `sqlite:////path/to/file` or `postgresql://user@host/name`. It is
            made, or brought forward from an older version of inkgrad, when the store is opened.
        create: whether a SQLite file that is not there is made; only its owner can read it.
        most_bytes: that it may have on the disk; what comes then is refused. None for any.

    Raises:
        OptionError: SQLAlchemy or the driver is not installed, the URL cannot be understood, or there is no such file.
        StorageError: the database cannot be reached, or is of a newer inkgrad.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(f"sqlite:///{folder}/feedback.sqlite")
    ...     kept = store.add(Entry(b"...", "7"))
    ...     kept.id, [entry.correct for entry in store.entries()]
    (1, ['7'])
    """

    def __init__(self, url: str, *, create: bool = True, most_bytes: int | None = None) -> None:
        self._engine, self._most_bytes = _engine(url, create), most_bytes
        self._told = self._engine.url.render_as_string()  # without a password
        from inkgrad.feedback.schema import bring_forward

        try:
            with self._errors():
                bring_forward(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    def add(self, entry: Entry) -> Kept:
        """Keep an entry; it is kept for good when this returns.

        Raises:
            StorageError: it is not known to be kept; it may be tried again, best with a key.
            FullStoreError: there is no room, and it is not kept.
            KeyTakenError: its key names another entry, and it is not kept.
        """
        import sqlalchemy as sa

        from inkgrad.feedback.schema import FEEDBACK

        created = datetime.now(UTC).replace(tzinfo=None)
        values = {name: value for name, value in vars(entry).items() if name != "key"}
        new = sa.insert(FEEDBACK).values(created=created, client_key=entry.key, **values).returning(FEEDBACK.c.id)
        with self._errors():
            if (known := self._known(entry)) is not None:
                return known
            try:
                with self._engine.begin() as connection:
                    self._see_room(connection)
                    return Kept(connection.execute(new).scalar_one(), created)
            except sa.exc.IntegrityError:  # it came twice at once
                if (known := self._known(entry)) is None:
                    raise
                return known

    def _known(self, entry: Entry) -> Kept | None:
        """What is kept under the key of an entry."""
        import sqlalchemy as sa

        from inkgrad.feedback.schema import FEEDBACK

        if entry.key is None:
            return None
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(FEEDBACK).where(FEEDBACK.c.client_key == entry.key)).one_or_none()
        if found is None:
            return None
        if _entry(found) != entry:
            raise KeyTakenError(f"the key {entry.key!r} names another entry, number {found.id}; take a new key")
        return Kept(found.id, found.created, new=False)

    def _see_room(self, connection: "Connection") -> None:
        import sqlalchemy as sa

        if self._most_bytes is None:
            return
        size = connection.execute(sa.text(_SIZES[connection.dialect.name])).scalar_one()
        if size >= self._most_bytes:
            raise FullStoreError(
                f"the database {self._told} has {size:,} bytes, at most {self._most_bytes:,} are kept; train on them, "
                "and begin another with --database"
            )

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        import sqlalchemy as sa

        from inkgrad.feedback.schema import FEEDBACK

        with self._errors(), self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(sa.select(FEEDBACK).order_by("id")):
                yield _entry(row)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _errors(self) -> "_Errors":
        return _Errors(self._told)


def _entry(row: Any) -> Entry:
    return Entry(row.image, row.correct, row.source, row.said, row.confidence, row.model, row.client_key)


class _Errors:
    """Turns what the database raises into a `StorageError`."""

    def __init__(self, told: str) -> None:
        self._told = told

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        if isinstance(error, SQLAlchemyError):
            cause = getattr(error, "orig", None) or error
            raise StorageError(
                f"the database {self._told} cannot be used: {' '.join(str(cause).split())}; see that it is there"
            ) from error


def _engine(url: str, create: bool) -> "Engine":
    try:
        import alembic  # noqa: F401  needed when the store is opened
        import sqlalchemy as sa
    except ImportError as error:
        raise OptionError(f'corrections need {error.name}; install it with: pip install "inkgrad[feedback]"') from error
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise OptionError(
            "the database must be an URL such as sqlite:////path/to/file or postgresql://user@host/name"
        ) from error
    _see_driver(parsed)
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return _sqlite(parsed, create)
    if backend != "postgresql":
        raise OptionError(f"a database of {backend} came, expected sqlite or postgresql; name one of these")
    return _postgresql(parsed)


def _see_driver(url: "URL") -> None:
    backend, _, driver = url.drivername.partition("+")
    if backend in _DRIVERS and driver not in ("", _DRIVERS[backend]):
        raise OptionError(
            f"the database names the driver {driver}, expected {_DRIVERS[backend]}; write {backend}:// without a driver"
        )


def _sqlite(url: "URL", create: bool) -> "Engine":
    """A connection for each use, so that a file that was taken away, or came back, is noticed."""
    import sqlite3
    from pathlib import Path

    import sqlalchemy as sa

    if not url.database or url.database == ":memory:":
        raise OptionError("a database in memory keeps nothing; name a file, as in sqlite:////path/to/file")
    path = Path(url.database).absolute()
    if not create and not path.exists():
        raise OptionError(f"there is no database {path}; collect corrections with: inkgrad serve --feedback")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # what people have drawn and sent is nobody else's business
    except OSError as error:
        raise StorageError(f"the database {path} cannot be made: {error.strerror or error}; name another") from error

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=_SECONDS, check_same_thread=False)
        connection.isolation_level = None  # a transaction begins where SQLAlchemy says so
        connection.execute("PRAGMA synchronous=FULL")  # acknowledged means on the disk
        return connection

    engine = sa.create_engine(url, creator=connect, poolclass=sa.pool.NullPool)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: "Connection") -> None:
    """A migration reads before it writes, so it has to be alone from its beginning."""
    alone = connection.get_execution_options().get("alone", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if alone else "BEGIN")


def _postgresql(url: "URL") -> "Engine":
    import sqlalchemy as sa

    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(
            url,
            pool_size=2,
            max_overflow=2,
            pool_timeout=_SECONDS,
            pool_pre_ping=True,  # a server that was away and came back is connected to anew
            connect_args={
                "connect_timeout": _SECONDS,
                "options": f"-c statement_timeout={_SECONDS * 1000}",
                **_KEEPALIVE,
            },
        )
    except ImportError as error:
        raise OptionError(
            f'PostgreSQL needs {error.name}; install it with: pip install "inkgrad[postgresql]"'
        ) from error
