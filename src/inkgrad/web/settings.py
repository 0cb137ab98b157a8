"""What a server is told when it starts."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Limits", "WebSettings", "is_loopback"]


@dataclass(frozen=True)
class Limits:
    """What a server takes; beyond it a request is refused, and the others go on.

    Attributes:
        bytes: of the body of a request.
        pixels: of a page that is read, before it is decoded.
        digit_pixels: of a picture of one digit, or of one that is kept: a phone's photo.
        pages: of a document.
        seconds: that a request may take in all, with the time in which its body comes and in which it waits.
        waiting: digits that may wait for the network, pictures for being decoded, and corrections for the database;
            more are refused with 503.
        documents: that may wait for being read, with the one that is.
        held_bytes: of all bodies that are held at a time.
        kept_bytes: of the database of corrections; when it has as many, no more are kept.
        trainings: of the lessons, that run at a time.
        watchers: pages that watch one of them.
        idle_seconds: that one of them may wait without a change; then it ends.
    """

    bytes: int = 20 << 20
    pixels: int = 40_000_000
    digit_pixels: int = 12_500_000
    pages: int = 20
    seconds: float = 60.0
    waiting: int = 64
    documents: int = 8
    held_bytes: int = 256 << 20
    kept_bytes: int = 1 << 30
    trainings: int = 2
    watchers: int = 8
    idle_seconds: float = 600.0


@dataclass(frozen=True)
class WebSettings:
    """How a server answers.

    Attributes:
        model: a run's folder, a model file, digits or tiny, whose network answers by default; None for digits.
        database: where corrections are kept, as an SQLAlchemy URL; None: none are taken and no upload is kept.
        key: what `/api/v1` asks for in `Authorization: Bearer KEY`; None for nothing.
        hosts: names by which the server may be called, in lower case, without a port; None for any. A server on
            loopback names its own, so that no foreign page reaches it under a name that it lets point there.
        limits: what is refused.
    """

    model: Path | None = None
    database: str | None = None
    key: str | None = field(default=None, repr=False)
    hosts: frozenset[str] | None = frozenset({"127.0.0.1", "localhost", "::1"})
    limits: Limits = field(default_factory=Limits)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server there.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
