"""Intervals of means, paired tests, corrections for multiple tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
SIGNIFICANT = 1.0 - CONFIDENCE
RESAMPLES = 2000
EXACT = 50  # untied pairs, as in SciPy: beyond, the normal approximation suffices
FEWEST = 6  # pairs: with five, p is at least 2 / 2**5 > 0.05


def interval(values: Sequence[float] | np.ndarray, *, seed: int = 0) -> tuple[float, float]:
    """The bootstrap interval (percentiles, 95 %) of the mean; NaN twice for fewer than two values.

    Args:
        values: [N], finite.
        seed: of the resampling.
    """
    values = np.asarray(values, "float64")
    if len(values) < 2:
        return math.nan, math.nan
    draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(values[draws].mean(1), [tail, 100.0 - tail])
    return float(low), float(high)


def two_level(better: np.ndarray, worse: np.ndarray | None = None, *, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of a system's mean, or of two systems' difference, over trainings and pictures.

    A bootstrap of two levels: each draw takes pictures, the same for all trainings, and of each system as
    many of its trainings as there are, with replacement. A few trainings drawn from themselves deviate too
    little: their deviations from their mean are stretched by sqrt(n / (n - 1)), which makes their variance
    unbiased, and by Student's quantile over the normal one, for how little a few of them tell.

    Args:
        better: [trainings, N] of the same N pictures, finite. A single row has no trainings to draw from: a
            method without any, or a system whose seeds are not known.
        worse: [trainings, N] of what is subtracted; None for nothing.
        seed: of the resampling.

    Returns:
        NaN twice for fewer than two pictures.
    """
    systems = [np.asarray(each, "float64") for each in (better, worse) if each is not None]
    pictures = systems[0].shape[1]
    if pictures < 2:
        return math.nan, math.nan
    random = np.random.default_rng(seed)
    shares = random.multinomial(pictures, np.full(pictures, 1 / pictures), RESAMPLES) / pictures
    freedom = sum(len(each) - 1 for each in systems)
    tail = 0.5 * SIGNIFICANT
    student = stats.t.ppf(1 - tail, freedom) / stats.norm.ppf(1 - tail) if freedom else 1.0
    draws, *less = (_means_of_draws(each, shares, student, random) for each in systems)
    low, high = np.percentile(draws - sum(less), [100 * tail, 100 * (1 - tail)])
    return float(low), float(high)


def unpaired(better: np.ndarray, worse: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the difference of two means that share no pictures.

    Each mean has its interval of two levels; the distances of their ends add up as squares (Zou and Donner,
    Construction of confidence limits about effect measures, 2008).

    Args:
        better: [trainings, N], finite.
        worse: [trainings, M] of what is subtracted.

    Returns:
        NaN twice where a group has fewer than two pictures.
    """
    means = [float(np.mean(each)) for each in (better, worse)]
    (low, high), (less, more) = (two_level(each) for each in (better, worse))
    difference = means[0] - means[1]
    below = math.hypot(means[0] - low, more - means[1])
    return difference - below, difference + math.hypot(high - means[0], means[1] - less)


def welch(better: Sequence[float] | np.ndarray, worse: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Welch's 95 % interval of the difference of the means of two samples; NaN twice for a sample of one.

    Args:
        better: [N], finite.
        worse: [M] of what is subtracted.
    """
    if min(len(better), len(worse)) < 2:
        return math.nan, math.nan
    difference = float(np.mean(better) - np.mean(worse))
    parts = [float(np.var(each, ddof=1)) / len(each) for each in (better, worse)]
    if not sum(parts):
        return difference, difference
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(each) - 1) for part, each in zip(parts, (better, worse), strict=True)
    )
    half = float(stats.t.ppf(0.5 + 0.5 * CONFIDENCE, freedom)) * math.sqrt(sum(parts))
    return difference - half, difference + half


def _means_of_draws(
    values: np.ndarray, shares: np.ndarray, student: float, random: np.random.Generator
) -> np.ndarray:
    """The mean of each draw [draws]: of pictures by their `shares` [draws, N], of trainings at random."""
    means, count = shares @ values.T, len(values)
    if count == 1:
        return means[:, 0]
    centre = means.mean(1, keepdims=True)
    stretched = centre + student * math.sqrt(count / (count - 1)) * (means - centre)
    chosen = random.integers(0, count, means.shape)
    return np.take_along_axis(stretched, chosen, 1).mean(1)


@dataclasses.dataclass(frozen=True)
class Test:
    """A test's result, or the reason why there is none.

    Attributes:
        n: complete blocks of a Friedman test, or untied pairs of a Wilcoxon test.
        statistic: chi-square with one degree of freedom less than systems, or the smaller sum of ranks.
        p: two-sided.
        reason: why the other two are None.
    """

    __test__ = False  # not a pytest class

    n: int
    statistic: float | None = None
    p: float | None = None
    reason: str = ""


def wilcoxon(differences: Sequence[float] | np.ndarray) -> Test:
    """Wilcoxon's signed-rank test, two-sided, pairs without a difference left out.

    The p is exact for up to `EXACT` untied pairs, also with ties among the differences, which are frequent
    for scores of 1 to 5; for more pairs it is that of the normal approximation.

    Args:
        differences: [N], one per pair, finite.
    """
    differences = np.asarray(differences)
    untied = differences[differences != 0]
    if len(differences) < FEWEST:
        return Test(len(untied), reason=f"{len(differences)} pairs, at least {FEWEST} are needed")
    if not len(untied):
        return Test(0, reason="both have the same scores")
    if len(untied) > EXACT:
        found = stats.wilcoxon(untied)
        return Test(len(untied), float(found.statistic), float(found.pvalue))
    return _exact_wilcoxon(untied)


def _exact_wilcoxon(untied: np.ndarray) -> Test:
    """The distribution of the rank sum over all 2**n assignments of signs, computed rank by rank.

    For ties, which have the mean of their ranks, SciPy has only an approximation.
    """
    doubled = np.rint(2 * stats.rankdata(np.abs(untied))).astype(int)  # ranks of ties end in .5
    share = np.zeros(doubled.sum() + 1)  # of the assignments, by the doubled sum of the positive ranks
    share[0] = 1.0
    for rank in doubled:
        share = (share + np.concatenate([np.zeros(rank), share[:-rank]])) / 2
    positive, negative = doubled[untied > 0].sum(), doubled[untied < 0].sum()
    smaller = min(positive, negative)  # the distribution is symmetric
    return Test(len(untied), float(smaller / 2), float(min(1.0, 2 * share[: smaller + 1].sum())))


def holm(ps: Sequence[float]) -> list[float]:
    """p-values adjusted by Holm's step-down method (1979), in their order."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def equation(p: float) -> str:
    """ "p < 0.001", or p with three digits."""
    return f"p {cell(p)}" if p < 0.001 else f"p = {cell(p)}"


def cell(p: float) -> str:
    """ "< 0.001", or three digits, for a table's column "p"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
