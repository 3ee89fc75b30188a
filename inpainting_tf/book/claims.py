"""The papers' claims about the order of two systems, and what our measurements say of them, by one rule.

`RULE` states it for readers; `MARGIN` and `metrics.METRICS` are its only thresholds.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from inpainting_tf.book.metrics import MARGIN, METRICS
from inpainting_tf.evaluation import Evaluation, intervals

HOLDS, OPPOSITE, NOT_FOUND, OPEN = "holds", "opposite", "effect not found", "open"
CANNOT, NOT_TRAINED = "cannot be judged", "not trained"
VERDICTS = (HOLDS, OPPOSITE, NOT_FOUND, OPEN, CANNOT, NOT_TRAINED)
FEWEST = 2  # trainings of each system that a claim ranks
Found = Mapping[str, Sequence[Evaluation]]  # system -> an evaluation of each of its trainings
_NONE: Mapping[str, str] = {}

_DECIBELS = METRICS["psnr"].margin(0.0)

RULE = f"""\
**A statement** says that one system is better than another in one metric of the same pictures and holes,
like with like: whole predictions ("raw") or composites of both. Its effect is the difference of the
means, positive where it is as the paper says. The interval around ours (95 %) is over trainings and
pictures: a bootstrap of both, in which the deviations of the few trainings are widened by Student's
factor. Intervals are each for themselves: of twenty true effects of zero, one is expected to look like
another. Where two groups of pictures are compared, or a number of each training, it is the interval of
two independent means. A difference is small where it is below a margin, a twentieth of the error:
{_DECIBELS:.2f} dB of PSNR, {MARGIN:.0%} of 1 - SSIM, of LPIPS, of an absolute error, of a
time. Then it

- **holds** where the whole interval is above zero,
- is **opposite** where the whole interval is below zero,
- has its **effect not found** where ours is small and the printed one lies outside our interval; where
  the paper prints no numbers, where our whole interval is small (this goes before the first two),
- is **open** otherwise, where a system was trained fewer than {FEWEST} times, where its metric was not
  measured, and where its forms (several metrics, or several values of what the paper leaves free)
  disagree,
- *cannot be judged* where it rests on what is lost of the paper and had to be invented here, or takes
  people,
- is *not trained* where a training of one of its systems is still to come.

Where the paper calls two systems equal, the statement holds if the whole interval is small, and is
opposite if all of it lies beyond the margin.

**A table** is *reproduced* where all its statements hold; *partly reproduced* where some hold and others
are opposite or not found; *not reproduced* where none holds and some are opposite or not found; *not
trained* where none is trained; *open* otherwise. It *cannot be judged* where the paper ranks nothing, or
none of its statements can be judged."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A paper's claim that one system is better than another, or as good.

    Attributes:
        better, worse: the systems.
        metric: a key of `METRICS`: its column.
        where: its place in the paper.
        tie: whether the paper calls the two equal, and does not rank them.
        printed: the effect by the paper's numbers, in the metric's unit, positive where it is as the claim
            says; None where the paper ranks in words.
        words: the statement, where it is no plain comparison of two systems; "" for one that is.
        in_words: whether it is a claim in words, though the paper has numbers of both, of something else.
        instead: the metric that judges where `metric` was not measured; "" for none.
        forms: the same claim in other metrics, or of the same systems under other values of what the paper
            leaves free. Where their verdicts differ, it is open.
    """

    better: str
    worse: str
    metric: str = "psnr"
    where: str = ""
    tie: bool = False
    printed: float | None = None
    words: str = ""
    in_words: bool = False
    instead: str = ""
    forms: tuple[Claim, ...] = ()

    @property
    def statement(self) -> str:
        if self.words:
            return self.words
        relation = "as good as" if self.tie else "better than"
        return f"`{self.better}` {relation} `{self.worse}` in {METRICS[self.metric].name}"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A claim and its verdict by our measurements.

    Attributes:
        claim: the paper's, or of a metric that stands in for its own.
        verdict: one of `VERDICTS`.
        reason: of a verdict without a result, e.g. `OPEN`.
        difference: mean of better minus worse over trainings and pictures, times the metric's sign.
        interval: its 95 % interval, `intervals.two_level`.
        margin: below which a difference is small.
        trainings: of both systems; 0 for a method that is not trained.
        forms: of its claim's forms; the verdict is then that of all of them together.
    """

    claim: Claim
    verdict: str = OPEN
    reason: str = ""
    difference: float = math.nan
    interval: tuple[float, float] = (math.nan, math.nan)
    margin: float = math.nan
    trainings: tuple[int, int] = (0, 0)
    forms: tuple[Finding, ...] = ()

    @property
    def told(self) -> str:
        """The verdict, with its reason."""
        return f"{self.verdict}: {self.reason}" if self.reason else self.verdict

    @property
    def effect(self) -> str:
        """The difference with its interval; "" where there is none."""
        if not math.isfinite(self.difference):
            return ""
        value, low, high = (
            METRICS[self.claim.metric].text(each, "+") for each in (self.difference, *self.interval)
        )
        return f"{value} ({low} to {high})" if math.isfinite(self.interval[0]) else value

    @property
    def counts(self) -> str:
        """How often both systems were trained, once if as often."""
        if not math.isfinite(self.difference):
            return ""
        return ", ".join(dict.fromkeys(str(each or "none") for each in self.trainings))


