"""A person's own holes: how their files are read, fitted, drawn and paired, and what is said of bad ones."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting_tf.data import holes, mask_files, pipeline
from inpainting_tf.errors import InputError
from inpainting_tf.ops.masks import Mask

SIZE = (16, 24)


def shape(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """bool, True = missing: the number in bits of 2x2 pixels, and a figure that no turn keeps."""
    missing = np.zeros(size, bool)
    for bit in range(4):
        missing[4:6, 6 + 2 * bit : 8 + 2 * bit] = number >> bit & 1
    missing[8:10, 6:14] = missing[8:14, 6:8] = True
    return missing


def save(path: Path, missing: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(missing.astype(np.uint8) * 255).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Five masks."""
    for number in range(5):
        save(tmp_path / "masks" / f"{number}.png", shape(number))
    return tmp_path / "masks"


def loaded(folder: Path, size: tuple[int, int] = SIZE, **options) -> np.ndarray:
    """bool [masks, H, W], in the order of their names."""
    found = mask_files.load(folder, size, **options)
    return found.fixed(range(len(found.names)))[..., 0] > 0


# Files


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "I;16"])
def test_what_is_not_black_is_missing(mode, tmp_path):
    white, dark = shape(5).astype(np.uint8) * 255, shape(5).astype(np.uint16)
    image = Image.fromarray(dark) if mode == "I;16" else Image.fromarray(white).convert(mode)
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(mask_files.read(tmp_path / "mask.png"), shape(5))


def test_of_a_jpeg_half_of_white_is_missing_and_transparent_pixels_are_known(tmp_path):
    wide = np.repeat(np.repeat(shape(5), 8, 0), 8, 1)
    save(tmp_path / "mask.jpg", wide, quality=50)
    np.testing.assert_array_equal(mask_files.read(tmp_path / "mask.jpg"), wide)
    rgba = np.full((*SIZE, 4), 255, np.uint8)
    rgba[..., 3] = shape(5) * 255
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    np.testing.assert_array_equal(mask_files.read(tmp_path / "clear.png"), shape(5))


def test_masks_of_subfolders_and_behind_links_are_found_and_hidden_files_are_not(folder):
    save(folder / "more" / "a.PNG", shape(6))
    save(folder / ".hidden" / "b.png", shape(7))
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    elsewhere = save(folder.parent / "elsewhere" / "c.png", shape(8)).parent
    os.symlink(elsewhere, folder / "linked")
    names = mask_files.load(folder, SIZE).names
    assert names == [*(f"{number}.png" for number in range(5)), "linked/c.png", "more/a.PNG"]


# Size


def test_a_mask_is_cropped_as_its_picture_is(tmp_path):
    """40 x 24 to 16 x 24: of the height the middle 16 rows."""
    tall = np.zeros((40, 24), bool)
    tall[12:28] = shape(9)
    tall[0:12, 20:] = True
    save(tmp_path / "tall.png", tall)
    np.testing.assert_array_equal(loaded(tmp_path)[0], shape(9))


@pytest.mark.parametrize("size", [(48, 72), (45, 67)])
def test_a_pixel_of_a_reduced_mask_is_missing_where_one_of_its_pixels_is(size, tmp_path):
    for number, (row, column) in enumerate(itertools.product((0, 7, 20, 44), (0, 11, 33, 66))):
        speck = np.zeros(size, bool)
        speck[row, column] = True
        save(tmp_path / f"{number:02d}.png", speck)
    found = loaded(tmp_path)
    assert found.sum((1, 2)).min() >= 1 and found.sum((1, 2)).max() <= 4
    for missing, (row, column) in zip(found, itertools.product((0, 7, 20, 44), (0, 11, 33, 66)), strict=True):
        rows, columns = np.nonzero(missing)
        assert abs(rows.mean() + 0.5 - (row + 0.5) * 16 / size[0]) <= 1
        assert abs(columns.mean() + 0.5 - (column + 0.5) * 24 / size[1]) <= 1


def test_a_mask_is_enlarged_without_new_levels(folder):
    large = loaded(folder, (32, 48))
    np.testing.assert_array_equal(large, np.repeat(np.repeat(loaded(folder), 2, 1), 2, 2))


