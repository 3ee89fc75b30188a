"""`best` meets each opponent once, by a training that computed no more."""

from __future__ import annotations

import dataclasses

import pytest
from made import made
from small_systems import SYSTEMS

from inpainting_tf import book, recipes
from inpainting_tf.book.claims import HOLDS, OPEN, Claim, Finding
from inpainting_tf.book.entries import Contest
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.recipes import operations

CONTEST = Contest("centre", "a hole", ("long", "short", "rival", "cheap"), ours=("long", "short"))


def costs(monkeypatch, **millions: float) -> None:
    monkeypatch.setattr(Experiments, "operations", lambda lab, name: millions[name])


def test_the_longest_training_that_computed_no_more_is_met(lab, monkeypatch):
    costs(monkeypatch, long=100, short=10, rival=100, cheap=99)
    asked = CONTEST.asked(lab)
    assert [(claim.better, claim.worse) for claim in asked] == [("long", "rival"), ("short", "cheap")]
    costs(monkeypatch, long=100, short=10, rival=200, cheap=9)
    rival, cheap = CONTEST.asked(lab)
    assert rival.better == "long" and cheap.better not in CONTEST.systems, "nobody meets it"


def test_a_statement_is_one_per_opponent_in_every_metric(lab, monkeypatch):
    costs(monkeypatch, long=1, short=1, rival=2, cheap=2)
    asked = CONTEST.asked(lab)
    assert len(asked) == 2
    assert [form.metric for form in (asked[0], *asked[0].forms)] == ["hole_psnr", "hole_mae", "ssim"]
    lab.lpips = lambda *pictures: None
    assert CONTEST.asked(lab)[0].forms[-1].metric == "lpips"
    won, open_one = Finding(Claim("a", "b"), HOLDS), Finding(Claim("a", "c"), OPEN)
    assert CONTEST.verdict([won, open_one]).startswith("**Better than 1 of 2 opponents** in every metric")


def test_ours_is_a_chapter_of_its_own_and_trained_on_each_opponents_holes():
    assert [paper.name for paper in book.PAPERS.values() if paper.ours] == ["best"]
    contests = [entry for entry in book.PAPERS["best"].entries if isinstance(entry, Contest)]
    for contest in contests:
        trained = {
            (recipes.get(name, "laptop").mask, recipes.get(name, "laptop").data) for name in contest.systems
        }
        assert len(trained) == 1, contest.key


@pytest.mark.parametrize(
    ("ours", "cheapest"),
    [
        ("best_short", "context_encoder_rectangles"),
        ("best_centre_short", "semantic_inpainting"),
        ("best_half_short", "multiscale_encoder_decoder"),
        ("best_anywhere_short", "ce_model1"),
    ],
)
def test_no_opponent_computes_less_than_the_shortest_of_ours(ours, cheapest):
    mine, other = (recipes.get(name, "laptop") for name in (ours, cheapest))
    limit = operations.of_training(other, 1, other.schedule.epochs)
    assert operations.of_training(mine, 1, mine.schedule.epochs) <= limit


def test_a_contest_is_made_of_two_small_systems(lab):
    contest = dataclasses.replace(CONTEST, systems=SYSTEMS, ours=SYSTEMS[:1], course="")
    texts, _ = made(contest, lab)
    assert "SWD" in texts[0] and "hole L1" in texts[0]
    assert any(text.startswith("**Better than 0 of 1 opponents**") for text in texts)
