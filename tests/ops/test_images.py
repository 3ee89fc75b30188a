"""Range conversion, compositing and the border conversion of masks."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from inpainting_tf.errors import InputError
from inpainting_tf.ops import images

EVERY_LEVEL = np.arange(256, dtype="uint8").reshape(8, 32)


def test_to_float_maps_0_to_255_onto_0_to_1():
    picture = images.to_float(np.array([[0, 51, 255]], "uint8"))
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, [[0.0, 0.2, 1.0]], rtol=1e-7)


def test_every_level_survives_the_round_trip():
    np.testing.assert_array_equal(images.to_uint8(images.to_float(EVERY_LEVEL)), EVERY_LEVEL)
    np.testing.assert_array_equal(
        images.to_uint8(images.to_float(ops.convert_to_tensor(EVERY_LEVEL))), EVERY_LEVEL
    )


def test_to_uint8_rounds_to_the_nearest_level_and_clips():
    picture = np.array([-0.5, 0.0, 1.4 / 255, 1.6 / 255, 254.6 / 255, 1.0, 7.0], "float32")
    result = images.to_uint8(picture)
    assert isinstance(result, np.ndarray) and result.dtype == np.uint8
    np.testing.assert_array_equal(result, [0, 0, 1, 2, 255, 255, 255])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_to_uint8_takes_tensors_of_any_float_type(dtype):
    picture = ops.cast(ops.convert_to_tensor([0.0, 0.5, 1.0]), dtype)
    np.testing.assert_array_equal(images.to_uint8(picture), [0, 128, 255])


def test_conversions_refuse_the_wrong_range():
    with pytest.raises(InputError, match=r"`picture` must be uint8.*float32"):
        images.to_float(np.zeros((2, 3, 3), "float32"))
    with pytest.raises(InputError, match=r"`picture` must be floating point.*uint8"):
        images.to_uint8(np.zeros((2, 3, 3), "uint8"))
    with pytest.raises(InputError, match="NaN"):
        images.to_uint8(np.array([0.5, np.nan], "float32"))


def test_composite_takes_the_hole_from_the_prediction_and_nothing_else():
    rng = np.random.default_rng(0)
    image, prediction = rng.random((2, 2, 32, 48, 3), dtype="float32")
    mask = np.zeros((2, 32, 48, 1), "float32")
    mask[:, 4:9, 20:40] = 1.0
    hole = np.broadcast_to(mask == 1, image.shape)

    for completed in (
        images.composite(image, prediction, mask),
        ops.convert_to_numpy(images.composite(*map(ops.convert_to_tensor, (image, prediction, mask)))),
    ):
        assert completed.dtype == np.float32
        np.testing.assert_array_equal(completed[hole], prediction[hole])
        np.testing.assert_array_equal(completed[~hole], image[~hole])


@pytest.mark.parametrize("dtype, missing", [("uint8", 255), ("uint8", 1), ("bool", True), ("float32", 0.25)])
@pytest.mark.parametrize(
    "shape, expected",
    [
        ((32, 48), (32, 48, 1)),
        ((32, 48, 1), (32, 48, 1)),
        ((2, 32, 48), (2, 32, 48, 1)),
        ((2, 32, 48, 1), (2, 32, 48, 1)),
    ],
)
def test_to_mask_makes_any_non_zero_value_missing(shape, expected, dtype, missing):
    mask = np.zeros(shape, dtype)
    flat = mask.reshape(-1)
    flat[[3, 50, 1000]] = missing

    for result in (
        images.to_mask(mask),
        ops.convert_to_numpy(images.to_mask(ops.convert_to_tensor(mask))),
    ):
        assert result.shape == expected and result.dtype == np.float32
        assert set(np.unique(result)) == {0.0, 1.0}
        np.testing.assert_array_equal(np.flatnonzero(result), [3, 50, 1000])


def test_to_mask_leaves_its_argument_alone():
    mask = np.full((4, 6), 255, "uint8")
    images.to_mask(mask)[...] = 0.0
    assert (mask == 255).all()
    mask = np.ones((4, 6, 1), "float32")
    images.to_mask(mask)[...] = 0.0
    assert (mask == 1).all()


@pytest.mark.parametrize("shape", [(), (5,), (1, 2, 32, 48, 1)])
def test_to_mask_refuses_a_wrong_rank(shape):
    with pytest.raises(InputError, match=r"`mask` must have shape .*Received \("):
        images.to_mask(np.ones(shape, "uint8"))


@pytest.mark.parametrize("shape", [(32, 48, 3), (32, 48, 4), (2, 32, 48, 3)])
def test_to_mask_refuses_colour_channels(shape):
    with pytest.raises(InputError, match="`mask` must have one channel"):
        images.to_mask(np.ones(shape, "uint8"))


def test_soft_edges_and_lossy_files_still_make_a_mask_but_a_photograph_does_not():
    random = np.random.default_rng(0)
    mask = np.zeros((32, 48), "uint8")
    mask[8:20, 10:30] = 255
    for axis in (0, 1):  # 3 x 3 means: levels between along the edge
        mask = np.mean([np.roll(mask, shift, axis) for shift in (-1, 0, 1)], 0).astype("uint8")
    images.check_two_levels(mask)
    mask[:4] = random.integers(0, 8, (4, 48))
    images.check_two_levels(mask)
    with pytest.raises(InputError, match="`mask` must have two levels"):
        images.check_two_levels(random.integers(0, 256, (32, 48)).astype("uint8"))
