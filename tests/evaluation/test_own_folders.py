"""Which pictures of a folder an evaluation measures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from running import command, contents, drawn_faces, rows_of, tiny

from inpainting_tf import runs
from inpainting_tf.data import synthetic_faces

TELEA = ("eval.py", "--baseline=telea", "--dataset=folder", "--image_size=16")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names_of(folder: str | Path) -> list[str]:
    return [row["name"] for row in rows_of(Path(folder), "per_image.csv")]


def test_a_folder_is_measured_whole(here):
    drawn_faces(here / "mine", 20)
    done = command(*TELEA, "--data_dir=mine")
    assert done.status == 0, done.err
    assert names_of("evaluations") == sorted(f"{number}.png" for number in range(20))
    assert "Pictures of mine: 20 in the folder itself." in done.err


def test_of_a_divided_folder_the_test_pictures_are_measured(here):
    (here / "mine").mkdir()
    drawn_faces(here / "mine" / "train", 3)
    drawn_faces(here / "mine" / "val", 2)
    done = command(*TELEA, "--data_dir=mine")
    assert names_of("evaluations") == ["val/0.png", "val/1.png"]
    assert "3 in train/ to train on; 2 in val/ to test on" in done.err


def test_a_shipped_model_is_measured_on_a_new_folder(here):
    drawn_faces(here / "mine", 3)
    done = command("eval.py", "--workdir=faces", "--dataset=folder", "--data_dir=mine", "--output=out")
    assert done.status == 0, done.err
    assert len(names_of("out")) == 3 and done.out.rpartition("\n3 pictures")[1]


# A run that was trained on a folder


@pytest.fixture(scope="module")
def trained_there(tmp_path_factory) -> tuple[Path, Path]:
    """A folder of 20 pictures and a run on it."""
    home = tmp_path_factory.mktemp("own")
    drawn_faces(home / "mine", 20)
    recipe = tiny("autoencoder", data__source="folder", data__test=4, data__validation=2, schedule__epochs=1)
    return home / "mine", runs.train(recipe, home / "run", data_dir=home / "mine", settings=False).folder


@pytest.fixture
def run(trained_there, here) -> Path:
    """Of this run, to be measured."""
    return shutil.copytree(trained_there[1], here / "run")


def own_names(run: Path) -> list[str]:
    return json.loads((run / "data.json").read_text(encoding="utf-8"))["test"]


@pytest.mark.parametrize("dataset", [(), ("--dataset=folder",)])
def test_the_runs_own_folder_moved_is_its_test_set(trained_there, run, here, dataset):
    shutil.copytree(trained_there[0], here / "moved")
    done = command("eval.py", f"--workdir={run}", "--data_dir=moved", *dataset)
    assert done.status == 0, done.err
    assert names_of(run) == own_names(run)


def test_a_new_folder_is_measured_whole_and_not_into_the_run(run, here):
    (here / "new").mkdir()
    for number in range(3):
        Image.fromarray(synthetic_faces.face(number, 40)).save(here / "new" / f"new {number}.png")
    before = contents(run)
    done = command("eval.py", f"--workdir={run}", "--data_dir=new")
    assert done.status == 0, done.err
    assert names_of("evaluations") == ["new 0.png", "new 1.png", "new 2.png"]
    assert contents(run) == before


def test_other_pictures_of_the_same_names_are_not_taken_for_the_runs_own(run, here):
    (here / "others").mkdir()
    for number in range(25):
        Image.fromarray(synthetic_faces.face(100 + number, 56)).save(here / "others" / f"{number}.png")
    done = command("eval.py", f"--workdir={run}", "--data_dir=others")
    told = ("'others' holds other files of the names of this run's test pictures", "--dataset=folder")
    assert done.refuses("`data_dir` must be the folder that the run was trained on", *told), done.err
    done = command("eval.py", f"--workdir={run}", "--data_dir=others", "--dataset=folder")
    assert done.status == 0 and len(names_of("evaluations")) == 25
    assert "14 of them have names of pictures that it was trained on." in done.err


def test_a_folder_that_lost_test_pictures_is_not_measured_for_the_rest(trained_there, run, here):
    moved = shutil.copytree(trained_there[0], here / "moved")
    (moved / own_names(run)[0]).unlink()
    done = command("eval.py", f"--workdir={run}", "--data_dir=moved")
    assert done.refuses("holds 3 of this run's 4 test pictures"), done.err
