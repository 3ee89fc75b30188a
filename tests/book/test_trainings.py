"""Several trainings of a system, what is told of each, and what is kept of them beside the book."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
from pathlib import Path

import pytest
from made import made
from running import rows_of
from small_systems import SYSTEMS

from inpainting_tf import files, recipes, runs
from inpainting_tf.book import encoders, experiments, results, trainings
from inpainting_tf.book.entries import SideBySide
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.evaluation import comparison


def change(folder: Path, field: str, value: object) -> None:
    """As if the run in `folder` had been started with another recipe."""
    recipe = runs.open_run(folder).recipe.override({field: value})
    files.write_json(folder / "recipe.json", recipe.to_json())


def test_further_trainings_have_other_seeds_and_come_after_all_first_ones(lab, here, capsys):
    shutil.rmtree(lab.home / "cvae")
    lab.seeds = 3
    lab.train(SYSTEMS, ["direct_conv"])
    assert here == ["cvae", "direct_conv", "direct_conv"]
    assert [run.recipe.seed for run in lab.runs("direct_conv")] == [3, 4, 5]
    assert [run.folder.name for run in lab.runs("direct_conv")[1:]] == [
        "direct_conv-seed4",
        "direct_conv-seed5",
    ]
    assert len(lab.runs("cvae")) == 1 and "[2/3] direct_conv-seed4" in capsys.readouterr().err
    assert trainings.command(lab.run("direct_conv", 2)).count("--seed=5") == 1
    lab.seeds = 1
    assert len(lab.evaluations("direct_conv")) == 3, "all that there are"


def test_a_run_that_its_patience_ended_is_finished_and_its_best_epoch_measured(lab, monkeypatch):
    folder = lab.home / "direct_conv"
    rows = rows_of(folder)
    for row, value in zip(rows, (9.0, 8.0, 7.0), strict=True):
        row["val_hole_psnr"] = value
    files.write_csv(folder / "history.csv", rows)
    change(folder, "schedule.epochs", 9)
    monkeypatch.setattr(Experiments, "recipe", lambda lab, name: runs.open_run(lab.home / name).recipe)
    with pytest.raises(Missing, match=r"^not trained$"):
        lab.run("direct_conv")
    change(folder, "schedule.patience", 2)
    assert trainings.trained_epochs(lab.run("direct_conv")) == "1 (stopped after 3)"
    asked = []
    of_run = comparison.of_run
    monkeypatch.setattr(comparison, "of_run", lambda run, file=None: asked.append(file) or of_run(run, file))
    lab.evaluation("direct_conv")
    assert [file.name for file in asked] == ["model_best.keras"]


def test_epochs_that_a_paper_prints_are_kept(lab, monkeypatch):
    assert trainings.kept_epochs(recipes.get("ce_model0")) == [0, 12, 24, 36]
    assert trainings.kept_epochs(recipes.get("ce_model3")) == [0, 12, 24, 38]
    assert trainings.kept_epochs(recipes.get("glcic")) == []
    kept = []
    monkeypatch.setattr(runs, "train", lambda *arguments, keep_epochs, **rest: kept.extend(keep_epochs))
    experiments._train(recipes.get("ce_model3", "laptop"), lab.home / "ce_model3", None)
    assert kept == [0, 12, 24, 38]
    told = trainings.command(runs.Run(lab.home, recipes.get("ce_model3", "laptop")))
    assert told.endswith("--keep_epochs=0 --keep_epochs=12 --keep_epochs=24 --keep_epochs=38")


def test_a_kept_epoch_is_measured(lab):
    run = lab.run("direct_conv")
    with pytest.raises(Missing, match="does not keep this epoch"):
        lab.after("direct_conv", 2)
    run.kept_file(2).parent.mkdir()
    shutil.copy(run.model_file, run.kept_file(2))
    assert lab.after("direct_conv", 2).summary["psnr"] == lab.evaluation("direct_conv").summary["psnr"]


def test_the_last_epoch_that_a_paper_prints_is_the_one_that_counts(lab, monkeypatch):
    assert trainings.measured_file(lab.run("direct_conv")) is None
    printed = {"table": {"lpips_x100": {"epoch 1": 9, "epoch 2": 8}}}
    run = lab.run("direct_conv")
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, printed=printed))
    assert trainings.measured_file(run) is None, "it was not kept"
    run.kept_file(2).parent.mkdir()
    shutil.copy(run.model_file, run.kept_file(2))
    assert trainings.measured_file(run) == run.kept_file(2)
    assert trainings.trained_epochs(run) == "2 (of 3)"
    monkeypatch.setattr(Experiments, "run", lambda lab, name: run)
    assert lab.after("direct_conv", 2).summary == lab.evaluation("direct_conv").summary
    assert not [*lab.home.glob("evaluations/*/direct_conv-epoch2")], "one model is measured once"


# Results beside the book


def test_results_are_enough_to_check_every_number(lab, tmp_path):
    lab.results = tmp_path / "results"
    measured = {name: lab.evaluation(name) for name in SYSTEMS}
    folder = lab.results / "smoke" / "cvae"
    kept = {"recipe.json", "history.csv", "environment.json", "data.json", "metrics.json", "per_image.csv"}
    assert {file.name for file in folder.iterdir()} == kept
    assert sum(file.stat().st_size for file in folder.iterdir()) < 20_000
    record = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert record["test"] == lab.run("cvae").pictures()["test"] and record["counts"]["train"] == 20
    elsewhere = Experiments(tmp_path / "none", "smoke", only_trained=True, results=lab.results)
    elsewhere.train(SYSTEMS, SYSTEMS)
    assert elsewhere.failures == {}
    for name in SYSTEMS:
        found = elsewhere.evaluation(name)
        assert found.summary == measured[name].summary and len(found.images) == 0
        for mine, theirs in zip(found.rows, measured[name].rows, strict=True):
            assert mine["name"] == theirs["name"] and mine["psnr"] == pytest.approx(theirs["psnr"], rel=1e-6)
        assert elsewhere.run(name).history() == lab.run(name).history()
    with pytest.raises(Missing, match="its network is not among the results"):
        elsewhere.evaluation("cvae", "synthetic_faces")


def test_further_measurements_are_kept_and_read_where_their_run_is_gone(lab, tmp_path):
    lab.results = tmp_path / "results"
    run = lab.run("cvae")
    run.kept_file(2).parent.mkdir()
    shutil.copy(run.model_file, run.kept_file(2))
    lab.evaluation("cvae")
    measured = [lab.after("cvae", 2), *lab.on_training("cvae"), lab.baseline("telea", "cvae")]
    kept = {
        folder.name.partition("-")[0] + folder.name.partition("-")[2][:7]
        for folder in (lab.results / "smoke").iterdir()
    }
    assert kept == {"cvae", "cvaeepoch2", "cvaetrained", "teleasynthet"}
    elsewhere = Experiments(tmp_path / "none", "smoke", only_trained=True, results=lab.results)
    again = [elsewhere.after("cvae", 2), *elsewhere.on_training("cvae"), elsewhere.baseline("telea", "cvae")]
    assert [each.summary for each in again] == [each.summary for each in measured]
    with pytest.raises(Missing, match="does not keep this epoch"):
        elsewhere.after("cvae", 1)
    with pytest.raises(Missing, match="its pictures are not among the results"):
        elsewhere.sheet_of("cvae", "good")
    texts, pictures = made(SideBySide("figure 9", "", ("cvae",)), elsewhere)
    assert texts == ["`cvae`: failed: its pictures are not among the results"] and pictures == []


def test_results_are_read_only_where_nothing_is_to_be_trained(lab, tmp_path, here):
    lab.results = tmp_path / "results"
    lab.evaluation("cvae")
    again = Experiments(tmp_path / "again", "smoke", results=lab.results)
    again.train(["cvae"])
    assert here == ["cvae"] and results.kept(lab.results / "smoke" / "cvae")
    assert not results.kept(again.home / "cvae"), "a run is none, though it may be measured in its own folder"


# What is told


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.2, "1 min"), (59.4, "59 min"), (59.7, "1 h 00 min"), (200, "3 h 20 min")]
)
def test_durations(minutes, words):
    assert trainings.duration(minutes) == words


def test_the_command_trains_the_very_recipe(lab):
    run = lab.run("cvae")
    python, script, model, preset, *settings = shlex.split(trainings.command(run))
    assert [python, script, model, preset] == ["python", "train.py", "--model=cvae", "--preset=smoke"]
    assert "--seed=3" in settings
    changes = dict(each.removeprefix("--set=").removeprefix("--").split("=", 1) for each in settings)
    assert changes["seed"] == "3" and changes["data.image_size"] == "16"
    assert recipes.get("cvae", "smoke").override(changes).differences(run.recipe) == {}
    assert trainings.command(runs.Run(run.folder, recipes.get("glcic"))) == "python train.py --model=glcic"


def test_the_device_is_the_one_that_was_noted(lab):
    assert trainings.device_of(lab.run("cvae")).startswith("cpu")
    (lab.home / "cvae" / "environment.json").unlink()
    assert trainings.device_of(lab.run("cvae")) == "not noted"


# Encoders


def test_encoders_without_their_pictures(lab, tmp_path):
    lab.places = [str(tmp_path)]
    with pytest.raises(Missing, match="CIFAR-10 was not found"):
        lab.encoders()


def test_encoders_that_were_compared_are_shown_without_their_pictures(lab, monkeypatch):
    size = encoders.SIZES["smoke"]
    settings = {"epochs": size.epochs, "width": size.width, "batch_size": 100, "seed": 0}
    counts = {"training pictures": 400, "test pictures": 10_000}
    rows = [{"epoch": 1, "improved": 0.5}, {"epoch": 2, "improved": 0.6}]
    record = {"settings": settings | counts, "rows": rows}
    files.write_json(lab.home / "encoders" / "comparison.json", record)
    lab.only_trained = True
    assert lab.encoders() == rows
    files.write_json(
        lab.home / "encoders" / "comparison.json", record | {"settings": settings | counts | {"width": 64}}
    )
    with pytest.raises(Missing, match="another comparison: width 64 there and 4 here"):
        lab.encoders()
