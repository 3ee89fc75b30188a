"""Metrics against hand-computed values and against scikit-image."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from inpainting_tf.errors import InputError
from inpainting_tf.ops import metrics

SIZE = (32, 48)


def numpy(tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


def constant(value: float) -> np.ndarray:
    return np.full((1, *SIZE, 3), value, "float32")


def picture_pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs of batches that stress SSIM differently: texture, gradients, edges, flat and bright areas."""
    rng = np.random.default_rng(0)
    noise, other = rng.random((2, 2, *SIZE, 3), dtype="float32")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    smooth = np.stack([y / SIZE[0], x / SIZE[1], (x + y) / sum(SIZE)], axis=-1)[None].astype("float32")
    step = np.repeat((x > 24)[None, ..., None], 3, axis=-1).astype("float32")
    bright = (0.98 + 0.01 * noise, 0.98 + 0.01 * other)
    return {
        "random": (noise, other),
        "close": (noise, np.clip(noise + 0.02 * (other - 0.5), 0, 1)),
        "smooth": (smooth, 0.9 * smooth),
        "flipped": (smooth, smooth[:, ::-1]),
        "inverted step": (step, 1 - step),
        "shifted step": (step, np.roll(step, 1, axis=2)),
        "constant": (constant(0.2), constant(0.7)),
        "flat against step": (constant(0.2), step),
        "bright": bright,
    }


PAIRS = picture_pairs()


