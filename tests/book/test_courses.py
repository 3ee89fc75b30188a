"""What trainings took, and when they had settled."""

from __future__ import annotations

import dataclasses

import pytest
from made import cells, made
from running import rows_of
from small_systems import SYSTEMS

from inpainting_tf import files
from inpainting_tf.book import trainings
from inpainting_tf.book.claims import OPEN, Claim
from inpainting_tf.book.entries import Course, Verdict
from inpainting_tf.recipes import operations

COURSE = Course("training time", "", SYSTEMS, claims=(Claim("cvae", "direct_conv", "operations", "page 1"),))


def validate(folder, *values: object) -> None:
    """As if the epochs had been measured so."""
    rows = [row | {"val_hole_psnr": value} for row, value in zip(rows_of(folder), values, strict=True)]
    files.write_csv(folder / "history.csv", rows)


def test_what_each_training_took(lab):
    validate(lab.home / "cvae", 12.0, 14.9, 15.0)
    validate(lab.home / "direct_conv", "", "", "")
    texts, _ = made(COURSE, lab)
    rows = cells(texts[0])
    assert list(rows) == list(SYSTEMS)
    assert rows["cvae"]["epochs"] == "3" and rows["cvae"]["settled after"] == "2", "14.9 is as good as 15.0"
    assert rows["direct_conv"]["settled after"] == "0" and rows["cvae"]["trainings"] == "1"
    run = lab.run("cvae")
    counted = operations.of_training(run.recipe, 20, 3)
    assert trainings.operations_of(run) == lab.operations("cvae") == counted > 0
    assert float(rows["cvae"]["minutes"]) == pytest.approx(run.minutes, abs=0.06)


def test_claims_about_trainings_are_judged_by_numbers_of_each(lab, here):
    blocks = [each for each in COURSE.make(lab, lab.home) if isinstance(each, Verdict)]
    [found] = blocks[0].findings
    assert (found.verdict, found.reason, found.trainings) == (OPEN, "trained once", (1, 1))
    difference = lab.operations("direct_conv") - lab.operations("cvae")
    assert found.difference == pytest.approx(difference) and COURSE.ranked == ("cvae", "direct_conv")


def test_a_course_of_what_is_not_trained(lab):
    waiting = dataclasses.replace(
        COURSE, systems=("autoencoder", "cvae"), claims=(Claim("autoencoder", "cvae", "settled"),)
    )
    texts, _ = made(waiting, lab)
    assert cells(texts[0])["autoencoder"]["epochs"] == "not trained"
    assert "**Not trained** yet: 1 statement." in texts and "not trained: `autoencoder`" in texts[-1]
