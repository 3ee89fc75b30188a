"""How sure a number is: intervals of means, paired tests, corrections for many tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
SIGNIFICANT = 1.0 - CONFIDENCE
RESAMPLES = 2000
FEWEST = 6  # pairs: with five even perfect agreement has p = 2 / 2**5 > 0.05


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


def paired(differences: Sequence[float] | np.ndarray) -> float | None:
    """The two-sided p of Wilcoxon's signed-rank test that the differences lie around 0.

    Args:
        differences: [N], one per picture.

    Returns:
        p; 1 where there is no difference at all; None for fewer than `FEWEST` differences.
    """
    differences = np.asarray(differences, "float64")
    if len(differences) < FEWEST:
        return None
    if not differences.any():
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values adjusted by Holm's step-down method (1979), in their order."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def in_words(p: float) -> str:
    """ "p < 0.001", or p with three digits."""
    return f"p {cell(p)}" if p < 0.001 else f"p = {cell(p)}"


def cell(p: float) -> str:
    """The same for a column of a table that is headed "p"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
