"""A short run of the fuzzing of files; CONTRIBUTING.md has the long one."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fuzz(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(ROOT))
    from scripts import fuzz_files

    return fuzz_files


def test_a_short_run(fuzz):
    wrong = [fuzz.check(seed=1, number=number) for number in range(150)]
    assert [message for message in wrong if message] == []


def test_a_case_is_a_function_of_its_number(fuzz, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (fuzz.case(np.random.default_rng([0, 7]), tmp_path / name) for name in ("a", "b"))
    assert first.about == second.about
    assert first.job.image.read_bytes() == second.job.image.read_bytes()


@pytest.mark.parametrize("kind", ["another picture", "nothing"])
def test_what_goes_wrong_is_noticed(fuzz, monkeypatch, kind):
    """A repair that writes something else, and one that fails."""

    def broken(job, *_):
        if kind == "nothing":
            raise KeyError("tag")
        fuzz.Image.new("RGB", (9, 7)).save(job.output)
        return fuzz.photographs.Repaired(np.zeros((7, 9, 3), np.uint8), np.eye(7, 9) > 0, 0.1)

    monkeypatch.setattr(fuzz.photographs, "repair_file", broken)
    wrong = []
    for number in range(12):
        with contextlib.suppress(OSError):  # a source that is damaged
            wrong.append(fuzz.check(seed=1, number=number))
    words = "another size" if kind == "another picture" else "an accident"
    assert any(message and words in message for message in wrong)


def test_a_process_that_ends_is_told_and_the_next_case_follows(fuzz, monkeypatch):
    monkeypatch.setattr(fuzz, "check", lambda seed, number, output: sys.exit(3) if number == 1 else None)
    found, following = fuzz._in_a_process(0, range(3), None)
    assert found == ["case 1: the process ended with status 3"] and following == 2