def judge(claims: Sequence[Claim], found: Found, missing: Mapping[str, str] = _NONE) -> list[Finding]:
    """The findings of claims, in their order.

    Args:
        claims: the paper's.
        found: the systems' evaluations.
        missing: why others have none, e.g. `NOT_TRAINED`.
    """
    return [_with_forms(claim, found, missing) for claim in claims]


def unjudged(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of claims that no measurement can judge, whatever ours say."""
    return [
        dataclasses.replace(
            each,
            verdict=CANNOT,
            reason="" if each.verdict == NOT_TRAINED else f"as measured here: {each.verdict}",
        )
        for each in findings
    ]


def verdict(findings: Sequence[Finding], invented: str = "") -> str:
    """A table's line.

    Args:
        findings: of all of its claims.
        invented: what it rests on that is not the paper's; "" for nothing.
    """
    if not findings:
        return "**Cannot be judged**: the paper ranks nothing here."
    counts = _counts(findings)
    if invented:
        return f"**Cannot be judged**: {invented} As measured here: {counts}."
    verdicts = {each.verdict for each in findings}
    if verdicts == {NOT_TRAINED}:
        return f"**Not trained** yet: {len(findings)} statement{'s' * (len(findings) > 1)}."
    denied = verdicts & {OPPOSITE, NOT_FOUND}
    if verdicts == {HOLDS}:
        word = "Reproduced"
    elif denied:
        word = "Partly reproduced" if HOLDS in verdicts else "Not reproduced"
    else:
        word = "Open"
    return f"**{word}**: {counts}."


def _counts(findings: Sequence[Finding]) -> str:
    """How many statements have each verdict."""
    verdicts = [each.verdict for each in findings]
    told = (f"{each}: {verdicts.count(each)}" for each in VERDICTS if each in verdicts)
    return f"{len(findings)} statement{'s' * (len(findings) > 1)}, {', '.join(told)}"


def _with_forms(claim: Claim, found: Found, missing: Mapping[str, str]) -> Finding:
    first = _finding(claim, found, missing)
    if not claim.forms:
        return first
    forms = tuple(_finding(each, found, missing) for each in claim.forms)
    verdicts = list(dict.fromkeys(each.verdict for each in (first, *forms)))
    if len(verdicts) == 1:
        return dataclasses.replace(first, forms=forms)
    if NOT_TRAINED in verdicts:
        some = next(each for each in (first, *forms) if each.verdict == NOT_TRAINED)
        return dataclasses.replace(first, verdict=NOT_TRAINED, reason=some.reason, forms=forms)
    return dataclasses.replace(
        first, verdict=OPEN, reason=f"its forms disagree: {', '.join(verdicts)}", forms=forms
    )


def _finding(claim: Claim, found: Found, missing: Mapping[str, str]) -> Finding:
    absent = [name for name in (claim.better, claim.worse) if not found.get(name)]
    if absent:
        waiting = dict.fromkeys(name for name in absent if missing.get(name) == NOT_TRAINED)
        if waiting:
            return Finding(claim, NOT_TRAINED, ", ".join(f"`{name}`" for name in waiting))
        return Finding(claim, reason=f"`{absent[0]}` was not measured")
    systems = [found[name] for name in (claim.better, claim.worse)]
    if not _alike([each for system in systems for each in system]):
        return Finding(claim, reason="not measured on the same pictures and holes")
    if not _measured(systems, claim.metric):
        if claim.instead:
            where = f"{claim.where}; judged by another metric: {METRICS[claim.metric].name} was not measured"
            other = dataclasses.replace(claim, metric=claim.instead, instead="", printed=None, where=where)
            return _finding(other, found, missing)
        return Finding(claim, reason=f"{METRICS[claim.metric].name} was not measured")
    if claim.metric.startswith("raw_") and len({_composited(system[0]) for system in systems}) > 1:
        return Finding(claim, reason="not like with like: the whole prediction of one of them is a composite")
    return _compared(claim, systems)


def _compared(claim: Claim, systems: Sequence[Sequence[Evaluation]]) -> Finding:
    better, worse = (_values(system, claim.metric) for system in systems)
    counts = (_trainings(systems[0]), _trainings(systems[1]))
    return _judged(claim, better, worse, counts, intervals.two_level)


def of_groups(claim: Claim, better: np.ndarray, worse: np.ndarray) -> Finding:
    """The finding of a claim about a system on two groups of pictures that have none in common.

    Args:
        claim: the paper's.
        better, worse: [trainings, pictures] of the claim's metric.
    """
    return _judged(claim, better, worse, (len(better), len(worse)), intervals.unpaired)


def of_trainings(claim: Claim, better: Sequence[float], worse: Sequence[float]) -> Finding:
    """The finding of a claim about a number of each training, e.g. what it computed."""
    counts = (len(better), len(worse))
    return _judged(claim, np.array(better, "float64"), np.array(worse, "float64"), counts, intervals.welch)


def _judged(
    claim: Claim,
    better: np.ndarray,
    worse: np.ndarray,
    trainings: tuple[int, int],
    interval: Callable[[np.ndarray, np.ndarray], tuple[float, float]],
) -> Finding:
    """The finding by the numbers of both, in the metric's own unit."""
    metric = METRICS[claim.metric]
    better, worse = metric.sign * better, metric.sign * worse
    found = Finding(
        claim,
        difference=float(better.mean() - worse.mean()),
        interval=interval(better, worse),
        margin=metric.margin(metric.sign * 0.5 * (better.mean() + worse.mean())),
        trainings=trainings,
    )
    decided, reason = _decided(found)
    return dataclasses.replace(found, verdict=decided, reason=reason)


def _decided(found: Finding) -> tuple[str, str]:
    """A verdict by `RULE`, and the reason of an `OPEN` one."""
    claim, (low, high), margin = found.claim, found.interval, found.margin
    few = [count for count in found.trainings if 0 < count < FEWEST]
    if few:
        return OPEN, "trained once"
    if math.isnan(low):
        return OPEN, "one picture is too few"
    all_small = -margin < low and high < margin
    if claim.tie:
        if all_small:
            return HOLDS, ""
        return (OPPOSITE, "") if low > margin or high < -margin else (OPEN, "the interval is too wide")
    absent = all_small if claim.printed is None else not low <= claim.printed <= high
    if absent and abs(found.difference) <= margin:
        return NOT_FOUND, ""
    if low > 0:
        return HOLDS, ""
    return (OPPOSITE, "") if high < 0 else (OPEN, "the interval is too wide")


def _trainings(system: Sequence[Evaluation]) -> int:
    """How often it was trained; 0 for a method that is not."""
    return len(system) if system[0].summary.get("recipe") else 0


def _alike(found: Sequence[Evaluation]) -> bool:
    """Whether all are of the same pictures and holes."""
    sets = {
        (str(each.summary["image_size"]), str(each.summary["mask"]), tuple(row["name"] for row in each.rows))
        for each in found
    }
    return len(sets) == 1


def _measured(systems: Sequence[Sequence[Evaluation]], metric: str) -> bool:
    return all(row.get(metric) is not None for system in systems for each in system for row in each.rows)


def _composited(found: Evaluation) -> bool:
    """Whether its whole prediction has the known pixels, as that of a network which makes the hole alone."""
    return all(row.get("raw_psnr") == row.get("psnr") for row in found.rows)


def _values(system: Sequence[Evaluation], metric: str) -> np.ndarray:
    """[trainings, pictures]; of times [trainings, batches], whose pictures share one."""
    values = [[row[metric] for row in each.rows] for each in system]
    if metric == "seconds":
        batches = [[time for time, _ in itertools.groupby(each)] for each in values]
        fewest = min(map(len, batches))
        values = [each[:fewest] for each in batches]
    return np.array(values, "float64")
