"""The process that reads documents ends when it is told to, whatever it is at."""

import threading
import time

import pytest

from fake_reader import Sleeper
from inkgrad.web.page_reading import DeadReaderError, Document, LateReaderError, ReadingProcess

DOCUMENT = Document(b"x", {}, 0.5, False, 1, 1)


def test_a_document_that_is_late_ends_and_one_that_nobody_waits_for_is_not_begun():
    reading = ReadingProcess(Sleeper())
    reading.warm_up()
    process = reading._process
    with pytest.raises(LateReaderError):
        reading(DOCUMENT, time.monotonic() - 1)
    assert reading._process is process and process.is_alive()
    with pytest.raises(LateReaderError):
        reading(DOCUMENT, time.monotonic() + 0.2)
    assert not process.is_alive()
    reading.close()


def test_closing_ends_what_is_being_read_and_nothing_begins_after_it():
    reading, ended = ReadingProcess(Sleeper()), []
    reading.warm_up()

    def read():
        with pytest.raises(DeadReaderError):
            reading(DOCUMENT, time.monotonic() + 1000)
        ended.append(True)

    thread = threading.Thread(target=read)
    thread.start()
    reading.close()
    thread.join(60)
    assert ended
    with pytest.raises(DeadReaderError):
        reading.warm_up()
