"""What several rooms' tests share."""

import os
import re
from pathlib import Path

import pytest

from inkgrad.data import Dataset, load_mnist, mnist_folder
from inkgrad.errors import DataError


@pytest.fixture(scope="session")
def mnist() -> tuple[Dataset, Dataset]:
    """(train, test); nothing is downloaded for a test."""
    folder = mnist_folder()
    if not any(folder.glob("train-images-idx3-ubyte*")):
        pytest.skip(f"MNIST is not at {folder}; set INKGRAD_DATA to a folder that holds mnist/")
    try:
        return load_mnist()
    except DataError as error:
        pytest.fail(f"MNIST at {folder} cannot be read: {error}")


def pytest_configure(config: pytest.Config) -> None:
    """In continuous integration a test that silently skips is a test that nobody runs."""
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(_NoUnknownSkips(), "no-unknown-skips")


class _NoUnknownSkips:
    """Fails the run when a test skips for a reason that is not on the committed list."""

    def __init__(self) -> None:
        lines = (Path(__file__).parent / "allowed_skips.txt").read_text().splitlines()
        self.allowed = [re.compile(line) for line in lines if line.strip() and not line.startswith("#")]
        self.unknown: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        told = f"{report.nodeid}: {reason}"
        strict = bool({"oracle", "slow"} & set(report.keywords))
        if strict or not any(pattern.search(told) for pattern in self.allowed):
            self.unknown.append(told)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unknown and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for told in self.unknown:
            terminalreporter.write_line(f"SKIP NOT ALLOWED HERE  {told}", red=True)
