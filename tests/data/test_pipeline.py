"""Batches: the same for the same seed and step wherever one begins, and holes that go with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf import classical, data
from inpainting_tf.data import Data, pipeline
from inpainting_tf.errors import InputError
from inpainting_tf.ops import masks
from inpainting_tf.ops.masks import Mask

SIZE, COUNT = (16, 24), 12


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """uint8 [12, 16, 24, 3]; the number of the picture is in its first channel."""
    pictures = np.random.default_rng(0).integers(0, 256, (COUNT, *SIZE, 3), np.uint8)
    pictures[..., 0] = np.arange(COUNT, dtype=np.uint8)[:, None, None]
    return pictures


def batches(images, start=0, stop=9, **changes) -> list[dict]:
    settings = {"batch_size": 4, "seed": 3, "flip": True} | changes
    mask = settings.pop("mask", Mask())
    found = pipeline.training_batches(images, mask, start=start, stop=stop, **settings)
    return [{key: value.numpy() for key, value in batch.items()} for batch in found]


def numbers(batch: dict) -> list[int]:
    return np.rint(batch["image"][:, 0, 0, 0] * 255).astype(int).tolist()


def test_a_batch_is_pictures_with_holes(images):
    (batch,) = batches(images, stop=1)
    assert {key: (value.shape, value.dtype) for key, value in batch.items()} == {
        "image": ((4, *SIZE, 3), np.dtype("float32")),
        "mask": ((4, *SIZE, 1), np.dtype("float32")),
        "real_mask": ((4, *SIZE, 1), np.dtype("float32")),
    }
    assert batch["image"].min() >= 0 and 0.9 < batch["image"].max() <= 1
    for name in ("mask", "real_mask"):
        assert set(np.unique(batch[name])) == {0.0, 1.0} and batch[name].mean() < 0.5
    assert (batch["mask"] != batch["real_mask"]).any()


def test_nothing_is_tuned(images):
    """TensorFlow's tuner sleeps up to a minute, and dropping an iterator may wait for it."""
    found = pipeline.training_batches(images, Mask(), batch_size=4, seed=3, flip=True, start=0, stop=9)
    assert found.options().autotune.enabled is False


@pytest.mark.parametrize("start", [1, 3, 4, 8])
@pytest.mark.parametrize("kind", ["rectangle", "strokes"])
def test_one_may_begin_anywhere(images, start, kind):
    whole = batches(images, mask=Mask(kind))
    rest = batches(images, start=start, mask=Mask(kind))
    assert len(rest) == 9 - start
    for mine, theirs in zip(rest, whole[start:], strict=True):
        for key in theirs:
            np.testing.assert_array_equal(mine[key], theirs[key])


@pytest.mark.parametrize("prefill", [None, "telea"])
def test_hosts_read_parts_of_the_same_batches(images, prefill):
    whole = batches(images, stop=4, prefill=prefill, mask=Mask("strokes"))
    shares = [slice(first, first + 2) for first in (0, 2)]
    parts = [batches(images, stop=4, prefill=prefill, mask=Mask("strokes"), share=s) for s in shares]
    for all_rows, *hosts in zip(whole, *parts, strict=True):
        for key, value in all_rows.items():
            np.testing.assert_array_equal(np.concatenate([host[key] for host in hosts]), value, err_msg=key)


def test_every_epoch_takes_every_picture_once_in_another_order(images):
    steps = [numbers(batch) for batch in batches(images)]
    epochs = [[n for step in steps[i : i + 3] for n in step] for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0] and epochs[0] != sorted(epochs[0])


def test_what_does_not_fill_a_batch_is_left_out_of_its_epoch(images):
    steps = [numbers(batch) for batch in batches(images, batch_size=5, stop=20)]
    for first, second in zip(steps[::2], steps[1::2], strict=True):
        assert len({*first, *second}) == 10, "no picture twice in an epoch"
    taken = {number for step in steps for number in step}
    assert taken == set(range(COUNT)), "but no picture is left out of all of them"


def test_seeds_change_order_holes_and_mirroring(images):
    one, other = batches(images, stop=3), batches(images, stop=3, seed=4)
    assert [numbers(batch) for batch in one] != [numbers(batch) for batch in other]
    assert (one[0]["mask"] != other[0]["mask"]).any()


def test_half_of_the_pictures_are_mirrored_left_to_right_and_nothing_else(images):
    mirrored = []
    for batch in batches(images, stop=30):
        for number, picture in zip(numbers(batch), batch["image"], strict=True):
            original = images[number] / np.float32(255)
            same, turned = np.array_equal(picture, original), np.array_equal(picture, original[:, ::-1])
            assert same != turned
            mirrored.append(turned)
    assert 0.35 < np.mean(mirrored) < 0.65
    shares = np.mean(np.reshape(mirrored, (-1, 4)), 1)
    assert np.mean((shares > 0) & (shares < 1)) > 0.5, "each picture on its own, not the batch as a whole"
    for batch in batches(images, stop=3, flip=False):
        for number, picture in zip(numbers(batch), batch["image"], strict=True):
            np.testing.assert_array_equal(picture, images[number] / np.float32(255))


def test_holes_and_mirroring_do_not_hang_together(images):
    with_flips, without = batches(images), batches(images, flip=False)
    for mine, theirs in zip(with_flips, without, strict=True):
        np.testing.assert_array_equal(mine["mask"], theirs["mask"])


