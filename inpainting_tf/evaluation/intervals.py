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


def paired(differences: Sequence[float] | np.ndarray) -> float | None:
    """The p of `wilcoxon`; 1 where no pair differs, None for fewer than `FEWEST` pairs."""
    found = wilcoxon(differences)
    return 1.0 if found.n == 0 and len(differences) >= FEWEST else found.p


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
