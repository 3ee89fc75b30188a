"""Claims judged on measurements that can be followed by hand."""

from __future__ import annotations

import math

import pytest

from inpainting_tf.book import claims
from inpainting_tf.book.claims import FAILS, HOLDS, OPEN, Claim
from inpainting_tf.evaluation import Evaluation

# Seven pictures. Where all seven differences have one sign, Wilcoxon's p is 2 / 2**7 = 0.015625.
BASE = [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0]
STEPS = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]
UNANIMOUS = 2 / 2**7


def found(values: list, metric: str = "psnr", **summary) -> Evaluation:
    rows = [{"name": f"{i}.png", metric: value} for i, value in enumerate(values)]
    return Evaluation("x", rows, {"image_size": [32, 48], "mask": {"kind": "centre"}} | summary, *[None] * 3)


def above(base: list[float] = BASE, steps: list[float] = STEPS, sign: int = 1) -> list[float]:
    return [value + sign * step for value, step in zip(base, steps, strict=True)]


def judged(claim: Claim, better: list, worse: list) -> claims.Finding:
    measured = {"a": found(better, claim.metric), "b": found(worse, claim.metric)}
    [finding] = claims.judge([claim], measured)
    return finding


def test_a_claim_holds_where_every_picture_says_so():
    finding = judged(Claim("a", "b"), above(), BASE)
    assert (finding.verdict, finding.reason) == (HOLDS, "")
    assert finding.difference == pytest.approx(1.3) and finding.p == pytest.approx(UNANIMOUS)
    low, high = finding.interval
    assert 1.0 < low < 1.3 < high < 1.6


def test_a_claim_fails_where_every_picture_denies_it():
    finding = judged(Claim("a", "b"), BASE, above())
    assert finding.verdict == FAILS and finding.difference == pytest.approx(-1.3)
    assert finding.interval[1] < 0 and finding.p == pytest.approx(UNANIMOUS)


@pytest.mark.parametrize("metric", ["lpips", "seconds"])
def test_less_is_better_where_it_is(metric):
    assert judged(Claim("a", "b", metric), BASE, above()).verdict == HOLDS
    assert judged(Claim("a", "b", metric), BASE, above()).difference == pytest.approx(1.3)
    assert judged(Claim("a", "b", metric), above(), BASE).verdict == FAILS


def test_chance_leaves_a_claim_open():
    steps = [1.0, -1.1, 1.2, -1.3, 1.4, -1.5, 1.6]
    finding = judged(Claim("a", "b"), above(steps=steps), BASE)
    assert (
        finding.verdict == OPEN and "`a` above `b` in PSNR: the difference is within chance" in finding.reason
    )
    assert finding.difference == pytest.approx(1.3 / 7) and finding.p > 0.5


def test_a_rare_large_difference_is_no_rule():
    """Eleven pictures speak against the claim, significantly; the mean, with one of 60 dB, speaks for it."""
    worse = [20.0 + number for number in range(12)]
    steps = [-0.01 * number for number in range(1, 12)] + [40.0]
    finding = judged(Claim("a", "b"), above(worse, steps), worse)
    assert finding.p < 0.05 and finding.difference > 3
    assert finding.verdict == OPEN and finding.interval[0] < 0


def test_no_difference_at_all():
    finding = judged(Claim("a", "b"), BASE, BASE)
    assert (finding.verdict, finding.difference, finding.p) == (OPEN, 0.0, 1.0)


@pytest.mark.parametrize(("share", "verdict"), [(0.9, OPEN), (-0.9, OPEN), (1.1, HOLDS), (-1.1, FAILS)])
def test_systems_that_were_trained_once_are_not_ranked_by_what_a_seed_does(share, verdict):
    """Every picture says the same, as clearly as it can."""
    step = share * claims.METRICS["ssim"].retrained
    finding = judged(Claim("a", "b", "ssim"), above(steps=[step] * 7), BASE)
    assert finding.verdict == verdict and finding.p == pytest.approx(UNANIMOUS)
    seed = "`a` above `b` in SSIM: another seed makes as much of a difference"
    assert finding.reason == (seed if verdict == OPEN else "")


