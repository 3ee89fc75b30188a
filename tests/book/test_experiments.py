"""Systems are trained once, go on where they stopped, are measured once, and fail alone."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import contents, drawn_faces, rows_of, tiny
from small_systems import SYSTEMS

from inpainting_tf import data, files, processes, runs
from inpainting_tf.book import experiments, places
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.data import Data
from inpainting_tf.errors import Diverged, InputError
from inpainting_tf.evaluation import comparison
from inpainting_tf.runs import checkpoints

PLACE = "synthetic_faces_16_rectangle-"


def metrics_of(lab: Experiments, name: str) -> Path:
    [file] = (lab.home / "evaluations").glob(f"*/{name}/metrics.json")
    return file


def change(folder: Path, field: str, value: object) -> None:
    """As if the run in `folder` had been started with another recipe."""
    recipe = runs.open_run(folder).recipe.override({field: value})
    files.write_json(folder / "recipe.json", recipe.to_json())


# Training


def test_what_is_trained_is_left_alone(lab, here, capsys):
    before = contents(lab.home)
    lab.train(SYSTEMS)
    assert here == [] and lab.failures == {} and contents(lab.home) == before
    assert capsys.readouterr().err == ""
    assert [lab.run(name).recipe.name for name in SYSTEMS] == list(SYSTEMS)


def test_what_is_not_trained_is_trained_once(lab, here, capsys):
    shutil.rmtree(lab.home / "direct_conv")
    lab.train(["cvae", "direct_conv", "direct_conv"])
    assert here == ["direct_conv"] and lab.failures == {}
    assert "[1/1] direct_conv" in capsys.readouterr().err
    assert checkpoints.latest_step(lab.run("direct_conv").checkpoints) == 12


def test_an_epoch_that_is_missing_is_no_finished_run(lab):
    folder = lab.home / "cvae"
    files.write_csv(folder / "history.csv", rows_of(folder)[:-1])
    with pytest.raises(Missing, match=r"^not trained$"):
        lab.run("cvae")


def test_a_last_step_that_was_not_kept_is_no_finished_run(lab):
    """Killed between the last epoch's row and the last checkpoint."""
    [kept] = lab.run("cvae").checkpoints.glob("step-*")
    kept.rename(kept.with_name("step-00000011"))
    with pytest.raises(Missing, match=r"^not trained$"):
        lab.run("cvae")


def test_a_packed_run_is_a_finished_run(lab):
    packed = runs.pack(lab.run("direct_conv"), lab.home / "packed")
    (lab.home / "direct_conv").rename(lab.home / "unpacked")
    packed.folder.rename(lab.home / "direct_conv")
    assert lab.evaluation("direct_conv").summary["images"] == 8
    with pytest.raises(Missing, match="keeps no samples"):
        lab.progress("direct_conv")


def test_a_run_of_another_recipe_is_refused_and_kept(lab, here):
    change(lab.home / "direct_conv", "seed", 4)
    before = contents(lab.home / "direct_conv")
    lab.train(SYSTEMS)
    assert here == ["direct_conv"]
    with pytest.raises(Missing, match="holds another run: seed is 4 there and 3 here"):
        lab.evaluation("direct_conv")
    assert contents(lab.home / "direct_conv") == before
    assert lab.evaluation("cvae").name == "cvae"


def test_a_recipe_that_cannot_be_read_fails_alone(lab, here):
    (lab.home / "direct_conv" / "recipe.json").write_text("{", encoding="utf-8")
    lab.train(["direct_conv", "cvae"])
    with pytest.raises(Missing, match=r"recipe\.json cannot be read"):
        lab.run("direct_conv")
    assert lab.run("cvae").recipe.name == "cvae"


@pytest.mark.parametrize(
    "error", [InputError("no room"), Diverged("no room"), processes.Died("no room"), MemoryError("no room")]
)
def test_a_failure_stops_no_other(lab, monkeypatch, error, capsys):
    begun = []

    def run(function, recipe, folder, place):
        begun.append(recipe.name)
        raise error

    monkeypatch.setattr(processes, "run", run)
    lab.train(["autoencoder", "direct_conv", "patch_autoencoder"])
    assert begun == ["autoencoder", "patch_autoencoder"]
    assert lab.failures == dict.fromkeys(begun, "no room")
    told = capsys.readouterr().err
    assert "[2/2] patch_autoencoder" in told and "autoencoder failed: no room" in told
    assert ("Traceback" in told) == isinstance(error, MemoryError)  # which is nobody's mistake


