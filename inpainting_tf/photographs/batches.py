"""Many pictures, repaired one by one: what fails is told in a line, and the others go on."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from inpainting_tf.errors import InputError
from inpainting_tf.photographs.extending import extend
from inpainting_tf.photographs.folders import Job
from inpainting_tf.photographs.formats import of_path
from inpainting_tf.photographs.masks import read_masks
from inpainting_tf.photographs.reading import MEGAPIXELS, read
from inpainting_tf.photographs.repairing import Inpaint, Repaired, repair
from inpainting_tf.photographs.writing import write

Repair = Callable[[Job], Repaired]


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
class Outcome:
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

    job: Job
    status: str
    reason: str = ""
    mistake: bool = False
    missing: float | None = None
    grown: int = 0
    seconds: float | None = None


def run(jobs: Iterable[Job], repair: Repair, workers: int = 1) -> Iterator[Outcome]:
    """The outcomes, in the order in which they come.

    Args:
        jobs: what is repaired.
        repair: writes a job's output. It is called by several threads.
        workers: how many at a time.
    """
    with ThreadPoolExecutor(workers) as threads:
        waiting: set[Future[Outcome]] = set()
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
        InputError, NotWritten: those of `read`, `read_masks`, `extend`, `repair` and `write`.
    """
    how = options or Options()
    of_path(job.output)
    photograph = read(job.image, page=how.page, max_megapixels=how.max_megapixels)
    hole = None
    if job.masks:
        hole = read_masks(job.masks, photograph.rgb.shape[:2], fit=how.fit_mask, invert=how.invert)
    if how.extend is not None:
        photograph, hole = extend(photograph, how.extend, hole, max_megapixels=how.max_megapixels)
    done = repair(photograph, hole, inpaint, grow=how.grow, feather=how.feather)
    write(job.output, photograph, done.rgb, done.mask)
    return done


def attempt(job: Job, repair: Repair) -> Outcome:
    """The outcome of one job, whatever happens in it."""
    start = time.perf_counter()
    try:
        done = repair(job)
    except InputError as error:
        return Outcome(job, "skipped", str(error), mistake=True)
    except Exception as error:
        return Outcome(job, "skipped", _told(error))
    seconds = time.perf_counter() - start
    return Outcome(job, "repaired", missing=done.missing, grown=done.grown, seconds=seconds)


def _told(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory for this picture and hole"
    return str(error).partition("\n")[0].strip() or type(error).__name__