def test_claims_made_together_are_corrected_together():
    """Six pictures: 2 / 2**6 = 0.03125 is significant alone, and not as one of two."""
    six = {"a": found(above()[:6]), "b": found(BASE[:6]), "c": found(above(sign=-1)[:6])}
    [alone] = claims.judge([Claim("a", "b")], six)
    assert alone.verdict == HOLDS and alone.p == pytest.approx(0.03125)
    both = claims.judge([Claim("a", "b"), Claim("b", "c")], six)
    assert [each.verdict for each in both] == [OPEN, OPEN]
    assert [each.p for each in both] == pytest.approx([0.0625, 0.0625])


def test_claims_that_cannot_be_tested_cost_the_others_nothing():
    measured = {"a": found(above()), "b": found(BASE)}
    asked = [Claim("a", "absent"), Claim("a", "b"), Claim("absent", "b")]
    first, second, third = claims.judge(asked, measured)
    assert second.verdict == HOLDS and second.p == pytest.approx(UNANIMOUS)
    assert first.verdict == third.verdict == OPEN
    assert first.reason == third.reason == "`absent` was not measured"
    assert math.isnan(first.p) and math.isnan(first.difference)


def test_five_pictures_are_too_few():
    finding = judged(Claim("a", "b"), above()[:5], BASE[:5])
    assert finding.verdict == OPEN and finding.reason == "5 values are too few"
    assert finding.difference == pytest.approx(1.2) and math.isnan(finding.p)


@pytest.mark.parametrize(
    "other",
    [
        found(BASE, image_size=[64, 64]),
        found(BASE, mask={"kind": "rectangle"}),
        found(BASE[:6]),
        Evaluation("x", [row | {"name": "z"} for row in found(BASE).rows], found(BASE).summary, *[None] * 3),
    ],
    ids=["size", "holes", "number", "names"],
)
def test_only_the_same_pictures_and_holes_are_compared(other):
    [finding] = claims.judge([Claim("a", "b")], {"a": found(above()), "b": other})
    assert finding.verdict == OPEN and "not measured on the same pictures and holes" in finding.reason


def test_a_metric_that_was_left_out():
    finding = judged(Claim("a", "b", "lpips"), [None] * 7, [None] * 7)
    assert (finding.verdict, finding.reason) == (OPEN, "LPIPS was not measured")


# "As good as"


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ([0.05, -0.04, 0.03, -0.02, 0.01, -0.06, 0.07], HOLDS),  # the interval lies within +-0.25
        ([0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17], HOLDS),  # surely different, but by little
        (STEPS, FAILS),
        ([-step for step in STEPS], FAILS),
        ([-1.0, 1.1, -1.2, 1.3, -1.4, 1.5, 0.3], OPEN),
    ],
)
def test_as_good_as(steps, verdict):
    finding = judged(Claim("a", "b", tie=0.25), above(steps=steps), BASE)
    assert finding.verdict == verdict
    assert finding.claim.statement == "`a` as good as `b` in PSNR"


# In a line


def test_verdicts_in_a_line():
    measured = {"a": found(above()), "b": found(BASE), "c": found(above(sign=-1))}

    def line(*asked: Claim) -> str:
        return claims.verdict(claims.judge(asked, measured))

    right, also, wrong = Claim("a", "b"), Claim("b", "c"), Claim("c", "a")
    assert line() == "**Cannot be judged**: the paper ranks nothing here."
    assert line(right) == "**Reproduced**: the statement holds."
    assert line(right, also) == "**Reproduced**: 2 of 2 statements hold."
    told = "**Not reproduced** (1 of 2 statements hold): not so here: `c` above `a` in PSNR."
    assert line(right, wrong) == line(right, wrong, Claim("a", "d")).replace("of 3", "of 2") == told
    reason = "**Cannot be judged** (1 of 3 statements hold): `d` was not measured."
    assert line(right, Claim("a", "d"), Claim("b", "d")) == reason


def test_the_pictures_of_a_batch_count_once_where_time_is_compared():
    slow, fast = ([value for value in values for _ in range(16)] for values in (above(), BASE))
    finding = judged(Claim("a", "b", "seconds"), fast, slow)
    assert finding.verdict == HOLDS and finding.p == pytest.approx(UNANIMOUS)
    assert judged(Claim("a", "b", "psnr"), slow, fast).p < UNANIMOUS / 100
