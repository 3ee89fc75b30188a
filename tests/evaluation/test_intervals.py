"""Intervals and tests against values by hand, SciPy and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

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
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)
    assert intervals.interval(values) == (low, high) != intervals.interval(values, seed=1)


def test_interval_of_one_value_is_unknown():
    assert all(math.isnan(bound) for bound in intervals.interval([3.0]))


def test_an_interval_over_few_trainings_is_as_wide_as_students():
    random = np.random.default_rng(1)
    pictures = random.normal(0, 3, 400)
    values = 20 + pictures + np.array([[-0.4], [0.4]])
    low, high = intervals.two_level(values)
    of_trainings = 12.706 * np.std([-0.4, 0.4], ddof=1) / np.sqrt(2)  # one degree of freedom
    assert low < 20 - 0.3 and high > 20 + 0.3
    assert 0.6 * of_trainings < (high - low) / 2 < 1.4 * of_trainings


def test_pictures_that_are_hard_for_both_cancel_out():
    random = np.random.default_rng(1)
    pictures = random.normal(20, 3, (1, 400))
    better = pictures + random.normal(1.0, 0.1, (5, 400)) + random.normal(0, 0.05, (5, 1))
    worse = pictures + random.normal(0.0, 0.1, (5, 400)) + random.normal(0, 0.05, (5, 1))
    low, high = intervals.two_level(better, worse)
    assert 0.8 < low < 1.0 < high < 1.2
    assert intervals.two_level(worse, better) == pytest.approx((-high, -low), abs=0.03)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Two trainings of each of two systems, whose deviations are all there is."""
    random = np.random.default_rng(0)
    covered = 0
    for number in range(300):
        better, worse = (np.repeat(random.normal(0, 1, (2, 1)), 30, 1) for _ in range(2))
        low, high = intervals.two_level(better, worse, seed=number)
        covered += low <= 0 <= high
    assert 0.88 < covered / 300 < 0.99


def test_a_single_training_has_the_interval_over_pictures_alone():
    values = np.random.default_rng(0).normal(20, 3, 200)
    assert intervals.two_level(values[None]) == pytest.approx(intervals.interval(values), abs=0.1)
    assert np.isnan(intervals.two_level(np.ones((3, 1)))).all()


def test_wilcoxon_on_data_of_a_textbook():
    # Hollander and Wolfe (1973), page 29, as in R's help of `wilcox.test`: V = 40, one-sided p = 0.01953.
    first = np.array([1830, 500, 1620, 2480, 1680, 1880, 1550, 3060, 1300])
    second = np.array([878, 647, 598, 2050, 1060, 1290, 1060, 3140, 1290])
    found = intervals.wilcoxon(first - second)
    assert (found.n, found.statistic) == (9, 45 - 40) and found.p == pytest.approx(2 * 10 / 2**9)
    assert intervals.wilcoxon(second - first) == found


@pytest.mark.parametrize(
    "differences", [[1, 1, 2, -1, 3, 0, 2, -2], [1, 1, 1, 1, 1, 1], [1, -1, 2, -2, 3, -3]]
)
def test_wilcoxon_with_ties_is_exact(differences):
    untied = np.array([each for each in differences if each])
    ranks = stats.rankdata(abs(untied))
    sums = [ranks[np.array(signs)].sum() for signs in itertools.product([True, False], repeat=len(untied))]
    smaller = min(ranks[untied > 0].sum(), ranks[untied < 0].sum())
    found = intervals.wilcoxon(np.array(differences))
    assert found.n == len(untied) and found.statistic == smaller
    assert found.p == pytest.approx(min(1, 2 * np.mean(np.array(sums) <= smaller)))


def test_wilcoxon_of_many_is_the_approximation_which_is_close():
    for seed in range(5):
        differences = np.random.default_rng(seed).integers(-3, 4, 400)
        found, exact = (
            intervals.wilcoxon(differences),
            intervals._exact_wilcoxon(differences[differences != 0]),
        )
        assert found.statistic == exact.statistic and found.n == exact.n and 0.05 < found.p < 1
        assert found.p == pytest.approx(exact.p, abs=0.002) and found.p != exact.p


def test_wilcoxon_is_exact_for_fifty_pairs_with_ties():
    differences = np.repeat([3, -1, 2, -2, 0], [11, 13, 15, 11, 20])
    assert intervals.wilcoxon(differences) == intervals._exact_wilcoxon(differences[differences != 0])


def test_a_wilcoxon_test_that_says_nothing_is_not_made():
    few, ties = intervals.wilcoxon([1.0] * 5), intervals.wilcoxon(np.zeros(9))
    assert few.p is few.statistic is None and few.reason == "5 pairs, at least 6 are needed"
    assert ties.p is ties.statistic is None and ties.reason == "both have the same scores"


def test_p_in_words():
    assert intervals.equation(0.0004) == "p < 0.001" and intervals.equation(0.0312) == "p = 0.031"


def test_the_difference_of_two_groups_of_pictures():
    """As wide as the two intervals together: their half widths as squares."""
    random = np.random.default_rng(0)
    first, second = random.normal(20, 2, (2, 400)), random.normal(18, 1, (2, 100))
    low, high = intervals.unpaired(first, second)
    difference = first.mean() - second.mean()
    assert low < difference < high
    ends = [intervals.two_level(each) for each in (first, second)]
    half = math.hypot(*((high - low) / 2 for low, high in ends))
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)
    assert intervals.unpaired(second, first) == pytest.approx((-high, -low))
    assert all(math.isnan(end) for end in intervals.unpaired(first, second[:, :1]))


def test_welchs_interval_of_a_few_trainings():
    found = stats.ttest_ind([10.0, 12.0, 11.0], [7.0, 8.0], equal_var=False).confidence_interval(0.95)
    assert intervals.welch([10.0, 12.0, 11.0], [7.0, 8.0]) == pytest.approx((found.low, found.high))
    assert intervals.welch([3.0, 3.0], [5.0, 5.0]) == (-2.0, -2.0), "counted, not measured"
    assert all(math.isnan(end) for end in intervals.welch([3.0], [5.0, 5.0]))
