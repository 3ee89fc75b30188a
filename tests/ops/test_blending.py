"""Poisson blending against a direct solver, whatever the hole, as arrays and as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse.linalg
import tensorflow as tf
from keras import ops

from inpainting_tf.ops.blending import poisson_blend

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
        blend = tf.function(poisson_blend)
        blended = np.array(blend(*map(tf.constant, (image, prediction, mask))))
    else:
        blended = poisson_blend(image, prediction, mask)
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
    np.testing.assert_allclose(poisson_blend(image, image + offset, mask), image, atol=2e-6)


def test_blending_looks_at_nothing_under_the_hole_and_nothing_known_of_another_picture():
    mask = np.stack(list(holes().values()))
    image, prediction = pictures(len(mask))
    blended = poisson_blend(image, prediction, mask)
    hidden = np.where(mask > 0, np.nan, image).astype("float32")
    np.testing.assert_array_equal(poisson_blend(hidden, prediction, mask), blended)
    for index in range(len(mask)):
        alone = poisson_blend(*(x[index : index + 1] for x in (image, prediction, mask)))
        np.testing.assert_allclose(alone[0], blended[index], atol=1e-6)


def test_what_is_solved_waits_unchanged_for_the_others_of_the_batch():
    easy, hard = holes()["one pixel"] * 0, holes()["scattered"]
    easy[5, 6] = 1
    image, prediction = (tf.constant(x) for x in pictures(2))
    together = np.array(poisson_blend(image, prediction, tf.constant(np.stack([easy, hard]))))
    alone = np.array(poisson_blend(image[:1], prediction[:1], tf.constant(easy[None])))
    np.testing.assert_array_equal(together[:1], alone)


def test_what_cannot_be_blended_stays():
    image, prediction = pictures(2)
    mask = np.stack([np.ones((*SIDE, 1), "float32"), np.zeros((*SIDE, 1), "float32")])
    blended = poisson_blend(image, prediction, mask)
    np.testing.assert_array_equal(blended[0], prediction[0])  # no known pixel to blend it into
    np.testing.assert_array_equal(blended[1], image[1])


def test_a_blend_is_clipped_in_the_hole_alone():
    mask = holes()["box"][None]
    image = np.full((1, *SIDE, 3), 1.25, "float32")
    prediction = np.random.default_rng(0).random((1, *SIDE, 3), "float32")
    blended = poisson_blend(image, prediction, mask)
    hole = np.broadcast_to(mask > 0, image.shape)
    assert blended[hole].max() == 1.0 and (blended[~hole] == 1.25).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_blend_is_float32_whatever_it_is_made_of(dtype):
    image, prediction = (ops.cast(ops.convert_to_tensor(x), dtype) for x in pictures(1))
    mask = ops.convert_to_tensor(holes()["box"][None])
    blended = poisson_blend(image, prediction, mask)
    assert blended.dtype == tf.float32
    given = (np.array(ops.cast(x, "float32"))[0] for x in (image, prediction, mask))
    np.testing.assert_allclose(np.array(blended)[0], solved(*given), atol=5e-6)
