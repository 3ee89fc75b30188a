"""Tables made of two small systems, and what becomes of them when one failed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from made import cells, made
from small_systems import SYSTEMS, small

from inpainting_tf.book import face_gan
from inpainting_tf.book.claims import HOLDS, Claim, Finding
from inpainting_tf.book.entries import (
    BASELINES,
    Table,
    measurements,
)
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.evaluation import intervals
from inpainting_tf.ops import metrics

ABSENT = "autoencoder"  # is not trained
PRINTED = {
    "direct_conv": {"table 9": {"psnr": 17.09, "ssim": 0.84}},
    "cvae": {"table 9": {"lpips_x100": {"epoch 0": 9.96, "epoch 36": 2.91}}},
}
TABLE = Table(
    "table 9",
    "two systems",
    SYSTEMS,
    claims=(Claim("cvae", "direct_conv", "psnr", "page 1"), Claim("telea", "cvae", "hole_psnr", "page 2")),
    as_printed=face_gan.AS_PRINTED,
    course="epoch",
    note="A note.",
)


@pytest.fixture
def printed(monkeypatch):
    """The papers' numbers of `TABLE`."""

    def recipe(lab, name):
        return dataclasses.replace(small(lab, name), printed=PRINTED.get(name, {}))

    monkeypatch.setattr(Experiments, "recipe", recipe)


def test_a_table_has_printed_and_measured_numbers_side_by_side(lab, printed):
    rows = cells(made(TABLE, lab)[0][0])
    assert list(rows) == [*SYSTEMS, *BASELINES]
    ours = [
        "PSNR",
        "SSIM",
        "hole PSNR",
        "raw PSNR",
        "raw SSIM",
        "PSNR by eq. 3.16",
        "ms/picture",
        "trainings",
    ]
    theirs = ["PSNR, printed", "SSIM, printed", "LPIPS x100, printed"]
    assert list(rows["cvae"]) == ["", *theirs, *ours]
    assert [rows["direct_conv"][key] for key in theirs] == ["17.09", "0.84", ""]
    assert [rows["cvae"][key] for key in theirs] == ["", "", "2.91 (epoch 36)"]
    assert all(rows["telea"][key] == "" for key in theirs)
    for name, row in rows.items():
        found = lab.evaluation(name) if name in SYSTEMS else lab.baseline(name, "cvae")
        for header, key, digits in (("PSNR", "psnr", 2), ("raw SSIM", "raw_ssim", 4)):
            values = [each[key] for each in found.rows]
            low, high = intervals.two_level(np.array([values]))
            assert row[header] == f"{np.mean(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
        assert float(row["PSNR by eq. 3.16"]) == pytest.approx(found.summary["psnr"] - 24.065, abs=0.006)
        assert row["trainings"] == ("1" if name in SYSTEMS else "")
        assert float(row["ms/picture"]) == pytest.approx(1000 * found.summary["seconds_per_image"], abs=0.06)


def test_the_printed_psnr_is_that_of_the_metric():
    pictures = np.random.default_rng(0).random((2, 1, 8, 12, 3)).astype("float32")
    proper, printed = metrics.psnr(*pictures), metrics.psnr_as_printed_face_gan(*pictures)
    assert face_gan.AS_PRINTED[1](float(proper[0])) == pytest.approx(float(printed[0]), abs=1e-4)


def test_a_table_says_what_was_measured_and_what_it_means(lab, drawn):
    (_, extent, note, verdict, findings), pictures = made(TABLE, lab)
    assert extent.startswith(
        "8 test pictures of synthetic_faces at 16x16, holes: rectangle, 37.5 % of the side. In brackets: "
    )
    assert note == "A note."
    assert re.match(r"\*\*Open\*\*: 2 statements, open: 2\.", verdict)
    rows = cells(findings)
    assert list(rows) == [
        "cvae` better than `direct_conv` in PSNR",
        "telea` better than `cvae` in hole PSNR",
    ]
    differences = np.subtract(
        *([row["psnr"] for row in lab.evaluation(name).rows] for name in ("cvae", "direct_conv"))
    )
    told = rows["cvae` better than `direct_conv` in PSNR"]
    assert (
        told["effect here, 95 % interval"].startswith(f"{differences.mean():+.2f} (")
        and told["where"] == "page 1"
    )
    assert (told["printed effect"], told["small below"], told["here"]) == (
        "in words",
        "0.22",
        "open: trained once",
    )
    assert [(picture.file.name, picture.public) for picture in pictures] == [
        ("table_9_bars.png", True),
        ("table_9_course.png", True),
        ("table_9_sheet.png", False),
    ]
    bars, course, _ = drawn
    labels = [label.get_text() for label in bars.axes[0].get_yticklabels()]
    assert labels == [*SYSTEMS, *BASELINES]
    assert [line.get_label() for line in course.axes[0].lines] == list(SYSTEMS)


def test_the_course_over_the_operations(lab, drawn):
    made(dataclasses.replace(TABLE, course="operations"), lab)
    axes = drawn[1].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("operations", "hole PSNR (dB)")
    for name, line in zip(SYSTEMS, axes.lines, strict=True):
        rows = [row for row in lab.run(name).history() if row["val_hole_psnr"]]
        each = lab.operations(name) / 3e12
        assert list(line.get_xdata()) == pytest.approx([each * int(row["epoch"]) for row in rows])
        assert list(line.get_ydata()) == [float(row["val_hole_psnr"]) for row in rows]


