"""Ctrl-C waits for the end of the block."""

import signal
import threading

import pytest

from inkgrad.reading.held import ctrl_c_held


def press():
    signal.raise_signal(signal.SIGINT)


def test_it_interrupts_at_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), ctrl_c_held():
        press()
        done.append(True)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_twice_it_interrupts_at_once():
    with pytest.raises(KeyboardInterrupt), ctrl_c_held():
        press()
        press()
        pytest.fail("not at once")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_errors_go_before_it():
    with pytest.raises(ZeroDivisionError), ctrl_c_held():
        press()
        1 / 0  # noqa: B018
    with ctrl_c_held():
        pass


def test_others_handlers_and_threads_are_left_alone(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with ctrl_c_held():
            press()
            assert heard == [True]
    finally:
        signal.signal(signal.SIGINT, before)

    def elsewhere():
        with ctrl_c_held():
            heard.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert heard[1:] == [before]
