"""Many pictures, repaired by the machines of a Ray cluster: read, repair and write are stages of Ray Data.

Ray Data streams the pictures through the stages, holds reading back where repairing is slower, and repeats
what was in the hands of a process or a machine that is lost. A picture that ends its process is tried alone,
and then is a row of the report like others that cannot be repaired.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import os
import re
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from inpainting_tf import environment, processes, storage, streams
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import batches
from inpainting_tf.photographs.batches import Options, Outcome
from inpainting_tf.photographs.far_folders import FarJob
from inpainting_tf.photographs.reading import Named
from inpainting_tf.photographs.repairing import Inpaint, Repaired

Row = dict[str, Any]
_TOGETHER = 16  # pictures that travel together, and are repeated together
_REPAIR, _MOVE = 0.75, 0.25  # of a core, for an actor and for a task that reads or writes beside it
_TOLD = ("status", "reason", "mistake", "missing", "grown", "seconds")  # of an outcome
_LOST = "the process that repaired it ended each time: does it have enough memory?"


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Where pictures are repaired.

    Attributes:
        address: of a Ray cluster, "auto" for the one of this machine; None: processes of this machine alone.
        workers: pictures at a time; None: one for each core.
    """

    address: str | None = None
    workers: int | None = None


def run(
    jobs: Sequence[FarJob],
    build: Callable[[], Inpaint],
    options: Options | None = None,
    cluster: Cluster | None = None,
    *,
    overwrite: bool = False,
) -> Iterator[Outcome[FarJob]]:
    """The outcomes, in the order in which they come.

    Args:
        jobs: what is repaired, each with an image of its own.
        build: makes what fills holes. It is pickled, and called once in each worker.
        options: see `batches.repaired`.
        cluster: where.
        overwrite: whether to write again what is there. Without it nothing is written twice, also if a
            machine is lost that has not yet told that it was done.

    Raises:
        InputError: Ray is not installed, or the cluster cannot be reached.
    """
    environment.needed("ray.data", "cluster")
    where = cluster or Cluster()
    with connected(where.address, where.workers):
        workers = where.workers or _cores()
        _be_quiet()
        waiting = {job.image: job for job in jobs}
        together = max(1, min(_TOGETHER, len(jobs) // (4 * workers)))
        for size in (together, 1):  # at last alone, each with no picture but itself to lose
            stages = _stages(list(waiting.values()), size, build, options or Options(), workers, overwrite)
            for row in stages.iter_rows():
                yield _outcome(waiting.pop(row["image"]), row)
            if not waiting:
                return
        for job in waiting.values():
            yield Outcome(job, "skipped", _LOST)


@contextlib.contextmanager
def connected(address: str | None, cores: int | None = None) -> Iterator[None]:
    """A block that uses Ray, which is started and stopped for it where it does not run in this process yet.

    Args:
        address: of a cluster, "auto" for the one of this machine; None: processes of this machine alone.
        cores: that these may take; None: all.

    Raises:
        InputError: the cluster cannot be reached.
    """
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to others
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # of what is repeated as it should be
    ours = not ray.is_initialized()
    if ours:
        try:
            _require_answer(address or "")
            with streams.held_back():
                ray.init(
                    address or "local",
                    num_cpus=None if address else cores,
                    include_dashboard=None if address else False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"--address must be that of a running Ray cluster. Received {address!r}: {reason}"
            ) from error
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def _cores() -> int:
    """Of the cluster."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _require_answer(address: str) -> None:
    """Raises OSError where no server answers at HOST:PORT: Ray would try for minutes."""
    if found := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address):
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=10).close()


def _be_quiet() -> None:
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # the command has its own
    context.max_errored_blocks = -1  # what they hold is tried again
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # Ray Data has no other name yet for the number of an actor's attempts.
    warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")


def _stages(
    jobs: Sequence[FarJob],
    together: int,
    build: Callable[[], Inpaint],
    options: Options,
    workers: int,
    overwrite: bool,
) -> Any:
    import ray

    rows = [{"image": job.image, "masks": list(job.masks), "output": job.output} for job in jobs]
    blocks = -(-len(rows) // together)
    dataset: Any = ray.data.from_items(rows, override_num_blocks=blocks)
    dataset = dataset.map(_read, num_cpus=_MOVE)
    dataset = dataset.map(
        _Repairing,
        fn_constructor_args=(build, options),
        compute=ray.data.ActorPoolStrategy(size=min(workers, blocks)),
        num_cpus=_REPAIR,
        max_task_retries=2,  # by default without end, of a picture that ends its process
    )
    return dataset.map(_write, fn_args=(overwrite,), num_cpus=_MOVE)


def _read(row: Row) -> Row:
    """Adds the bytes of the picture and of its masks, none of them if one cannot be read."""
    try:
        found = [storage.read(address) for address in (row["image"], *row["masks"])]
    except Exception as error:
        return row | {"files": [], "reason": batches.told(error)}
    return row | {"files": found, "reason": ""}


class _Repairing:
    """The actors' part: each holds a network, which computes in one thread."""

    def __init__(self, build: Callable[[], Inpaint], options: Options) -> None:
        processes.limit_threads(1)
        self._inpaint, self._options = build(), options

    def __call__(self, row: Row) -> Row:
        found, reason = row.pop("files"), row.pop("reason")
        job = FarJob(row["image"], tuple(row["masks"]), row["output"])
        if reason:
            return _row(Outcome(job, "skipped", reason), b"")
        names = (job.image, *job.masks)
        image, *masks = (Named(data, name) for data, name in zip(found, names, strict=True))
        written = [b""]

        def repair(job: FarJob) -> Repaired:
            written[0], done = batches.repaired(image, masks, job.output, self._inpaint, self._options)
            return done

        return _row(batches.attempt(job, repair), written[0])


def _write(row: Row, overwrite: bool) -> Row:
    """Writes what was repaired, and keeps what is to be told."""
    data = row.pop("data")
    if row["status"] != "repaired":
        return row
    try:
        if overwrite or not storage.exists(row["output"]):
            storage.write(row["output"], data)
    except Exception as error:
        return row | {"status": "skipped", "reason": batches.told(error)}
    return row


def _row(outcome: Outcome[FarJob], data: bytes) -> Row:
    """In columns of one type each, as blocks have them."""
    told = {name: getattr(outcome, name) for name in _TOLD}
    numbers = {name: math.nan if told[name] is None else told[name] for name in ("missing", "seconds")}
    return {"image": outcome.job.image, "output": outcome.job.output, "data": data, **told, **numbers}


def _outcome(job: FarJob, row: Row) -> Outcome[FarJob]:
    numbers = {name: None if math.isnan(row[name]) else row[name] for name in ("missing", "seconds")}
    return Outcome(job, **{name: row[name] for name in _TOLD} | numbers)