def test_a_difference_in_time_is_told_in_milliseconds():
    finding = Finding(Claim("a", "b", "seconds"), HOLDS, "", 0.0035, (0.003, 0.004), 0.0002)
    [row] = cells(measurements.findings_table([finding])).values()
    assert row["effect here, 95 % interval"] == "+3.50 ms (+3.00 ms to +4.00 ms)"
    assert row["small below"] == "0.20 ms"


def test_the_printed_effect_is_that_of_the_papers_numbers(lab, printed, monkeypatch):
    numbers = {"table 9": {"psnr": 31.86, "lpips_x100": {"epoch 0": 9.98, "epoch 36": 2.83}}}
    monkeypatch.setitem(PRINTED, "direct_conv", numbers)
    monkeypatch.setitem(PRINTED, "cvae", {"table 9": {"psnr": 36.74, "lpips_x100": {"epoch 36": 2.91}}})
    asked = [Claim("cvae", "direct_conv"), Claim("cvae", "direct_conv", "raw_lpips")]
    found = [TABLE._with_effect(claim, lab).printed for claim in asked]
    assert found == pytest.approx([4.88, -0.0008])
    in_words = Claim("cvae", "direct_conv", in_words=True)
    assert TABLE._with_effect(in_words, lab).printed is None
    assert TABLE._with_effect(Claim("cvae", "telea"), lab).printed is None


def test_every_training_of_a_system_counts(lab, here):
    lab.seeds = 2
    table = dataclasses.replace(TABLE, claims=(Claim("cvae", "direct_conv", "psnr", "page 1"),), course="")
    assert table.ranked == ("cvae", "direct_conv")
    lab.train(table.systems, table.ranked)
    assert here == ["cvae", "direct_conv"], "the first trainings were there"
    rows = cells(made(table, lab)[0][0])
    evaluations = lab.evaluations("cvae")
    assert [each.summary["recipe"]["seed"] for each in evaluations] == [3, 4]
    mean = np.mean([each.summary["psnr"] for each in evaluations])
    assert rows["cvae"]["PSNR"].startswith(f"{mean:.2f} (") and rows["cvae"]["trainings"] == "2"
    [finding] = cells(made(table, lab)[0][-1]).values()
    assert "trained once" not in finding["here"]


def test_lpips_has_a_column_where_it_is_measured(lab, printed, monkeypatch):
    monkeypatch.setattr(measurements, "BASELINES", ("telea",))
    table = dataclasses.replace(TABLE, systems=("direct_conv",), claims=(), course="")
    assert "LPIPS x100" not in cells(made(table, lab)[0][0])["direct_conv"]
    lab.lpips = lambda images, completed: 0.1 * np.square(images - completed).mean((1, 2, 3))
    rows = cells(made(table, lab)[0][0])
    for name, row in rows.items():
        found = lab.evaluation(name) if name in SYSTEMS else lab.baseline(name, "direct_conv")
        for header, key in (("LPIPS x100", "mse"), ("raw LPIPS x100", "raw_mse")):
            assert row[header].startswith(f"{10 * found.summary[key]:.2f} (")


def test_a_system_that_failed_has_its_row_and_stops_nothing(lab, printed):
    lab.failures[ABSENT] = "no | room\nat all"
    table = dataclasses.replace(TABLE, systems=(ABSENT, *SYSTEMS), claims=(Claim(ABSENT, "cvae"),))
    texts, pictures = made(table, lab)
    rows = cells(texts[0])
    assert list(rows) == [ABSENT, *SYSTEMS, *BASELINES]
    assert rows[ABSENT]["PSNR"] == r"failed: no \| room at all" and rows[ABSENT]["SSIM"] == ""
    assert rows["cvae"] | {"ms/picture": ""} == cells(made(TABLE, lab)[0][0])["cvae"] | {"ms/picture": ""}
    assert "**Open**: 1 statement, open: 1." in texts and "open: `autoencoder` was not measured" in texts[-1]
    assert [picture.file.name for picture in pictures] == [
        "table_9_bars.png",
        "table_9_course.png",
        "table_9_sheet.png",
    ]


def test_a_classical_fill_that_failed_has_its_row(lab, monkeypatch):
    baseline = Experiments.baseline

    def fails(lab, name, *arguments):
        if name == "patchmatch":
            raise Missing("too small")
        return baseline(lab, name, *arguments)

    monkeypatch.setattr(Experiments, "baseline", fails)
    texts, pictures = made(TABLE, lab)
    assert cells(texts[0])["patchmatch"]["PSNR"] == "failed: too small" and len(pictures) == 3


def test_a_table_without_any_system_has_the_printed_numbers_and_no_figures(lab, printed, monkeypatch):
    monkeypatch.setitem(PRINTED, ABSENT, {"table 9": {"psnr": 17.09}})
    texts, pictures = made(
        dataclasses.replace(TABLE, systems=(ABSENT,), claims=(Claim(ABSENT, "telea"),)), lab
    )
    assert cells(texts[0])[ABSENT]["PSNR, printed"] == "17.09" and pictures == []
    assert cells(texts[0])[ABSENT]["PSNR"] == "not trained" and list(cells(texts[0])) == [ABSENT]
    assert "**Not trained** yet: 1 statement." in texts and "not trained: `autoencoder`" in texts[-1]
