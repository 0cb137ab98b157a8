"""`inkgrad learn`: the lessons, in the browser."""

from pathlib import Path
from typing import Annotated

import typer

from inkgrad.cli.options import Json

__all__ = ["learn"]


def learn(
    host: Annotated[str, typer.Option(help="The address to listen at; others than loopback ask for a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="The port; 0 for any that is free.", min=0, max=65535)] = 8000,
    key_file: Annotated[
        Path | None,
        typer.Option(help="A file with the key that requests must send.  [default: INKGRAD_API_KEY, or a new one]"),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    json: Json = False,
) -> None:
    """Open the lessons: backpropagation and gradient descent, by watching the engine that reads digits.

    Answers until Ctrl-C. Needs no network and no data but the bundled digits.
    """
    from inkgrad.cli.output import emit_json, say
    from inkgrad.cli.serve import key_for, local_names, server

    run, end_soon = server("learn")
    from inkgrad.web.settings import WebSettings

    hosts = local_names(host)
    key = key_for(key_file, needed=hosts is None)

    def started(urls: list[str]) -> None:
        lessons = [f"{url}learn" for url in urls]
        shown = lessons if key is None else [f"{url}#key={key}" for url in lessons]
        if json:
            emit_json({"url": lessons[0], "urls": lessons, "key": key})
        else:
            say(f"the lessons are at {' and '.join(shown)}  (Ctrl-C ends them)")
        if not no_browser:
            _open(shown[0])

    run(WebSettings(key=key, hosts=hosts), host, port, started=started)
    end_soon()


def _open(url: str) -> None:
    """Show a page; beside the server, because some browsers answer only when they are closed."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
