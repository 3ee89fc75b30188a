"""Smooth fills: the known pixels stay, the hole continues them."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf.classical import exemplar
from inpainting_tf.ops.filling import smooth_fill


def test_a_smooth_fill_keeps_the_known_pixels_and_continues_a_ramp():
    ramp = np.linspace(0.0, 1.0, 48, dtype="float32")[None, None, :, None] * np.ones(
        (2, 32, 48, 3), "float32"
    )
    missing = np.zeros((2, 32, 48, 1), bool)
    missing[0, 10:20, 18:30] = missing[1, 3:7, 40:44] = True
    filled = np.asarray(smooth_fill(ramp, missing))
    np.testing.assert_array_equal(filled[~missing[..., 0]], ramp[~missing[..., 0]])
    assert np.abs(filled - ramp).max() < 0.03  # the mean colour is 0.25 away


def test_a_smooth_fill_of_each_picture_is_its_own():
    rng = np.random.default_rng(0)
    pictures, missing = rng.random((2, 17, 23, 3), "float32"), np.zeros((2, 17, 23, 1), bool)
    missing[0, :, 3:] = missing[1, 4:9, 4:9] = True
    both = np.asarray(smooth_fill(pictures, missing))
    for k in range(2):
        alone = np.asarray(smooth_fill(pictures[k : k + 1], missing[k : k + 1]))
        np.testing.assert_allclose(alone[0], both[k], atol=1e-6)
    assert both[0, :, 3:].min() >= pictures[0, :, :3].min() - 1e-6
    assert both[0, :, 3:].max() <= pictures[0, :, :3].max() + 1e-6


def test_a_smooth_fill_without_any_known_pixel_is_black():
    assert not np.asarray(smooth_fill(np.ones((1, 8, 12, 3), "float32"), np.ones((1, 8, 12, 1), bool))).any()


def of_arrays(pictures: np.ndarray, missing: np.ndarray) -> np.ndarray:
    return np.stack([exemplar._smooth(*each) for each in zip(pictures, missing[..., 0], strict=True)])


@pytest.mark.parametrize("fill", [smooth_fill, of_arrays])
def test_pull_and_push_keeps_the_known_pixels_and_takes_nothing_from_under_the_hole(fill):
    rng = np.random.default_rng(3)
    for size in ((13, 30), (1, 7), (32, 16)):
        pictures, missing = rng.random((2, *size, 3), "float32"), rng.random((2, *size, 1)) < 0.8
        missing[:, 0, 0], missing[:, -1, -1] = False, True
        filled = np.asarray(fill(pictures, missing))
        np.testing.assert_array_equal(filled[~missing[..., 0]], pictures[~missing[..., 0]])
        hidden = np.where(missing, np.float32(7.0), pictures)
        np.testing.assert_array_equal(np.asarray(fill(hidden, missing)), filled)
        for one, hole, result in zip(pictures, missing[..., 0], filled, strict=True):
            known = one[~hole]
            assert (result >= known.min(0) - 1e-6).all() and (result <= known.max(0) + 1e-6).all()


@pytest.mark.parametrize("fill", [smooth_fill, of_arrays])
def test_a_single_known_pixel_fills_the_picture(fill):
    picture, missing = np.full((1, 21, 38, 3), 0.9, "float32"), np.ones((1, 21, 38, 1), bool)
    picture[0, 20, 5], missing[0, 20, 5] = (0.25, 0.5, 0.75), False
    np.testing.assert_allclose(np.asarray(fill(picture, missing))[0, :, :], [[(0.25, 0.5, 0.75)] * 38] * 21)
