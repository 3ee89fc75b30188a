"""The best epoch by validation, by hand."""

from __future__ import annotations

import json

import pytest

from inpainting_tf.training.best import Best

NAN, INF = float("nan"), float("inf")


def rows(values, phase="joint", first=1):
    return [
        {"epoch": n, "phase": phase, "val_psnr": 99.0 - n, "val_hole_psnr": v}
        for n, v in enumerate(values, first)
    ]


def test_more_is_better_and_the_first_of_equals_stays():
    best = Best()
    assert [best.update(row) for row in rows([1.0, 3.0, 2.0, 3.0, 3.5])] == [True, True, False, False, True]
    assert (best.phase, best.epoch, best.value, best.measured) == ("joint", 5, 3.5, 5)


def test_what_was_not_measured_is_no_best():
    best = Best()
    assert [best.update(row) for row in rows([None, NAN, -2.0, INF, None])] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert (best.epoch, best.measured) == (3, 3)


def test_each_phase_has_a_best_of_its_own():
    best = Best()
    for row in rows([5.0, 6.0], "completion"):
        best.update(row)
    assert [best.update(row) for row in rows([2.0, 1.0, 3.0], "joint", 3)] == [True, False, True]
    assert (best.phase, best.epoch, best.value) == ("joint", 5, 3.0)


@pytest.mark.parametrize(("patience", "stop"), [(1, 3), (2, 6), (3, None), (None, None)])
def test_patience_counts_the_epochs_since_the_best(patience, stop):
    best, stopped = Best(), None
    for row in rows([1.0, 2.0, 1.5, 2.5, 2.4, 2.5, 2.6]):
        best.update(row)
        if stopped is None and best.waited(patience, "joint"):
            stopped = row["epoch"]
    assert stopped == stop


def test_only_the_last_phase_ends_early():
    best = Best()
    for row in rows([3.0, 2.0, 2.0, 2.0, 2.0], "completion"):
        best.update(row)
        assert not best.waited(1, "joint")
    best.update(rows([1.0], "joint", 6)[0])
    assert not best.waited(1, "joint"), "the joint phase has just begun"
    best.update(rows([1.0], "joint", 7)[0])
    assert best.waited(1, "joint")


def test_epochs_that_were_not_measured_do_not_end_it():
    best = Best()
    for row in rows([3.0, None, None, None, None]):
        best.update(row)
        assert not best.waited(2, "joint")
    best.update(rows([2.0], first=6)[0])
    assert best.waited(2, "joint")


def test_its_state_is_json_and_brings_it_back():
    best = Best()
    for row in rows([1.0, 3.0, 2.0]):
        best.update(row)
    copy = Best(json.loads(json.dumps(best.state())))
    assert vars(copy) == vars(best)
    assert [copy.update(row) for row in rows([3.0, 3.1], first=4)] == [False, True]
