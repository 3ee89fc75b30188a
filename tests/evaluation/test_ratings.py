"""The study without its page: orders, the file that keeps the scores, and the statistics."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pytest
from running import environment, rows_of
from scipy import stats

from inpainting_tf import InputError
from inpainting_tf.evaluation import ratings
from inpainting_tf.evaluation.intervals import Test
from inpainting_tf.evaluation.ratings import Plan, Store

PLAN = Plan({"glcic": "1", "telea": "2", "unet": "3"}, {"a.png": "4", "b.png": "5", "c.png": "6"}, seed=7)


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / ratings.DATABASE, PLAN)


def score_all(store, rater, score_of):
    for position, (picture, system) in enumerate(PLAN.order(rater), 1):
        assert store.rate(rater, picture, system, score_of(picture, system), position)


# The order


RATERS = [f"rater {number}" for number in range(60)]


def test_every_rater_sees_every_fill_once_in_an_order_of_their_own():
    everything = sorted(itertools.product(PLAN.pictures, PLAN.systems))
    orders = [PLAN.order(rater) for rater in RATERS]
    assert all(sorted(order) == everything for order in orders)
    assert len({tuple(order) for order in orders}) > 50
    assert orders == [PLAN.order(rater) for rater in RATERS]
    assert PLAN.order("anna") != Plan(PLAN.systems, PLAN.pictures, seed=8).order("anna")


@pytest.mark.parametrize("pictures", ["ab", "abc"])
def test_no_picture_comes_twice_in_a_row(pictures):
    plan = Plan(PLAN.systems, dict.fromkeys(pictures, ""))
    for rater in RATERS:
        shown = [picture for picture, _ in plan.order(rater)]
        assert all(before != after for before, after in itertools.pairwise(shown))


def test_fills_that_are_shown_together_follow_each_other_in_random_order():
    plan = dataclasses.replace(PLAN, together=True)
    orders = [plan.order(rater) for rater in RATERS]
    assert all(sorted(order) == sorted(PLAN.order("anna")) for order in orders)
    for order in orders:
        assert [len({picture for picture, _ in order[at : at + 3]}) for at in (0, 3, 6)] == [1, 1, 1]
    assert len({tuple(system for _, system in order[:3]) for order in orders}) == 6


def test_a_study_knows_whether_its_fills_are_shown_together(tmp_path, store):
    plan = dataclasses.replace(PLAN, together=True)
    together = Store.create(tmp_path / "together.sqlite", plan)
    assert together.plan() == plan and store.plan() == PLAN
    with pytest.raises(InputError, match=r"holds a study with --together\. Received --notogether"):
        together.require(PLAN)


def test_a_study_of_the_first_version_goes_on_one_by_one(store):
    with sqlite3.connect(store.path) as connection:
        connection.executescript("ALTER TABLE study DROP COLUMN together; PRAGMA user_version = 1")
    assert store.plan() == PLAN
    score_all(store, "anna", lambda *fill: 3)
    assert len(store.rows()) == 9


def test_systems_and_pictures_are_spread_over_the_positions():
    orders = [PLAN.order(f"{number}") for number in range(600)]
    for part, names in enumerate((PLAN.pictures, PLAN.systems)):
        for position in range(9):
            counts = [sum(order[position][part] == name for order in orders) for name in names]
            assert min(counts) > 150  # of 200 expected


def test_a_single_picture_or_system():
    assert len(Plan(PLAN.systems, {"a": ""}).order("anna")) == 3
    assert len(Plan({"telea": ""}, PLAN.pictures).order("anna")) == 3


def test_names_of_raters():
    assert ratings.rater_name("  Anna\t MARIA ") == ratings.rater_name("anna maria") == "anna maria"
    assert ratings.rater_name("7") == "7" and ratings.rater_name("Åsa") == "åsa"
    for bad in ("", "  ", None, "=1+1", "-x", "a" * 41, "a\x00b", "<b>"):
        with pytest.raises(InputError, match="name"):
            ratings.rater_name(bad)


# The file


def test_what_is_kept(store):
    assert store.plan() == PLAN and list(store.plan().systems) == ["glcic", "telea", "unet"]
    assert store.rows() == [] and store.rated("anna") == set()
    assert store.rate("anna", "b.png", "telea", 4, 1) and store.rate("bo", "b.png", "telea", 2, 3)
    again = Store(store.path)
    assert again.rated("anna") == {("b.png", "telea")}
    row, _ = again.rows()
    moment = row.pop("rated_at")
    assert row == {"rater": "anna", "picture": "b.png", "system": "telea", "score": 4, "position": 1}
    assert moment.endswith("+00:00")


def test_the_first_score_stays(store):
    assert store.rate("anna", "a.png", "unet", 5, 1)
    assert not store.rate("anna", "a.png", "unet", 1, 2)
    assert [(row["score"], row["position"]) for row in store.rows()] == [(5, 1)]


@pytest.mark.parametrize(
    "picture, system, score",
    [("a.png", "unet", 0), ("a.png", "unet", 6), ("z.png", "unet", 3), ("a.png", "z", 3)],
)
def test_what_is_no_score_is_not_kept(store, picture, system, score):
    with pytest.raises(InputError):
        store.rate("anna", picture, system, score, 1)
    assert store.rows() == []


def test_a_study_is_never_begun_twice_in_one_file(store):
    with pytest.raises(InputError, match="already exists"):
        Store.create(store.path, PLAN)
    assert store.plan() == PLAN


OTHERS = {
    "systems": (
        Plan({"glcic": "1", "telea": "2"}, PLAN.pictures, 7),
        "systems glcic, telea, unet.*glcic, telea:",
    ),
    "weights": (Plan({**PLAN.systems, "unet": "x"}, PLAN.pictures, 7), "unet had other weights"),
    "pictures": (Plan(PLAN.systems, {"a.png": "4"}, 7), "pictures a.png, b.png, c.png. Received a.png:"),
    "pixels": (
        Plan(PLAN.systems, {**PLAN.pictures, "b.png": "x"}, 7),
        "b.png had other pixels or another hole",
    ),
    "seed": (Plan(PLAN.systems, PLAN.pictures, 8), "--seed=7. Received 8"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_study_is_refused_in_words(store, case):
    plan, words = OTHERS[case]
    store.require(PLAN)
    store.require(Plan(dict(reversed(PLAN.systems.items())), PLAN.pictures, 7))
    with pytest.raises(InputError, match=words) as refused:
        store.require(plan)
    assert "another --output" in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_no_study_is_told(tmp_path):
    missing = tmp_path / "none.sqlite"
    with pytest.raises(InputError, match="unable to open"):
        Store(missing).plan()
    assert not missing.exists()
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"this is no database, but long enough to be taken for one" * 40)
    with pytest.raises(InputError, match="not a database"):
        Store(garbage).rows()
    sqlite3.connect(tmp_path / "other.sqlite").execute("PRAGMA user_version = 99").connection.close()
    with pytest.raises(InputError, match="version 99"):
        Store(tmp_path / "other.sqlite").plan()


def test_many_threads_at_once(store):
    def rate(rater):
        score_all(Store(store.path), rater, lambda *_: 3)

    threads = [threading.Thread(target=rate, args=[f"r{number % 6}"]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.rows()) == 6 * 9


# Rates without an end as raters of its own; the same fills also as "both", in competition with the others.
_RATER = """
import itertools, sys
from pathlib import Path
from inpainting_tf.evaluation.ratings import Store

