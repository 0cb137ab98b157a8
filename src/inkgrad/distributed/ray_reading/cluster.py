"""Ray: a cluster that runs, or one on this machine for the time of a reading."""

import contextlib
import importlib.util
import logging
import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from inkgrad.errors import OptionError, RunError

__all__ = ["connected", "require_ray"]

CONNECT_SECONDS = 10.0
OBJECT_STORE = 100 << 20  # bytes; numbers of batches and what they came to are all that goes through it
_ADDRESS = re.compile(r"(?P<host>[^:/\\s]+|\[[^\]\s]+\]):(?P<port>[0-9]{1,5})")
_LONGEST = 40  # letters of a temporary folder's name in which Ray's sockets still have room
_MISSING = '--engine ray needs Ray Data; install it with pip install "inkgrad[ray]"'
_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told what is done here
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # Ray's core writes to standard error
}
_LOCAL = {
    "RAY_AUTH_MODE": "token",  # nor may others on this machine make use of it
    "RAY_raylet_start_wait_time_s": "120",  # a busy machine takes longer than the 30 that Ray gives itself
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on this machine alone: all that listens does so on loopback
}
_GIVEN = {  # Ray would try 20 times, half a minute each, where a cluster refuses
    "RAY_gcs_server_port_wait_time_s": "2",
    "RAY_py_gcs_connect_timeout_s": "10",
}


def require_ray() -> None:
    """Raise an OptionError that says what to install, if Ray is not there; nothing is imported."""
    if any(importlib.util.find_spec(name) is None for name in ("ray", "pyarrow")):
        raise OptionError(_MISSING)


@contextlib.contextmanager
def connected(address: str | None, workers: int) -> Iterator[Any]:
    """The module `ray`, connected for the `with` block; a connection that is there already is used and stays.

    Args:
        address: of a cluster, `HOST:PORT` or `auto`; None for that which RAY_ADDRESS names. If it names none, one is
            started on this machine, which listens to nothing outside it and ends with the block.
        workers: CPUs of the one that is started here.

    Raises:
        OptionError: nothing answers there, or the address is of another kind.
        RunError: Ray cannot be started.
    """
    given = address or os.environ.get("RAY_ADDRESS") or "local"
    with _environment(_ALWAYS | (_LOCAL | {"RAY_AUTH_TOKEN": secrets.token_hex(32)} if given == "local" else _GIVEN)):
        ray = _imported()
        if ray.is_initialized():
            yield ray
            return
        with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder, _quiet():
            if given == "local":
                _start(ray, workers, folder if len(folder) < _LONGEST else None)
            else:
                _connect(ray, given)
            try:
                yield ray
            finally:
                ray.shutdown()


@contextlib.contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    """Ray is told by environment variables, of which those that the user has set stay."""
    new = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


def _imported() -> Any:
    try:
        import pyarrow  # noqa: F401
        import ray.data
    except ImportError as error:
        raise OptionError(_MISSING) from error
    return ray


def _start(ray: Any, workers: int, folder: str | None) -> None:
    try:
        with _hushed():
            ray.init(
                address="local",
                num_cpus=workers,
                num_gpus=0,
                object_store_memory=OBJECT_STORE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=folder,
            )
    except Exception as error:  # it starts several programs, any of which may fail in its own way
        ray.shutdown()
        raise RunError(
            f"Ray could not be started on this machine ({_first_line(error)}); free memory, or leave --engine ray out"
        ) from error


def _connect(ray: Any, address: str) -> None:
    """Only where something answers is Ray asked: it would try for minutes, and may end this process."""
    if address != "auto":
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise OptionError(f"the Ray address {address} is of no known kind, expected HOST:PORT or auto")
        try:
            socket.create_connection((found["host"].strip("[]"), int(found["port"])), CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from error
    try:
        with _hushed():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        ray.shutdown()
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> OptionError:
    return OptionError(
        f"no Ray cluster answers at {address} ({_first_line(error)}); check --ray-address and RAY_ADDRESS, and "
        "set RAY_AUTH_MODE=token if it asks for a token; or leave the address out to start one on this machine"
    )


def _first_line(error: Exception) -> str:
    told = getattr(error, "strerror", None) or str(error)
    return next(iter(str(told).strip().splitlines()), type(error).__name__)


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Ray's core says on standard error how little it will say there; what goes wrong is raised all the same."""
    sys.stderr.flush()
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # a program without standard error
        yield
        return
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Progress and errors are told by who reads, not by the log."""
    loggers = {name: logging.getLogger(name) for name in ("ray", "ray.data")}
    before = {name: logger.level for name, logger in loggers.items()}
    for logger in loggers.values():
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, logger in loggers.items():
            logger.setLevel(before[name])
