"""Tests of the papers' claims about the order of two systems, on the same pictures and holes."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from inpainting_tf.evaluation import Evaluation, intervals


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that claims are about.

    Attributes:
        name: as printed.
        sign: 1 where larger is better, -1 where smaller is.
        retrained: difference of a system's means between two seeds. Systems trained once are not ranked by a
            smaller one. docs/experiments.md has the measurements.
    """

    name: str
    sign: int = 1
    retrained: float = 0.0


METRICS = {
    "psnr": Metric("PSNR", retrained=0.2),
    "ssim": Metric("SSIM", retrained=0.001),
    "hole_psnr": Metric("hole PSNR", retrained=0.2),
    "raw_psnr": Metric("raw PSNR", retrained=0.2),
    "raw_ssim": Metric("raw SSIM", retrained=0.001),
    "lpips": Metric("LPIPS", -1),
    "seconds": Metric("time per picture", -1),
}
HOLDS, FAILS, OPEN = "holds", "does not hold", "open"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A paper's claim that one system is better than another, or as good.

    Attributes:
        better, worse: the systems.
        metric: a key of `METRICS`.
        where: its place in the paper.
        tie: largest difference of their means, in the metric's unit, where the paper calls the two equal;
            None where it ranks them.
    """

    better: str
    worse: str
    metric: str = "psnr"
    where: str = ""
    tie: float | None = None

    @property
    def statement(self) -> str:
        relation = "above" if self.tie is None else "as good as"
        return f"`{self.better}` {relation} `{self.worse}` in {METRICS[self.metric].name}"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A claim and its verdict by our measurements.

    Attributes:
        claim: the paper's.
        verdict: `HOLDS`, `FAILS` or `OPEN`.
        reason: of an `OPEN` verdict.
        difference: mean over the pictures of better minus worse, times the metric's sign.
        interval: its 95 % bootstrap interval.
        p: two-sided, of Wilcoxon's signed-rank test, with Holm's correction for the claims tested together.
    """

    claim: Claim
    verdict: str = OPEN
    reason: str = ""
    difference: float = math.nan
    interval: tuple[float, float] = (math.nan, math.nan)
    p: float = math.nan


def judge(claims: Sequence[Claim], found: Mapping[str, Evaluation]) -> list[Finding]:
    """Tests claims together on the measurements, picture by picture."""
    pairs = [_differences(claim, found) for claim in claims]
    ps = [None if isinstance(each, str) else intervals.paired(each) for each in pairs]
    adjusted = iter(intervals.holm([p for p in ps if p is not None]))
    return [
        _finding(claim, each, None if p is None else next(adjusted))
        for claim, each, p in zip(claims, pairs, ps, strict=True)
    ]


def verdict(findings: Sequence[Finding]) -> str:
    """A table's line: does the paper's ranking hold?"""
    if not findings:
        return "**Cannot be judged**: the paper ranks nothing here."
    verdicts = [each.verdict for each in findings]
    counts = f"{verdicts.count(HOLDS)} of {len(findings)} statements hold"
    if FAILS in verdicts:
        failed = "; ".join(each.claim.statement for each in findings if each.verdict == FAILS)
        return f"**Not reproduced** ({counts}): not so here: {failed}."
    if OPEN in verdicts:
        reasons = "; ".join(dict.fromkeys(each.reason for each in findings if each.verdict == OPEN))
        return f"**Cannot be judged** ({counts}): {reasons}."
    return f"**Reproduced**: {counts}." if len(findings) > 1 else "**Reproduced**: the statement holds."


def _differences(claim: Claim, found: Mapping[str, Evaluation]) -> np.ndarray | str:
    """Better minus worse for each picture, or the reason why it is unknown."""
    missing = [name for name in (claim.better, claim.worse) if name not in found]
    if missing:
        return f"`{missing[0]}` was not measured"
    first, second = found[claim.better], found[claim.worse]
    if [row["name"] for row in first.rows] != [row["name"] for row in second.rows] or (
        first.summary["image_size"],
        first.summary["mask"],
    ) != (second.summary["image_size"], second.summary["mask"]):
        return f"`{claim.better}` and `{claim.worse}` were not measured on the same pictures and holes"
    pairs = [(a[claim.metric], b[claim.metric]) for a, b in zip(first.rows, second.rows, strict=True)]
    if any(value is None for pair in pairs for value in pair):
        return f"{METRICS[claim.metric].name} was not measured"
    if claim.metric == "seconds":  # the pictures of a batch share one time
        pairs = [pair for pair, _ in itertools.groupby(pairs)]
    better, worse = np.array(pairs, float).T
    return METRICS[claim.metric].sign * (better - worse)


def _finding(claim: Claim, differences: np.ndarray | str, p: float | None) -> Finding:
    if isinstance(differences, str):
        return Finding(claim, reason=differences)
    mean, interval = float(differences.mean()), intervals.interval(differences)
    if p is None:
        return Finding(claim, OPEN, f"{len(differences)} values are too few", mean, interval)
    decided, reason = _decided(claim, mean, interval, p)
    return Finding(claim, decided, f"{claim.statement}: {reason}" if reason else "", mean, interval, p)


def _decided(claim: Claim, mean: float, interval: tuple[float, float], p: float) -> tuple[str, str]:
    """A verdict, and the reason of an `OPEN` one."""
    low, high = interval
    if claim.tie is not None:
        if -claim.tie <= low and high <= claim.tie:
            return HOLDS, ""
        if low > claim.tie or high < -claim.tie:
            return FAILS, ""
    elif p < intervals.SIGNIFICANT and low * high > 0:
        if abs(mean) < METRICS[claim.metric].retrained:
            return OPEN, "another seed makes as much of a difference"
        return HOLDS if mean > 0 else FAILS, ""
    return OPEN, "the difference is within chance"
