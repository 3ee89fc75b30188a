"""A folder of pictures: what of it is taken, how it is divided, what is left out and told."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from grey import levels, put

from inpainting_tf import data
from inpainting_tf.data import Data, sources
from inpainting_tf.errors import InputError


def test_folder_is_recursive_sorted_and_picky(tmp_path):
    for name in ("b.PNG", "a/z.jpg", "a/y.JPeG", "c.webp", "d.bmp", "e.tif", "f.tiff", "a.b/x.jpg"):
        put(tmp_path / name)
    for name in (".hidden.jpg", ".git/x.jpg", "__MACOSX/a/z.jpg", "notes.txt", "g.gif", "jpg"):
        put(tmp_path / name)
    expected = ["a.b/x.jpg", "a/y.JPeG", "a/z.jpg", "b.PNG", "c.webp", "d.bmp", "e.tif", "f.tiff"]
    assert sources.folder(tmp_path).names == expected
    assert sources.folder(str(tmp_path)).names == expected


def test_folder_reads_the_picture_of_each_name(tmp_path):
    for name, level in (("b.png", 7), ("a/c.png", 9)):
        put(tmp_path / name, level, "png")
    source = sources.folder(tmp_path)
    assert source.names == ["a/c.png", "b.png"] and levels(source) == [9, 7]
    assert source.read(0).shape == (32, 48, 3) and source.read(0, (16, 20)).shape == (16, 20, 3)


def test_folder_needs_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"`data_dir` must be a folder of pictures.*Received None"):
        sources.folder()
    with pytest.raises(InputError, match="no such folder"):
        sources.folder(tmp_path / "none")
    put(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="a file"):
        sources.folder(tmp_path / "a.jpg")


def test_empty_folder_says_what_counts(tmp_path):
    (tmp_path / "a.gif").touch()
    with pytest.raises(InputError, match=r"\.jpg, \.jpeg, \.png, \.webp, \.bmp, \.tif, \.tiff") as caught:
        sources.folder(tmp_path)
    assert str(tmp_path) in str(caught.value)


# Which are taken


def put_all(root: Path, *names: str) -> None:
    for level, name in enumerate(names):
        put(root / name, level)


def test_linked_folders_are_followed_once_each(tmp_path):
    put_all(tmp_path / "here", "a/1.jpg", "b/2.jpg")
    put_all(tmp_path / "elsewhere", "3.jpg", "deep/4.jpg")
    (tmp_path / "here" / "0 link").symlink_to("../elsewhere")
    (tmp_path / "here" / "again").symlink_to(tmp_path / "elsewhere" / "deep")
    (tmp_path / "here" / "a" / "b").symlink_to("../b")
    (tmp_path / "elsewhere" / "back").symlink_to("../here")
    (tmp_path / "here" / "self").symlink_to("self")
    source = sources.folder(tmp_path / "here")
    assert source.names == ["0 link/3.jpg", "0 link/deep/4.jpg", "a/1.jpg", "b/2.jpg"]
    assert levels(source) == [0, 1, 0, 1]
    for link in ("0 link/back/", "again/", "a/b/"):
        assert f"{link} (a link to a folder that is taken already)" in source.account


def test_linked_files_are_pictures_of_their_own(tmp_path):
    put(tmp_path / "a.jpg", 5)
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "c.jpg").hardlink_to(tmp_path / "a.jpg")
    assert levels(sources.folder(tmp_path)) == [5, 5, 5]


@pytest.mark.parametrize(
    "marks", [("recipe.json", "data.json"), ("metrics.json", "per_image.csv"), ("table.md", "comparison.png")]
)
def test_what_this_package_wrote_is_not_trained_on(tmp_path, marks):
    put_all(tmp_path, "1.jpg", "mine/figures/samples.png", "mine/sheet.png", "mine/.lock")
    for name in marks:
        (tmp_path / "mine" / name).touch()
    source = sources.folder(tmp_path)
    assert source.names == ["1.jpg"]
    count = 2 + ("comparison.png" in marks)
    assert source.account.endswith(f"Left out: {count} in mine/ (a run or an evaluation).")
    with pytest.raises(InputError, match=rf"holds no pictures: .* but {count} in the folder itself \(a run"):
        sources.folder(tmp_path / "mine")


MASKS = {
    "masks beside images": (["images/1.jpg", "images/2.jpg"], ["masks/1.png", "masks/2.png"]),
    "masks below pictures": (["1.jpg", "2.jpg"], ["mask/1.png"]),
    "in each split": (["train/images/1.jpg", "test/images/2.jpg"], ["train/masks/1.png", "test/masks/2.png"]),
    "split in each": (["images/train/1.jpg", "images/val/2.jpg"], ["labels/train/1.png", "labels/val/2.png"]),
    "by another name": (
        ["img/1.jpg"],
        ["irregular_masks/1.png", "Annotations/1.png", "SegmentationClass/1.png"],
    ),
    "files": (["1.jpg", "2_mask.jpg"], ["1_mask.png", "1_mask001.png"]),
    "no masks": (["with_mask/1.jpg", "without_mask/2.jpg", "labels/3.jpg", "masked/4.jpg"], []),
    "masks alone": (["masks/1.png", "masks/2.png"], []),
}


@pytest.mark.parametrize("which", MASKS)
def test_masks_beside_pictures_are_not_pictures(tmp_path, which):
    wanted, masks = MASKS[which]
    put_all(tmp_path, *wanted, *masks)
    source = sources.folder(tmp_path)
    assert source.names == sorted(wanted)
    assert ("masks)" in source.account) == bool(masks)


# How they are divided

DIVISIONS = {
    "train, val": {"train": ["train/1.jpg"], "test": ["val/2.jpg"]},
    "train, test": {"train": ["Train/1.jpg"], "test": ["Test/2.jpg"]},
    "all three": {"train": ["train/1.jpg"], "validation": ["valid/2.jpg"], "test": ["test/3.jpg"]},
    "by class": {"train": ["train/cat/1.jpg", "train/dog/1.jpg"], "test": ["validation/cat/2.jpg"]},
    "in each class": {"train": ["cat/train/1.jpg", "dog/train/1.jpg"], "test": ["cat/test/2.jpg"]},
    "below one": {"train": ["data/images/train/1.jpg"], "test": ["data/images/val/2.jpg"]},
    "Places": {
        "train": ["data_large/a/1.jpg"],
        "validation": ["val_large/2.jpg"],
        "test": ["test_large/3.jpg"],
    },
    "test alone": {"train": ["1.jpg", "holiday/2.jpg"], "test": ["test/3.jpg"]},
    "classes": {"train": ["bus/1.jpg", "train/2.jpg", "train_station/3.jpg", "testers/4.jpg"]},
}


@pytest.mark.parametrize("which", DIVISIONS)
def test_subfolders_divide(tmp_path, which):
    parts = DIVISIONS[which]
    put_all(tmp_path, *(name for part in parts.values() for name in part))
    source = sources.folder(tmp_path)
    assert source.division == {which: {*part} for which, part in parts.items() if which != "train"}
    if "test" in parts:
        found = data.load(Data("folder", 16, train=None, validation=9), tmp_path)
        assert found.names() == {"validation": [], **parts}


def test_what_is_in_no_part_of_a_division_is_left_out(tmp_path):
    put_all(tmp_path, "train/1.jpg", "val/2.jpg", "cover.jpg", "extra/3.jpg", "extra/4.jpg")
    source = sources.folder(tmp_path)
    assert source.names == ["train/1.jpg", "val/2.jpg"]
    assert source.account == (
        f"Pictures of {tmp_path}: 1 in train/ to train on; 1 in val/ to test on. Left out: 1 in the folder "
        "itself (in no part of the division), 2 in extra/ (in no part of the division)."
    )


def test_validation_pictures_are_cut_from_the_training_where_the_folder_has_none(tmp_path):
    put_all(tmp_path, *(f"train/{n}.jpg" for n in range(10)), *(f"val/{n}.jpg" for n in range(5)))
    found = data.load(Data("folder", 16), tmp_path)
    assert [*map(len, found.names().values())] == [8, 2, 5]
    assert all(name.startswith("train/") for name in found.validation.names)
    assert all(name.startswith("val/") for name in found.test.names)


def test_the_account_counts_by_subfolder(tmp_path):
    put_all(tmp_path, "a.jpg", *(f"cats/{n}.jpg" for n in range(3)), "dogs/old/1.jpg")
    assert sources.folder(tmp_path).account == (
        f"Pictures of {tmp_path}: 1 in the folder itself, 3 in cats/, 1 in dogs/."
    )
    put_all(tmp_path, *(f"class {n:02d}/1.jpg" for n in range(20)))
    assert sources.folder(tmp_path).account.endswith("1 in class 05/, 15 more subfolders.")


def test_names_take_little_memory(tmp_path):
    for number in range(4000):
        (tmp_path / f"{number:09d}.png").touch()
    settings = {"check": False, "memory": 0}
    data.load(Data("folder", 16, train=None), tmp_path, **settings)  # imports
    tracemalloc.start()
    found = data.load(Data("folder", 16, train=None), tmp_path, **settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.train.names) == 3750 - 250 and peak < 400 * 4000
