"""Intervals and tests against values by hand, SciPy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inpainting_tf.evaluation import intervals


def test_holm_by_hand():
    assert intervals.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert intervals.holm([0.9, 0.6]) == [1.0, 1.0] and intervals.holm([]) == []
    assert intervals.holm([0.02, 0.02, 0.5]) == pytest.approx([0.06, 0.06, 0.5])


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [intervals.interval(rng.exponential(2.0, 100), seed=k) for k in range(300)]
    covered = np.mean([low <= 2.0 <= high for low, high in found])
    assert 0.90 <= covered <= 0.98


def test_interval_is_the_normal_one_for_many_values_and_repeats_itself():
    values = np.random.default_rng(1).normal(20.0, 3.0, 2000)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    low, high = intervals.interval(values)
    assert low == pytest.approx(values.mean() - half, abs=0.02) and high == pytest.approx(
        values.mean() + half, abs=0.02
    )
    assert intervals.interval(values) == (low, high) != intervals.interval(values, seed=1)


def test_interval_of_one_value_is_unknown():
    assert all(math.isnan(bound) for bound in intervals.interval([3.0]))


def test_paired_by_hand():
    assert intervals.paired([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)  # all ranks on one side
    assert intervals.paired(-np.arange(1, 7)) == intervals.paired(np.arange(1, 7))
    assert intervals.paired([1, -2, 3, -4, 5, -6]) > 0.5
    assert intervals.paired(np.zeros(9)) == 1.0 and intervals.paired([1.0] * 5) is None


def test_p_in_words():
    assert intervals.in_words(0.0004) == "p < 0.001" and intervals.in_words(0.0312) == "p = 0.031"
