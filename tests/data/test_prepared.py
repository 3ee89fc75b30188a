"""Prepared data sets: the same pictures as their source, or one line that says what is wrong."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from faces import CELEBA, WANTED, same
from running import contents

from inpainting_tf import data
from inpainting_tf.data import Data, Dataset, prepared
from inpainting_tf.data.decoding import Decoded
from inpainting_tf.errors import InputError

FILES = {"train.npy", "validation.npy", "test.npy", "prepared.json"}


@pytest.fixture
def folder(drawn, tmp_path) -> Path:
    return prepared.write(drawn, WANTED, tmp_path / "faces 16")


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
        "ids": None,
        "image_size": 16,
        "train": 15,
        "validation": 2,
        "test": 5,
        "split_seed": 2,
        "crop": "centre",
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


def test_the_official_numbers_matter_to_celeba_alone(drawn, folder, celeba, tmp_path):
    same(data.load(dataclasses.replace(WANTED, ids="1-5000"), folder), drawn)
    place = prepared.write(data.load(CELEBA, celeba), CELEBA, tmp_path / "celeba")
    with pytest.raises(InputError, match=r"ids is '1-5000' there and None here\. .* --ids=none,"):
        data.load(dataclasses.replace(CELEBA, ids=None), place)


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
