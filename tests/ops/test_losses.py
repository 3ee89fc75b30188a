"""Losses against NumPy by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import skimage.metrics

from inpainting_tf.ops import losses

LOGITS = np.array([[-3.0], [0.5], [2.0]], "float32")


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype("float64")))


def two_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures [2, 12, 13, 3] with holes of one and of 24 pixels."""
    random = np.random.default_rng(0)
    target, prediction = random.random((2, 2, 12, 13, 3)).astype("float32")
    mask = np.zeros((2, 12, 13, 1), "float32")
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


def test_masked_log_mse_rates_each_picture_by_itself():
    target, prediction, mask = two_pictures()
    errors = [
        float(losses.masked_mse(target[i : i + 1], prediction[i : i + 1], mask[i : i + 1])) for i in (0, 1)
    ]
    by_hand = np.mean(np.log(np.add(errors, 1e-4)))
    assert float(losses.masked_log_mse(target, prediction, mask)) == pytest.approx(by_hand, rel=1e-6)
    assert float(losses.masked_log_mse(target, target, mask)) == pytest.approx(np.log(1e-4), rel=1e-6)


def test_masked_mse_of_an_empty_mask_is_zero():
    target, prediction, mask = two_pictures()
    assert float(losses.masked_mse(target, prediction, 0 * mask)) == 0


def test_adversarial_terms_are_those_of_the_equations():
    real, fake = LOGITS, LOGITS[::-1] - 1
    by_hand = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()
    assert float(losses.discriminator_loss(real, fake)) == pytest.approx(by_hand, rel=1e-5)
    assert float(losses.non_saturating(fake)) == pytest.approx(-np.log(sigmoid(fake)).mean(), rel=1e-5)
    assert float(losses.minimax(fake)) == pytest.approx(np.log(1 - sigmoid(fake)).mean(), rel=1e-5)


def test_each_game_goes_by_its_own_name():
    fake = LOGITS - 1
    generators = {name: float(game.generator(fake)) for name, game in losses.ADVERSARIAL.items()}
    assert generators == pytest.approx(
        {
            "non_saturating": -np.log(sigmoid(fake)).mean(),
            "minimax": np.log(1 - sigmoid(fake)).mean(),
            "l1": np.abs(1 - fake).mean(),
        },
        rel=1e-5,
    )


def test_a_discriminator_that_knows_nothing_loses_two_log_two():
    nothing = np.zeros((4, 1), "float32")
    assert float(losses.discriminator_loss(nothing, nothing)) == pytest.approx(2 * np.log(2))


def test_both_generator_terms_fall_when_the_discriminator_is_fooled():
    for game in losses.ADVERSARIAL.values():
        assert float(game.generator(LOGITS - 3)) > float(game.generator(LOGITS - 2))


def test_the_games_of_maps_by_hand():
    real = np.array([[[[0.5], [2.0]]], [[[1.0], [-1.0]]]], "float32")  # two maps of 1x2
    fake = np.array([[[[0.0], [0.5]]], [[[-1.0], [2.5]]]], "float32")
    game = losses.ADVERSARIAL["l1"]
    assert float(game.discriminator(real, fake)) == pytest.approx(0.5 * 3.5 / 4 + 0.5 * 4.0 / 4)
    assert float(game.generator(fake)) == pytest.approx((1.0 + 0.5 + 2.0 + 1.5) / 4)
    assert float(game.discriminator(np.ones_like(real), np.zeros_like(fake))) == 0


def test_scores_are_one_for_real_and_zero_for_fake():
    for name, game in losses.ADVERSARIAL.items():
        sure = (1.0, 0.0) if name == "l1" else (50.0, -50.0)
        found = [float(game.score(keras.ops.convert_to_tensor(np.float32([[x]])))[0, 0]) for x in sure]
        assert found == pytest.approx([1.0, 0.0], abs=1e-6)
        assert float(game.discriminator(np.float32([[sure[0]]]), np.float32([[sure[1]]]))) < 1e-6


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
        *(game.generator(logits) for game in losses.ADVERSARIAL.values()),
        *(game.discriminator(logits, logits) for game in losses.ADVERSARIAL.values()),
    ]


@pytest.mark.parametrize("size", [80.0, 1e4])
def test_sure_discriminators_give_finite_losses(size):
    sure = np.array([[size], [-size]], "float32")
    assert float(losses.discriminator_loss(sure, -sure)) == pytest.approx(size)
    assert float(losses.non_saturating(sure)) == pytest.approx(size / 2)
    assert float(losses.minimax(sure)) == pytest.approx(-size / 2)


def test_known_mse_is_the_mean_outside_the_hole():
    target, prediction = np.zeros((2, 3, 4, 3), "float32"), np.zeros((2, 3, 4, 3), "float32")
    mask = np.zeros((2, 3, 4, 1), "float32")
    mask[0, 1, 1:3] = 1
    prediction[0, 1, 1:3] = 9.0  # in the hole: does not count
    prediction[0, 0, 0] = 2.0
    prediction[1, 2, 3] = 1.0
    expected = (4.0 / 10 + 1.0 / 12) / 2
    assert float(losses.known_mse(target, prediction, mask)) == pytest.approx(expected, rel=1e-6)


def test_squared_errors_in_the_range_of_a_tanh():
    """By hand, of pictures that are scaled to [-1, 1]."""
    target, prediction, mask = two_pictures()
    square = ((2 * target - 1) - (2 * prediction - 1)) ** 2
    assert float(losses.tanh_mse(target, prediction)) == pytest.approx(square.mean(), rel=1e-5)
    in_holes = (square[0, 0, 1].mean() + square[1, :, :2].mean()) / 2
    assert float(losses.tanh_masked_mse(target, prediction, mask)) == pytest.approx(in_holes, rel=1e-5)


