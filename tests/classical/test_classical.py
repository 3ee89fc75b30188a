"""Classical fills: the hole alone changes, nothing leaks from under it, and gradients are continued."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from keras import ops

from inpainting_tf import classical
from inpainting_tf.errors import InputError

SIZE = (32, 48)
every_baseline = pytest.mark.parametrize("name", classical.BASELINES)


def random_pictures(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).random((n, *SIZE, 3), dtype="float32")


def gradients() -> np.ndarray:
    """One picture whose three channels rise along y, along x and along both, within [0.1, 0.9]."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    channels = [y / (SIZE[0] - 1), x / (SIZE[1] - 1), (y + x) / (sum(SIZE) - 2)]
    return (0.1 + 0.8 * np.stack(channels, axis=-1))[None].astype("float32")


def two_holes(n: int = 2) -> np.ndarray:
    """A wide hole off the centre and one in the corner; those of each next picture one pixel to the right."""
    masks = np.zeros((n, *SIZE, 1), "float32")
    for i, mask in enumerate(masks):
        mask[6:14, 20 + i : 38 + i] = 1.0
        mask[28:32, i : 5 + i] = 1.0
    return masks


@every_baseline
def test_known_pixels_come_back_bit_for_bit_and_the_hole_does_not(name):
    images, masks = random_pictures(), two_holes()
    predictions = classical.get(name)(images, masks)

    assert isinstance(predictions, np.ndarray)
    assert predictions.dtype == np.float32 and predictions.shape == images.shape
    assert predictions.min() >= 0.0 and predictions.max() <= 1.0
    hole = np.broadcast_to(masks == 1, images.shape)
    np.testing.assert_array_equal(predictions[~hole], images[~hole])
    assert (predictions[hole] != images[hole]).mean() > 0.95


@every_baseline
@pytest.mark.parametrize("under", [0.0, 1.0, np.nan])
def test_nothing_leaks_from_under_the_hole(name, under):
    images, masks = random_pictures(), two_holes()
    other = np.where(masks == 1, np.float32(under), images)
    fill = classical.get(name)
    np.testing.assert_array_equal(fill(images, masks), fill(other, masks))


@every_baseline
def test_arguments_are_left_alone(name):
    images, masks = random_pictures(), two_holes()
    before = images.copy(), masks.copy()
    classical.get(name)(images, masks)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(masks, before[1])


@every_baseline
def test_each_picture_of_a_batch_is_filled_on_its_own(name):
    images, masks = random_pictures(), two_holes()
    fill = classical.get(name)
    alone = [fill(images[i : i + 1], masks[i : i + 1])[0] for i in range(2)]
    np.testing.assert_array_equal(fill(images, masks), alone)


@every_baseline
def test_a_constant_picture_is_restored(name):
    # OpenCV's Telea adds a gradient of up to two levels of uint8 to every pixel, even on a constant picture.
    tolerance = 2.01 / 255 if name == "telea" else 1e-6
    images = np.full((2, *SIZE, 3), 102 / 255, "float32")  # a level of uint8, which OpenCV works in
    np.testing.assert_allclose(classical.get(name)(images, two_holes()), images, rtol=0, atol=tolerance)


def test_biharmonic_continues_linear_gradients():
    images, masks = gradients(), np.zeros((1, *SIZE, 1), "float32")
    masks[0, 8:20, 10:34] = 1.0
    masks[0, 24:27, 3:9] = 1.0
    np.testing.assert_allclose(classical.biharmonic(images, masks), images, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["telea", "navier_stokes"])
def test_opencv_fills_follow_gradients_and_the_mean_colour_does_not(name):
    images, masks = gradients(), two_holes(1)
    error = np.abs(classical.get(name)(images, masks) - images).sum()
    assert error < np.abs(classical.mean_colour(images, masks) - images).sum() / 4