# Random masks


def test_each_mask_is_drawn_in_each_of_its_eight_ways(folder):
    found = mask_files.load(folder, (24, 24))
    uniforms = np.random.default_rng(0).random((400, 2), np.float32)
    drawn = found.sample(uniforms)[..., 0]
    assert drawn.dtype == bool and drawn.shape == (400, 24, 24)
    upright = loaded(folder, (24, 24))
    ways = [np.rot90(mask, turns)[:, ::flip] for mask in upright for turns in range(4) for flip in (1, -1)]
    counts = [sum(np.array_equal(mask, way) for mask in drawn) for way in ways]
    assert len({way.tobytes() for way in ways}) == 40 and sum(counts) == 400
    assert min(counts) >= 2, "each of the forty"


def test_where_height_and_width_differ_a_turned_mask_is_cropped_anew(tmp_path):
    """No hole is squeezed."""
    square = np.zeros((24, 24), bool)
    square[12, 2:22] = True
    save(tmp_path / "bar.png", square)
    drawn = mask_files.load(tmp_path, SIZE).sample(np.array([[0.0, way / 8] for way in range(8)], np.float32))
    lengths = [(missing.any(1).sum(), missing.any(0).sum()) for missing in drawn[..., 0]]
    assert lengths == [(1, 20), (16, 1)] * 4


def test_a_turned_mask_without_a_hole_is_not_drawn(tmp_path):
    wide = np.zeros((16, 24), bool)
    wide[5:8, 0:2] = True  # gone with the crop of the turned mask
    save(tmp_path / "edge.png", wide)
    drawn = mask_files.load(tmp_path, SIZE).sample(np.array([[0.0, way / 8] for way in range(8)], np.float32))
    assert drawn.any((1, 2, 3)).all()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, *SIZE, 3), np.uint8)


def training(images, mask, start=0, stop=6, **options) -> list[dict]:
    settings = {"batch_size": 4, "seed": 3, "flip": True} | options
    found = pipeline.training_batches(images, mask, start=start, stop=stop, **settings)
    return [{key: np.asarray(value) for key, value in batch.items()} for batch in found]


def test_a_training_batch_is_a_function_of_seed_and_step(folder, images):
    mask = Mask("folder", folder=str(folder))
    whole = training(images, mask)
    for start in (1, 4):
        for mine, theirs in zip(training(images, mask, start), whole[start:], strict=True):
            for key in theirs:
                np.testing.assert_array_equal(mine[key], theirs[key])
    assert whole[0]["mask"].shape == (4, *SIZE, 1) and set(np.unique(whole[0]["mask"])) == {0.0, 1.0}
    assert whole[0]["mask"].dtype == np.float32 and whole[0]["mask"].mean() < 0.5
    assert (whole[0]["mask"] != whole[0]["real_mask"]).any()
    assert (whole[0]["mask"] != training(images, mask, seed=4)[0]["mask"]).any()
    plain = training(images, Mask())
    np.testing.assert_array_equal(plain[0]["image"], whole[0]["image"])


# Evaluation masks


def test_without_names_pictures_take_the_masks_in_order(folder):
    found = mask_files.load(folder, SIZE).fixed(range(3, 9))
    assert found.dtype == np.float32 and found.shape == (6, *SIZE, 1)
    for missing, number in zip(found[..., 0], [3, 4, 0, 1, 2, 3], strict=True):
        np.testing.assert_array_equal(missing, shape(number))


def test_a_picture_has_the_mask_of_its_name(folder, images):
    names = ["3.jpg", "x/1.webp", "other.jpg", "0.png"]
    batches = pipeline.test_batches(images[:4], Mask("folder", folder=str(folder)), batch_size=3, names=names)
    found = np.concatenate([batch["mask"] for batch in batches])[..., 0]
    for missing, number in zip(found, [3, 1, 2, 0], strict=True):  # the third by its place
        np.testing.assert_array_equal(missing, shape(number))