store, who = Store(Path(sys.argv[1])), sys.argv[2]
plan = store.plan()
for number in itertools.count():
    for rater in (f"{who} {number}", f"both {number}"):
        for position, (picture, system) in enumerate(plan.order(rater), 1):
            if store.rate(rater, picture, system, 1 + position % 5, position):
                print(rater, picture, system, sep="|", flush=True)
"""


@pytest.mark.slow
def test_killed_servers_lose_nothing_that_was_answered(store):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _RATER, str(store.path), who],
            env=environment(),
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for who in ("x", "y")
    ]
    answered = [[child.stdout.readline() for _ in range(40)] for child in children]  # both are at work
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
    answered = [
        lines + child.communicate()[0].splitlines(True)
        for lines, child in zip(answered, children, strict=True)
    ]
    told = [tuple(line.strip().split("|")) for lines in answered for line in lines if line.endswith("\n")]
    kept = [(row["rater"], row["picture"], row["system"]) for row in store.rows()]
    assert len(told) == len(set(told)) >= 80 and len(kept) == len(set(kept))
    assert set(told) <= set(kept) and len(kept) <= len(told) + 2  # at most one each was on its way
    assert store.rate("after", "a.png", "telea", 3, 1)


# The statistics


# Hollander and Wolfe (1973), table 7.1, in hundredths of a second: as in R's help of `friedman.test`, which
# says: Friedman chi-squared = 11.143, df = 2, p-value = 0.003805.
# fmt: off
ROUNDING_TIMES = np.array([
    540, 550, 555, 585, 570, 575, 520, 560, 550, 555, 550, 540, 590, 585, 570, 545, 555, 560, 540, 540, 535,
    545, 550, 535, 525, 515, 500, 585, 580, 570, 525, 520, 510, 565, 555, 545, 560, 535, 545, 505, 500, 495,
    550, 550, 540, 545, 555, 550, 555, 555, 535, 545, 550, 555, 550, 545, 525, 565, 560, 540, 570, 565, 555,
    630, 630, 625,
]).reshape(22, 3)
# fmt: on


def test_friedman_on_data_of_a_textbook():
    found = ratings.friedman(ROUNDING_TIMES)
    assert found.n == 22 and found.reason == ""
    assert found.statistic == pytest.approx(11.143, abs=5e-4) and found.p == pytest.approx(0.003805, abs=5e-7)


def test_friedman_by_hand():
    table = np.array([[1, 2, 3]] * 4 + [[2, 2, 5]] * 2)
    # Sums of ranks 7, 11, 18; Q = 12/(n k (k+1)) sum R^2 - 3 n (k+1) over 1 - sum(t^3 - t)/(n k (k^2 - 1)).
    expected = (12 / 72 * (7**2 + 11**2 + 18**2) - 72) / (1 - 2 * 6 / 144)
    found = ratings.friedman(table)
    assert found.statistic == pytest.approx(expected) and found.p == pytest.approx(np.exp(-expected / 2))


NO_TEST = {
    "friedman of two": (lambda: ratings.friedman(np.ones((9, 2), int)), "three systems"),
    "friedman of few": (lambda: ratings.friedman(np.ones((5, 3), int)), "5 complete blocks, at least 6"),
    "friedman of none": (lambda: ratings.friedman(np.ones((0, 3), int)), "0 complete blocks"),
    "friedman of ties": (lambda: ratings.friedman(np.ones((9, 3), int)), "the same score"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", NO_TEST)
def test_a_test_that_says_nothing_is_not_made(case):
    make, words = NO_TEST[case]
    found = make()
    assert isinstance(found, Test) and found.p is None and found.statistic is None and words in found.reason


def rows(scores):
    """{(rater, picture): {system: score}} as rows."""
    return [
        {"rater": rater, "picture": picture, "system": system, "score": score}
        for (rater, picture), block in scores.items()
        for system, score in block.items()
    ]


def test_a_system_described():
    found = ratings.Summary.of("telea", [5, 1, 2, 2, 4])
    assert (found.median, found.mean, found.quartiles) == (2, 2.8, (2, 4))
    assert ratings.Summary.of("telea", [1, 2]).quartiles == (1.25, 1.75)
    assert ratings.Summary.of("telea", []).median is None


def test_only_complete_blocks_are_compared_and_originals_are_not():
    plan = Plan({"original": "", "glcic": "", "telea": "", "unet": ""}, PLAN.pictures)
    scores = {
        (f"r{i}", picture): {"glcic": 4, "telea": 2, "unet": 3 + i % 2}
        for i in range(3)
        for picture in ("a.png", "b.png")
    }
    scores["r0", "c.png"] = {"glcic": 1, "telea": 5}
    scores["r1", "c.png"] = {"original": 5}
    found = ratings.analyse(plan, rows(scores))
    assert (found.raters, found.pictures, found.blocks) == (3, 3, 6)
    assert [len(each.scores) for each in found.summaries] == [1, 7, 7, 6]
    assert [(each.first, each.second) for each in found.pairs] == [
        ("glcic", "telea"),
        ("glcic", "unet"),
        ("telea", "unet"),
    ]
    expected = stats.friedmanchisquare([4] * 6, [2] * 6, [3, 3, 4, 4, 3, 3])
    assert found.friedman.statistic == pytest.approx(expected.statistic)
    glcic_telea, glcic_unet, telea_unet = found.pairs
    assert glcic_telea.difference == 2 and glcic_telea.test.p == telea_unet.test.p == 2 / 2**6
    assert glcic_telea.holm == telea_unet.holm == 3 * 2 / 2**6
    assert glcic_unet.test == Test(4, 0.0, 2 / 2**4) and glcic_unet.holm == 2 / 2**4
    text = ratings.conclusion(found)
    assert "glcic - telea: p = 0.094, +2.00" in text and "not tested" in text


# What is told


def cells(text: str) -> list[list[str]]:
    """Of the lines of tables."""
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_the_report(store):
    for number in range(7):
        score_all(store, f"rater {number}", lambda _, system: {"glcic": 5, "telea": 1, "unet": 3}[system])
    folder = store.path.parent
    text = ratings.report(folder)
    assert (folder / "report.md").read_text(encoding="utf-8") == text + "\n"
    assert "7 raters, 3 pictures" in text and ["telea", "21", "1", "1.00", "1 to 1"] in cells(text)
    assert "chi2(2) = 42.00, p < 0.001, 21 complete blocks" in text
    assert ["glcic - telea", "+4.00", "21", "0", "< 0.001", "< 0.001"] in cells(text)
    table = rows_of(folder, "ratings.csv")
    assert [
        {**row, "score": int(row["score"]), "position": int(row["position"])} for row in table
    ] == store.rows()
    assert (folder / "ratings.png").stat().st_size > 10_000
    assert sorted(file.name for file in folder.iterdir()) == [
        "ratings.csv", "ratings.png", "ratings.sqlite", "report.md",
    ]  # fmt: skip


def test_a_report_of_little_says_so(store):
    folder = store.path.parent
    with pytest.raises(InputError, match="no scores yet"):
        ratings.report(folder)
    with pytest.raises(InputError, match="none in it"):
        ratings.report(folder / "elsewhere")
    store.rate("anna", "a.png", "telea", 3, 1)
    text = ratings.report(folder)
    assert "1 rater, 3 pictures" in text and ["glcic", "0", "", "", ""] in cells(text)
    assert "not made, 0 complete blocks, at least 6 are needed." in text
    reason = "not tested: 0 pairs, at least 6 are needed"
    assert ["glcic - telea", "", "0", "", reason, ""] in cells(text)
