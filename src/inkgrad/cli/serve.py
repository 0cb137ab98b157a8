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
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="A name by which it may be called, too, as a proxy does; may be given several times.",
            show_default=False,
        ),
    ] = None,
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

    Answers until Ctrl-C. Where others than this machine reach it, requests must send a key, which is printed with the
    address.
    """
    from inkgrad.cli.output import emit_json, say
    from inkgrad.errors import OptionError

    run, end_soon = server("serve")
    from inkgrad.feedback import database_named
    from inkgrad.web.settings import Limits, WebSettings, is_loopback

    if database is not None and not feedback:
        raise OptionError("--database is where corrections are kept; give --feedback, too")
    names = [_name(one) for one in name or []]
    hosts = local_names(host, *names)
    key = key_for(key_file, needed=not all(is_loopback(one) for one in (host, *names)))
    settings = WebSettings(
        model=model,
        database=database_named(database) if feedback else None,
        key=key,
        hosts=hosts,
        limits=Limits(waiting=waiting),
    )

    def started(urls: list[str]) -> None:
        if json:
            emit_json({"url": urls[0], "urls": urls, "key": key})
            return
        shown = " and ".join(url if key is None else f"{url}#key={key}" for url in urls)
        say(f"inkgrad serves at {shown}  (Ctrl-C ends it)")

    run(settings, host, port, started=started)
    end_soon()


def _name(given: str) -> str:
    """A host's name as requests have it."""
    from inkgrad.errors import OptionError

    if not given.isascii() or set(given) & set("/:@?# ") or not given:
        raise OptionError(
            f"--name {given!r} is no host name; give it without scheme and port, as in digits.example.org"
        )
    return given.lower()


def server(command: str) -> tuple[Any, Any]:
    """What serves, and what ends the process behind it.

    Raises:
        OptionError: its extra is not installed.
    """
    from inkgrad.errors import OptionError

    try:
        from inkgrad.web.server import end_soon
        from inkgrad.web.server import serve as run
    except ImportError as error:
        raise OptionError(
            f'inkgrad {command} needs {error.name or "FastAPI"}; install it with: pip install "inkgrad[web]"'
        ) from error
    return run, end_soon


def local_names(host: str, *others: str) -> frozenset[str] | None:
    """The names by which a server on loopback may be called, with others; None for one that listens elsewhere."""
    from inkgrad.web.settings import is_loopback

    return frozenset({"127.0.0.1", "localhost", "::1", host.lower(), *others}) if is_loopback(host) else None


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
