"""The book's pages: Markdown that everybody may read, and one HTML file that needs no other."""

from __future__ import annotations

import base64
import dataclasses
import html.parser
import re
from pathlib import Path

import pytest
from made import Given
from small_systems import SYSTEMS

from inpainting_tf import tables
from inpainting_tf.book import pages
from inpainting_tf.book.entries import Picture
from inpainting_tf.book.experiments import Missing
from inpainting_tf.book.pages import Paper
from inpainting_tf.errors import InputError

PUBLIC = Picture(Path("curves.png"), "curves of `cvae`", public=True)
PRIVATE = Picture(Path("faces.png"), 'faces | <b>bold</b> & "quoted"')
PAPER = Paper(
    "face_gan",
    "A paper",
    (
        Given("table 1", "numbers", ("cvae",), ("**Reproduced**: all.", PUBLIC)),
        Given("figure 2", "faces", ("cvae", "autoencoder"), (PRIVATE, "words")),
        Given("figure 3", "nothing", (), ("before", Missing("not <i>here</i>"), "after")),
        Given("figure 4", "a mistake", (), (InputError("no such file"),)),
    ),
)
LEDGER = "# All\n\n## `face_gan` (faces)\n\n| a | b |\n|---|---|\n| x | y |\n\n## `unet_vs_cgan`\n\nother\n"


@pytest.fixture
def chapter(lab):
    return pages.make(PAPER, PAPER.entries, lab, pages.ledger_of(LEDGER, "face_gan"))


class Reader(html.parser.HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for each, attributes in self.tags if each == tag]


def test_the_systems_of_a_paper_each_once():
    assert PAPER.systems == ["cvae", "autoencoder"]


# Markdown


def test_a_page_never_holds_pictures_of_a_data_set(chapter, tmp_path):
    page = pages.write_page(chapter, tmp_path / "out")
    files = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*")}
    assert files == {"face_gan.md", "figures/face_gan_curves.png"}
    text = page.read_text(encoding="utf-8")
    assert "![curves of `cvae`](figures/face_gan_curves.png)" in text
    assert "faces.png" not in text and "base64" not in text
    parts = text.split("\n## ")
    note = "*Shows pictures of a data set, which may not be published: see the report.*"
    assert [note in part for part in parts].count(True) == 1
    assert note in parts[2] and parts[2].startswith("Figure 2: faces") and "words" in parts[2]


