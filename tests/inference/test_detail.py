"""Detail of large holes: copies where they agree with the fill, the fill itself where none does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import inpainting_tf
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Facts, Runtime, detail
from inpainting_tf.ops.texture import fine_energy

SIZE = (96, 128)


def grainy() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 14, (*SIZE, 1))
    return np.clip(np.round(120 + noise) * np.ones(3), 0, 255).astype(np.uint8)


def filled(value: tuple[int, int, int] = (120, 120, 120)) -> tuple[np.ndarray, np.ndarray]:
    """A grainy picture with a large and a thin hole, both filled with one colour."""
    picture, mask = grainy(), np.zeros(SIZE, bool)
    mask[20:52, 30:70] = True
    mask[60:64, 5:90] = True
    picture[mask] = value
    return picture, mask


def large(mask: np.ndarray) -> np.ndarray:
    return mask & (np.arange(SIZE[0]) < 56)[:, None]


def energy(picture: np.ndarray, mask: np.ndarray) -> float:
    return fine_energy(picture.astype(np.float32) / 255, mask)


@pytest.mark.parametrize("how", ["auto", "exemplar"])
def test_a_large_hole_gets_the_grain_of_its_surroundings(how):
    (picture, mask), truth = filled(), grainy()
    detail.add(picture, mask, how)
    assert 0.4 < energy(picture, large(mask)) / energy(truth, large(mask)) < 1.3
    np.testing.assert_array_equal(picture[~mask], truth[~mask])


def test_thin_holes_stay_and_none_changes_nothing():
    picture, mask = filled()
    detail.add(picture, mask)
    assert (picture[mask & ~large(mask)] == 120).all()
    before, _ = filled()
    unchanged = before.copy()
    detail.add(unchanged, mask, "none")
    np.testing.assert_array_equal(unchanged, before)


def test_what_no_known_patch_looks_like_keeps_its_colour_and_gets_the_grain():
    picture, mask = filled((200, 60, 60))  # red, in a grey picture
    copied, truth = picture.copy(), grainy()
    detail.add(copied, mask, "exemplar")
    detail.add(picture, mask, "auto")
    np.testing.assert_allclose(picture[30:42, 40:60].mean((0, 1)), (200, 60, 60), atol=5)
    assert 0.6 < energy(picture, large(mask)) / energy(truth, large(mask)) < 1.2
    np.testing.assert_allclose(copied[30:42, 40:60].mean((0, 1)), 120, atol=30)


def test_a_small_picture_keeps_its_fill():
    picture, mask = filled()
    part = (slice(14, 56), slice(20, 80))
    small, before = picture[part].copy(), picture[part].copy()
    detail.add(small, mask[part])
    np.testing.assert_array_equal(small, before)
    detail.add(small, mask[part], "exemplar")
    assert (small != before)[mask[part]].any()


def test_a_hole_above_the_largest_gets_the_finest_detail_from_where_its_patches_were(monkeypatch):
    (picture, mask), truth = filled(), grainy()
    monkeypatch.setattr(detail, "LARGEST", 400)  # of 1,280 pixels
    detail.add(picture, mask)
    assert 0.4 < energy(picture, large(mask)) / energy(truth, large(mask)) < 1.3
    np.testing.assert_array_equal(picture[~mask], truth[~mask])


# Predicts grey everywhere: what the surroundings tell comes from blending alone.
GREY = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(64, 24)))


def test_inpaint_adds_detail_unless_told_not_to_or_to_take_the_prediction_alone():
    (picture, mask), truth = filled((0, 0, 0)), grainy()
    inner = np.zeros(SIZE, bool)
    inner[26:46, 36:64] = True

    def share(model: Runtime = GREY, **options: str) -> float:
        result = inpainting_tf.inpaint(model, picture, mask, **options)
        np.testing.assert_array_equal(result[~mask], truth[~mask])
        return energy(result, inner) / energy(truth, inner)

    assert 0.4 < share() < 1.3 and 0.2 < share(blend="none", detail="exemplar") < 1.3
    assert share(detail="none") < 0.1 and share(blend="none") < 0.1
    knowing = Runtime(GREY.run, dataclasses.replace(GREY.facts, aligned=True))
    assert share(knowing) < 0.1 < share(knowing, detail="exemplar")
    with pytest.raises(InputError, match=r"`detail` must be one of.*Did you mean 'exemplar'"):
        inpainting_tf.inpaint(GREY, picture, mask, detail="exemplars")


def test_a_clear_sky_keeps_its_smooth_fill():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] / np.reshape(SIZE, (2, 1, 1))
    ramp = (60 + 70 * rows**2 + 70 * columns)[..., None] * np.ones(3)
    picture, mask = np.round(ramp).astype(np.uint8), np.zeros(SIZE, bool)
    mask[20:52, 30:70] = True
    before = picture.copy()
    detail.add(picture, mask, "auto")
    np.testing.assert_array_equal(picture, before)
    detail.add(picture, mask, "exemplar")
    assert (picture != before)[mask].any()


@pytest.mark.parametrize("deviation", [0, 14])
def test_large_surroundings_are_judged_by_the_few_rows_that_are_known(monkeypatch, deviation):
    picture = np.clip(120 + (grainy().astype(float) - 120) * deviation / 14, 0, 255).astype(np.uint8)
    mask = np.zeros(SIZE, bool)
    mask[:60] = True
    monkeypatch.setattr(detail, "_BAND", 8)
    monkeypatch.setattr(detail, "_ENOUGH", 1000)
    monkeypatch.setattr(detail, "_FEW", 1000)
    assert detail._has_detail(picture, mask) == (deviation > 0)


def test_copies_have_the_colours_of_the_guide():
    """Brighter than all that is known, but for a little: the grain is copied and not the brightness."""
    picture, mask = filled((128, 128, 128))
    detail.add(picture, mask)
    inner = np.zeros(SIZE, bool)
    inner[26:46, 36:64] = True
    assert abs(picture[inner].mean() - 128) < 2 and energy(picture, inner) / energy(grainy(), inner) > 0.25
