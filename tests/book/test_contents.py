"""What is in the book: everything that the papers show, of systems that exist, beside the printed numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import ROOT

from inpainting_tf import book, classical, evaluation, recipes
from inpainting_tf.book import cifar_cars, claims, pages
from inpainting_tf.book.entries import BASELINES, Course, Table, courses, groups, measurements
from inpainting_tf.book.entries.groups import Groups
from inpainting_tf.book.experiments import SCALES
from inpainting_tf.errors import InputError

PAPERS = [pytest.param(paper, id=paper.name) for paper in book.PAPERS.values()]
# The tables and figures that the papers have, but for drawings of networks.
SHOWN = {
    "face_gan": [
        *("table 4.1", "table 4.2", "table 4.3"),
        *(f"figure 4.{number}" for number in range(1, 13)),
        *("figure 5.1", "figure 5.2", "figure 5.3"),
    ],
    "unet_vs_cgan": ["table 1", "figure 4", "figure 5"],
    "skip_connection": ["table 1", "table 2", "figure 7", "figure 8"],
    "cifar_cars": [f"figure 3.{number}" for number in (2, 3, 5, 6, 8, 9, 10)],
    "multiscale_context_encoder": [
        *("table VI", "table VII"),
        *(f"figure {number}" for number in (10, 11, 12, 13, 14, 15, 16)),
    ],
}


def keys(chosen: list) -> list[str]:
    return [entry.key for _, entries in chosen for entry in entries]


@pytest.mark.parametrize(("paper", "item"), [(paper, item) for paper in SHOWN for item in SHOWN[paper]])
def test_nothing_that_a_paper_shows_is_left_out(paper, item):
    [(found, entries)] = book.select(paper, item)
    assert found.name == paper and entries
    kind, number = item.split()
    assert all(number.lower() in entry.key.lower() and kind in entry.key for entry in entries)


def test_the_papers_are_those_of_the_recipes_and_drawings_are_named():
    assert list(book.PAPERS) == [*SHOWN, "best"]  # which is ours
    assert {recipe.paper for recipe in recipes.RECIPES.values()} == {*SHOWN, "inpainting_tf"}
    assert cifar_cars.DRAWINGS == ("figure 3.4", "figure 3.7")
    for drawing in cifar_cars.DRAWINGS:
        with pytest.raises(InputError):
            book.select("cifar_cars", drawing)


def test_every_system_has_its_place():
    placed = {name for paper in book.PAPERS.values() for name in paper.systems}
    assert placed == set(recipes.RECIPES) - {"photos"}, "of which docs/photographs.md tells"


@pytest.mark.parametrize("paper", PAPERS)
def test_entries_are_told_apart_by_key_and_file(paper):
    assert len({entry.key for entry in paper.entries}) == len(paper.entries)
    assert len({entry.slug for entry in paper.entries}) == len(paper.entries)
    assert all(entry.file(Path("f")).name == f"{entry.slug}.png" for entry in paper.entries)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_system_has_a_sound_recipe_at_every_scale(paper, scale):
    for name in paper.systems:
        assert recipes.get(name, scale).check().preset == scale


@pytest.mark.parametrize("paper", PAPERS)
def test_claims_are_about_what_the_table_measures(paper):
    for table in (entry for entry in paper.entries if isinstance(entry, Table)):
        assert set(table.columns) <= claims.METRICS.keys() & set(evaluation.MEANS)
        for claim in table.claims:
            assert {claim.better, claim.worse} <= {*table.systems, *BASELINES}, (table.key, claim)
            assert claim.better != claim.worse and claim.metric in claims.METRICS and claim.where
        assert len(set(table.claims)) == len(table.claims)
    for entry in (entry for entry in paper.entries if isinstance(entry, (Course, Groups))):
        assert {name for claim in entry.claims for name in (claim.better, claim.worse)} <= {*entry.systems}
        measured = courses.NUMBERS.keys() if isinstance(entry, Course) else {groups.METRIC}
        assert all(claim.metric in measured and claim.where for claim in entry.claims)


def test_every_printed_number_stands_in_a_table():
    tables = {
        (paper.name, entry.key, name)
        for paper in book.PAPERS.values()
        for entry in paper.entries
        if isinstance(entry, Table)
        for name in entry.systems
    }
    printed = [(recipe, key) for recipe in recipes.RECIPES.values() for key in recipe.printed]
    assert len(printed) >= 16
    for recipe, key in printed:
        assert (recipe.paper, key, recipe.name) in tables
        assert all(measurements._header(metric) for metric in recipe.printed[key])


def test_classical_fills_stand_beside_the_systems():
    assert len(BASELINES) >= 4 and all(classical.get(name) for name in BASELINES)


@pytest.mark.parametrize("paper", SHOWN)
def test_every_paper_has_its_part_of_the_ledger(paper):
    text = (ROOT / "docs" / "inconsistencies.md").read_text(encoding="utf-8")
    part = pages.ledger_of(text, paper)
    assert len(part) > 200 and "##" not in part
    assert all(f"`{other}` (" not in part for other in book.PAPERS)


# Choosing


def test_all_papers_or_one():
    assert [paper.name for paper, _ in book.select("all")] == list(book.PAPERS)
    assert all(list(paper.entries) == entries for paper, entries in book.select("all"))
    [(paper, entries)] = book.select("unet_vs_cgan")
    assert paper.name == "unet_vs_cgan" and len(entries) == len(paper.entries)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("table 4.3", ["table 4.3"]),
        ("Table 4.3", ["table 4.3"]),
        ("4.3", ["table 4.3", "figure 4.3"]),
        ("figure 4.2", ["figures 4.1, 4.2"]),
        ("figures 4.1, 4.2", ["figures 4.1, 4.2"]),
        ("4.1", ["table 4.1", "figures 4.1, 4.2"]),  # but neither 4.10 nor 4.11
        ("drawn faces", ["drawn faces"]),
    ],
)
def test_entries_by_key_or_number(asked, found):
    assert keys(book.select("face_gan", asked)) == found


def test_entries_of_several_papers():
    assert keys(book.select("all", "VI")) == ["table VI"]
    assert keys(book.select("all", "figure 15")) == ["figures 14, 15"]
    assert [paper.name for paper, _ in book.select("all", "table 1")] == ["unet_vs_cgan", "skip_connection"]
    assert keys(book.select("cifar_cars", "figure 3.10")) == ["figures 3.2 to 3.10", "figure 3.10"]
    assert keys(book.select("cifar_cars", "figure 3.6")) == ["figure 3.6", "figure 3.6, draws"]


@pytest.mark.parametrize(
    ("paper", "entry", "nearest"),
    [
        ("face_gam", None, "'face_gan'"),
        ("face_gan", "table 4.4", "'table 4."),
        ("multiscale_context_encoder", "table VIII", "'table VII'"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest(paper, entry, nearest):
    with pytest.raises(InputError, match=f"Did you mean {nearest}"):
        book.select(paper, entry)
