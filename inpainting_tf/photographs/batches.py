"""Many pictures, repaired one by one: what fails is told in a line, and the others go on."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from inpainting_tf import files
from inpainting_tf.errors import InputError
from inpainting_tf.photographs.extending import extend
from inpainting_tf.photographs.folders import Job
from inpainting_tf.photographs.formats import of_path
from inpainting_tf.photographs.masks import read_masks
from inpainting_tf.photographs.reading import MEGAPIXELS, File, read
from inpainting_tf.photographs.repairing import Inpaint, Repaired, repair
from inpainting_tf.photographs.writing import encoded

J = TypeVar("J")
Repair = Callable[[J], Repaired]
REPORT = ("image", "status", "reason", "missing", "grown", "seconds", "output", "masks")  # its columns


@dataclasses.dataclass(frozen=True)
class Options:
    """How files are read and their holes changed.

    Attributes:
        page: of files with several pictures, from 1; see `read`.
        max_megapixels: the most that is read.
        fit_mask, invert: see `read_mask`.
        extend: margins to add; see `extend`.
        grow, feather: see `repair`.
    """

    page: int | None = None
    max_megapixels: float = MEGAPIXELS
    fit_mask: bool = False
    invert: bool = False
    extend: Sequence[int] | None = None
    grow: int | None = None
    feather: int = 0


@dataclasses.dataclass(frozen=True)
class Outcome(Generic[J]):
    """What became of a job.

    Attributes:
        job: the job.
        status: "repaired", "kept" (its file was there already) or "skipped".
        reason: why it was skipped, in one line.
        mistake: whether that is the user's to mend, rather than an accident.
        missing: the missing share of the picture's pixels.
        grown: pixels by which its hole was grown, unasked.
        seconds: that it took.
    """

    job: J
    status: str
    reason: str = ""
    mistake: bool = False
    missing: float | None = None
    grown: int = 0
    seconds: float | None = None


def run(jobs: Iterable[J], repair: Repair[J], workers: int = 1) -> Iterator[Outcome[J]]:
    """The outcomes, in the order in which they come.

    Args:
        jobs: what is repaired.
        repair: writes a job's output. It is called by several threads.
        workers: how many at a time.
    """
    with ThreadPoolExecutor(workers) as threads:
        waiting: set[Future[Outcome[J]]] = set()
        try:
            for job in jobs:
                waiting.add(threads.submit(attempt, job, repair))
                if len(waiting) > workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            yield from (each.result() for each in waiting)
        finally:  # interrupted: what has not begun is left
            for each in waiting:
                each.cancel()


def repair_file(job: Job, inpaint: Inpaint, options: Options | None = None) -> Repaired:
    """Repairs a picture file.

    Raises:
        InputError, NotWritten: those of `repaired`, or the output cannot be written.
    """
    data, done = repaired(job.image, job.masks, job.output, inpaint, options)
    files.write_bytes(job.output, data)
    return done


def repaired(
    image: File,
    masks: Sequence[File],
    output: str | os.PathLike | None,
    inpaint: Inpaint,
    options: Options | None = None,
) -> tuple[bytes, Repaired]:
    """A picture file repaired, as a file.

    Args:
        image: the picture.
        masks: their union is its hole; none: its transparent parts are.
        output: the name of the file that is returned: its ending decides the format; None: as the picture.
        inpaint: fills a hole.
        options: how files are read and the hole is changed.

    Returns:
        The file, and what was done.

    Raises:
        InputError, NotWritten: those of `read`, `read_masks`, `extend`, `repair` and `encoded`.
    """
    how = options or Options()
    if output is not None:
        of_path(output)
    photograph = read(image, page=how.page, max_megapixels=how.max_megapixels)
    output = output or f"repaired{photograph.ending}"
    hole = None
    if masks:
        hole = read_masks(masks, photograph.rgb.shape[:2], fit=how.fit_mask, invert=how.invert)
    if how.extend is not None:
        photograph, hole = extend(photograph, how.extend, hole, max_megapixels=how.max_megapixels)
    done = repair(photograph, hole, inpaint, grow=how.grow, feather=how.feather)
    return encoded(output, photograph, done.rgb, done.mask), done


def attempt(job: J, repair: Repair[J]) -> Outcome[J]:
    """The outcome of one job, whatever happens in it."""
    start = time.perf_counter()
    try:
        done = repair(job)
    except InputError as error:
        return Outcome(job, "skipped", str(error), mistake=True)
    except Exception as error:
        return Outcome(job, "skipped", told(error))
    seconds = time.perf_counter() - start
    return Outcome(job, "repaired", missing=done.missing, grown=done.grown, seconds=seconds)


def report_row(outcome: Outcome) -> dict[str, Any]:
    """What a report tells of an outcome, in the columns `REPORT`."""
    job, seconds = outcome.job, outcome.seconds
    return {
        "image": job.image,
        "status": outcome.status,
        "reason": outcome.reason,
        "missing": outcome.missing,
        "grown": outcome.grown,
        "seconds": None if seconds is None else round(seconds, 3),
        "output": job.output,
        "masks": " ".join(map(str, job.masks)),
    }


def told(error: Exception) -> str:
    """An accident in a line."""
    if isinstance(error, MemoryError):
        return "not enough memory for this picture and hole"
    return str(error).partition("\n")[0].strip() or type(error).__name__
