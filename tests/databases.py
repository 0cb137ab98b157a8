"""Real databases for tests: a SQLite file, and a PostgreSQL server of Debian's package that the test starts."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


class SqliteFile:
    """A database that can be taken away."""

    def __init__(self, folder: Path) -> None:
        self._file, self._away = folder / "feedback.sqlite", folder / "away.sqlite"
        self.url = f"sqlite:///{self._file}"

    def take_away(self) -> None:
        self._file.rename(self._away)

    def bring_back(self) -> None:
        self._away.rename(self._file)


class PostgresServer:
    """A server that listens at a socket in its own folder, and can be stopped and started."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self._binaries, self._data, self._user = binaries, folder / "data", user
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._folder = folder
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync")
        self.bring_back()

    def take_away(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)  # its fast way to stop: it ends the connections
        self._process.wait(60)

    def bring_back(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-k", self._folder, "-c", "listen_addresses="],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
            )
        for _ in range(600):  # pg_isready waits a moment by itself
            if self._process.poll() is not None:
                pytest.fail(f"PostgreSQL did not start: {self._log.read_text()}")
            if self._run("pg_isready", "-q", "-h", str(self._folder), "-t", "1", check=False) == 0:
                return
        pytest.fail("PostgreSQL did not answer")

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """It is there, and answers nothing; SIGCONT ends that."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for process in (self._process.pid, *map(int, children)):
            os.kill(process, number)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)

    def _run(self, name: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [self._binaries / name, *arguments], user=self._user, cwd=self._folder, capture_output=True, check=False
        )
        if check and done.returncode:
            pytest.fail(f"{name} failed: {done.stderr.decode()}")
        return done.returncode


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A server of its own; as root it runs as the user postgres, which the package makes."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    if not found:
        pytest.skip("PostgreSQL's server is not installed")
    binaries = found[-1].resolve().parent
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="inkgrad-pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        server = PostgresServer(binaries, folder, user)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteFile | PostgresServer]:
    """Each kind of database."""
    if request.param == "sqlite":
        yield SqliteFile(tmp_path)
        return
    with postgres() as server:
        yield server
