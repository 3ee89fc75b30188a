"""A batch goes on whatever happens to one of its pictures."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inpainting_tf.errors import InputError
from inpainting_tf.photographs import batches
from inpainting_tf.photographs.folders import Job

JOBS = [Job(Path(f"{number}.png"), (), Path(f"out/{number}.png")) for number in range(6)]
FAILURES = {
    "0.png": (InputError("`mask` is wrong."), "`mask` is wrong.", True),
    "1.png": (MemoryError(), "not enough memory for this picture and hole", False),
    "2.png": (RuntimeError("Error setting from dictionary\nmore"), "Error setting from dictionary", False),
    "3.png": (KeyError(), "KeyError", False),
}


def repair(job: Job) -> float:
    if job.image.name in FAILURES:
        raise FAILURES[job.image.name][0]
    return 0.25


@pytest.mark.parametrize("workers", [1, 3])
def test_every_failure_is_one_picture_skipped_in_a_line(workers):
    outcomes = {each.job.image.name: each for each in batches.run(JOBS, repair, workers)}
    assert len(outcomes) == len(JOBS)
    for name, (_, reason, mistake) in FAILURES.items():
        assert (outcomes[name].status, outcomes[name].reason) == ("skipped", reason)
        assert outcomes[name].mistake == mistake
    for name in ("4.png", "5.png"):
        assert outcomes[name].status == "repaired" and outcomes[name].missing == 0.25
        assert outcomes[name].seconds >= 0


def test_workers_work_at_the_same_time():
    together = threading.Barrier(3, timeout=30)

    def meet(job: Job) -> float:
        together.wait()
        return 0.0

    assert {each.status for each in batches.run(JOBS, meet, 3)} == {"repaired"}


def test_what_has_not_begun_is_not_done_after_an_interruption():
    done = []

    def note(job: Job) -> float:
        done.append(job)
        return 0.0

    going = batches.run(JOBS * 100, note, 1)
    next(going)
    going.close()
    assert len(done) <= 3
