"""Each kind of table and figure, made of two small systems; and what becomes of it when one failed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made import cells, made
from small_systems import SYSTEMS

from inpainting_tf import figures
from inpainting_tf.book import entries
from inpainting_tf.book.entries import (
    Bars,
    Curves,
    EncoderAccuracy,
    Progress,
    Ratings,
    Sheets,
    SideBySide,
)
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import comparison, ratings

ABSENT = "autoencoder"  # is not trained


# Figures


FAILED = f"`{ABSENT}`: not trained"


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        (Curves, ["figure_9_direct_conv.png", "figure_9_cvae.png"]),
        (Sheets, ["sheet.png", "sheet.png"]),
        (SideBySide, ["figure_9_16.png"]),
        (Bars, ["figure_9.png"]),
        (Progress, ["progress.png", "progress.png"]),
    ],
)
def test_a_figure_shows_all_but_what_failed(lab, kind, files):
    texts, pictures = made(kind("figure 9", "of three systems", (ABSENT, *SYSTEMS)), lab)
    assert texts == [FAILED]
    assert [picture.file.name for picture in pictures] == files
    assert all(picture.public == (kind in (Curves, Bars)) for picture in pictures)
    assert all(picture.caption.startswith("figure 9: ") for picture in pictures)
    assert made(kind("figure 9", "of nothing", (ABSENT,)), lab) == ([FAILED], [])


@pytest.mark.parametrize("which", ["sheet", "good", "failed", "patches", "diverse"])
def test_sheets_of_each_kind(lab, which):
    texts, [picture] = made(Sheets("figure 9", "", ("cvae",), which), lab)
    assert texts == [] and picture.file.name == f"{which}.png"
    assert picture.file.parent.name == "cvae" and picture.caption.startswith("figure 9: `cvae`, ")


def test_side_by_side_shows_whole_predictions_or_known_pixels(lab, monkeypatch):
    shown = []
    sheet = figures.sheet
    monkeypatch.setattr(
        figures,
        "sheet",
        lambda columns, *rest, **options: shown.append(columns) or sheet(columns, *rest, **options),
    )
    for raw in (False, True):
        _, [picture] = made(SideBySide("figure 9", "", ("direct_conv",), raw=raw), lab)
        assert ("whole predictions" in picture.caption) == raw
    kept, whole = (columns["direct_conv"] for columns in shown)
    found = lab.evaluation("direct_conv")
    np.testing.assert_array_equal(whole, found.predictions)
    known = np.broadcast_to(found.masks == 0, whole.shape)
    np.testing.assert_array_equal(kept[known], found.images[known])
    np.testing.assert_array_equal(kept[~known], whole[~known])
    assert (whole[known] != found.images[known]).mean() > 0.5
    assert list(shown[0]) == list(shown[1]) == ["input", "direct_conv", "original"]


def test_classical_fills_stand_beside_the_systems(lab, drawn, monkeypatch):
    shown = []
    sheet = figures.sheet
    monkeypatch.setattr(
        figures,
        "sheet",
        lambda columns, *rest, **options: shown.append([*columns]) or sheet(columns, *rest, **options),
    )
    made(SideBySide("figure 9", "", ("direct_conv",), baselines=("patchmatch",)), lab)
    assert shown == [["input", "patchmatch", "direct_conv", "original"]]
    assert made(SideBySide("figure 9", "", (ABSENT,), baselines=("patchmatch",)), lab) == ([FAILED], [])


def test_pictures_of_several_sizes_stand_on_several_sheets(lab, monkeypatch):
    other = dataclasses.replace(
        lab.evaluation("cvae"), summary=lab.evaluation("cvae").summary | {"image_size": [32, 32]}
    )
    evaluation = Experiments.evaluation
    monkeypatch.setattr(
        Experiments,
        "evaluation",
        lambda lab, name, *rest: other if name == "cvae" else evaluation(lab, name, *rest),
    )
    _, pictures = made(SideBySide("figure 9", "", SYSTEMS), lab)
    assert [picture.file.name for picture in pictures] == ["figure_9_16.png", "figure_9_32.png"]


def test_pictures_that_are_drawn_may_be_shown_to_everybody(lab, monkeypatch):
    """Drawn faces in place of the pictures that the systems know."""
    asked = []
    found = lab.evaluation("cvae")

    def evaluation(lab, name, source=None):
        asked.append(source)
        return found

    monkeypatch.setattr(Experiments, "evaluation", evaluation)
    _, [picture] = made(SideBySide("drawn", "", ("cvae",), source="synthetic_faces"), lab)
    assert picture.public and asked == ["synthetic_faces"]


def test_of_other_pictures_only_those_are_drawn_that_a_sheet_shows(lab):
    run = lab.run("direct_conv")
    faces = run.recipe.override({"data.source": "celeba", "data.test": 250})
    assert lab._test_set(dataclasses.replace(run, recipe=faces)).data.test == 250
    other = lab._test_set(dataclasses.replace(run, recipe=faces), "synthetic_faces")
    assert (other.data.test, other.data.source, other.names) == (comparison.SHOWN, "synthetic_faces", None)


@pytest.mark.parametrize("keys", [("psnr",), ("ssim",), ("psnr", "ssim")])
def test_bars_of_chosen_metrics(lab, drawn, keys):
    made(Bars("figure 9", "", SYSTEMS, metrics=keys), lab)
    labels = [ax.get_xlabel() for ax in drawn[0].axes]
    assert len(labels) == len(keys)
    assert all(key.upper() in label for key, label in zip(keys, labels, strict=True)), labels
    means = [lab.evaluation(name).summary[keys[0]] for name in SYSTEMS]
    assert [bar.get_x() + bar.get_width() for bar in drawn[0].axes[0].patches] == pytest.approx(means)


def test_a_course_is_drawn_where_there_are_numbers(tmp_path, drawn):
    rows = [{"epoch": "1", "x": ""}, {"epoch": "2", "x": "3.5"}, {"epoch": "3", "x": "4.5"}]
    figures.course({"a": rows, "without": rows[:1], "b": rows[1:2]}, "x", tmp_path / "course.png")
    [ax] = drawn[0].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert lines == {"a": [[2, 3.5], [3, 4.5]], "b": [[2, 3.5]]}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "x")
    with pytest.raises(InputError, match="'x'"):
        figures.course({"without": rows[:1]}, "x", tmp_path / "no.png")
    assert not (tmp_path / "no.png").exists()


def test_ten_lines_of_a_course_are_told_apart(tmp_path, drawn):
    rows = [{"epoch": 1, "x": 1.0}, {"epoch": 2, "x": 2.0}]
    figures.course({str(number): rows for number in range(10)}, "x", tmp_path / "course.png")
    looks = {(line.get_color(), line.get_linestyle()) for line in drawn[0].axes[0].lines}
    assert len(looks) == 10


# People


def test_scores_are_asked_for_where_there_are_none(lab):
    [text], pictures = made(Ratings("figure 9", "how natural", SYSTEMS), lab)
    assert text.startswith("**Cannot be judged**: it takes people.") and pictures == []
    assert all(f"--runs={lab.home / name}" in text for name in SYSTEMS) and "--study=FOLDER" in text


def test_scores_of_a_study_are_shown(lab, tmp_path):
    lab.study = str(tmp_path)
    with pytest.raises(Missing, match="none in it"):
        made(Ratings("figure 9", "how natural", SYSTEMS), lab)
    plan = ratings.Plan({name: name for name in SYSTEMS}, {"a.png": "1"})
    store = ratings.Store.create(tmp_path / ratings.DATABASE, plan)
    for position, (picture, system) in enumerate(plan.order("anna"), 1):
        store.rate("anna", picture, system, 4, position)
    [text], [picture] = made(Ratings("figure 9", "how natural", SYSTEMS), lab)
    assert (
        all(name in text for name in SYSTEMS) and picture.file == tmp_path / "ratings.png" and picture.public
    )


# Encoders


def rows(improved: list[float], glcic: list[float]) -> list[dict]:
    return [
        {"epoch": n, "improved": a, "glcic": b, "improved_seconds": 1.5, "glcic_seconds": 2.5}
        for n, (a, b) in enumerate(zip(improved, glcic, strict=True), 1)
    ]


@pytest.mark.parametrize(
    ("improved", "glcic", "words"),
    [
        ([0.3, 0.4], [0.2, 0.3], "ahead of GLCIC's after 2 of 2 epochs, and by +10.0 %"),
        ([0.2, 0.2], [0.2, 0.3], "ahead of GLCIC's after 0 of 2 epochs, and by -10.0 %"),
    ],
)
def test_two_encoders(tmp_path, improved, glcic, words):
    lab = SimpleNamespace(encoders=lambda: rows(improved, glcic), home=tmp_path, scale="laptop")
    [table, line, how], [picture] = made(EncoderAccuracy("figure 9", ""), lab)
    assert (
        line.startswith("**Cannot be judged**: the encoder's strides ") and words in line and picture.public
    )
    assert "in 0.60 of the time" in line and "`python scripts/encoder_comparison.py --epochs=" in how
    assert cells(table)["improved"] == {
        "encoder": "improved",
        "accuracy after epoch 1": f"{improved[0]:.3f}",
        "after epoch 2": f"{improved[1]:.3f}",
        "seconds of training": "3",
    }
    assert cells(table)["glcic"]["seconds of training"] == "5"


def test_files_of_entries_lie_in_the_folder_that_is_named():
    assert entries.Entry("Figures 4.1, 4.2", "").file(Path("f"), "_x") == Path("f/figures_4_1_4_2_x.png")
