"""The page that a reader sees first: every claim of the papers once, by verdict, and all of their effects."""

from __future__ import annotations

import dataclasses
import re

import pytest
from made import Given, cells

from inpainting_tf import book
from inpainting_tf.book import overview, pages
from inpainting_tf.book.claims import CANNOT, HOLDS, NOT_FOUND, NOT_TRAINED, OPEN, OPPOSITE, Claim, Finding
from inpainting_tf.book.entries import Verdict
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.book.pages import Paper


def found(verdict: str, better: str = "a", metric: str = "psnr", **about) -> Finding:
    claim = Claim(better, "b", metric, "table 1", printed=about.pop("printed", None))
    return Finding(claim, verdict, about.pop("reason", ""), **about)


TOLD = found(HOLDS, "a", printed=4.88, difference=0.5, interval=(0.2, 0.8), margin=0.22, trainings=(2, 0))
FIRST = (
    found(NOT_TRAINED, "e", reason="`e`"),
    found(
        OPEN,
        "c",
        reason="trained once",
        difference=0.5,
        interval=(-0.25, 0.75),
        margin=0.22,
        trainings=(1, 2),
    ),
    TOLD,
)
SECOND = (
    TOLD,
    found(CANNOT, "d", "naturalness", reason="it takes people"),
    found(OPPOSITE, "f", "raw_lpips", difference=-0.01, interval=(-0.02, -0.004), trainings=(2, 2)),
    found(
        NOT_FOUND,
        "g",
        "raw_lpips",
        printed=0.0056,
        difference=0.0,
        interval=(-0.001, 0.001),
        trainings=(2, 2),
    ),
)
FACES = Paper(
    "face_gan",
    "A paper",
    (
        Given("table 4.1", "the `first` & best", (), (Verdict("**Open**: 3 statements.", FIRST), "words")),
        Given("tables 2, epochs", "numbers", (), (Verdict("**Partly reproduced**: 4.", SECOND),)),
    ),
)
OURS = Paper(
    "best", "Ours", (Given("centre", "a hole", (), (Verdict("**Better**.", (found(HOLDS),)),)),), "", True
)


@pytest.fixture
def lab(tmp_path) -> Experiments:
    return Experiments(tmp_path / "book", "smoke")


@pytest.fixture
def chapters(lab):
    return [pages.make(paper, paper.entries, lab, "") for paper in (FACES, OURS)]


def test_every_claim_of_the_papers_is_a_result_once(chapters):
    results = overview.of(chapters)
    assert [each.finding.claim.better for each in results] == ["e", "c", "a", "d", "f", "g"]
    assert {each.chapter.paper.name for each in results} == {"face_gan"}


def test_a_sentence_says_what_holds_and_what_does_not(chapters):
    results = overview.of(chapters)
    assert overview.sentence(results) == (
        "Of 6 statements of the papers **1 holds here**. **2 do not**: 1 opposite, 1 effect not found. "
        "**1 nobody can know**: what they rest on is lost with the paper, or takes people. 1 is open: these "
        "trainings do not decide. 1 waits for a training."
    )
    assert overview.sentence([results[2]] * 2) == "Of 2 statements of the papers **2 hold here**."


def test_the_index_has_every_claim_by_verdict(chapters, lab, tmp_path):
    for chapter in chapters:
        pages.write_page(chapter, tmp_path)
    text = overview.write(chapters, lab, tmp_path).read_text(encoding="utf-8")
    [table] = re.findall(r"\n\n(\| here .*?)\n\n", text, re.DOTALL)
    rows = [
        [cell.strip() for cell in line.split(" | ")] for line in table.removesuffix(" |").splitlines()[2:]
    ]
    assert [row[0].removeprefix("| ").partition(":")[0] for row in rows] == [
        HOLDS, OPPOSITE, NOT_FOUND, OPEN, CANNOT, NOT_TRAINED,
    ]  # fmt: skip
    first, *_, last_but_two, _, waiting = rows
    assert first[1] == "`a` better than `b` in PSNR"
    assert first[2] == "[`face_gan`, table 4.1](face_gan.md#table-41-the-first--best)"
    assert first[3:5] == ["+4.88", "+0.50 (+0.20 to +0.80)"] and first[5].startswith("2, none")
    assert last_but_two[0] == "| open: trained once" and last_but_two[5].startswith("1, 2")
    assert waiting[0] == "| not trained: `e`" and waiting[3:5] == ["in words", ""]
    assert all((tmp_path / link).is_file() for link in re.findall(r"\]\(([^)#]+)", text))
    assert text.index("1 holds here") < text.index("![All effects") < text.index("| here ")