def test_an_interrupt_stops_all(lab, monkeypatch):
    def run(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "run", run)
    with pytest.raises(KeyboardInterrupt):
        lab.train(["autoencoder"])


def test_to_train_nothing(lab, here, capsys):
    lab.only_trained = True
    before = contents(lab.home)
    lab.train(["autoencoder", "direct_conv"])
    assert here == [] and contents(lab.home) == before
    assert lab.failures == {} and capsys.readouterr().err == "1 of 2 trainings are missing.\n"
    with pytest.raises(Missing, match=r"^not trained$"):
        lab.encoders()
    assert contents(lab.home) == before


def test_only_a_graphics_card_fits_the_epochs(lab, monkeypatch):
    """scripts/paper_scale.py does, for the scale "gpu"."""
    monkeypatch.setattr(
        Experiments, "recipe", lambda lab, name: tiny(name, data__test=8, seed=3, schedule__epochs=7)
    )
    with pytest.raises(Missing):
        lab.run("cvae")
    (lab.home).rename(lab.workdir / "gpu")
    lab.scale = "gpu"
    assert lab.run("cvae").recipe.schedule.epochs == 3
    change(lab.home / "cvae", "seed", 4)
    with pytest.raises(Missing):
        lab.run("cvae")


def test_a_scale_that_there_is_not(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'laptop'"):
        Experiments(tmp_path, "labtop")


def test_pictures_are_looked_for_in_every_place(tmp_path):
    empty, faces = tmp_path / "empty", tmp_path / "faces"
    for folder in (empty, faces):
        folder.mkdir()
    for number in range(1, 4):
        Image.new("RGB", (178, 218)).save(faces / f"{number:06d}.jpg")
    celeba = Data("celeba", 16, train=2, test=1)
    assert data.place(celeba, [empty, faces]) == faces
    assert data.place(celeba, [faces, empty]) == faces
    with pytest.raises(InputError, match=r"CelebA was not found\. Searched: .*empty"):
        data.place(celeba, [empty])
    assert data.place(Data("synthetic_faces", 16), [faces, empty]) is None
    assert data.place(Data("synthetic_faces", 16), []) is None


# What is left, and what was done


def test_the_time_that_is_left_is_that_of_this_machine(lab, monkeypatch):
    monkeypatch.setattr(experiments, "LAPTOP_MINUTES", {})
    monkeypatch.setattr(experiments, "OTHERS", 10.0)
    assert lab._minutes_left(["cvae"]) == "", "nothing to judge by"
    monkeypatch.setattr(
        experiments, "LAPTOP_MINUTES", {"direct_conv": 10.0, "cvae": 20.0, "autoencoder": 90.0}
    )
    for name, seconds in (("direct_conv", 300), ("cvae", 600)):  # twice as fast as there
        rows = rows_of(lab.home / name)
        files.write_csv(lab.home / name / "history.csv", [row | {"seconds": seconds} for row in rows])
        assert lab.run(name).minutes == seconds / 60
    assert lab._minutes_left(["autoencoder", "not among them"]) == ": about 50 min of training left in all"


# Measuring


def test_a_measurement_is_made_once(lab, monkeypatch):
    before = contents(lab.home)
    monkeypatch.setattr(comparison, "compare", None)
    found, fill = lab.evaluation("cvae"), lab.baseline("telea", "cvae")
    assert (found.name, fill.name) == ("cvae", "telea")
    assert len(found.rows) == len(fill.rows) == 8 and found.images.shape == (8, 16, 16, 3)
    assert contents(lab.home) == before
    assert metrics_of(lab, "cvae").parent.parent.name.startswith(PLACE)


@pytest.mark.parametrize("error", [InputError("no room"), MemoryError("no room"), MemoryError()])
def test_a_measurement_that_fails_is_told(lab, monkeypatch, error, capsys):
    def compare(*arguments, **options):
        raise error

    monkeypatch.setattr(comparison, "compare", compare)
    os.utime(metrics_of(lab, "cvae"), (1e9, 1e9))  # so that it is measured again
    with pytest.raises(Missing, match="no room" if error.args else "MemoryError"):
        lab.evaluation("cvae")
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, MemoryError)


