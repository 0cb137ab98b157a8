"""A study that several tunings share, on one machine or many: each draws its own trials, all learn from all.

What decides (which trial comes next, who takes the place of a lost one) happens under a lock of the database, one
process at a time, so that nothing is tried twice. A process that trains says every few seconds that it lives, by
Optuna's heartbeats; a trial without them for some time is lost, and whoever looks for work next goes on with it.
"""

import contextlib
import json
import shutil
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inkgrad.errors import CheckpointError, OptionError, StorageError
from inkgrad.files import write_atomically
from inkgrad.training.checkpoint import CHECKPOINT_FILE
from inkgrad.training.difference import first_difference
from inkgrad.training.tuning.result import Outcome
from inkgrad.training.tuning.study import STUDY_NAME, Study, file_url, require

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

__all__ = ["Begun", "SharedStudy", "Storage"]

BEAT_SECONDS = 10
MISSED_BEATS = 6  # after which a trial is lost
LOCK_SECONDS = 120.0
MOST_LOSSES = 3  # in a row without one more epoch, until the trial is believed to be the reason
ATTEMPTS = 200  # to draw what has not been tried; then there is nothing left
_BEATS, _FOLDER, _REPLACES, _LOSSES, _SETTINGS = "beats", "folder", "replaces", "losses", "tuning"
_LOCK_NUMBER = 0x696E6B  # of PostgreSQL's advisory lock


class Storage(NamedTuple):
    """Where a shared study is.

    Attributes:
        where: a file, for the processes of one machine; or `postgresql://USER@HOST/DATABASE`.
        study: its name there.
        beat_seconds: how often each process says that it lives; a trial that is silent for six times as long is lost.
    """

    where: str
    study: str = STUDY_NAME
    beat_seconds: int = BEAT_SECONDS

    def check(self) -> None:
        """Raise OptionError if no database can be there, or a package is missing."""
        _url(self.where)


class Begun(NamedTuple):
    """A trial to be made here.

    Attributes:
        number: in the study.
        params: as they are stored.
        before: the folder in which a lost process has made a part of it.
    """

    number: int
    params: dict[str, Any]
    before: Path | None


