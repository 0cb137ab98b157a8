"""Starting and ending a server."""

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from inkgrad.errors import RunError
from inkgrad.web.app import create_app
from inkgrad.web.protocol import LimitedProtocol
from inkgrad.web.settings import WebSettings

__all__ = ["end_soon", "serve"]

_BACKLOG = 2048
_LAST_SECONDS = 3.0
# A thread that has finished a kernel waits so long for the interpreter while another is busy: by default 5 ms, with
# which, under more requests than can be answered, refusing them would leave no time to answer any.
_SWITCH_SECONDS = 0.0002


def serve(settings: WebSettings, host: str, port: int, *, started: Callable[[list[str]], None]) -> None:
    """Answer until SIGINT or SIGTERM; what is being answered then is answered.

    Args:
        settings: how to answer.
        host: the address to listen at.
        port: the port; 0 for any that is free.
        started: called with the server's URLs when it answers: one; or, where it listens at all addresses of the
            machine, that by which the machine itself reaches it, and those by which others do.

    Raises:
        RunError: nothing can listen there.
        ModelFileError: the model that was named is not there.
    """
    from inkgrad.kernels.threads import chosen_threads, use_threads

    if chosen_threads() is None:
        use_threads(1)  # what waits at the same time is put into one call; the other cores decode, read and send
    sys.setswitchinterval(_SWITCH_SECONDS)
    for logger in ("uvicorn", "python_multipart"):
        logging.getLogger(logger).setLevel(logging.ERROR)  # what clients do wrong is told to them
    app = create_app(settings)
    _allow_connections()
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            http=LimitedProtocol,
            ws="none",
            loop="auto",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=int(settings.limits.seconds) + 5,
        )
        _Server(config, lambda: started(_urls(host, listener)), app.end).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None], end: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell, self._end = started, end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()  # what pages watch, which would else be waited for
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """To be asked to end is the ordinary end, so that the signals are not raised again afterwards."""

        def end(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.create_server(
            (str(address[0]), int(address[1])), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OSError as error:
        raise RunError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; name another --host or --port"
        ) from error
    try:
        yield listener
    finally:
        listener.close()


def _urls(host: str, listener: socket.socket) -> list[str]:
    address, port = listener.getsockname()[:2]
    hosts = [host]
    if ipaddress.ip_address(address).is_unspecified:
        hosts = ["127.0.0.1" if listener.family == socket.AF_INET else "::1", *_addresses(listener.family)]
    return [f"http://{f'[{one}]' if ':' in one else one}:{port}/" for one in hosts]


def _addresses(family: socket.AddressFamily) -> list[str]:
    """The machine's addresses in its networks, as far as they are found without a further library."""
    found: list[str] = []
    # A datagram socket that is connected has the address that would send; nothing is sent.
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1" if family == socket.AF_INET else "2001:db8::1", 9))
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found += [str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_STREAM)]
    return [one for one in dict.fromkeys(found) if not ipaddress.ip_address(one.partition("%")[0]).is_loopback]


def end_soon() -> None:
    """End the process within some seconds, whatever its threads are at; to be called when `serve` has returned.

    A thread that waits for a database or computes cannot be ended, and Python would wait for it. Nobody else does.
    """
    last = threading.Timer(_LAST_SECONDS, os._exit, [0])
    last.daemon = True
    last.start()


def _allow_connections() -> None:
    """Each connection takes a file descriptor, of which many systems give few until asked."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
