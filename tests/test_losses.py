"""Losses against NumPy by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf import losses

LOGITS = np.array([[-3.0], [0.5], [2.0]], "float32")


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype("float64")))


def two_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures [2, 2, 3, 3] with holes of one and of four pixels."""
    random = np.random.default_rng(0)
    target, prediction = random.random((2, 2, 2, 3, 3)).astype("float32")
    mask = np.zeros((2, 2, 3, 1), "float32")
    mask[0, 0, 1] = mask[1, :, :2] = 1
    return target, prediction, mask


def test_mse_is_the_mean_over_everything():
    target, prediction, _ = two_pictures()
    assert float(losses.mse(target, prediction)) == pytest.approx(np.mean((target - prediction) ** 2))


def test_masked_mse_is_the_mean_of_each_pictures_hole():
    target, prediction, mask = two_pictures()
    square = (target - prediction) ** 2
    by_hand = (square[0, 0, 1].mean() + square[1, :, :2].mean()) / 2
    assert float(losses.masked_mse(target, prediction, mask)) == pytest.approx(by_hand, rel=1e-6)


def test_masked_mse_does_not_see_the_known_pixels():
    target, prediction, mask = two_pictures()
    other = np.where(mask > 0, prediction, prediction + 5)
    assert float(losses.masked_mse(target, other, mask)) == float(losses.masked_mse(target, prediction, mask))
    changed = np.where(mask > 0, prediction + 5, prediction)
    assert float(losses.masked_mse(target, changed, mask)) > 10


def test_masked_mse_of_an_empty_mask_is_zero():
    target, prediction, mask = two_pictures()
    assert float(losses.masked_mse(target, prediction, 0 * mask)) == 0


def test_adversarial_terms_are_those_of_the_equations():
    real, fake = LOGITS, LOGITS[::-1] - 1
    by_hand = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()
    assert float(losses.discriminator_loss(real, fake)) == pytest.approx(by_hand, rel=1e-5)
    assert float(losses.non_saturating(fake)) == pytest.approx(-np.log(sigmoid(fake)).mean(), rel=1e-5)
    assert float(losses.minimax(fake)) == pytest.approx(np.log(1 - sigmoid(fake)).mean(), rel=1e-5)


def test_a_discriminator_that_knows_nothing_loses_two_log_two():
    nothing = np.zeros((4, 1), "float32")
    assert float(losses.discriminator_loss(nothing, nothing)) == pytest.approx(2 * np.log(2))


def test_both_generator_terms_fall_when_the_discriminator_is_fooled():
    for term in losses.ADVERSARIAL.values():
        assert float(term(LOGITS + 1)) < float(term(LOGITS))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_losses_are_float32_whatever_comes_in(dtype):
    given = [keras.ops.cast(x, dtype) for x in (*two_pictures(), LOGITS)]
    found = all_losses(*given)
    for value in found:
        assert keras.backend.standardize_dtype(value.dtype) == "float32" and value.shape == ()
    # Computed in float32 too, and not only returned so.
    exact = all_losses(*(keras.ops.cast(x, "float32") for x in given))
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def all_losses(target, prediction, mask, logits) -> list:
    return [
        *(term(target, prediction, mask) for term in losses.RECONSTRUCTION.values()),
        *(term(logits) for term in losses.ADVERSARIAL.values()),
        losses.discriminator_loss(logits, logits),
    ]


@pytest.mark.parametrize("size", [80.0, 1e4])
def test_sure_discriminators_give_finite_losses(size):
    sure = np.array([[size], [-size]], "float32")
    assert float(losses.discriminator_loss(sure, -sure)) == pytest.approx(size)
    assert float(losses.non_saturating(sure)) == pytest.approx(size / 2)
    assert float(losses.minimax(sure)) == pytest.approx(-size / 2)
