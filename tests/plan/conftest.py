"""Plans run on two threads here, whatever the machine has, unless a test says otherwise."""

import pytest

import plans


@pytest.fixture(autouse=True)
def two_threads():
    with plans.threads(2):
        yield