@pytest.mark.parametrize(
    ("masks", "names", "expected"),
    [
        (["a.png", "b.png"], ["b.jpg", "a.jpg", "c.jpg"], [1, 0, None]),
        (["a_mask.png", "b_mask001.png", "b_mask000.jpg"], ["a.png", "b.png"], [0, 1]),
        (["a.png", "a_mask.png"], ["a.jpg", "a_mask.jpg"], [0, 1]),
        (["x/a.png", "y/a.png", "y/b.png"], ["x/a.jpg", "y/a.jpg", "a.jpg", "z/b.jpg"], [0, 1, None, 2]),
        (["s.tfrecord-0-of-1__1.png"], ["s.tfrecord-0-of-1__1", "s.tfrecord-0-of-1__2"], [0, None]),
    ],
)  # fmt: skip
def test_names_are_compared_without_ending_and_subfolder(masks, names, expected):
    found = mask_files.MaskFiles("", SIZE, masks, np.zeros((len(masks), 2, 48), np.uint8))
    assert found.paired(names) == expected


# What is said


def test_files_that_are_no_masks_are_left_out_and_named(folder, caplog):
    save(folder / "empty.png", np.zeros(SIZE, bool))
    save(folder / "full.png", np.ones(SIZE, bool))
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(folder / "photo.png")
    assert len(loaded(folder)) == 5
    (record,) = caplog.records
    assert "Skipped 3 of 8 masks" in record.getMessage()
    for told in ("empty.png (no missing pixel)", "full.png (no known pixel)", "photo.png (it looks like a "):
        assert told in record.getMessage()


@pytest.mark.parametrize(
    ("invert", "advice"), [(False, "pass --invert_masks"), (True, "leave --invert_masks out")]
)
def test_masks_that_miss_most_of_the_picture_are_told_of(invert, advice, tmp_path, caplog):
    for number in range(3):
        save(tmp_path / f"{number}.png", shape(number) == (invert if number else not invert))
    loaded(tmp_path, invert=invert)
    (record,) = caplog.records
    assert "In 2 of 3 masks" in record.getMessage() and advice in record.getMessage()


def test_inverted_masks_are_white_where_the_picture_is_known(folder, tmp_path, caplog):
    for number in range(5):
        save(tmp_path / "inverted" / f"{number}.png", ~shape(number))
    np.testing.assert_array_equal(loaded(tmp_path / "inverted", invert=True), loaded(folder))
    assert not caplog.records
    mask = Mask("folder", folder=str(tmp_path / "inverted"), invert=True)
    np.testing.assert_array_equal(holes.of(mask, SIZE).fixed([2])[0, ..., 0], shape(2))


def test_a_file_that_has_changed_is_read_again(folder):
    before = mask_files.load(folder, SIZE)
    assert mask_files.load(folder, SIZE) is before, "once for training and evaluation"
    save(folder / "2.png", shape(12))
    after = mask_files.load(folder, SIZE)
    np.testing.assert_array_equal(after.fixed([2])[0, ..., 0], shape(12))
    assert before.digest != after.digest
    save(folder / "2.png", shape(2))
    assert mask_files.load(folder, SIZE).digest == before.digest


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: place.write_text("", encoding="utf-8"), "Received '.*': a file"),
        (lambda place: None, "Received '.*': no such folder"),
        (lambda place: place.mkdir(), r"there and below are no \.jpg, .* files"),
        (lambda place: save(place / "a.png", np.zeros(SIZE, bool)), r"None of the 1 files .*a\.png: no mis"),
    ],
)
def test_a_folder_without_masks_is_refused_in_one_line(make, message, tmp_path):
    make(tmp_path / "masks")
    with pytest.raises(InputError, match=rf"`mask`.*{message}|{message}") as told:
        holes.of(Mask("folder", folder=str(tmp_path / "masks")), SIZE)
    assert "\n" not in str(told.value) and "`mask`" in str(told.value)


def test_holes_are_named_by_their_kind_or_their_folder(folder, monkeypatch):
    assert holes.named("strokes") == Mask("strokes")
    monkeypatch.chdir(folder.parent)
    assert holes.named("masks") == Mask("folder", folder=str(folder))
    with pytest.raises(InputError, match=r"one of centre, .*, or a folder of mask files\. Received 'mask'"):
        holes.named("mask")
    with pytest.raises(InputError, match="Did you mean 'rectangle'"):
        holes.named("rectangel")
