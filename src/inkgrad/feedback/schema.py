"""The tables, and bringing an older database forward."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from inkgrad.errors import StorageError

__all__ = ["FEEDBACK", "LATEST", "bring_forward"]

FEEDBACK = sa.Table(
    "feedback",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("created", sa.DateTime, nullable=False),  # UTC
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("image", sa.LargeBinary, nullable=False),  # a picture file
    sa.Column("correct", sa.String(64)),  # null: there is no digit
    sa.Column("said", sa.String(64)),
    sa.Column("confidence", sa.Float),
    sa.Column("model", sa.String(64)),
    sa.Column("client_key", sa.String(64)),
    sa.Index("feedback_client_key", "client_key", unique=True),
)
LATEST = "0002"

_LOCK = 7_210_415  # of PostgreSQL, for the time of a migration


def bring_forward(engine: Engine, to: str = LATEST) -> None:
    """Make the tables in an empty database, or change an older one to their present form, as a whole or not at all.

    The database names the step that it has reached; several servers that start at once wait for each other.

    Args:
        engine: of the database.
        to: the step to stop at.

    Raises:
        StorageError: the database is of a newer inkgrad.
    """
    from alembic.script.revision import RevisionError
    from alembic.util.exc import CommandError

    try:
        with engine.execution_options(alone=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _migrate(connection, to)
    except (CommandError, RevisionError) as error:
        raise StorageError(
            f"the database {engine.url.render_as_string()} was made by a newer inkgrad ({error}); upgrade inkgrad, or "
            "name another database"
        ) from error


def _migrate(connection: Connection, to: str) -> None:
    from importlib.resources import as_file, files

    from alembic.config import Config
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with as_file(files("inkgrad") / "feedback" / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        context = MigrationContext.configure(connection)
        steps = list(scripts.iterate_revisions(to, context.get_current_revision()))
        with Operations.context(context):
            for step in reversed(steps):
                step.module.upgrade()
                context.stamp(scripts, step.revision)
