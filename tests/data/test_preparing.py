"""The command that prepares pictures, and runs on what it prepared."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from faces import CELEBA, WANTED, same
from running import (
    ROOT,
    command,
    contents,
    environment,
    python,
    rows_of,
    tiny,
    tiny_flags,
    without_tensorflow,
)

from inpainting_tf import data, recipes
from inpainting_tf.data import prepared


def prepare(*args: str):
    return command("inpainting-tf prepare", *args)


def next_recipe(out: str) -> tuple[recipes.Recipe, str]:
    """What the command that is printed last would train, and the folder it would train on."""
    words = shlex.split(re.search(r"^Next: (.*)", out, re.MULTILINE)[1])
    first = words.index("--model=glcic")
    assert words[:first] in (["inpainting-tf", "train"], ["python", "-m", "inpainting_tf", "train"])
    changes = dict(word.removeprefix("--set=").split("=") for word in words[first + 1 : -1])
    return recipes.get("glcic").override(changes), words[-1].removeprefix("--data_dir=")


def test_the_command_needs_no_tensorflow(drawn, tmp_path):
    place = tmp_path / "my faces"
    options = ("--dataset=synthetic_faces", "--image_size=16", "--train=15", "--validation=2", "--test=5")
    module = "import runpy; runpy.run_module('inpainting_tf.prepare', run_name='__main__', alter_sys=True)"
    env = environment(**without_tensorflow(tmp_path))
    out = python(module, *options, "--split_seed=2", f"--output={place}", env=env)
    assert "Prepared 13 training, 2 validation and 5 test pictures of generated faces, 16 px, 0.0 MB" in out
    assert str(place) in out
    same(data.load(WANTED, place), drawn)
    recipe, folder = next_recipe(out)
    same(data.load(recipe.data, folder), drawn)


def test_the_usual_settings(celeba, tmp_path):
    done = prepare(f"--data_dir={celeba}", f"--output={tmp_path / 'out'}")
    assert done.status == 0 and done.errors == [], done.err
    size = sum(map(len, contents(tmp_path / "out").values())) / 1e6
    assert (
        f"11 training, 2 validation and 3 test pictures of {celeba}, 128 px, {size:.1f} MB, "
        f"in {tmp_path}/out." in done.out
    )
    options = f"--model=glcic --set=data.crop=centre --data_dir={tmp_path}/out"
    assert done.out.endswith(f"Next: inpainting-tf train {options}\n")
    same(data.load(data.FACES, tmp_path / "out"), data.load(data.FACES, celeba))


def test_every_training_picture(celeba, tmp_path):
    size = ("--image_size=16", "--test=3", "--train=none", "--validation=2")
    done = prepare(f"--data_dir={celeba}", *size, f"--output={tmp_path / 'out'}")
    wanted = dataclasses.replace(CELEBA, train=None)
    found = data.load(wanted, tmp_path / "out")
    assert len(found.train.names) == 11
    same(found, data.load(wanted, celeba))
    recipe = next_recipe(done.out)[0]
    assert recipe.data == dataclasses.replace(wanted, flip=recipes.get("glcic").data.flip)


MISTAKES = {
    "--output=": ["--output must be a new or an empty folder. Received none"],
    "--output=taken": ["`output` must be a new or an empty folder. Received 'taken'"],
    "--output=taken/file/below": ["taken/file/below' could not be written", "choose another folder"],
    "--train=0": ["`train` must be none or at least 1. Received '0'"],
    "--train=-4": ["`train` must be none or at least 1. Received '-4'"],
    "--train=many": ["`train` must be none or at least 1. Received 'many'"],
    "--train=": ["`train` must be none or at least 1. Received ''"],
    "--dataset=celebb": ["`dataset` must be one of", "Did you mean 'celeba'?"],
    "--dataset=folder": ["`data_dir` must be a folder of pictures"],
    "stray": ["Options begin with --. Received 'stray'"],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine", encoding="utf-8")
    small = (
        "--dataset=synthetic_faces",
        "--image_size=16",
        "--train=2",
        "--validation=0",
        "--test=1",
        "--output=out",
    )
    done = prepare(*small, mistake)
    assert done.refuses(*MISTAKES[mistake]), done.err
    assert done.out == "" and contents(tmp_path) == {"taken/file": b"mine"}


def test_a_taken_output_is_found_before_anything_is_decoded(tmp_path):
    done = prepare("--dataset=folder", f"--data_dir={tmp_path / 'nowhere'}", f"--output={ROOT}")
    assert done.refuses("`output` must be a new or an empty folder"), done.err


@pytest.mark.parametrize("mistake", ["--image_size=8", "--test=0", "--split_seed=-1", "--test=few"])
def test_a_mistaken_flag_is_one_line(mistake, tmp_path):
    done = prepare(f"--output={tmp_path / 'out'}", mistake)
    assert done.refuses(mistake.removeprefix("--").partition("=")[0])


# Runs on either


def measured(run: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows_of(run, "per_image.csv")]


def evaluate(run: Path, *args: str) -> list[dict[str, str]]:
    done = command("eval.py", f"--workdir={run}", *args)
    assert done.status == 0, done.err
    return measured(run)


@pytest.mark.slow
def test_a_run_trained_on_one_is_measured_and_continued_on_the_other(celeba, tmp_path):
    place = prepared.write(data.load(CELEBA, celeba), CELEBA, tmp_path / "celeba_16")
    settings = {"data__source": "celeba", "data__train": 13, "data__validation": 2, "data__test": 3}
    settings |= {"data__crop": "centre", "schedule__epochs": 1}
    train = ("train.py", *tiny_flags(**settings))
    done = command(*train, f"--data_dir={place}", f"--workdir={tmp_path / 'run'}")
    assert done.status == 0, done.err
    assert f"10 training, 2 validation and 3 test pictures of {place}" in done.err
    here = evaluate(tmp_path / "run")
    assert [row["name"] for row in here] == data.load(CELEBA, celeba).test.names
    assert evaluate(tmp_path / "run", f"--data_dir={celeba}") == here
    done = command(*train, f"--data_dir={celeba}", f"--workdir={tmp_path / 'run'}")
    assert done.status == 0 and "is already trained" in done.err and str(celeba) in done.err

    there = shutil.copytree(tmp_path / "run", tmp_path / "there")  # the same, as if trained on the source
    record = json.loads((there / "data.json").read_text(encoding="utf-8"))
    record |= {"data_dir": str(celeba), "origin": str(celeba), **data.load(CELEBA, celeba).names()}
    (there / "data.json").write_text(json.dumps(record), encoding="utf-8")
    assert evaluate(there) == here
    assert evaluate(there, f"--data_dir={place}") == here
    assert tiny(**settings).data == dataclasses.replace(CELEBA, flip=tiny().data.flip)
