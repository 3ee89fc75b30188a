"""`add_holes`: the same holes at each pass and in the evaluation, for any dataset of pictures."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from inpainting_tf.data import add_holes, holes
from inpainting_tf.errors import InputError
from inpainting_tf.ops import masks
from inpainting_tf.ops.masks import SAMPLERS, Mask

tf = pytest.importorskip("tensorflow")

SIZE, COUNT = (20, 32), 7


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """uint8 [7, 20, 32, 3]."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, *SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def dataset(pictures):
    return tf.data.Dataset.from_tensor_slices(pictures)


def drawn(dataset) -> np.ndarray:
    """The masks of unbatched elements, [N, H, W, 1]."""
    return np.stack([element["mask"] for element in dataset.as_numpy_iterator()])


def test_a_batch_is_the_whole_pictures_and_their_holes(pictures, dataset):
    found = add_holes(dataset.batch(3), "rectangle", seed=5)
    assert len(found) == 3
    assert {name: (tuple(spec.shape), spec.dtype) for name, spec in found.element_spec.items()} == {
        "image": ((None, *SIZE, 3), tf.float32),
        "mask": ((None, *SIZE, 1), tf.float32),
    }
    batches = list(found.as_numpy_iterator())
    assert [len(batch["mask"]) for batch in batches] == [3, 3, 1]
    images = np.concatenate([batch["image"] for batch in batches])
    np.testing.assert_array_equal(images, pictures / np.float32(255))


@pytest.mark.parametrize("kind", list(SAMPLERS))
def test_the_holes_are_those_of_the_evaluation(dataset, kind):
    batches = list(add_holes(dataset.batch(3), kind, seed=5).as_numpy_iterator())
    found = np.concatenate([batch["mask"] for batch in batches])
    np.testing.assert_array_equal(found, masks.fixed(Mask(kind), range(COUNT), SIZE, seed=5))


def test_one_is_missing_and_zero_is_known(dataset):
    """A centred square of half the shorter side: 1 there, 0 around it."""
    (element,) = add_holes(dataset.take(1), Mask("centre", 0.5, 0.5)).as_numpy_iterator()
    expected = np.zeros((*SIZE, 1), np.float32)
    expected[5:15, 11:21] = 1.0
    np.testing.assert_array_equal(element["mask"], expected)


def test_pictures_one_by_one_stay_so_and_get_the_same_holes(dataset):
    found = add_holes(dataset, "strokes", seed=2)
    assert found.element_spec["image"].shape == (*SIZE, 3) and found.element_spec["mask"].shape == (*SIZE, 1)
    assert len(found) == COUNT
    batched = np.concatenate([b["mask"] for b in add_holes(dataset.batch(4), "strokes", seed=2)])
    np.testing.assert_array_equal(drawn(found), batched)


def test_each_pass_draws_the_same_and_repeating_first_draws_others(dataset):
    found = add_holes(dataset, seed=1)
    first, second = drawn(found), drawn(found)
    np.testing.assert_array_equal(first, second)
    assert len({hole.tobytes() for hole in first}) > 1
    twice = drawn(add_holes(dataset.repeat(2), seed=1))
    np.testing.assert_array_equal(twice[:COUNT], first)
    assert (twice[COUNT:] != first).any(axis=(1, 2, 3)).sum() > COUNT / 2
    assert (drawn(add_holes(dataset, seed=2)) != first).any()


@pytest.mark.parametrize("batched", [False, True])
def test_float_pictures_are_taken_as_they_are(pictures, batched):
    images = (pictures / 255.0).astype("float16")
    images[0, 0, 0] = 1.1  # bicubic resizing overshoots
    dataset = tf.data.Dataset.from_tensor_slices(images)
    found = list(add_holes(dataset.batch(COUNT) if batched else dataset).as_numpy_iterator())
    image = found[0]["image"][0] if batched else found[0]["image"]
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, images[0].astype(np.float32))


@pytest.mark.parametrize("change", [lambda x: x, lambda x: x / 127.5 - 1, lambda x: x * np.nan])
def test_float_pictures_of_another_range_are_refused(pictures, change):
    dataset = tf.data.Dataset.from_tensors(change(pictures.astype("float32")))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be in \[0, 1\]: divide"):
        list(add_holes(dataset))


def of(shape, dtype="uint8"):
    return tf.data.Dataset.from_tensors(np.zeros(shape, dtype))


def of_unknown_size():
    specification = tf.TensorSpec([None, 32, 3], tf.uint8)
    return tf.data.Dataset.from_generator(lambda: iter(()), output_signature=specification)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: of((8, 8)), r"\[H, W, 3\] or \[N, H, W, 3\]"),
        (lambda: of((8, 8, 1)), r"\[H, W, 3\] or \[N, H, W, 3\]"),
        (lambda: of((2, 3, 8, 8, 3)), r"\[H, W, 3\] or \[N, H, W, 3\]"),
        (of_unknown_size, "one size; resize"),
        (lambda: of((8, 8, 3), "int32"), "uint8 or float"),
        (lambda: tf.data.Dataset.zip((of((8, 8, 3)), of(()))), "pictures alone"),
        (lambda: tf.data.Dataset.from_tensors({"image": np.zeros((8, 8, 3))}), "pictures alone"),
        (lambda: np.zeros((4, 8, 8, 3), "uint8"), "a tf.data.Dataset"),
    ],
)
def test_what_is_no_dataset_of_pictures_is_refused_in_a_line(make, rule):
    with pytest.raises(InputError, match=rf"^`dataset` must .*{rule}.*Received [^\n]+$"):
        add_holes(make())


def test_other_mistakes_are_refused_at_once(dataset):
    with pytest.raises(InputError, match=r"`mask` must be one of .*Did you mean 'rectangle'"):
        add_holes(dataset, "rectangel")
    with pytest.raises(InputError, match=r"low <= high <= 1.*Received 0\.5, 0\.25"):
        add_holes(dataset, Mask("rectangle", 0.5, 0.25))
    with pytest.raises(InputError, match=r"`seed` must be at least 0\. Received -1"):
        add_holes(dataset, seed=-1)


def test_the_example_runs():
    results = doctest.testmod(holes)
    assert results.attempted >= 5 and not results.failed