def test_the_cars_gans_mse_is_over_all_pixels_with_blanked_holes():
    """cifar_cars, section 3.4: MSE(IM x I - G(h) x I), I = 1 where known."""
    target, prediction, mask = two_pictures()
    known = 1 - mask
    printed = np.mean(((2 * target - 1) * known - (2 * prediction - 1) * known) ** 2)
    found = float(losses.tanh_blanked_mse(target, prediction, mask))
    assert found == pytest.approx(printed, rel=1e-5)
    assert found < 4 * float(losses.known_mse(target, prediction, mask))


def test_boundary_weights_by_hand():
    mask = np.zeros((1, 1, 10, 1), "float32")
    mask[0, 0, 4:9] = 1  # the hole's edges lie between 3 and 4, and between 8 and 9
    weights = np.array(losses.boundary_weights(mask, strength=3.0, reach=3))[0, 0, :, 0]
    np.testing.assert_allclose(weights, [1, 2, 3, 4, 4, 3, 2, 3, 4, 4], rtol=1e-6)
    column = np.array(losses.boundary_weights(mask.transpose(0, 2, 1, 3), strength=3.0, reach=3))
    np.testing.assert_allclose(column[0, :, 0, 0], weights)


def test_the_pictures_border_is_no_edge_of_the_hole():
    mask = np.zeros((1, 6, 8, 1), "float32")
    mask[0, :, :3] = 1
    weights = np.array(losses.boundary_weights(mask, strength=1.0, reach=2))[0, :, :, 0]
    np.testing.assert_allclose(weights, np.tile([1, 1.5, 2, 2, 1.5, 1, 1, 1], (6, 1)), rtol=1e-6)


def test_l1_is_the_mean_over_everything():
    target, prediction, _ = two_pictures()
    assert float(losses.l1(target, prediction)) == pytest.approx(np.abs(target - prediction).mean())


@pytest.mark.parametrize("name", ["mse_dssim", "l1_dssim"])
def test_dssim_is_that_of_scikit_image(name):
    target = np.random.default_rng(0).random((2, 20, 24, 3)).astype("float32")
    prediction = np.clip(target + np.random.default_rng(1).normal(0, 0.2, target.shape), 0, 1).astype(
        "float32"
    )
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    similar = [
        skimage.metrics.structural_similarity(
            a.astype("float64"), b.astype("float64"), channel_axis=-1, data_range=1.0, full=True, **settings
        )[1][5:-5, 5:-5].mean()
        for a, b in zip(target, prediction, strict=True)
    ]
    dssim = (1 - np.mean(similar)) / 2
    error = np.mean((target - prediction) ** 2) if name == "mse_dssim" else np.abs(target - prediction).mean()
    found = float(losses.RECONSTRUCTION[name](target, prediction, None))
    assert found == pytest.approx((error + dssim) / 2, abs=1e-5)
    assert float(losses.dssim(target, target)) == 0


@pytest.mark.parametrize("name", ["mse", "masked_mse", "masked_log_mse", "known_mse", "l1"])
def test_weights_make_a_weighted_mean(name):
    random = np.random.default_rng(0)
    target, prediction = random.random((2, 2, 5, 6, 3), "float32")
    mask = (random.random((2, 5, 6, 1)) < 0.4).astype("float32")
    weights = random.random((2, 5, 6, 1)).astype("float32")
    regions = {"masked_mse": mask, "masked_log_mse": mask, "known_mse": 1 - mask}
    region = regions.get(name, np.ones_like(mask)) * weights
    error = (np.abs(target - prediction) ** (1 if name == "l1" else 2) * region).sum((1, 2, 3)) / (
        3 * region.sum((1, 2, 3))
    )
    if name == "masked_log_mse":
        error = np.log(error + 1e-4)
    loss = losses.RECONSTRUCTION[name]
    assert float(loss(target, prediction, mask, weights)) == pytest.approx(error.mean(), rel=1e-5)
    assert float(loss(target, prediction, mask, 7 * weights)) == pytest.approx(error.mean(), rel=1e-5)
    assert float(loss(target, prediction, mask, np.ones_like(mask))) == pytest.approx(
        float(loss(target, prediction, mask)), rel=1e-6
    )


def test_the_divergence_is_the_closed_form():
    mean = np.array([[0.0, 1.0], [2.0, -1.0]], "float32")
    variance = np.array([[1.0, 4.0], [0.25, 1.0]], "float32")
    by_hand = [
        0.5 * (0 + (1 + 4 - 1 - np.log(4))),
        0.5 * ((4 + 0.25 - 1 - np.log(0.25)) + (1 + 1 - 1 - 0)),
    ]
    found = float(losses.kl_divergence(mean, np.log(variance)))
    assert found == pytest.approx(np.mean(by_hand), rel=1e-6)
    assert float(losses.kl_divergence(np.zeros((3, 5)), np.zeros((3, 5)))) == 0.0


def test_the_divergence_agrees_with_sampling():
    mean, log_variance = np.array([[0.7, -0.4]]), np.array([[0.5, -1.0]])
    noise = np.random.default_rng(0).normal(size=(200_000, 2))
    code = mean + np.exp(log_variance / 2) * noise
    log_ratio = (-0.5 * (noise**2 + log_variance) + 0.5 * code**2).sum(1)
    assert float(losses.kl_divergence(mean, log_variance)) == pytest.approx(log_ratio.mean(), abs=0.01)
