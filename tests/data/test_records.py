"""Sharded data sets: TFRecord files that anyone can read, in one order for any number of hosts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf
from running import command, drawn_faces, rows_of, tiny, tiny_flags

from inpainting_tf import InputError, data, runs, storage
from inpainting_tf.data import Data, pipeline, prepared, records
from inpainting_tf.ops.masks import Mask

SIZE = (8, 12)
FIRST = [146, 168, 27, 1, 3, 169, 51, 97]  # pictures of a training's first batch: the order is a promise


def pictures(count: int) -> np.ndarray:
    """uint8 [count, 8, 12, 3]; the first two bytes are the picture's number."""
    images = np.random.default_rng(0).integers(0, 256, (count, *SIZE, 3), np.uint8)
    images.reshape(count, -1)[:, 0], images.reshape(count, -1)[:, 1] = divmod(np.arange(count), 256)
    return images


def written(place: str, images: np.ndarray, shards: int, block: int) -> records.Records:
    storage.require_free(place)
    assert records.write(place, "train", images, shards) == len(images)
    return records.Records(place, "train", images.shape, shards, block)


@pytest.mark.parametrize(("count", "shards", "block"), [(7, 1, 1), (23, 3, 1), (101, 4, 3), (64, 4, 8)])
def test_every_picture_is_found(place, count, shards, block):
    images = pictures(count)
    stored = written(place, images, shards, block)
    np.testing.assert_array_equal(stored[:], images)
    rows = np.random.default_rng(1).integers(0, count, (5, 4))
    np.testing.assert_array_equal(stored[rows], images[rows])
    np.testing.assert_array_equal(stored[-3:], images[-3:])


def test_other_programs_read_the_files(tmp_path):
    images = pictures(7)
    written(str(tmp_path), images, 2, 1)
    for shard in range(2):
        found = tf.data.TFRecordDataset(str(tmp_path / f"train-{shard:05d}-of-00002.tfrecord"))
        pixels = [np.frombuffer(each.numpy(), np.uint8).reshape(*SIZE, 3) for each in found]
        np.testing.assert_array_equal(pixels, images[shard::2])


