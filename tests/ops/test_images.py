"""Range conversion, compositing, blending and the border conversion of masks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse.linalg
import tensorflow as tf
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


# Poisson blending

SIDE = (20, 28)


def holes() -> dict[str, np.ndarray]:
    """Masks [H, W, 1] of holes that are easy and hard to solve."""
    masks = {name: np.zeros((*SIDE, 1), "float32") for name in ("box", "two", "border", "frame", "scattered")}
    masks["box"][5:12, 6:20] = 1
    masks["two"][2:6, 3:9] = masks["two"][10:17, 15:25] = 1
    masks["border"][:, :9] = masks["border"][12:, 15:] = 1  # at all four borders, and in three corners
    masks["frame"][3:17, 4:24] = 1
    masks["frame"][8:11, 10:14] = 0  # an island that is known
    masks["scattered"] = (np.random.default_rng(1).random((*SIDE, 1)) > 0.1).astype("float32")
    masks["one pixel"] = np.ones((*SIDE, 1), "float32")
    masks["one pixel"][0, 0] = 0
    masks["two corners"] = masks["one pixel"].copy()
    masks["two corners"][-1, -1] = 0
    return masks


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and predictions whose blend stays within [0, 1]."""
    random = np.random.default_rng(0)
    image, prediction = random.random((2, count, *SIDE, 3), dtype="float32")
    return 0.45 + 0.1 * image, 0.45 + 0.1 * prediction


def solved(image: np.ndarray, prediction: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same by a direct solver in float64: an equation per missing pixel, a term per neighbour."""
    image, prediction = image.astype("float64"), prediction.astype("float64")
    places = [tuple(place) for place in np.argwhere(mask[..., 0] > 0)]
    number = {place: index for index, place in enumerate(places)}
    matrix, right = scipy.sparse.lil_matrix((len(places), len(places))), np.zeros((len(places), 3))
    for (row, column), index in number.items():
        for there in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if not (0 <= there[0] < SIDE[0] and 0 <= there[1] < SIDE[1]):
                continue
            matrix[index, index] += 1
            right[index] += prediction[row, column] - prediction[there]
            if there in number:
                matrix[index, number[there]] -= 1
            else:
                right[index] += image[there]
    result = image.copy()
    result[tuple(np.transpose(places))] = scipy.sparse.linalg.spsolve(matrix.tocsc(), right)
    return result


@pytest.mark.parametrize("compiled", [False, True])
def test_poisson_blending_solves_its_equations(compiled):
    mask = np.stack(list(holes().values()))
    image, prediction = pictures(len(mask))
    expected = np.stack([solved(*each) for each in zip(image, prediction, mask, strict=True)])
    assert expected.min() > 0 and expected.max() < 1
    if compiled:
        blend = tf.function(images.poisson_blend)
        blended = np.array(blend(*map(tf.constant, (image, prediction, mask))))
    else:
        blended = images.poisson_blend(image, prediction, mask)
    assert isinstance(blended, np.ndarray) and blended.dtype == np.float32
    np.testing.assert_allclose(blended, expected, atol=5e-6)
    known = np.broadcast_to(mask == 0, image.shape)
    np.testing.assert_array_equal(blended[known], image[known])
    missing = ~known
    assert np.abs(blended[missing] - prediction[missing]).max() > 0.01, "the prediction was to be changed"


def test_a_prediction_that_is_off_by_a_constant_is_put_right():
    mask = np.stack(list(holes().values()))
    image, _ = pictures(len(mask))
    offset = np.array([0.3, -0.2, 0.1], "float32")
    np.testing.assert_allclose(images.poisson_blend(image, image + offset, mask), image, atol=2e-6)


def test_blending_looks_at_nothing_under_the_hole_and_nothing_known_of_another_picture():
    mask = np.stack(list(holes().values()))
    image, prediction = pictures(len(mask))
    blended = images.poisson_blend(image, prediction, mask)
    hidden = np.where(mask > 0, np.nan, image).astype("float32")
    np.testing.assert_array_equal(images.poisson_blend(hidden, prediction, mask), blended)
    for index in range(len(mask)):
        alone = images.poisson_blend(*(x[index : index + 1] for x in (image, prediction, mask)))
        np.testing.assert_allclose(alone[0], blended[index], atol=1e-6)


def test_what_cannot_be_blended_stays():
    image, prediction = pictures(2)
    mask = np.stack([np.ones((*SIDE, 1), "float32"), np.zeros((*SIDE, 1), "float32")])
    blended = images.poisson_blend(image, prediction, mask)
    np.testing.assert_array_equal(blended[0], prediction[0])  # no known pixel to blend it into
    np.testing.assert_array_equal(blended[1], image[1])


def test_a_blend_is_clipped_in_the_hole_alone():
    mask = holes()["box"][None]
    image = np.full((1, *SIDE, 3), 1.25, "float32")
    prediction = np.random.default_rng(0).random((1, *SIDE, 3), "float32")
    blended = images.poisson_blend(image, prediction, mask)
    hole = np.broadcast_to(mask > 0, image.shape)
    assert blended[hole].max() == 1.0 and (blended[~hole] == 1.25).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_blend_is_float32_whatever_it_is_made_of(dtype):
    image, prediction = (ops.cast(ops.convert_to_tensor(x), dtype) for x in pictures(1))
    mask = ops.convert_to_tensor(holes()["box"][None])
    blended = images.poisson_blend(image, prediction, mask)
    assert blended.dtype == tf.float32
    given = (np.array(ops.cast(x, "float32"))[0] for x in (image, prediction, mask))
    np.testing.assert_allclose(np.array(blended)[0], solved(*given), atol=5e-6)


# Smooth fills


def test_a_smooth_fill_keeps_the_known_pixels_and_continues_a_ramp():
    ramp = np.linspace(0.0, 1.0, 48, dtype="float32")[None, None, :, None] * np.ones(
        (2, 32, 48, 3), "float32"
    )
    missing = np.zeros((2, 32, 48, 1), bool)
    missing[0, 10:20, 18:30] = missing[1, 3:7, 40:44] = True
    filled = np.asarray(images.smooth_fill(ramp, missing))
    np.testing.assert_array_equal(filled[~missing[..., 0]], ramp[~missing[..., 0]])
    assert np.abs(filled - ramp).max() < 0.03  # the mean colour is 0.25 away


def test_a_smooth_fill_of_each_picture_is_its_own():
    rng = np.random.default_rng(0)
    pictures, missing = rng.random((2, 17, 23, 3), "float32"), np.zeros((2, 17, 23, 1), bool)
    missing[0, :, 3:] = missing[1, 4:9, 4:9] = True
    both = np.asarray(images.smooth_fill(pictures, missing))
    for k in range(2):
        alone = np.asarray(images.smooth_fill(pictures[k : k + 1], missing[k : k + 1]))
        np.testing.assert_allclose(alone[0], both[k], atol=1e-6)
    assert both[0, :, 3:].min() >= pictures[0, :, :3].min() - 1e-6
    assert both[0, :, 3:].max() <= pictures[0, :, :3].max() + 1e-6


def test_a_smooth_fill_without_any_known_pixel_is_black():
    assert not np.asarray(
        images.smooth_fill(np.ones((1, 8, 12, 3), "float32"), np.ones((1, 8, 12, 1), bool))
    ).any()
