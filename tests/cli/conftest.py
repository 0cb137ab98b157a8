"""The command in this process and in processes of its own, far from the user's folders."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inkgrad.cli.main import main
from inkgrad.data import Dataset, load_digits


@functools.cache
def bundled_digits() -> tuple[Dataset, Dataset]:
    return load_digits()


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object that is all of standard output."""
        assert self.out.count("\n") == 1, self.out
        found = json.loads(self.out, parse_constant=pytest.fail)
        assert isinstance(found, dict)
        return found


def clean(home: Path) -> dict[str, str]:
    """The environment without the user's folders and data."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INKGRAD_", "XDG_"))}
    folders = {
        name: str(home / name.lower()) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    return kept | folders | {"COLUMNS": "100"}


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where matplotlib keeps its list of fonts, made once for all tests."""
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fonts: Path) -> Path:
    """An empty working folder, and an empty home beside it; nothing of the user's is seen or touched."""
    for name in list(os.environ):
        if name.startswith(("INKGRAD_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MPLCONFIGDIR", str(fonts))
    for name, value in clean(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.fixture
def inkgrad(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command in this process; the bundled digits are brought to their form once for all tests."""
    monkeypatch.setattr("inkgrad.data.source.load_digits", bundled_digits)

    def run(*line: Any) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in line])
        captured = capsys.readouterr()
        return Ended(int(end.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def process(home: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts a command in a process of its own; whatever still runs at the end of the test is killed."""
    started = []

    def start(*line: Any, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "inkgrad", *map(str, line)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **pipes, **options))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the bundled digits that reads most of them."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.raises(SystemExit) as end:
        main(["train", "--epochs", "12", "--learning-rate", "0.2", "--out", str(folder)])
    assert not end.value.code
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Digit -> a picture of one, dark on light, 140x140; of the held-out ones."""
    import numpy as np
    from PIL import Image

    test = bundled_digits()[1]
    folder = tmp_path_factory.mktemp("pictures")
    made = {}
    for digit in (0, 3, 6):
        image = Image.fromarray(255 - test.images[np.flatnonzero(test.labels == digit)[0]])
        made[digit] = folder / f"{digit}.png"
        image.resize((140, 140), Image.Resampling.BICUBIC).save(made[digit])
    return made