def test_mean_colour_is_the_mean_of_the_known_pixels():
    images, masks = np.zeros((2, *SIZE, 3), "float32"), np.zeros((2, *SIZE, 1), "float32")
    masks[:, :, 24:] = 1.0  # the right half
    images[:, :, 24:] = 1.0
    images[0, :16, :24] = (0.2, 0.4, 0.8)
    images[1, :, :24] = (0.6, 0.0, 0.3)
    predictions = classical.mean_colour(images, masks)
    np.testing.assert_allclose(predictions[0, :, 24:].reshape(-1, 3).min(axis=0), (0.1, 0.2, 0.4), atol=1e-6)
    np.testing.assert_allclose(predictions[0, :, 24:].reshape(-1, 3).max(axis=0), (0.1, 0.2, 0.4), atol=1e-6)
    np.testing.assert_allclose(predictions[1, 5, 40], (0.6, 0.0, 0.3), atol=1e-6)


@every_baseline
def test_no_hole_changes_nothing(name):
    images = random_pictures()
    result = classical.get(name)(images, np.zeros((2, *SIZE, 1), "float32"))
    np.testing.assert_array_equal(result, images)


@every_baseline
def test_a_hole_of_the_whole_picture_is_mid_grey_and_spoils_no_other(name):
    images, masks = random_pictures(), two_holes()
    fill = classical.get(name)
    expected = fill(images, masks)[1]
    masks[0] = 1.0
    predictions = fill(images, masks)
    np.testing.assert_array_equal(predictions[0], np.full((*SIZE, 3), 0.5, "float32"))
    np.testing.assert_array_equal(predictions[1], expected)


@every_baseline
def test_tensors_and_boolean_masks_do_too(name):
    images, masks = random_pictures(), two_holes()
    fill = classical.get(name)
    expected = fill(images, masks)
    np.testing.assert_array_equal(fill(ops.convert_to_tensor(images), ops.convert_to_tensor(masks)), expected)
    np.testing.assert_array_equal(fill(images, masks.astype(bool)), expected)


def test_the_radius_reaches_opencv():
    images, masks = random_pictures(1), two_holes(1)
    for fill in (classical.telea, classical.navier_stokes):
        assert not np.array_equal(fill(images, masks), fill(images, masks, radius=8.0))
        with pytest.raises(InputError, match=r"`radius` must be positive.*Received 0"):
            fill(images, masks, radius=0)


def test_the_patch_size_and_the_seed_reach_patchmatch():
    images, masks = random_pictures(1), two_holes(1)
    default = classical.patchmatch(images, masks)
    np.testing.assert_array_equal(classical.patchmatch(images, masks, patch_size=7, seed=0), default)
    assert not np.array_equal(classical.patchmatch(images, masks, patch_size=3), default)
    assert not np.array_equal(classical.patchmatch(images, masks, seed=1), default)
    with pytest.raises(InputError, match=r"`patch_size` must be an odd number of pixels. Received 4"):
        classical.patchmatch(images, masks, patch_size=4)


def test_the_registry_names_the_nearest():
    assert classical.get("telea") is classical.telea
    with pytest.raises(InputError, match="Did you mean 'biharmonic'"):
        classical.get("biharmonics")


def test_wrong_input_is_named():
    images, masks = random_pictures(), two_holes()
    with pytest.raises(InputError, match=r"`images` must have shape \[N, H, W, 3\]"):
        classical.mean_colour(images[..., :1], masks)
    with pytest.raises(InputError, match=r"`images` must be floating point.*uint8"):
        classical.telea((255 * images).astype("uint8"), masks)
    for wrong in (masks[..., 0], masks.transpose(0, 2, 1, 3), masks[:1]):
        with pytest.raises(InputError, match=r"`masks` must have shape \[N, H, W, 1\] = \(2, 32, 48, 1\)"):
            classical.biharmonic(images, wrong)


@pytest.mark.slow
def test_importing_the_module_does_not_load_scikit_image():
    code = "import inpainting_tf.classical, sys; print('skimage' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8")
    assert result.stdout.split() == ["False"]
