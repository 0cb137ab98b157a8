"""`inkgrad serve`: what it takes, and how it starts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from inkgrad.cli.options import Json

__all__ = ["key_for", "local_names", "serve", "server"]


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at; others than loopback ask for a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="The port; 0 for any that is free.", min=0, max=65535)] = 8000,
    model: Annotated[
        Path | None, typer.Option(help="A run's folder, a model file, digits or tiny.  [default: digits]")
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="A file with the key that requests must send.  [default: INKGRAD_API_KEY, or a new one]"),
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Keep corrections and reviews, with their pictures.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            help="Where they are kept: sqlite:////path/to/file or postgresql://user@host/name.  [default: "
            "INKGRAD_DATABASE, or a SQLite file in the user's data folder]",
        ),
    ] = None,
    waiting: Annotated[int, typer.Option(help="Requests that may wait; more are refused with 503.", min=1)] = 64,
    json: Json = False,
) -> None:
    """Serve the page and the HTTP API: draw, upload, review.

    Answers until Ctrl-C. Elsewhere than on loopback, requests must send a key, which is printed with the address.
    """
    from inkgrad.cli.output import emit_json, say
    from inkgrad.errors import OptionError

    run = server("serve")
    from inkgrad.feedback import database_named
    from inkgrad.web.settings import Limits, WebSettings

    if database is not None and not feedback:
        raise OptionError("--database is where corrections are kept; give --feedback, too")
    hosts = local_names(host)
    key = key_for(key_file, needed=hosts is None)
    settings = WebSettings(
        model=model,
        database=database_named(database) if feedback else None,
        key=key,
        hosts=hosts,
        limits=Limits(waiting=waiting),
    )

    def started(url: str) -> None:
        shown = url if key is None else f"{url}#key={key}"
        result: dict[str, Any] = {"url": url, "key": key}
        if json:
            emit_json(result)
        else:
            say(f"inkgrad serves at {shown}  (Ctrl-C ends it)")

    run(settings, host, port, started=started)


def server(command: str) -> Any:
    """What serves.

    Raises:
        OptionError: its extra is not installed.
    """
    from inkgrad.errors import OptionError

    try:
        from inkgrad.web.server import serve as run
    except ImportError as error:
        raise OptionError(
            f'inkgrad {command} needs {error.name or "FastAPI"}; install it with: pip install "inkgrad[web]"'
        ) from error
    return run


def local_names(host: str) -> frozenset[str] | None:
    """The names by which a server on loopback may be called; None for one that others reach, too."""
    from inkgrad.web.settings import is_loopback

    return frozenset({"127.0.0.1", "localhost", "::1", host.lower()}) if is_loopback(host) else None


def key_for(file: Path | None, *, needed: bool) -> str | None:
    """The key that requests must send; a new one where one is needed and none was given."""
    import os
    import secrets

    from inkgrad.errors import OptionError

    if file is not None:
        try:
            key = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"the key file {file} cannot be read: {error}; name a text file with one line") from error
    else:
        key = os.environ.get("INKGRAD_API_KEY", "")
        if not key:
            return secrets.token_urlsafe(24) if needed else None
    if len(key) < 16 or not key.isascii() or not key.isprintable() or " " in key:
        raise OptionError("the key must have 16 or more printable ASCII characters and no spaces; make a longer one")
    return key
