"""Decoding a source: the same pictures in the same order, whether they are kept or decoded on demand."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from faces import CELEBA, same
from PIL import Image
from running import command, contents, drawn_faces, tiny, tiny_flags

from inpainting_tf import data, runs
from inpainting_tf.data import Data, decoding, pipeline, prepared
from inpainting_tf.data.decoding import OnDemand, decode
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.data.sources import Source, folder
from inpainting_tf.errors import InputError
from inpainting_tf.ops.masks import Mask


def grey(path, color, size=(48, 32)):
    Image.new("RGB", size, color).save(path)


@pytest.fixture
def mixed(tmp_path):
    """Eleven pictures, each of one grey level that is its number, and two broken files among them."""
    root = tmp_path / "mixed"
    root.mkdir()
    for number in range(11):
        grey(root / f"{number:02d}.png", (number, number, number))
    (root / "03x.jpg").write_text("no picture", encoding="utf-8")
    grey(root / "07x.png", 0, size=(1, 1))
    return folder(root)


GOOD = [f"{number:02d}.png" for number in range(11)]


KEPT = [10**9, 4 * 3 * 16 * 24, 0]  # bytes: for all pictures, for four of them, for none


def check_mixed(decoded):
    assert decoded.names == GOOD
    assert decoded.images.shape == (11, 16, 24, 3) and decoded.images[:].dtype == np.uint8
    np.testing.assert_array_equal(decoded.images[:][:, 5, 7, 1], np.arange(11))
    assert [name for name, _ in decoded.skipped] == ["03x.jpg", "07x.png"]
    assert decoded.skipped[1][1] == "1x1 px is smaller than 8 px"


@pytest.mark.parametrize("memory", KEPT)
def test_decode_keeps_the_order_and_counts_what_it_skips(mixed, memory):
    decoded = decode(mixed, range(len(mixed)), (16, 24), memory=memory)
    check_mixed(decoded)
    assert isinstance(decoded.images, np.ndarray if memory == KEPT[0] else OnDemand)


def test_decode_warns_once_with_names_and_reasons(mixed, caplog):
    decode(mixed, range(len(mixed)), (16, 24))
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith("Skipped 2 of 13 pictures of ") and "\n" not in message
    assert "03x.jpg (not a picture" in message and "07x.png (1x1 px is smaller than 8 px)" in message


def test_decode_follows_the_indices(mixed):
    decoded = decode(mixed, [5, 0, 2], (16, 24))
    assert decoded.names == [mixed.names[index] for index in (5, 0, 2)]
    assert decode(mixed, [], (16, 24)).images.shape == (0, 16, 24, 3)


def late_first(count: int, broken: frozenset[int] = frozenset()) -> Source:
    """A source whose earlier pictures take longer than the later ones."""

    def reader(index, image_size, _part):
        time.sleep(0.02 if index % 4 == 0 else 0)
        if index in broken:
            raise UnreadablePicture("broken on purpose")
        return np.full((*image_size, 3), index % 256, np.uint8)

    return Source("slow", "nowhere", [f"picture {index}" for index in range(count)], reader)


def test_order_does_not_depend_on_the_threads_timing(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(decoding, "_BLOCK", 16)
    decoded = decode(late_first(50, frozenset({0, 20})), range(50), (8, 12))
    expected = [index for index in range(50) if index not in (0, 20)]
    assert decoded.images[:, 0, 0, 0].tolist() == expected
    assert decoded.names == [f"picture {index}" for index in expected]


def test_nothing_readable_names_the_folder_and_the_reason(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture", encoding="utf-8")
    (tmp_path / "b.jpg").touch()
    with pytest.raises(
        InputError, match=r"None of the 2 pictures of .* can be read. The first, a.jpg: not"
    ) as e:
        decode(folder(tmp_path), range(2), (16, 24))
    assert str(tmp_path) in str(e.value)


def test_a_bug_in_a_reader_is_not_taken_for_a_bad_picture():
    def reader(index, image_size, _part):
        raise KeyError("bug")

    with pytest.raises(KeyError):
        decode(Source("s", "o", ["a"], reader), [0], (8, 12))


# On demand

KEYS = [3, -1, slice(2, 9), slice(None, None, -3), slice(5, 5), [4, 0, 4, 10], np.array([[1, 2], [10, 0]])]


@pytest.mark.parametrize("memory", KEPT[1:])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indices_are_those_of_an_array(mixed, memory, key):
    whole = decode(mixed, range(len(mixed)), (16, 24)).images
    lazy = decode(mixed, range(len(mixed)), (16, 24), memory=memory).images
    for _ in range(2):  # the second time as it is kept
        found = lazy[key]
        assert found.dtype == np.uint8 and found.flags.writeable
        np.testing.assert_array_equal(found, whole[key])
        found[...] = 99  # changes nothing that is kept
    assert len(lazy) == len(whole) and lazy.shape == whole.shape


def test_only_what_is_not_kept_is_read_again(tmp_path):
    read = []

    def reader(index, image_size, _part):
        read.append(index)
        return np.full((*image_size, 3), index, np.uint8)

    source = Source("s", "somewhere", [str(number) for number in range(9)], reader)
    lazy = decode(source, range(9), (8, 8), memory=4 * 3 * 64).images
    assert sorted(read) == [*range(9)]
    read.clear()
    assert lazy[:][:, 0, 0, 0].tolist() == [*range(9)] and sorted(read) == [4, 5, 6, 7, 8]
    unchecked = decode(source, range(9), (8, 8), memory=4 * 3 * 64, check=False).images
    read.clear()
    assert unchecked[::2][:, 0, 0, 0].tolist() == unchecked[::2][:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8]
    assert sorted(read) == [0, 2, 4, 4, 6, 6, 8, 8]


def test_many_threads_index_at_once(mixed):
    lazy = decode(mixed, range(len(mixed)), (16, 24), memory=KEPT[1], check=False).images
    good = np.array([row for row, name in enumerate(mixed.names) if "x" not in name])
    draws = [np.random.default_rng(seed).permutation(good) for seed in range(60)]
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda draw: lazy[draw][:, 0, 0, 0], draws)]
    level = {row: int(mixed.names[row][:2]) for row in good}
    assert [levels.tolist() for levels in found] == [[level[row] for row in draw] for draw in draws]


def test_memory_is_bounded(tmp_path):
    grey(tmp_path / "0.png", (1, 2, 3), size=(70, 64))
    for number in range(1, 600):
        (tmp_path / f"{number}.png").symlink_to("0.png")
    source = folder(tmp_path)
    each, kept = 3 * 64 * 64, 100 * 3 * 64 * 64
    tracemalloc.start()
    try:
        lazy = decode(source, range(600), (64, 64), memory=kept).images
        for first in range(0, 600, 20):
            assert lazy[first : first + 20].shape == (20, 64, 64, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept < peak < kept + 200 * each < 600 * each


def test_a_lost_picture_is_told_when_it_is_needed(mixed):
    lazy = decode(mixed, range(len(mixed)), (16, 24), memory=0).images
    (mixed.files[2]).unlink()
    assert len(lazy[[0, 1, 3]]) == 3
    told = r"^02\.png of .*mixed cannot be read any more: No such file"
    with pytest.raises(InputError, match=told) as caught:
        lazy[1:4]
    assert lazy.failure is caught.value


# Batches and runs


def archive(place) -> None:
    with zipfile.ZipFile(place, "w") as file:
        for number in range(1, 31):
            Image.fromarray(data.synthetic_faces.face(number, 40)).save(place.with_suffix(".png"))
            file.write(place.with_suffix(".png"), f"img_align_celeba/{number:06d}.png")


def batches_of(images) -> list[dict[str, np.ndarray]]:
    made = pipeline.training_batches(
        images, Mask(), batch_size=4, seed=3, flip=True, start=2, stop=14, prefill="mean_colour"
    )
    return [{name: np.asarray(value) for name, value in batch.items()} for batch in made]


@pytest.mark.parametrize("kind", ["files", "archive", "prepared"])
def test_batches_are_the_same_bit_for_bit(tmp_path, kind):
    archive(tmp_path / "faces.zip")
    place, wanted = tmp_path / "faces.zip", Data("celeba", (16, 24), train=None, validation=3)
    if kind == "files":
        with zipfile.ZipFile(place) as file:
            file.extractall(tmp_path / "files")
        place = tmp_path / "files"
    whole = data.load(wanted, place)
    if kind == "prepared":
        before = Data("celeba", (16, 24), train=None, validation=0)  # so that rows are picked from the file
        place = prepared.write(data.load(before, place), before, tmp_path / "prepared")
    lazy = data.load(wanted, place, memory=0 if kind == "files" else 5000)
    assert isinstance(whole.train.images, np.ndarray) and not isinstance(lazy.train.images, np.ndarray)
    same(lazy, whole)
    for one, other in zip(batches_of(whole.train.images), batches_of(lazy.train.images), strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name])


def test_small_splits_are_kept_first(celeba):
    found = data.load(CELEBA, celeba, memory=6 * 3 * 16 * 16)
    assert isinstance(found.validation.images, np.ndarray) and isinstance(found.test.images, np.ndarray)
    assert isinstance(found.train.images, OnDemand) and found.train.images.kept == 1
    assert found.account.endswith("1 of 10 pictures are kept in memory; the others are decoded on demand.")
    same(found, data.load(CELEBA, celeba))


def test_prepared_pictures_are_decoded_once_and_are_the_same(celeba, tmp_path):
    lazy = data.load(CELEBA, celeba, memory=0, check=False)
    assert len(lazy.train.names) == 11, "one of them cannot be read, which is not known yet"
    place = prepared.write(lazy, CELEBA, tmp_path / "out")
    same(data.load(CELEBA, place), data.load(CELEBA, celeba))


@pytest.fixture
def faces(tmp_path):
    drawn_faces(tmp_path / "faces", 30)
    return tmp_path / "faces"


@pytest.mark.slow
def test_a_run_is_the_same_bit_for_bit(faces, tmp_path):
    recipe = tiny("autoencoder", data__source="folder", schedule__epochs=1, deterministic=True)
    folders = [tmp_path / name for name in ("kept", "on demand")]
    for place, memory in zip(folders, (2**30, 7000), strict=True):
        runs.train(recipe, place, data_dir=faces, memory=memory, settings=False)
    one, other = (contents(place) for place in folders)
    for name in ("checkpoints/step-00000004/variables.npz", "data.json", "samples/epoch_0001.npy"):
        assert one[name] == other[name], name


@pytest.mark.slow
def test_a_picture_that_is_lost_while_it_trains_is_one_line(faces, tmp_path):
    options = [f"--data_dir={faces}", "--memory=0", f"--workdir={tmp_path / 'run'}"]
    done = command(
        "train.py", *tiny_flags("autoencoder", data__source="folder", schedule__epochs=1), *options
    )
    assert done.status == 0 and "0 of 30 pictures are kept in memory" in done.err, done.err
    named = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))
    (faces / named["train"][3]).unlink()
    (faces / named["train"][3]).touch()
    done = command(
        "train.py", *tiny_flags("autoencoder", data__source="folder", schedule__epochs=2), *options
    )
    told = f"{named['train'][3]} of {faces} cannot be read any more: empty file. Restore it."
    assert done.refuses(told), done.err
