"""Prepared data sets: the same pictures as their source, or one line that says what is wrong."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
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
from inpainting_tf.data import Data, Dataset, prepared, synthetic_faces
from inpainting_tf.data.pictures import Decoded
from inpainting_tf.errors import InputError

WANTED = Data("synthetic_faces", 16, train=15, validation=2, test=5, split_seed=2)
CELEBA = Data("celeba", 16, train=13, validation=2, test=3)
FILES = {"train.npy", "validation.npy", "test.npy", "prepared.json"}


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return data.load(WANTED)


@pytest.fixture
def folder(drawn, tmp_path) -> Path:
    return prepared.write(drawn, WANTED, tmp_path / "faces 16")


@pytest.fixture(scope="module")
def celeba(tmp_path_factory) -> Path:
    """000001.jpg ... 000017.jpg, higher than wide; one that a split takes is not a picture."""
    place = tmp_path_factory.mktemp("celeba")
    for number in range(1, 18):
        face = Image.fromarray(synthetic_faces.face(number, 40)[:, :34])
        face.save(place / f"{number:06d}.jpg", quality=95)
    bad = data.split(sorted(path.name for path in place.iterdir()), CELEBA)["train"][4]
    (place / bad).write_text("This is not a picture.", encoding="utf-8")
    return place


def same(one: Dataset, other: Dataset) -> None:
    assert one.names() == other.names()
    for which in data.SPLITS:
        np.testing.assert_array_equal(getattr(one, which).images, getattr(other, which).images)


def of_two(train: Decoded, test: Decoded) -> Dataset:
    return Dataset(train, Decoded(train.images[:0], [], []), test, "somewhere")


# What is written is what is read


def test_the_same_pictures_under_the_same_names(drawn, folder):
    assert contents(folder).keys() == FILES and list(folder.parent.iterdir()) == [folder]
    found = data.load(WANTED, folder)
    same(found, drawn)
    for split, count in ((found.train, 13), (found.validation, 2), (found.test, 5)):
        assert split.images.shape == (count, 16, 16, 3)
        assert isinstance(split.images, np.memmap) and split.images.dtype == np.uint8 and split.skipped == []
        assert not split.images.flags.writeable


def test_any_way_to_name_the_folder(drawn, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    for place in (str(folder), f"~/{folder.name}"):
        same(data.load(WANTED, place), drawn)


def test_the_notes_say_what_was_asked_for(drawn, folder):
    notes = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    assert notes["data"] == {
        "source": "synthetic_faces",
        "classes": None,
        "image_size": 16,
        "train": 15,
        "validation": 2,
        "test": 5,
        "split_seed": 2,
    }
    assert notes["origin"] == "generated faces" and notes["names"] == drawn.names()


def test_every_field_but_the_mirroring_is_kept():
    assert set(prepared.FLAGS) == {field.name for field in dataclasses.fields(Data)} - {"flip"}


def test_one_split_alone(drawn, folder):
    found = data.load(WANTED, folder, splits=("test",))
    assert found.train.images.shape == (0, 16, 16, 3) and found.train.names == []
    np.testing.assert_array_equal(found.test.images, drawn.test.images)
    found = data.load(WANTED, folder, splits=("train",))
    assert found.test.names == []
    np.testing.assert_array_equal(found.train.images, drawn.train.images)


def test_pictures_that_cannot_be_read_are_left_out_once(celeba, tmp_path):
    whole = data.load(CELEBA, celeba)
    assert (len(whole.train.names), len(whole.train.skipped)) == (10, 1)
    assert (len(whole.validation.names), len(whole.test.names)) == (2, 3)
    same(data.load(CELEBA, prepared.write(whole, CELEBA, tmp_path / "out")), whole)


def test_names_of_any_alphabet(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    names = ["Fünf ☃/写真.png", "a b.jpg", "not \udcff utf-8.png"]
    dataset = of_two(Decoded(images[:2], names[:2], []), Decoded(images[2:], names[2:], []))
    wanted = Data("folder", 16, validation=0)
    same(data.load(wanted, prepared.write(dataset, wanted, tmp_path / "out")), dataset)


def test_a_large_array_is_never_in_memory_as_a_whole(tmp_path):
    images = np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.uint8, (4001, 64, 64, 3))
    images[-1] = 7
    names = [str(number) for number in range(4001)]
    dataset = of_two(Decoded(images, names, []), Decoded(images[:1], ["test"], []))
    wanted = Data("folder", 64, validation=0)
    tracemalloc.start()
    try:
        prepared.write(dataset, wanted, tmp_path / "out")
        found = data.load(wanted, tmp_path / "out")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < images.nbytes / 3
    np.testing.assert_array_equal(found.train.images[[0, 4000]], images[[0, 4000]])


# Settings that must agree

OTHER = {
    "source": ("celeba", "'synthetic_faces' there and 'celeba' here", "--dataset=celeba"),
    "classes": ("Cats", "None there and 'Cats' here", "--classes=Cats"),
    "image_size": (32, "16 there and 32 here", "--image_size=32"),
    "train": (None, "15 there and None here", "--train=none"),
    "validation": (3, "2 there and 3 here", "--validation=3"),
    "test": (4, "5 there and 4 here", "--test=4"),
    "split_seed": (0, "2 there and 0 here", "--split_seed=0"),
}


@pytest.mark.parametrize("field", OTHER)
def test_other_settings_are_refused(folder, field):
    value, told, flag = OTHER[field]
    with pytest.raises(
        InputError, match=rf"faces 16' was prepared .*: {field} is {told}\. .* {flag},"
    ) as caught:
        data.load(dataclasses.replace(WANTED, **{field: value}), folder)
    assert "\n" not in str(caught.value)


def test_all_settings_that_differ_are_told_at_once(folder):
    with pytest.raises(InputError, match=r"image_size is .*, test is .* --image_size=32 --test=4,"):
        data.load(dataclasses.replace(WANTED, image_size=32, test=4), folder)


def test_a_folder_of_before_there_were_classes_holds_all_of_them(drawn, folder):
    settings = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))["data"]
    del settings["classes"]
    change_notes(folder, data=settings)
    same(data.load(WANTED, folder), drawn)
    with pytest.raises(InputError, match=r"classes is None there and 'cats' here\. .* --classes=cats,"):
        data.load(dataclasses.replace(WANTED, classes="cats"), folder)


def test_a_folder_of_before_there_was_validation_is_divided_when_it_is_read(tmp_path):
    before = dataclasses.replace(WANTED, validation=0)
    folder = prepared.write(data.load(before), before, tmp_path / "out")
    assert contents(folder).keys() == FILES - {"validation.npy"}
    notes = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    del notes["data"]["validation"], notes["names"]["validation"]
    change_notes(folder, **notes)
    for wanted in (before, WANTED, dataclasses.replace(WANTED, validation=3)):
        same(data.load(wanted, folder), data.load(wanted))


def test_mirroring_is_not_a_matter_of_the_pictures(drawn, folder):
    same(data.load(dataclasses.replace(WANTED, flip=False), folder), drawn)


def test_how_many_train_is_not_a_matter_of_the_test_pictures(drawn, folder):
    wanted = dataclasses.replace(WANTED, train=4000, validation=7)
    found = data.load(wanted, folder, splits=("test",))
    np.testing.assert_array_equal(found.test.images, drawn.test.images)
    assert found.test.names == data.load(wanted, splits=("test",)).test.names, "as from the source"
    for field in ("source", "classes", "image_size", "test", "split_seed"):
        with pytest.raises(InputError, match=rf": {field} is "):
            data.load(dataclasses.replace(WANTED, **{field: OTHER[field][0]}), folder, splits=("test",))


# A run's own pictures


def test_a_run_finds_its_pictures_whatever_its_split_was(drawn, folder):
    mine = {"train": [*drawn.test.names[3:], *drawn.train.names[4::-1]], "test": drawn.train.names[5:8]}
    found = data.load(Data("synthetic_faces", 16), folder, names={"data_dir": "elsewhere", **mine})
    assert found.names() == mine | {"validation": []} and found.origin == str(folder)
    expected = [*drawn.test.images[3:], *drawn.train.images[4::-1]]
    np.testing.assert_array_equal(found.train.images, expected)
    np.testing.assert_array_equal(found.test.images, drawn.train.images[5:8])


def test_a_run_of_the_same_settings_takes_the_files_as_they_are(drawn, folder):
    found = data.load(WANTED, folder, names=drawn.names())
    same(found, drawn)
    assert isinstance(found.train.images, np.memmap) and isinstance(found.test.images, np.memmap)


def test_a_run_whose_pictures_are_not_there(drawn, folder):
    names = {"train": drawn.train.names, "test": [*drawn.test.names, "face_999999"]}
    with pytest.raises(InputError, match=r"1 test pictures of this run are not in .*faces 16 .*face_999999"):
        data.load(WANTED, folder, names=names)
    same(
        data.load(WANTED, folder, names=names | {"test": []}, splits=("train",)),
        data.load(WANTED, folder, splits=("train",)),
    )


@pytest.mark.parametrize("field", ["source", "image_size"])
def test_a_run_of_other_pictures_is_refused(drawn, folder, field):
    value, told, _ = OTHER[field]
    with pytest.raises(InputError, match=f"{field} is {told}"):
        data.load(dataclasses.replace(WANTED, **{field: value}), folder, names=drawn.names())


# Where it is written


def test_a_folder_that_holds_something_is_left_alone(drawn, folder):
    before = contents(folder)
    with pytest.raises(InputError, match=r"`output` must be a new or an empty folder\. Received .*faces 16'"):
        prepared.write(drawn, WANTED, folder)
    with pytest.raises(InputError, match="`output` must be a new or an empty folder"):
        prepared.write(drawn, WANTED, folder / "test.npy")
    assert contents(folder) == before


def test_an_empty_folder_and_missing_parents(drawn, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    same(data.load(WANTED, prepared.write(drawn, WANTED, tmp_path / "link")), drawn)
    assert contents(tmp_path / "empty").keys() == FILES
    same(data.load(WANTED, prepared.write(drawn, WANTED, tmp_path / "a" / "b")), drawn)


def test_a_full_disk_is_one_line_and_leaves_nothing(drawn, tmp_path, file_size_limit):
    with (
        file_size_limit(drawn.train.images.nbytes // 2),
        pytest.raises(InputError, match="could not be written"),
    ):
        prepared.write(drawn, WANTED, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# Spoilt folders


def cut(file: Path, share: float = 0.9) -> None:
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


def change_notes(folder: Path, **changes) -> None:
    file = folder / "prepared.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def lose_a_name(folder: Path) -> None:
    notes = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    change_notes(folder, names=notes["names"] | {"train": notes["names"]["train"][1:]})


def swap(folder: Path) -> None:
    (folder / "train.npy").rename(folder / "other.npy")
    (folder / "test.npy").rename(folder / "train.npy")
    (folder / "other.npy").rename(folder / "test.npy")


IMAGES = {
    "cut": lambda f: cut(f / "train.npy"),
    "cut in the header": lambda f: cut(f / "test.npy", 0.01),
    "empty": lambda f: (f / "test.npy").write_bytes(b""),
    "lost": lambda f: (f / "train.npy").unlink(),
    "text": lambda f: (f / "train.npy").write_text("This is not an array.", encoding="utf-8"),
    "archive": lambda f: (f / "train.npy").write_bytes(b"PK\x03\x04" + bytes(99)),
}
SHAPES = {
    "a name lost": lose_a_name,
    "splits swapped": swap,
    "another size": lambda f: np.save(f / "train.npy", np.zeros((13, 16, 24, 3), np.uint8)),
    "floats": lambda f: np.save(f / "train.npy", np.zeros((13, 16, 16, 3), np.float32)),
}
NOTES = {
    "cut": lambda f: cut(f / "prepared.json"),
    "empty": lambda f: (f / "prepared.json").write_bytes(b""),
    "binary": lambda f: (f / "prepared.json").write_bytes(b"\xff\xfe\x00"),
    "a list": lambda f: (f / "prepared.json").write_text("[1, 2]", encoding="utf-8"),
    "another program's": lambda f: (f / "prepared.json").write_text(
        '{"data": {"source": "celeba"}}', encoding="utf-8"
    ),
    "another version's": lambda f: change_notes(f, format="inpainting_tf prepared pictures 2"),
    "no names": lambda f: change_notes(f, names=None),
    "names of one split": lambda f: change_notes(f, names={"train": []}),
    "a setting lost": lambda f: change_notes(f, data={"source": "synthetic_faces", "image_size": 16}),
}


def refused(folder: Path, told: str) -> None:
    with pytest.raises(InputError, match=told + ".*python -m inpainting_tf.prepare") as caught:
        data.load(WANTED, folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", IMAGES)
def test_spoilt_pictures(folder, how):
    IMAGES[how](folder)
    refused(folder, r"(train|test)\.npy is damaged or cut off: .+\.")


@pytest.mark.parametrize("how", SHAPES)
def test_pictures_that_are_not_those_of_the_notes(folder, how):
    SHAPES[how](folder)
    refused(
        folder,
        r"train\.npy must be uint8 of shape \(1[23], 16, 16, 3\).* Received (uint8|float32) of shape \(",
    )


@pytest.mark.parametrize("how", NOTES)
def test_spoilt_notes(folder, how):
    NOTES[how](folder)
    refused(folder, r"prepared\.json is damaged, or not of a data set that this version prepared")


def test_a_folder_without_notes_is_not_prepared(folder):
    assert prepared.find(None) is None and prepared.find(folder.parent) is None
    assert prepared.find(folder / "train.npy") is None
    (folder / "prepared.json").unlink()
    with pytest.raises(InputError, match="`data_dir` must be None for dataset 'synthetic_faces'"):
        data.load(WANTED, folder)


# The command


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
    assert done.out.endswith(f"Next: inpainting-tf train --model=glcic --data_dir={tmp_path}/out\n")
    same(data.load(Data(), tmp_path / "out"), data.load(Data(), celeba))


def test_every_training_picture(celeba, tmp_path):
    size = ("--image_size=16", "--test=3", "--train=none", "--validation=2")
    done = prepare(f"--data_dir={celeba}", *size, f"--output={tmp_path / 'out'}")
    wanted = dataclasses.replace(CELEBA, train=None)
    found = data.load(wanted, tmp_path / "out")
    assert len(found.train.names) == 11
    same(found, data.load(wanted, celeba))
    assert next_recipe(done.out)[0].data == wanted


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
    settings["schedule__epochs"] = 1
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