def test_the_index_has_every_table_and_ours_by_itself(chapters, lab, tmp_path):
    text = overview.write(chapters, lab, tmp_path).read_text(encoding="utf-8")
    papers, ours = text.split("## Table by table")[1].split("## Beside them: our own system")
    linked = "[`face_gan`](face_gan.md#table-41-the-first--best)"
    assert cells(papers.strip())[linked]["verdict"] == "**Open**: 3 statements."
    assert "**Partly reproduced**: 4." in papers and "**Better**." in ours and "best.md#centre-a-hole" in ours


def test_the_figure_has_a_panel_for_each_unit_and_all_effects(chapters, lab, tmp_path, drawn):
    overview.write(chapters, lab, tmp_path)
    assert (tmp_path / "figures" / "effects.png").is_file()
    decibels, lpips = (ax for ax in drawn[0].axes if ax.get_title(loc="left"))
    assert decibels.get_title(loc="left") == lpips.get_title(loc="left") == "face_gan"
    assert "PSNR (dB)" in decibels.get_xlabel() and "LPIPS x100" in lpips.get_xlabel()
    labels = [label.get_text() for label in decibels.get_yticklabels()]
    assert labels == [f"{name} better than b in PSNR" for name in "eca"]
    points = {
        line.get_marker(): line.get_xdata()[0] for line in lpips.lines[-4:-1] if line.get_marker() != "None"
    }
    assert points == {"o": 0.0, "D": pytest.approx(0.56)}, "LPIPS is drawn as it is printed, times 100"


def test_without_any_number_there_is_no_figure(lab, tmp_path):
    bare = dataclasses.replace(FACES, entries=(Given("table 1", "", (), (Verdict("", FIRST[:1]),)),))
    text = overview.write([pages.make(bare, bare.entries, lab, "")], lab, tmp_path).read_text(
        encoding="utf-8"
    )
    assert "effects.png" not in text and "No training is finished yet;" in text


def test_the_report_begins_with_the_results(chapters, lab, tmp_path):
    def opening(link):
        return overview.as_markdown(chapters, lab, link, overview.in_report)

    report = pages.write_report(chapters, tmp_path / "report.html", opening).read_text(encoding="utf-8")
    sections = re.findall(r'<section id="(\w+)"', report)
    assert sections == ["results", "face_gan", "best"] and 'href="#face_gan"' in report
    assert report.index("1 holds here") < report.index("<h1>A paper</h1>")


def test_the_index_says_how_long_all_of_it_took(lab, tmp_path, monkeypatch):
    took = {"cvae": 40, "direct_conv": 75}
    monkeypatch.setattr(
        Experiments, "minutes", lambda lab, systems: sum(took.get(each, 0) for each in systems)
    )
    systems = [("cvae",), ("direct_conv", "cvae", "autoencoder")]
    paper = Paper("face_gan", "A paper", tuple(Given(f"table {n}", "", s) for n, s in enumerate(systems)))
    index = overview.write([pages.make(paper, paper.entries, lab, "")], lab, tmp_path)
    assert "All trainings took 1 h 55 min;" in index.read_text(encoding="utf-8")


def test_a_book_without_any_training_lists_every_claim(tmp_path):
    """A half-finished queue can be published at any time."""
    lab = Experiments(tmp_path, "smoke", only_trained=True)
    chapters = [pages.make(paper, paper.entries, lab, "") for paper in book.PAPERS.values()]
    results = overview.of(chapters)
    assert len(results) > 30 and {each.finding.verdict for each in results} == {NOT_TRAINED, CANNOT}
    assert {each.chapter.paper.name for each in results} == set(book.PAPERS) - {"best"}
    index = overview.write(chapters, lab, tmp_path / "pages").read_text(encoding="utf-8")
    assert "failed" not in index and "![All effects" in index, "the printed ones"
