"""Damage of photographs: its sizes are those asked for, and a seed gives it again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inpainting_tf.ops import damage

SIZE = (96, 160)


def drawn(kind, seed=0, size=SIZE, **options):
    return damage.KINDS[kind](np.random.default_rng(seed), size, **options)


def thickness(mask):
    """Twice the largest distance from a missing pixel to a known one."""
    return 2 * cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5).max()


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_seed_draws_the_same_mask_again_and_another_seed_another(kind):
    mask = drawn(kind)
    assert mask.shape == SIZE and mask.dtype == bool
    np.testing.assert_array_equal(mask, drawn(kind))
    assert not np.array_equal(mask, drawn(kind, seed=1))


@pytest.mark.parametrize("kind", damage.KINDS)
def test_most_pixels_stay_known(kind):
    shares = [drawn(kind, seed).mean() for seed in range(40)]
    assert 0.005 < np.mean(shares) < 0.3 and max(shares) < 0.6


def test_scratches_are_as_wide_as_asked():
    thin, thick = (
        np.median([thickness(drawn("scratches", seed, width=(width, width))) for seed in range(10)])
        for width in (1, 5)
    )
    assert thin <= 4 and 5 <= thick <= 10  # a little more where lines cross


def test_scratches_grow_longer_with_the_picture_and_not_wider():
    small = [drawn("scratches", seed, (96, 160), width=(2, 2)) for seed in range(10)]
    large = [drawn("scratches", seed, (384, 640), width=(2, 2)) for seed in range(10)]
    assert sum(mask.sum() for mask in large) > 4 * sum(mask.sum() for mask in small)
    assert np.median([thickness(mask) for mask in large]) < 8


def test_a_block_is_a_rectangle_of_the_sides_asked_for():
    for seed in range(20):
        rows, columns = (
            np.flatnonzero(drawn("block", seed, extent=(0.25, 0.5)).any(axis)) for axis in (1, 0)
        )
        assert 24 <= len(rows) <= 48 and 24 <= len(columns) <= 48
        assert drawn("block", seed, extent=(0.25, 0.5)).sum() == len(rows) * len(columns)


def test_a_blob_is_one_piece_of_about_the_diameter_asked_for():
    areas = []
    for seed in range(30):
        mask = drawn("blob", seed, (200, 300), extent=(0.2, 0.2))
        assert cv2.connectedComponents(mask.astype(np.uint8))[0] <= 2
        areas.append(mask.sum())
    assert 0.4 < np.median(areas) / (np.pi * 20**2) < 1.6


def test_a_photograph_has_thin_and_thick_damage_and_never_none():
    masks = [damage.photograph(np.random.default_rng(seed), SIZE) for seed in range(60)]
    assert all(mask.any() and not mask.all() for mask in masks)
    sizes = np.array([thickness(mask) for mask in masks])
    assert 0.3 < (sizes < 10).mean() < 0.7


def test_every_other_hole_of_a_portrait_is_of_the_extent_asked_for():
    masks = [damage.portrait(np.random.default_rng(seed), SIZE, (0.5, 0.5)) for seed in range(80)]
    assert all(mask.any() and not mask.all() for mask in masks)
    large = np.mean([thickness(mask) > 0.3 * min(SIZE) for mask in masks])
    assert 0.4 < large < 0.75
