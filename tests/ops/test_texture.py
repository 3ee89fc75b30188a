"""Measures of texture: they see what PSNR does not, and are 0 or 1 for a perfect fill."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inpainting_tf.ops import texture

SIZE = (72, 96)


@pytest.fixture(scope="module")
def noisy():
    """A picture of noise over a gradient, and a hole."""
    rng = np.random.default_rng(0)
    ground = np.linspace(0.3, 0.7, SIZE[1])[None, :, None]
    picture = np.clip(ground + 0.1 * rng.normal(size=(*SIZE, 3)), 0, 1).astype(np.float32)
    mask = np.zeros(SIZE, bool)
    mask[20:50, 30:70] = True
    return picture, mask


def filled_with(picture, mask, other):
    return np.where(mask[..., None], other, picture).astype(np.float32)


def distances(truth, fill, mask, **options):
    return texture.sliced_wasserstein([truth], [fill], [mask], **options)


def test_the_fine_energy_of_noise_is_its_variance_less_what_is_coarse(noisy):
    picture, mask = noisy
    weights = np.array([0.299, 0.587, 0.114])
    # White noise less its blur: 1 - 2 G(0) + sum G^2, with G the Gaussian of deviation 1.
    passed = 1 - 2 / (2 * np.pi) + 1 / (4 * np.pi)
    variance = 0.1**2 * (weights**2).sum() * passed
    assert texture.fine_energy(picture, mask) == pytest.approx(variance, rel=0.1)
    assert texture.fine_energy(np.zeros_like(picture), mask) == 0


def test_only_the_hole_counts(noisy):
    picture, mask = noisy
    outside = filled_with(picture, ~mask, 0.5)
    far = np.zeros(SIZE, bool)
    far[30:40, 40:60] = True  # further from the rim than the filter reaches
    assert texture.fine_energy(outside, far) == pytest.approx(texture.fine_energy(picture, far), rel=1e-4)


def test_a_perfect_fill_has_no_distance(noisy):
    picture, mask = noisy
    np.testing.assert_array_equal(distances(picture, picture, mask), np.zeros(texture.LEVELS))


def test_other_noise_of_the_same_kind_is_nearer_than_a_smudge(noisy):
    picture, mask = noisy
    ground = np.linspace(0.3, 0.7, SIZE[1])[None, :, None]
    other = np.clip(ground + 0.1 * np.random.default_rng(1).normal(size=(*SIZE, 3)), 0, 1)
    similar, smudge = (distances(picture, filled_with(picture, mask, fill), mask) for fill in (other, ground))
    assert (
        np.square(picture - ground)[mask].mean() < np.square(picture - other)[mask].mean()
    )  # PSNR: the smudge
    assert smudge[0] > 5 * similar[0]


def test_the_finest_level_sees_what_the_coarsest_does_not(noisy):
    picture, mask = noisy
    blurred = filled_with(picture, mask, cv2.GaussianBlur(picture, (0, 0), 1.0))
    fine, *_, coarse = distances(picture, blurred, mask)
    assert fine > 3 * coarse


def test_the_distance_is_a_function_of_its_seed(noisy):
    picture, mask = noisy
    fill = filled_with(picture, mask, 0.5)
    np.testing.assert_array_equal(distances(picture, fill, mask), distances(picture, fill, mask))
    assert not np.array_equal(distances(picture, fill, mask), distances(picture, fill, mask, seed=1))


def test_a_hole_of_one_pixel_at_the_corner_is_measured(noisy):
    picture, _ = noisy
    mask = np.zeros(SIZE, bool)
    mask[-1, -1] = True
    assert np.isfinite(distances(picture, filled_with(picture, mask, 0.5), mask)).all()
