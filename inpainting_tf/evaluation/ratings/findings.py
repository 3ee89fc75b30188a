"""Statistics of the scores of a rating study: a summary of each system, tests of their differences."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from inpainting_tf.evaluation import intervals
from inpainting_tf.evaluation.intervals import FEWEST, Test, wilcoxon
from inpainting_tf.evaluation.ratings.store import ORIGINAL, Plan

Row = Mapping[str, Any]  # of `Store.rows`


@dataclasses.dataclass(frozen=True)
class Summary:
    """The scores of a system; None where there are none.

    Attributes:
        system: its name.
        scores: one by one.
        median, mean, quartiles: of them, the quartiles interpolated linearly.
    """

    system: str
    scores: Sequence[int]
    median: float | None = None
    mean: float | None = None
    quartiles: tuple[float, float] | None = None

    @classmethod
    def of(cls, system: str, scores: Sequence[int]) -> Summary:
        if not scores:
            return cls(system, scores)
        low, middle, high = np.percentile(scores, [25, 50, 75])
        return cls(system, scores, float(middle), float(np.mean(scores)), (float(low), float(high)))


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two systems compared: `difference` is the mean of first minus second, `holm` the adjusted p."""

    first: str
    second: str
    difference: float | None
    test: Test
    holm: float | None


@dataclasses.dataclass(frozen=True)
class Findings:
    """Statistics of the scores so far; see `find`."""

    raters: int
    pictures: int
    summaries: list[Summary]
    blocks: int
    friedman: Test
    pairs: list[Pair]


def find(plan: Plan, rows: Sequence[Row]) -> Findings:
    """Describes each system and tests whether they differ (face_gan, section 5.1.3, which does not test).

    The tests use complete blocks: the scores of one picture by one rater who has scored it by all systems.
    (A rater's blocks are treated as independent, like those of different raters.) Untouched originals are
    summarised but not tested: their higher scores would make any comparison significant.
    """
    scores: dict[str, list[int]] = {system: [] for system in plan.systems}
    for row in rows:
        scores[row["system"]].append(row["score"])
    tested = [system for system in plan.systems if system != ORIGINAL]
    table = blocks(rows, tested)
    return Findings(
        raters=len({row["rater"] for row in rows}),
        pictures=len(plan.pictures),
        summaries=[Summary.of(system, each) for system, each in scores.items()],
        blocks=len(table),
        friedman=friedman(table),
        pairs=pairs(table, tested),
    )


def blocks(rows: Sequence[Row], systems: Sequence[str]) -> np.ndarray:
    """The scores of the complete blocks, int [blocks, systems]."""
    found: dict[tuple, dict] = {}
    for row in rows:
        found.setdefault((row["rater"], row["picture"]), {})[row["system"]] = row["score"]
    complete = [[block[s] for s in systems] for block in found.values() if block.keys() >= set(systems)]
    return np.array(complete, int).reshape(len(complete), len(systems))


def friedman(table: np.ndarray) -> Test:
    """Friedman's test, corrected for ties, of the hypothesis that all systems are scored alike.

    Args:
        table: int [blocks, systems].
    """
    count, systems = table.shape
    if systems < 3:
        return Test(count, reason="it needs at least three systems")
    if count < FEWEST:
        return Test(count, reason=f"{count} complete blocks, at least {FEWEST} are needed")
    if (table == table[:, :1]).all():
        return Test(count, reason="within each block all systems have the same score")
    statistic, p = stats.friedmanchisquare(*table.T)
    return Test(count, float(statistic), float(p))


def pairs(table: np.ndarray, systems: Sequence[str]) -> list[Pair]:
    """Wilcoxon's test of every two systems; Holm's correction is over those that could be tested.

    Args:
        table: int [blocks, systems].
        systems: their names.
    """
    both = list(itertools.combinations(range(len(systems)), 2))
    differences = [table[:, i] - table[:, j] for i, j in both]
    tests = [wilcoxon(each) for each in differences]
    adjusted = iter(intervals.holm([test.p for test in tests if test.p is not None]))
    return [
        Pair(
            systems[i],
            systems[j],
            float(each.mean()) if len(each) else None,
            test,
            None if test.p is None else next(adjusted),
        )
        for (i, j), each, test in zip(both, differences, tests, strict=True)
    ]