def test_what_has_nothing_else_to_show_is_listed(lab, tmp_path):
    entries = [Given(key, "faces", (), (PRIVATE,)) for key in ("figure 5", "figure 6")]
    chapter = pages.make(PAPER, [*PAPER.entries[:1], *entries], lab, "")
    text = pages.write_page(chapter, tmp_path).read_text(encoding="utf-8")
    assert (
        "## Only in the report\n\n" in text and "\n\n- Figure 5: faces\n- Figure 6: faces\n\n## How" in text
    )
    assert "## Figure" not in text and "see the report" not in text
    report = pages.write_report([chapter], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Figure 5: faces</h2>" in report and "Only in the report" not in report


def test_a_page_says_what_it_is_about(chapter, lab, tmp_path):
    first = "# A paper\n\nThe paper `face_gan`, reproduced.\n\n## Table 1: numbers\n\n**Reproduced**: all.\n"
    assert pages.write_page(chapter, tmp_path).read_text(encoding="utf-8").startswith(first)
    ours = pages.make(dataclasses.replace(PAPER, about="Ours."), PAPER.entries, lab, "")
    assert (
        pages.write_page(ours, tmp_path)
        .read_text(encoding="utf-8")
        .startswith("# A paper\n\nOurs.\n\n## Table 1")
    )


def test_what_fails_is_told_in_its_place(chapter, tmp_path):
    text = pages.write_page(chapter, tmp_path).read_text(encoding="utf-8")
    [third] = re.findall(r"## Figure 3: nothing\n\n(.*?)\n\n##", text, re.DOTALL)
    assert third == "before\n\nFailed: not &lt;i>here&lt;/i>"
    assert "## Figure 4: a mistake\n\nFailed: no such file\n" in text


def test_how_each_number_was_made(chapter, lab, tmp_path):
    text = pages.write_page(chapter, tmp_path).read_text(encoding="utf-8")
    [table] = re.findall(r"## How these numbers were made\n\n(.*?)\n\n", text, re.DOTALL)
    header, rule, first, second = (re.split(r" *\| *", line)[1:-1] for line in table.splitlines())
    assert header == ["system", "command", "seed", "training pictures", "px", "epochs", "minutes", "on"]
    made = dict(zip(header, first, strict=True))
    assert made["system"] == "`cvae`" and made["command"].startswith("`python train.py --model=cvae ")
    assert (made["seed"], made["training pictures"], made["px"]) == ("3", "20 of synthetic_faces", "16")
    assert (made["epochs"], made["on"]) == ("3", lab_device(lab))
    assert float(made["minutes"]) >= 0
    assert second[:3] == ["`autoencoder`", "not trained", ""] and len(rule) == 8


def lab_device(lab) -> str:
    text = (lab.home / "cvae" / "environment.json").read_text(encoding="utf-8")
    return re.search(r'"device": "([^"]+)"', text).group(1)


def test_every_departure_from_the_paper_is_printed(chapter, tmp_path):
    """By the difference of the recipes: of a trained system and of one that is not."""
    text = pages.write_page(chapter, tmp_path).read_text(encoding="utf-8")
    [table] = re.findall(r"## Where these trainings depart.*?\n\n.*?\n\n(\|.*?)\n\n", text, re.DOTALL)
    rows = [re.split(r" *\| *", line)[1:-1] for line in table.splitlines()[2:]]
    told = {row[0]: row[1:] for row in rows}
    assert told["side of the pictures in pixels"] == ["32", "16", "all"]
    assert told["data set"] == ["cifar10", "synthetic_faces", "all"]
    assert all("seed" not in row[0] and "preset" not in row[0] for row in rows)


def test_the_ledger_of_a_paper(chapter, tmp_path):
    assert pages.ledger_of(LEDGER, "face_gan") == "| a | b |\n|---|---|\n| x | y |"
    assert pages.ledger_of(LEDGER, "unet_vs_cgan") == "other"
    assert pages.ledger_of(LEDGER, "cifar_cars") == pages.ledger_of("", "face_gan") == ""
    text = pages.write_page(chapter, tmp_path).read_text(encoding="utf-8")
    assert text.endswith("## Where the paper contradicts itself\n\n| a | b |\n|---|---|\n| x | y |\n")


def test_a_part_of_a_paper_has_a_page_of_its_own(lab, tmp_path):
    whole = pages.make(PAPER, PAPER.entries, lab, "")
    part = pages.make(PAPER, PAPER.entries[1:2], lab, "")
    assert (whole.name, part.name) == ("face_gan", "face_gan_figure_2")
    text = pages.write_page(part, tmp_path).read_text(encoding="utf-8")
    assert "Figure 2" in text and "Table 1" not in text and "contradicts" not in text


def test_cells_keep_to_themselves():
    text = tables.table([["a|b", "n"], ["line\nbreak", 12]])
    assert text == "| a\\|b       |   n |\n| ---------- | --: |\n| line break |  12 |"
    assert tables.table([["a", "b"]], left=(1,)) == "|   a | b   |\n| --: | --- |"


# HTML


def test_the_report_holds_every_picture_and_needs_nothing_else(chapter, lab, tmp_path):
    page = Reader(pages.write_report([chapter], tmp_path / "report.html"))
    images = page.all("img")
    files = [lab.home / "figures" / "face_gan" / name for name in ("curves.png", "faces.png")]
    kinds, data = zip(*(image["src"].split(",") for image in images), strict=True)
    assert set(kinds) == {"data:image/png;base64"}
    assert [base64.b64decode(each) for each in data] == [file.read_bytes() for file in files]
    assert not {"link", "script", "iframe"} & {tag for tag, _ in page.tags}
    assert {attributes["href"] for attributes in page.all("a")} == {"#face_gan"}
    assert [attributes["id"] for attributes in page.all("section")] == ["face_gan"]
    assert "url(" not in page.text and "@import" not in page.text and "@@" not in page.text
    assert len(page.all("figure")) == len(page.all("figcaption")) == 2
    assert "see the report" not in page.text


def test_what_looks_like_html_is_text(chapter, tmp_path):
    file = pages.write_report([chapter], tmp_path / "report.html")
    page, text = Reader(file), file.read_text(encoding="utf-8")
    assert [image["alt"] for image in page.all("img")] == [PUBLIC.caption, PRIVATE.caption]
    assert 'faces | <b>bold</b> & "quoted"' in page.text and not page.all("b")
    assert "Failed: not <i>here</i>" in page.text and not page.all("i")
    assert "<figcaption>curves of <code>cvae</code></figcaption>" in text
    assert "<strong>Reproduced</strong>: all." in text


def test_tables_of_the_report_are_tables(lab, tmp_path):
    table = tables.table([["", "a"], ["failed: x|y <z>", 1], ["`b`", 2]])
    paper = Paper("p", "A <title>", (Given("table 1", "numbers", SYSTEMS, (table,)),))
    file = pages.write_report([pages.make(paper, paper.entries, lab, "")], tmp_path / "report.html")
    page = Reader(file)
    assert len(page.all("table")) == 3 and "A <title>" in page.text and not page.all("z")
    assert "<td>failed: x|y &lt;z&gt;</td>" in file.read_text(encoding="utf-8")


def test_several_papers_in_one_report(chapter, lab, tmp_path):
    other = Paper("other", "Another", (Given("table 1", "numbers", (), (PUBLIC,)),))
    second = pages.make(other, other.entries, lab, "")
    page = Reader(pages.write_report([chapter, second], tmp_path / "report.html"))
    assert [attributes["href"] for attributes in page.all("a")] == ["#face_gan", "#other"]
    assert [attributes["id"] for attributes in page.all("section")] == ["face_gan", "other"]
    assert len(page.all("img")) == 3
