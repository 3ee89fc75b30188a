"""A batch goes on whatever happens to one of its pictures."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from inpainting_tf.errors import InputError
from inpainting_tf.photographs import batches
from inpainting_tf.photographs.folders import Job
from inpainting_tf.photographs.repairing import Repaired

JOBS = [Job(Path(f"{number}.png"), (), Path(f"out/{number}.png")) for number in range(6)]
FAILURES = {
    "0.png": (InputError("`mask` is wrong."), "`mask` is wrong.", True),
    "1.png": (MemoryError(), "not enough memory for this picture and hole", False),
    "2.png": (RuntimeError("Error setting from dictionary\nmore"), "Error setting from dictionary", False),
    "3.png": (KeyError(), "KeyError", False),
}


DONE = Repaired(np.zeros((2, 2, 3), np.uint8), np.eye(2) > 0, missing=0.25, grown=2)


def repair(job: Job) -> Repaired:
    if job.image.name in FAILURES:
        raise FAILURES[job.image.name][0]
    return DONE


@pytest.mark.parametrize("workers", [1, 3])
def test_every_failure_is_one_picture_skipped_in_a_line(workers):
    outcomes = {each.job.image.name: each for each in batches.run(JOBS, repair, workers)}
    assert len(outcomes) == len(JOBS)
    for name, (_, reason, mistake) in FAILURES.items():
        assert (outcomes[name].status, outcomes[name].reason) == ("skipped", reason)
        assert outcomes[name].mistake == mistake
    for name in ("4.png", "5.png"):
        assert outcomes[name].status == "repaired"
        assert (outcomes[name].missing, outcomes[name].grown) == (0.25, 2)
        assert outcomes[name].seconds >= 0


def test_workers_work_at_the_same_time():
    together = threading.Barrier(3, timeout=30)

    def meet(job: Job) -> Repaired:
        together.wait()
        return DONE

    assert {each.status for each in batches.run(JOBS, meet, 3)} == {"repaired"}


def test_what_has_not_begun_is_not_done_after_an_interruption():
    done = []

    def note(job: Job) -> Repaired:
        done.append(job)
        return DONE

    going = batches.run(JOBS * 100, note, 1)
    next(going)
    going.close()
    assert len(done) <= 3
