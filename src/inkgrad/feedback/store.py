"""`Store`: what people said, in SQLite or PostgreSQL; what it has acknowledged survives whatever ends the process."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inkgrad.errors import OptionError, StorageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

__all__ = ["Entry", "Kept", "Store", "database_named", "default_database"]

_SECONDS = 10  # that the database may take to connect, or to answer


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
        key: names it on the side of who sent it; of several with one key the first is kept.
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
        create: whether a SQLite file that is not there is made.

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

    def __init__(self, url: str, *, create: bool = True) -> None:
        self._engine = _engine(url, create)
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
        """
        import sqlalchemy as sa

        from inkgrad.feedback.schema import FEEDBACK

        created = datetime.now(UTC).replace(tzinfo=None)
        values = {name: value for name, value in vars(entry).items() if name != "key"}
        new = sa.insert(FEEDBACK).values(created=created, client_key=entry.key, **values).returning(FEEDBACK.c.id)
        with self._errors():
            try:
                with self._engine.begin() as connection:
                    return Kept(connection.execute(new).scalar_one(), created)
            except sa.exc.IntegrityError:
                known = sa.select(FEEDBACK.c.id, FEEDBACK.c.created).where(FEEDBACK.c.client_key == entry.key)
                with self._engine.connect() as connection:
                    found = connection.execute(known).one()
                    return Kept(found.id, found.created, new=False)

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        import sqlalchemy as sa

        from inkgrad.feedback.schema import FEEDBACK

        with self._errors(), self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(sa.select(FEEDBACK).order_by("id")):
                yield Entry(row.image, row.correct, row.source, row.said, row.confidence, row.model, row.client_key)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _errors(self) -> "_Errors":
        return _Errors(self._told)


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
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, create)
    if backend != "postgresql":
        raise OptionError(f"a database of {backend} came, expected sqlite or postgresql; name one of these")
    return _postgresql(parsed)


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
        path.touch()
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
            connect_args={"connect_timeout": _SECONDS, "options": f"-c statement_timeout={_SECONDS * 1000}"},
        )
    except ImportError as error:
        raise OptionError(
            f'PostgreSQL needs {error.name}; install it with: pip install "inkgrad[postgresql]"'
        ) from error