def test_a_measurement_of_an_older_run_is_made_again(lab):
    file, first = metrics_of(lab, "direct_conv"), lab.evaluation("direct_conv")
    os.utime(file, (1e9, 1e9))
    again = lab.evaluation("direct_conv")
    assert file.stat().st_mtime > 1e9
    assert [row["psnr"] for row in again.rows] == [row["psnr"] for row in first.rows]
    fill = metrics_of(lab, "telea")
    os.utime(fill, (1e9, 1e9))
    lab.baseline("telea", "direct_conv")
    assert fill.stat().st_mtime == 1e9, "a classical fill is of no run"


def test_a_measurement_that_was_interrupted_is_made_again(lab, monkeypatch):
    folder = metrics_of(lab, "direct_conv").parent
    wanted = {file.name for file in folder.iterdir()}
    assert wanted >= {"good.png", "failed.png", "patches.png", "sheet.png", "shown.npz", "per_image.csv"}
    shutil.rmtree(folder)

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(comparison, "_patches", killed)
        with pytest.raises(KeyboardInterrupt):
            lab.evaluation("direct_conv")
    assert lab.sheet_of("direct_conv", "patches").exists()
    assert {file.name for file in folder.iterdir()} == wanted


def test_a_damaged_measurement_is_missing(lab):
    (metrics_of(lab, "cvae").parent / "shown.npz").write_bytes(b"no archive")
    with pytest.raises(Missing, match="must hold an evaluation"):
        lab.evaluation("cvae")


def test_a_model_that_cannot_be_read_is_missing(lab):
    (lab.home / "cvae" / "model.keras").write_bytes(b"no model")
    os.utime(metrics_of(lab, "cvae"), (1e9, 1e9))
    with pytest.raises(Missing, match="not a Keras model"):
        lab.evaluation("cvae")


def test_other_holes_have_a_place_of_their_own(lab, monkeypatch):
    before = contents(lab.home)
    monkeypatch.setattr(Experiments, "recipe", lambda lab, name: runs.open_run(lab.home / name).recipe)
    for field, value in (("mask.test.kind", "centre"), ("mask.test.low", 0.5), ("mask.test.high", 0.5)):
        change(lab.home / "cvae", field, value)
    assert (lab.baseline("telea", "cvae").masks.sum((1, 2, 3)) == 64).all()
    places = [folder.name for folder in (lab.home / "evaluations").iterdir()]
    assert {place.partition("-")[0] + "-" for place in places} == {PLACE, "synthetic_faces_16_centre-"}
    del before["cvae/recipe.json"]
    assert before.items() <= contents(lab.home).items()


OTHERS = {
    "source": {"source": "cifar10"},
    "size": {"image_size": 32},
    "count": {"test": 5},
    "classes": {"classes": "automobile"},
    "split seed": {"split_seed": 1},
}


@pytest.mark.parametrize("which", [*OTHERS, "holes", "names", "no names", "recipe"])
def test_another_test_set_or_recipe_has_a_place_of_its_own(lab, which):
    """Two papers may have the same holes, and not the same test pictures."""
    run = lab.run("cvae")
    own, recipe = comparison.TestSet.of(run), run.recipe
    replaced = {
        "holes": {"mask": dataclasses.replace(own.mask, low=0.25)},
        "names": {"names": own.names | {"test": own.names["test"][1:]}},
        "no names": {"names": None},
        "recipe": {},
    }.get(which) or {"data": dataclasses.replace(own.data, **OTHERS.get(which, {}))}
    other = dataclasses.replace(own, **replaced)
    changed = recipe.override({"seed": 4}) if which == "recipe" else recipe
    assert places.key(other, changed) != places.key(own, recipe)
    same = dataclasses.replace(own, data_dir="moved", names=own.names | {"train": []})
    assert places.key(same, recipe) == places.key(own, recipe)


def test_a_classical_fill_is_shared_by_systems_with_one_test_set(lab):
    keys = {places.key(comparison.TestSet.of(lab.run(name))) for name in SYSTEMS}
    assert len(keys) == 1