def test_whether_a_picture_is_mirrored_says_nothing_of_any_hole(images):
    """Each use has random numbers of its own: none of a hole's may be that of the mirroring."""
    mirrored, shapes = [], []
    for batch in batches(images, stop=200):
        originals = images[numbers(batch)] / np.float32(255)
        mirrored.append((batch["image"] != originals).any((1, 2, 3)))
        holes = np.concatenate([batch["mask"], batch["real_mask"]])[..., 0]
        extents = [(hole.any(axis).argmax(), hole.any(axis).sum()) for hole in holes for axis in (0, 1)]
        shapes.append(np.ravel(extents))
    count = batch["mask"].shape[0]
    found = np.corrcoef(np.transpose(mirrored).astype(float), np.transpose(shapes))[:count, count:]
    assert np.abs(found).max() < 0.4


def test_holes_differ_from_step_to_step(images):
    found = [batch["mask"].tobytes() for batch in batches(images)]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("method", ["telea", "biharmonic"])
def test_a_classical_method_may_fill_the_holes_first(images, method):
    plain, filled = batches(images, stop=2), batches(images, stop=2, prefill=method)
    for before, after in zip(plain, filled, strict=True):
        for key in before:
            np.testing.assert_array_equal(before[key], after[key])
        assert set(after) == {*before, "prefilled"}
        expected = classical.get(method)(before["image"], before["mask"])
        np.testing.assert_allclose(after["prefilled"], expected, atol=1e-6)
        hole = before["mask"][..., 0] > 0
        assert (after["prefilled"][~hole] == before["image"][~hole]).all()
        assert np.abs(after["prefilled"][hole] - before["image"][hole]).mean() > 0.05


def test_steps_per_epoch():
    assert pipeline.steps_per_epoch(12, 4) == 3 and pipeline.steps_per_epoch(12, 5) == 2
    with pytest.raises(InputError, match=r"`batch_size` must be at most .* 12\. Received 13"):
        pipeline.steps_per_epoch(12, 13)


@pytest.mark.parametrize("batch_size", [1, 5, 12, 50])
def test_test_pictures_keep_their_order_and_holes(images, batch_size):
    found = list(pipeline.test_batches(images, Mask(), batch_size=batch_size))
    pictures = np.concatenate([batch["image"] for batch in found])
    holes = np.concatenate([batch["mask"] for batch in found])
    np.testing.assert_array_equal(pictures, images / np.float32(255))
    np.testing.assert_array_equal(holes, masks.fixed(Mask(), range(COUNT), SIZE))


# Splits


def test_the_papers_split_is_4750_and_250():
    names = [f"{index:06d}.jpg" for index in range(1, 6001)]
    split = data.split(names, Data())
    train, validation, test = (split[which] for which in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (4500, 250, 250)
    assert len({*train, *validation, *test} & {*names}) == 5000
    assert split == data.split(names, Data())
    whole = data.split(names, Data(validation=0))
    assert whole == {"train": sorted(train + validation), "validation": [], "test": test}
    assert data.split(names, Data(split_seed=1))["validation"] != validation != train[:250]
    assert split["test"] != data.split(names, Data(split_seed=1))["test"]
    assert split["test"] != names[:250] and split["test"] == sorted(split["test"])


def test_a_small_source_gives_a_fifth_to_testing():
    names = [str(index) for index in range(50)]
    split = data.split(names, Data())
    assert {which: len(part) for which, part in split.items()} == {"train": 32, "validation": 8, "test": 10}
    assert {*split["train"], *split["validation"], *split["test"]} == {*names}
    everything = data.split([*names, *map(str, range(50, 500))], Data(train=None, validation=30, test=20))
    assert [*map(len, everything.values())] == [450, 30, 20]
    assert [*map(len, data.split(names[:5], Data()).values())] == [4, 0, 1]


def test_a_sources_own_splits_are_kept_apart():
    names = [str(index) for index in range(40)]
    own = {"validation": {*names[:10]}, "test": {*names[30:]}}
    assert data.split(names, Data(), own) == {
        "train": names[10:30],
        "validation": names[:10],
        "test": names[30:],
    }
    few = data.split(names, Data(train=6, validation=4, test=3), own)
    assert [*map(len, few.values())] == [6, 4, 3] and {*few["train"]} < {*names[10:30]}
    assert {*few["validation"]} < own["validation"] and {*few["test"]} < own["test"]
    drawn = data.split(names, Data(), {"test": own["test"]})
    assert [*map(len, drawn.values())] == [24, 6, 10] and not {*drawn["validation"]} & own["test"]
    assert data.split(names, Data(validation=0), own)["train"] == names[10:30]


def test_one_picture_cannot_be_split():
    with pytest.raises(InputError, match=r"at least two pictures\. Received 1"):
        data.split(["only.png"], Data())


def test_load_splits_once_and_keeps_to_names_that_are_given():
    wanted = Data("synthetic_faces", 16, train=6, validation=0, test=2)
    first = data.load(wanted)
    assert first.train.images.shape == (6, 16, 16, 3) and first.train.images.dtype == np.uint8
    assert len(first.names()["test"]) == 2
    other = dict(train=first.names()["test"], test=first.names()["train"])
    again = data.load(wanted, names=other)
    np.testing.assert_array_equal(again.test.images, first.train.images)
    assert data.load(wanted, splits=("test",)).train.images.shape == (0, 16, 16, 3)
    with pytest.raises(InputError, match=r"1 train pictures of this run are not in .*face_999999"):
        data.load(wanted, names={"train": ["face_999999"], "test": ["face_000001"]})