@pytest.mark.parametrize(
    ("count", "shards", "block", "batch"), [(23, 3, 1, 4), (103, 4, 3, 4), (200, 4, 8, 6)]
)
def test_an_epoch_takes_each_picture_once_and_each_row_goes_through_blocks(
    tmp_path, count, shards, block, batch
):
    stored = records.Records(str(tmp_path), "train", (count, *SIZE, 3), shards, block)
    order = np.random.default_rng(0).permutation(stored.blocks)
    rows = np.array([stored.rows(order, position, batch) for position in range(count // batch)])
    assert rows.shape == (count // batch, batch) and len(np.unique(rows)) == rows.size
    assert rows.min() >= 0 and rows.max() < count
    turn = np.stack([rows[:block] % shards, rows[:block] // shards // block], -1)
    assert (turn == turn[0]).all(), "all of a row's first pictures are of one block"
    assert block == 1 or len(np.unique(turn[0], axis=0)) == batch


def test_with_blocks_of_one_picture_the_batches_are_those_of_an_array(tmp_path):
    images = pictures(23)
    stored, settings = written(str(tmp_path), images, 3, 1), {"batch_size": 4, "seed": 3, "flip": True}
    one, two = (
        list(pipeline.training_batches(i, Mask(), **settings, start=2, stop=12)) for i in (images, stored)
    )
    for mine, theirs in zip(two, one, strict=True):
        for key in theirs:
            np.testing.assert_array_equal(mine[key], theirs[key])


@pytest.mark.parametrize("hosts", [1, 2, 4])
def test_hosts_share_the_order_and_read_each_block_once(tmp_path, hosts):
    images = pictures(192)
    written(str(tmp_path), images, 4, 6)
    read: list[list[tuple]] = []
    batches = []
    for host in range(hosts):
        stored = records.Records(str(tmp_path), "train", images.shape, 4, 6)
        blocks, original = [], stored._decoded
        stored._decoded = lambda *key, blocks=blocks, original=original: (blocks.append(key), original(*key))[
            1
        ]
        share = slice(host * 8 // hosts, (host + 1) * 8 // hosts)
        settings = {"batch_size": 8, "seed": 1, "flip": False, "start": 0, "stop": 24, "share": share}
        batches.append([b["image"].numpy() for b in pipeline.training_batches(stored, Mask(), **settings)])
        read.append(blocks)
    together = np.concatenate([np.concatenate(step) for step in zip(*batches, strict=True)])
    numbers = np.rint(together.reshape(192, -1)[:, :2] * 255).astype(int) @ [256, 1]
    assert sorted(numbers) == list(range(192)) and numbers[:8].tolist() == FIRST
    everything = [key for blocks in read for key in blocks]
    assert len(everything) == len(set(everything)) == 32


def test_damage_is_told_in_one_line(tmp_path):
    stored = written(str(tmp_path), pictures(12), 2, 2)
    file = tmp_path / "train-00001-of-00002.tfrecord"
    content = bytearray(file.read_bytes())
    content[4 * (8 * 12 * 3 + records.FRAME) + 50] ^= 1  # the fifth record of the shard
    file.write_bytes(content)
    assert stored[[0, 1, 2, 3]].shape[0] == 4
    with pytest.raises(
        InputError, match=r"train-00001-of-00002\.tfrecord is damaged or cut off at record 4"
    ) as told:
        stored[[9]]
    assert stored.failure is told.value
    file.write_bytes(content[:-100])
    with pytest.raises(InputError, match="damaged or cut off at record 4"):
        stored[[11]]
    file.unlink()
    with pytest.raises(InputError, match="could not be read"):
        stored[[1, 5, 9]]


# The commands


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "faces"
    drawn_faces(folder, 30)
    (folder / "7.png").write_bytes(b"no picture")
    return folder


SETTINGS = [
    "--dataset=folder",
    "--image_size=16",
    "--train=25",
    "--validation=5",
    "--test=5",
    "--crop=resize",
]


def test_prepare_writes_shards_and_train_reads_them_as_it_reads_the_pictures(faces, place, caplog):
    done = command(
        "inpainting-tf prepare", *SETTINGS, f"--data_dir={faces}", "--shards=3", f"--output={place}"
    )
    assert done.status == 0 and "Prepared 19 training, 5 validation and 5 test" in done.out, done.err
    assert [record.getMessage() for record in caplog.records if "7.png (" in record.getMessage()]
    wanted = Data("folder", 16, train=25, validation=5, test=5, crop="resize")
    one, two = data.load(wanted, faces), data.load(wanted, place)
    for which in ("train", "validation", "test"):
        mine, theirs = getattr(two, which), getattr(one, which)
        np.testing.assert_array_equal(mine.images[:], theirs.images[:])
        assert len(mine.names) == len(theirs.names)
    assert two.test.names == one.test.names and two.train.names[3] == "train 000000003"
    again = command(
        "inpainting-tf prepare", *SETTINGS, f"--data_dir={faces}", "--shards=3", f"--output={place}"
    )
    assert again.refuses("`output` must be a new or an empty folder", place)


def test_a_run_on_records_continues_to_the_same_bits(faces, tmp_path):
    place = str(tmp_path / "records")
    command("inpainting-tf prepare", *SETTINGS, f"--data_dir={faces}", "--shards=3", f"--output={place}")
    recipe = tiny("direct_conv", data__source="folder", data__crop="resize", batch_size=4, schedule__epochs=2)
    whole = runs.train(recipe, tmp_path / "a", data_dir=place, settings=False)
    plain = runs.train(recipe, tmp_path / "b", data_dir=faces, settings=False)
    stripped = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in rows_of(run.folder)]
        for run in (whole, plain)
    ]
    assert stripped[0] == stripped[1]
    longer = recipe.override({"schedule.epochs": 3})
    assert rows_of(runs.train(longer, whole.folder, settings=False).folder)[-1]["epoch"] == "3"
    kept = json.loads((whole.folder / "data.json").read_text(encoding="utf-8"))
    assert kept["train"] == {"records": "train", "count": 19} and kept["data_dir"] == place
    done = command("eval.py", f"--workdir={whole.folder}", f"--output={tmp_path / 'measured'}")
    assert done.status == 0, done.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--output=memory://bucket/x"], "`output` must be a folder, but with --shards."),
        (["--shards=2", "--output=nowhere://bucket/x"], "'nowhere://bucket/x' could not be reached"),
    ],
)
def test_what_prepare_refuses(flags, told):
    assert command("inpainting-tf prepare", "--dataset=synthetic_faces", *flags).refuses(told)


def test_an_address_without_records_is_refused(tmp_path):
    done = command(
        "train.py", *tiny_flags(), "--data_dir=memory://none/here", f"--workdir={tmp_path / 'run'}"
    )
    assert done.refuses("there is no records.json in it")


def test_names_of_very_many_pictures_take_no_memory():
    names = records.Names("train", 100_000_000)
    assert (
        len(names) == 10**8 and names[-1] == "train 099999999" and names[5:7] == ["train 000000005", names[6]]
    )
    assert "train 099999999" in names and "train 100000000" not in names and "test 000000001" not in names
    assert records.restored(json.loads(json.dumps(names.to_json()))) == names
    assert prepared.find(None) is None