def test_other_files_of_the_same_names_are_measured_again(lab, tmp_path, monkeypatch):
    places = {name: tmp_path / name for name in ("old", "other", "empty")}
    drawn_faces(places["old"], 12)
    shutil.copytree(places["old"], places["other"])
    Image.new("RGB", (48, 48)).save(places["other"] / "1.png")
    places["empty"].mkdir()
    monkeypatch.setattr(Experiments, "recipe", lambda lab, name: runs.open_run(lab.home / name).recipe)
    folder = lab.home / "direct_conv"
    change(folder, "data.source", "folder")
    names = {"train": ["0.png"], "test": ["1.png", "2.png"]}
    record = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    files.write_json(folder / "data.json", record | names | {"data_dir": str(places["old"])})
    measured, compare = [], comparison.compare
    monkeypatch.setattr(comparison, "compare", lambda *a, **k: measured.append(a[1]) or compare(*a, **k))

    def measure(place: str) -> float:
        lab.places = [str(places[place])]
        return lab.baseline("telea", "direct_conv").summary["psnr"]

    first = measure("old")
    assert measure("old") == first and len(measured) == 1
    assert measure("other") != first and len(measured) == 2
    assert measure("old") == first and len(measured) == 3
    places["old"].rename(tmp_path / "away")
    assert measure("empty") == first and len(measured) == 3, "gone pictures cannot be measured again"
    places["moved"] = tmp_path / "away"
    assert measure("moved") == first and len(measured) == 3


def test_lpips_is_added_where_it_was_left_out(lab):
    lab.lpips = lambda images, completed: np.full(len(images), 0.0123)
    assert lab.baseline("telea", "cvae").summary["raw_lpips"] == pytest.approx(0.0123)
    assert lab.baseline("telea", "cvae").summary["lpips"] == pytest.approx(0.0123)
    stamp = metrics_of(lab, "telea").stat().st_mtime_ns
    lab.baseline("telea", "cvae")
    lab.lpips = None
    assert lab.baseline("telea", "cvae").summary["lpips"] == pytest.approx(0.0123)
    assert metrics_of(lab, "telea").stat().st_mtime_ns == stamp


def test_sheets_of_a_system(lab):
    assert lab.sheet_of("cvae", "diverse").parent == metrics_of(lab, "cvae").parent
    with pytest.raises(Missing, match="no sheet 'diverse'"):
        lab.sheet_of("direct_conv", "diverse")
    assert lab.progress("cvae") == lab.home / "cvae" / "figures" / "progress.png"
    with pytest.raises(Missing, match="not trained"):
        lab.progress("autoencoder")


def test_the_samples_over_the_training_are_kept(lab):
    """What `progress.png` is drawn of: the same pictures after each epoch."""
    run = lab.run("direct_conv")
    kept = sorted((run.folder / "samples").iterdir())
    assert [file.name for file in kept] == [f"epoch_{epoch:04d}.npy" for epoch in (1, 2, 3)]
    first, *_, last = (np.load(file) for file in kept)
    assert first.shape == (5, 16, 16, 3) and first.dtype == np.uint8
    found = lab.evaluation("direct_conv")
    known = np.broadcast_to(found.masks[:5] == 0, first.shape)
    np.testing.assert_array_equal(first[known], last[known])
    assert (first[~known] != last[~known]).any()


def test_pictures_that_moved_are_found_again(lab, tmp_path):
    """A run remembers where its pictures were; `places` say where they are now, if they are anywhere."""
    old, new, empty = (tmp_path / name for name in ("old", "new", "empty"))
    empty.mkdir()
    drawn_faces(new, 12)
    folder = lab.home / "direct_conv"
    change(folder, "data.source", "folder")
    record = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    names = {"train": ["0.png"], "test": ["1.png", "2.png"]}
    files.write_json(folder / "data.json", record | names | {"data_dir": str(old)})
    run = runs.open_run(folder)

    def pictures(*places: Path) -> str:
        lab.places = [str(place) for place in places]
        return lab._located(lab._test_set(run)).data_dir

    assert pictures(empty, new) == str(new)
    assert pictures(empty) == pictures() == str(old)
    lab.places = [str(new)]
    assert lab._located(lab._test_set(run, "synthetic_faces")).data_dir is None


def test_rows_of_a_measurement_are_those_of_its_file(lab):
    """What a page shows can be looked up."""
    folder = metrics_of(lab, "cvae").parent
    with open(folder / "per_image.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    mean = np.mean([float(row["psnr"]) for row in rows])
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["psnr"] == pytest.approx(mean)
    assert lab.evaluation("cvae").summary["psnr"] == pytest.approx(mean)