class SharedStudy(Study):
    """As `Study`, open in several processes at once.

    Args:
        storage: where it is.
        settings: of the tuning, which all that share the study must have; as JSON holds them.
        options: as of `Study`.

    Raises:
        OptionError: no such database can be, or a package is missing.
        CheckpointError: the study is one of another tuning.
        StorageError: the database does not answer.
    """

    def __init__(self, storage: Storage, settings: Mapping[str, Any], **options: Any) -> None:
        url = _url(storage.where)
        self._file = Path(url.database) if url.drivername == "sqlite" else None
        self._mine: dict[int, int] = {}  # the number of each trial that is made here -> its identifier
        self._ended = threading.Event()
        connect = {"timeout": LOCK_SECONDS} if self._file else {"connect_timeout": 10}
        self._engine = require("sqlalchemy").create_engine(url, isolation_level="AUTOCOMMIT", connect_args=connect)
        self._place = url.render_as_string(hide_password=True) if self._file is None else str(self._file)
        with self._locked(), warnings.catch_warnings():  # tables are made by one at a time
            warnings.simplefilter("ignore")  # that heartbeats are experimental
            super().__init__(
                url.render_as_string(hide_password=False),
                self._place,
                name=storage.study,
                heartbeat_interval=storage.beat_seconds,
                grace_period=MISSED_BEATS * storage.beat_seconds,
                engine_kwargs={"connect_args": connect},
                **options,
            )
            self._check(storage, settings)
        self._beat_seconds = storage.beat_seconds
        self._heart = threading.Thread(target=self._beat, name="inkgrad-heart", daemon=True)
        self._heart.start()

    def close(self) -> None:
        """Close the database; trials that are made here and have not ended fall silent."""
        self._ended.set()
        self._heart.join()
        super().close()
        self._engine.dispose()

    def begin(self, suggest: "Callable[[Trial], Any]", limit: int, folder: Callable[[int], Path]) -> Begun | None:
        """Begin the next trial, or go on with one that was lost; None where there is nothing to begin now.

        Args:
            suggest: draws the parameters of a trial.
            limit: how many trials there may be, without those that others go on with.
            folder: that of a trial, by its number.
        """
        with self._locked():
            self._find_lost()
            trials = self._trials()
            replaced = {trial.user_attrs.get(_REPLACES) for trial in trials}
            lost = [trial for trial in trials if _goes_on(trial)]
            number = len(trials)
            for one in lost:
                if one.number not in replaced:
                    before = one.user_attrs.get(_FOLDER)
                    self._take(number, folder(number), one, **_kept(one))
                    return Begun(number, dict(one.params), None if before is None else Path(before))
            if number - len(lost) >= limit:
                return None
            tried = [trial.params for trial in trials]
            for attempt in range(ATTEMPTS):
                drawn = self._drawn(suggest, [self._seed, number, *([attempt] if attempt else [])])
                if drawn.params not in tried:
                    self._take(number, folder(number), drawn)
                    return Begun(number, dict(drawn.params), None)
        return None

    def waits(self) -> bool:
        """Whether trials are made elsewhere, which might be lost yet."""
        running = self._optuna.trial.TrialState.RUNNING
        trials = self._trials()
        replaced = {trial.user_attrs.get(_REPLACES) for trial in trials}
        return any(t.state == running or (_goes_on(t) and t.number not in replaced) for t in trials)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """As `Study.report`; a trial that was taken for lost is to be pruned, as another goes on with it."""
        try:
            return super().report(number, epoch, value)
        except self._optuna.exceptions.UpdateFinishedTrialError:
            return True

    def tell(self, number: int, outcome: Outcome) -> None:
        """As `Study.tell`; of a trial that was taken for lost nothing is noted."""
        with contextlib.suppress(self._optuna.exceptions.UpdateFinishedTrialError, ValueError):
            if self._trials()[number].state == self._optuna.trial.TrialState.RUNNING:
                super().tell(number, outcome)
        self._mine.pop(number, None)

    def _take(self, number: int, folder: Path, drawn: "FrozenTrial", **more: Any) -> None:
        """Begin a trial here, and say at once that it lives."""
        attributes = more.pop("user_attrs", {}) | {_FOLDER: str(folder.absolute())}
        self._begin(params=drawn.params, distributions=drawn.distributions, user_attrs=attributes, **more)
        with self._stored():
            identifier = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
            self._storage.record_heartbeat(identifier)
            self._storage.set_trial_user_attr(identifier, _BEATS, True)
        self._mine[number] = identifier

    def _find_lost(self) -> None:
        """Note which trials are silent; under the lock one that has never said anything was begun by one now dead."""
        states = self._optuna.trial.TrialState
        with self._stored(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that this is experimental
            for trial in self._trials():
                if trial.state == states.RUNNING and _BEATS not in trial.user_attrs:
                    self._study.tell(trial.number, state=states.FAIL)
            self._optuna.storages.fail_stale_trials(self._study)

    def _beat(self) -> None:
        while not self._ended.wait(self._beat_seconds):
            for identifier in list(self._mine.values()):
                with contextlib.suppress(Exception):  # a database that is away for a while is asked again
                    self._storage.record_heartbeat(identifier)

    def _check(self, storage: Storage, settings: Mapping[str, Any]) -> None:
        """All that share a study search the same in the same data."""
        said = json.loads(json.dumps(settings))
        with self._stored():
            known = self._study.user_attrs.get(_SETTINGS)
            if known is None and self._trials():
                raise CheckpointError(
                    f"the study {storage.study} in {self._place} is none of inkgrad tune; name another --study"
                )
            if known is None:
                self._study.set_user_attr(_SETTINGS, said)
        different = [] if known is None else [key for key in said if known.get(key) != said[key]]
        if different:
            path, its, ours = first_difference(known.get(different[0]), said[different[0]])
            raise CheckpointError(
                f"the study {storage.study} in {self._place} is of another tuning: its {different[0]} {path}is "
                f"{str(its)[:100]}, here it is {str(ours)[:100]}; give all the same options, or name another --study"
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock ends with the process that holds it, however that ends."""
        failures = (require("sqlalchemy.exc").SQLAlchemyError, sqlite3.Error)
        with contextlib.ExitStack() as held:
            try:
                if self._file is None:
                    connection = held.enter_context(self._engine.connect())
                    text = require("sqlalchemy").text
                    connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS:g}s'"))  # its holder may hang
                    connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK_NUMBER})
                    held.callback(connection.execute, text("SELECT pg_advisory_unlock_all()"))
                else:
                    lock = sqlite3.connect(f"{self._file}.lock", timeout=LOCK_SECONDS, isolation_level=None)
                    held.enter_context(contextlib.closing(lock)).execute("BEGIN EXCLUSIVE")
            except failures as error:
                cause = " ".join(str(getattr(error, "orig", None) or error).split())
                raise StorageError(f"the storage {self._place} does not answer: {cause}") from error
            yield


def take_over(before: Path | None, folder: Path) -> None:
    """Bring the checkpoint of a lost process to where its trial goes on, if it can be seen from here."""
    if before is None or not (before / CHECKPOINT_FILE).is_file() or before == folder.absolute():
        return
    try:
        with (before / CHECKPOINT_FILE).open("rb") as source:  # whole or not at all: this process may be killed too
            write_atomically(folder / CHECKPOINT_FILE, lambda target: shutil.copyfileobj(source, target))
    except (OSError, StorageError):  # then it begins anew
        return


def _goes_on(trial: "FrozenTrial") -> bool:
    """Whether a trial was lost that another is to go on with; one that ends every process is given up."""
    return trial.state.name == "FAIL" and "message" not in trial.user_attrs and _losses(trial) < MOST_LOSSES


def _losses(lost: "FrozenTrial") -> int:
    """How many processes were lost one after the other without a new epoch, up to this one."""
    before, epochs = lost.user_attrs.get(_LOSSES, (0, 0))
    return 1 if len(lost.intermediate_values) > epochs else int(before) + 1


def _kept(lost: "FrozenTrial") -> dict[str, Any]:
    """What is known of a lost trial, for the one in its place: its epochs so far, and what was decided about them."""
    attributes = {k: v for k, v in lost.user_attrs.items() if k not in (_BEATS, _FOLDER)}
    return {
        "user_attrs": attributes | {_REPLACES: lost.number, _LOSSES: (_losses(lost), len(lost.intermediate_values))},
        "intermediate_values": dict(lost.intermediate_values),
    }


def _url(where: str) -> Any:
    """A file, or an URL of SQLite or PostgreSQL.

    Raises:
        OptionError: it is of another database, or the driver is missing.
    """
    engine = require("sqlalchemy.engine")
    if "://" not in where:
        path = Path(where)
        if not path.absolute().parent.is_dir():
            raise OptionError(f"the folder of the storage {where} does not exist; make it first")
        return engine.make_url(file_url(path))
    try:
        url = engine.make_url(where)
    except require("sqlalchemy.exc").ArgumentError:
        raise OptionError(f"the storage {where!r} is no URL; give a file or postgresql://USER@HOST/DATABASE") from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database:
        return _url(url.database)
    if kind != "postgresql":
        raise OptionError(f"a storage is a file or a PostgreSQL database, but {where!r} is {kind}")
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise OptionError(
            'a storage in PostgreSQL needs psycopg; install it with: pip install "inkgrad[postgresql]"'
        ) from error
    return url.set(drivername="postgresql+psycopg")


def pause(seconds: float, check: Callable[[], None]) -> None:
    """Wait, and look up in between."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        time.sleep(0.1)