@pytest.mark.parametrize("name", PAIRS)
def test_ssim_agrees_with_scikit_image(name):
    a, b = PAIRS[name]
    expected = [
        structural_similarity(
            x,
            y,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=-1,
        )
        for x, y in zip(a.astype("float64"), b.astype("float64"), strict=True)
    ]
    np.testing.assert_allclose(numpy(metrics.ssim(a, b)), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(numpy(metrics.ssim(b, a)), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_psnr_agrees_with_scikit_image(name):
    a, b = PAIRS[name]
    expected = [
        peak_signal_noise_ratio(x, y, data_range=1)
        for x, y in zip(a.astype("float64"), b.astype("float64"), strict=True)
    ]
    np.testing.assert_allclose(numpy(metrics.psnr(a, b)), expected, rtol=0, atol=1e-4)


def test_errors_by_hand():
    a = np.zeros((2, *SIZE, 3), "float32")
    b = a.copy()
    b[0] = 0.1
    b[1, :, :24] = 0.2  # one half of the second picture
    np.testing.assert_allclose(numpy(metrics.mse(a, b)), [0.01, 0.02], rtol=1e-5)
    np.testing.assert_allclose(numpy(metrics.mae(a, b)), [0.1, 0.1], rtol=1e-5)
    np.testing.assert_allclose(numpy(metrics.psnr(a, b)), [20.0, 16.9897], rtol=1e-6)


def test_ssim_of_constant_pictures_by_hand():
    expected = (2 * 0.2 * 0.7 + 1e-4) / (0.2**2 + 0.7**2 + 1e-4)
    np.testing.assert_allclose(numpy(metrics.ssim(constant(0.2), constant(0.7))), [expected], rtol=1e-5)


def test_equal_pictures_are_perfect():
    a = PAIRS["random"][0]
    mask = np.ones((2, *SIZE, 1), "float32")
    np.testing.assert_array_equal(numpy(metrics.psnr(a, a)), [100.0, 100.0])
    np.testing.assert_array_equal(numpy(metrics.hole_psnr(a, a, mask)), [100.0, 100.0])
    np.testing.assert_array_equal(numpy(metrics.ssim(a, a)), [1.0, 1.0])


def test_psnr_is_capped_at_100_db():
    nearly = constant(0.0)
    nearly[0, 0, 0, 0] = 1e-4  # 116 dB uncapped
    np.testing.assert_array_equal(numpy(metrics.psnr(constant(0.0), nearly)), [100.0])


def test_a_diverged_prediction_is_not_a_good_one():
    broken = constant(0.5)
    broken[0, 3, 4, 1] = np.nan
    for metric in (metrics.mse, metrics.mae, metrics.psnr, metrics.ssim):
        assert np.isnan(numpy(metric(constant(0.5), broken))).all(), metric.__name__


def hole_case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures with different holes, wrong by 0.1 in the hole and by 0.5 in one row of known pixels."""
    mask = np.zeros((2, *SIZE, 1), "float32")
    mask[0, 5:15, 20:44] = 1.0
    mask[1, :16, :24] = 1.0
    a = np.zeros((2, *SIZE, 3), "float32")
    b = np.where(mask == 1, 0.1, a).astype("float32")
    b[:, 31] = 0.5
    return a, b, mask


def test_hole_metrics_see_the_hole_alone():
    a, b, mask = hole_case()
    np.testing.assert_allclose(numpy(metrics.hole_mse(a, b, mask)), [0.01, 0.01], rtol=1e-5)
    np.testing.assert_allclose(numpy(metrics.hole_mae(a, b, mask)), [0.1, 0.1], rtol=1e-5)
    np.testing.assert_allclose(numpy(metrics.hole_psnr(a, b, mask)), [20.0, 20.0], rtol=1e-5)


def test_flipping_the_mask_measures_the_known_pixels():
    a, b, mask = hole_case()
    known = SIZE[0] * SIZE[1] - mask.sum(axis=(1, 2, 3))
    expected = 0.25 * SIZE[1] / known  # one row, wrong by 0.5
    np.testing.assert_allclose(numpy(metrics.hole_mse(a, b, 1 - mask)), expected, rtol=1e-5)


def test_hole_metrics_average_over_channels_too():
    a, mask = np.zeros((1, *SIZE, 3), "float32"), np.zeros((1, *SIZE, 1), "float32")
    mask[0, 8, 8] = 1.0
    b = a.copy()
    b[0, 8, 8, 1] = 0.3  # one channel of the only missing pixel
    np.testing.assert_allclose(numpy(metrics.hole_mse(a, b, mask)), [0.03], rtol=1e-6)
    np.testing.assert_allclose(numpy(metrics.hole_mae(a, b, mask)), [0.1], rtol=1e-6)


def test_a_hole_of_the_whole_picture_is_the_plain_metric():
    a, b = PAIRS["random"]
    mask = np.ones((2, *SIZE, 1), "float32")
    for whole, hole in (
        (metrics.mse, metrics.hole_mse),
        (metrics.mae, metrics.hole_mae),
        (metrics.psnr, metrics.hole_psnr),
    ):
        np.testing.assert_allclose(numpy(hole(a, b, mask)), numpy(whole(a, b)), rtol=1e-5)


def test_an_empty_hole_has_no_error():
    a, b = PAIRS["random"]
    mask = np.zeros((2, *SIZE, 1), "float32")
    mask[1, 3, 4] = 1.0  # the other picture of the batch keeps its own error
    error = ((a[1, 3, 4] - b[1, 3, 4]) ** 2).mean()
    np.testing.assert_allclose(numpy(metrics.hole_mse(a, b, mask)), [0.0, error], rtol=1e-5)
    assert numpy(metrics.hole_mae(a, b, mask))[0] == 0.0
    assert numpy(metrics.hole_psnr(a, b, mask))[0] == 100.0


def test_psnr_as_printed_follows_equation_3_16():
    a, b = constant(0.0), constant(0.1)
    on_255 = (255 * 0.1) ** 2
    expected = 10 * np.log10(255 / on_255)
    np.testing.assert_allclose(numpy(metrics.psnr_as_printed_face_gan(a, b)), [expected], rtol=1e-5)


def test_results_are_float32_per_picture_whatever_comes_in():
    a, b = (x.astype("float64") for x in PAIRS["random"])
    mask = np.ones((2, *SIZE, 1), "bool")
    for metric in (metrics.mse, metrics.mae, metrics.psnr, metrics.ssim):
        assert numpy(metric(a, b)).dtype == np.float32 and numpy(metric(a, b)).shape == (2,)
    for metric in (metrics.hole_mse, metrics.hole_mae, metrics.hole_psnr):
        assert numpy(metric(a, b, mask)).dtype == np.float32 and numpy(metric(a, b, mask)).shape == (2,)


def test_metrics_compile_with_unknown_sizes():
    inputs = [keras.Input((None, None, 3)), keras.Input((None, None, 3)), keras.Input((None, None, 1))]
    a, b, mask = inputs
    outputs = [metrics.psnr(a, b), metrics.ssim(a, b), metrics.hole_mse(a, b, mask)]
    model = keras.Model(inputs, outputs)
    x, y = PAIRS["close"]
    holes = np.ones((2, *SIZE, 1), "float32")
    expected = [metrics.psnr(x, y), metrics.ssim(x, y), metrics.hole_mse(x, y, holes)]
    for got, want in zip(model.predict([x, y, holes], verbose=0), expected, strict=True):
        np.testing.assert_allclose(got, numpy(want), rtol=1e-5)


def test_pictures_smaller_than_the_window_are_refused():
    smallest = np.zeros((1, 11, 11, 3), "float32")
    np.testing.assert_array_equal(numpy(metrics.ssim(smallest, smallest)), [1.0])
    for shape in ((1, 10, 48, 3), (1, 32, 10, 3)):
        small = np.zeros(shape, "float32")
        with pytest.raises(InputError, match=rf"at least 11x11 pixels.*{shape[1]}x{shape[2]}"):
            metrics.ssim(small, small)


def test_wrong_input_is_named():
    a = constant(0.5)
    with pytest.raises(InputError, match=r"`a` and `b` must have the same shape.*\(1, 48, 32, 3\)"):
        metrics.psnr(a, a.transpose(0, 2, 1, 3))
    with pytest.raises(InputError, match="`a` and `b` must have the same shape"):
        metrics.mse(a[0], a[0])
    with pytest.raises(InputError, match=r"`b` must be floating point.*uint8"):
        metrics.mae(a, np.zeros(a.shape, "uint8"))
    for mask in (np.ones((1, *SIZE), "float32"), np.ones((1, *SIZE, 3), "float32")):
        with pytest.raises(InputError, match=r"`mask` must have shape \[N, H, W, 1\]"):
            metrics.hole_mse(a, a, mask)
