"""Smooth fills: the known pixels stay, the hole continues them."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf import classical
from inpainting_tf.classical import exemplar
from inpainting_tf.ops.filling import smooth_fill, thin_plate_fill


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


def test_a_thin_plate_keeps_the_known_pixels_and_takes_nothing_from_under_the_hole():
    rng = np.random.default_rng(3)
    for size in ((13, 30), (1, 7), (32, 16)):
        pictures, missing = rng.random((2, *size, 3), "float32"), rng.random((2, *size, 1)) < 0.8
        missing[:, 0, 0], missing[:, -1, -1] = False, True
        filled = np.asarray(thin_plate_fill(pictures, missing))
        np.testing.assert_array_equal(filled[~missing[..., 0]], pictures[~missing[..., 0]])
        hidden = np.where(missing, np.float32(7.0), pictures)
        np.testing.assert_array_equal(np.asarray(thin_plate_fill(hidden, missing)), filled)
        assert filled.min() >= 0 and filled.max() <= 1


def waves(size: tuple[int, int]) -> np.ndarray:
    """A picture whose colours vary within some ten pixels, each channel otherwise."""
    y, x = np.mgrid[: size[0], : size[1]]
    phases = [x / 3 + y / 5, y / 4 - x / 7, (x + y) / 6]
    return (0.5 + 0.3 * np.sin(np.stack(phases, -1)))[None].astype("float32")


def scratched(size: tuple[int, int]) -> np.ndarray:
    """A slanting line four pixels wide."""
    y, x = np.mgrid[: size[0], : size[1]]
    return (np.abs(x - y // 2 - 12) < 2)[None, ..., None]


def test_a_thin_plate_is_nearly_the_biharmonic_fill_and_much_nearer_than_the_smooth_one():
    picture, missing = waves((40, 56)), scratched((40, 56))
    hidden = np.where(missing, 0.0, picture).astype("float32")
    biharmonic = classical.biharmonic(hidden, missing)

    def error(fill: np.ndarray, truth: np.ndarray) -> float:
        return float(np.sqrt(np.square(np.asarray(fill) - truth)[missing[..., 0]].mean()))

    plate, smooth = thin_plate_fill(hidden, missing), smooth_fill(hidden, missing)
    assert error(plate, biharmonic) < 0.1 * error(smooth, biharmonic)
    assert error(plate, picture) < 0.2 * error(smooth, picture)


def test_a_thin_plate_continues_a_ramp_into_a_large_hole():
    ramp = np.linspace(0.1, 0.9, 64, dtype="float32")[None, None, :, None] * np.ones(
        (1, 48, 64, 3), "float32"
    )
    missing = np.zeros((1, 48, 64, 1), bool)
    missing[0, 8:40, 12:52] = True
    filled = np.asarray(thin_plate_fill(np.where(missing, 0, ramp), missing))
    assert np.abs(filled - ramp).max() < 0.03


@pytest.mark.parametrize("fill", [smooth_fill, of_arrays, thin_plate_fill])
def test_a_single_known_pixel_fills_the_picture(fill):
    picture, missing = np.full((1, 21, 38, 3), 0.9, "float32"), np.ones((1, 21, 38, 1), bool)
    picture[0, 20, 5], missing[0, 20, 5] = (0.25, 0.5, 0.75), False
    np.testing.assert_allclose(np.asarray(fill(picture, missing))[0, :, :], [[(0.25, 0.5, 0.75)] * 38] * 21)
