"""A whole reading on Ray: files are listed, divided, read by workers, and counted as they come back."""

import contextlib
import functools
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from inkgrad.distributed.ray_reading import manifest, tables
from inkgrad.distributed.ray_reading.cluster import connected
from inkgrad.distributed.ray_reading.listing import check_places, find_entries, not_empty
from inkgrad.distributed.ray_reading.manifest import Manifest
from inkgrad.distributed.ray_reading.storage import Folder
from inkgrad.distributed.ray_reading.worker import Answer, BatchReader, Job
from inkgrad.errors import InkgradError, RunError
from inkgrad.reading.record import Tally

__all__ = ["Progress", "is_finished", "read_on_ray"]

BLOCKS = 2000  # that Ray Data has to keep in mind; with five times as many it takes longer for each
SHARES = 10  # blocks for each worker at least, so that none has long to wait for the others at the end
LOOKED_AT = 16  # batches of an earlier run at once; storage elsewhere takes its time for each
STILLBORN = 5  # workers in a row that may end before they can begin, as on a machine that is taken away
STUCK_SECONDS = 6 * 3600.0  # that a batch may take, or the cluster to have room for a worker


@dataclass
class Progress:
    """How far a reading has come.

    Attributes:
        total: files that are to be read.
        files: that have been, also in earlier runs.
        tally: what they come to.
    """

    total: int = 0
    files: int = 0
    tally: Tally = field(default_factory=Tally)


def read_on_ray(
    job: Job,
    options: dict[str, Any],
    *,
    recursive: bool = False,
    address: str | None = None,
    workers: int | None = None,
    here: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    told: Callable[[Progress, Sequence[str]], None] = lambda _progress, _errors: None,
) -> Progress:
    """Read what `job` names into its folder.

    Batches are handed to the workers by Ray Data. One whose worker is lost is given to another; what it writes has the
    same names, so nothing is there twice. A run that ends early can be continued: batches that are there are not read
    again, but for files in them that could not be read.

    Args:
        job: what is read, how, and where to.
        options: what the output depends on, in the words of the command line.
        recursive: search the folders in folders, too.
        address: of a Ray cluster; None as for `connected`.
        workers: how many read at a time; None for all CPUs of the cluster.
        here: workers if the cluster is started on this machine and nothing else is said.
        resume: go on with an earlier run.
        overwrite: begin anew, whatever is there.
        told: called after each batch with how far the reading has come, and what could not be read.

    Raises:
        OptionError: something is there and neither `resume` nor `overwrite` is given, it cannot be continued, or no
            cluster answers.
        StorageError: the folder cannot be written.
        RunError: Ray failed.
    """
    out = Folder(job.out)
    earlier = functools.partial(manifest.earlier, out, options, resume=resume, overwrite=overwrite)
    earlier()  # what is refused is refused before anything is written
    check_places(job.places)
    with manifest.locked(out), connected(address, workers or here) as ray:
        plan = earlier()
        if plan is None or overwrite or not plan.complete:
            entries = not_empty(find_entries(job.places, recursive=recursive))
            plan = manifest.begin(out, Manifest(options, list(job.places)), entries)
        progress, pending = _so_far(out, plan)
        told(progress, ())
        with contextlib.closing(_answers(ray, job, pending, workers)) as answers:
            for answer in answers:
                answer.check()
                progress.files += answer.files
                progress.tally.include(answer.tally)
                told(progress, answer.errors)
        manifest.save(out, replace(plan, finished=True, failed=progress.tally.failed))
    return progress


def is_finished(place: str) -> bool:
    """Whether a folder holds a reading that came to its end, with nothing in it that could not be read."""
    found = manifest.load(Folder(place))
    return found is not None and found.finished and not found.failed


def _so_far(out: Folder, plan: Manifest) -> tuple[Progress, list[int]]:
    """What earlier runs have done, and the batches that are still to be read, in whole or in part."""
    progress, pending = Progress(plan.files), set(range(plan.batches))
    done = tables.done(out)
    with ThreadPoolExecutor(LOOKED_AT) as pool:
        for number, (files, tally) in zip(done, pool.map(functools.partial(tables.tallies, out), done), strict=True):
            if not tally.failed:
                pending.discard(number)
                progress.tally.include(tally)
                progress.files += files
    return progress, sorted(pending)


def _answers(ray: Any, job: Job, pending: Sequence[int], workers: int | None) -> Generator[Answer]:
    """What becomes of batches, as they are done."""
    import ray.data

    if not pending:
        return
    size = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    batches = ray.data.from_items(list(pending), override_num_blocks=min(len(pending), max(BLOCKS, SHARES * size)))
    read = batches.map_batches(
        BatchReader,
        fn_constructor_args=(job,),
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(size=min(size, len(pending)), max_tasks_in_flight_per_actor=2),
        num_cpus=1,
    )
    context = read.context
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = STUCK_SECONDS
    context.max_consecutive_actor_init_deaths = STILLBORN
    try:
        for row in read.iter_rows():
            yield Answer.of_text(row["answer"])
    except InkgradError:
        raise
    except Exception as error:
        raise _failure(error) from error


def _failure(error: BaseException) -> InkgradError:
    """What Ray raised, as one of ours: what a worker raised is inside."""
    inside: BaseException | None = error
    while inside is not None:
        cause = getattr(inside, "cause", None)
        for one in (inside, cause):
            if isinstance(one, InkgradError):
                return one
        inside = inside.__cause__ or (cause if isinstance(cause, BaseException) else None)
    if "No module named 'inkgrad'" in str(error):
        return RunError('the machines of the cluster have no inkgrad; install it on all: pip install "inkgrad[ray]"')
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [""]
    said = functools.reduce(lambda a, b: b if len(a) < 4 else a, lines).strip()[:300]
    return RunError(f"Ray ended the reading ({type(error).__name__}: {said}); what was read is kept, see --resume")
