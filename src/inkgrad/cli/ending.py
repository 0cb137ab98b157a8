"""How a command ends: its exit status, and the one sentence that says why."""

import itertools
import sys
from collections.abc import Callable
from typing import Any

import typer

__all__ = ["status_of"]


def status_of(app: Callable[..., Any], line: list[str], *, debug: bool) -> int:
    """Run a command line; the exit status, when all that there is to say has been said.

    Args:
        app: of Typer.
        line: the words behind `inkgrad`.
        debug: show a traceback on errors.
    """
    from inkgrad.cli.output import PrintedError

    try:
        status = app(args=line, prog_name="inkgrad", standalone_mode=False)
        if status == 130:  # typer turns Ctrl-C into this status without a word
            return _end("interrupted", 130, line, debug=debug)
        return status if isinstance(status, int) else 0
    except PrintedError as ended:
        return _failed(ended.__cause__ or ended, [], debug=debug)
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, line, debug=debug)


def _failed(error: BaseException, line: list[str], *, debug: bool) -> int:
    from inkgrad.errors import InputError, RunError

    if isinstance(error, KeyboardInterrupt):
        return _end("interrupted", 130, line, debug=debug)
    if isinstance(error, InputError):
        return _end(str(error), 2, line, debug=debug)
    if isinstance(error, RunError):
        return _end(str(error), 1, line, debug=debug)
    if isinstance(error, MemoryError):
        return _end(f"not enough memory: {error or 'an allocation failed'}; ask for less", 1, line, debug=debug)
    if isinstance(error, BrokenPipeError):  # the reader of our output has gone, as with `| head`
        sys.stderr.close()
        return 1
    return _other(error, line, debug=debug)


def _other(error: BaseException, line: list[str], *, debug: bool) -> int:
    """Usage errors know their exit status and message; anything else is a defect of ours."""
    status = getattr(error, "exit_code", None)
    describe = getattr(error, "format_message", None)
    if isinstance(status, int) and callable(describe):
        command = next((word for word in line if not word.startswith("-")), "")
        context = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(context.get_help() if context is not None else describe())
            return 0
        known = command if context is not None and context.info_name == command else ""
        hint = f"inkgrad {known} --help".replace("  ", " ")
        said = describe().rstrip(".").replace("Value error, ", "")
        return _end(f"{said}; see {hint}", status, line, debug=debug)
    if type(error).__name__ == "Abort":
        return _end("interrupted", 130, line, debug=debug)
    if isinstance(error, OSError):
        return _end(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1, line, debug=debug)
    where = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))  # such as the rank
    message = f"unexpected {type(error).__name__}: {error}{where}; run again with --debug and report it, please"
    return _end(message, 1, line, debug=debug)


def _end(message: str, status: int, line: list[str], *, debug: bool) -> int:
    """One sentence on standard error; with --json, an object with it on standard output."""
    if debug and status != 130:
        import traceback

        traceback.print_exc()
    sentence = " ".join(message.split())
    typer.echo(f"inkgrad: {sentence}", err=True)
    if _wants_json(line):
        from inkgrad.cli.output import emit_json

        emit_json({"error": sentence, "status": status})
    return status


def _wants_json(line: list[str]) -> bool:
    formats = [word for before, word in itertools.pairwise(line) if before == "--format"]
    return "--json" in line or "--format=json" in line or "json" in formats
