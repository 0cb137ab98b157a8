"""Ctrl-C and SIGTERM between two steps, never within one."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interruption"]


class Interruption:
    """Inside the `with` block a first Ctrl-C only sets a flag; a second one interrupts at once, as usual.

    So does SIGTERM, with which queues of clusters announce the end of a job's time. Who leaves the block after either
    is interrupted there at last. One inside another shares its flag. In other threads than the main one, where Python
    lets no one handle signals, it does nothing.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._before: dict[int, Any] = {}
        self._outer: Interruption | None = None

    @property
    def asked(self) -> bool:
        """Whether Ctrl-C was pressed, or SIGTERM came."""
        return self._pressed if self._outer is None else self._outer.asked

    def check(self) -> None:
        """Interrupt here if that was asked for.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, or SIGTERM came.
        """
        if self.asked:
            raise KeyboardInterrupt

    def __enter__(self) -> "Interruption":
        # Only where a signal would interrupt or end the process: whoever has set a handler of their own keeps it.
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            outer = getattr(handler, "__self__", None)
            if isinstance(outer, Interruption):
                self._outer = outer
            else:
                for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
                    if signal.getsignal(number) is usual:
                        self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._before and kind is None:
            self.check()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._pressed:
            signal.default_int_handler(number, frame)
        self._pressed = True
