"""Ctrl-C between two steps, never within one."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interruption"]


class Interruption:
    """Inside the `with` block a first Ctrl-C only sets a flag; a second one interrupts at once, as usual.

    Who leaves the block after a Ctrl-C is interrupted there at last. One inside another shares its flag. In other
    threads than the main one, where Python lets no one handle signals, it does nothing.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._before: Any = None
        self._outer: Interruption | None = None

    @property
    def asked(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._pressed if self._outer is None else self._outer.asked

    def check(self) -> None:
        """Interrupt here if that was asked for.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        if self.asked:
            raise KeyboardInterrupt

    def __enter__(self) -> "Interruption":
        # Only where Ctrl-C would interrupt: whoever has set a handler of their own keeps it.
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            outer = getattr(handler, "__self__", None)
            if isinstance(outer, Interruption):
                self._outer = outer
            elif handler is signal.default_int_handler:
                self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if kind is None:
                self.check()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._pressed:
            signal.default_int_handler(number, frame)
        self._pressed = True
