"""A photograph repaired: transparent surroundings, erasers, rims, opacities."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from drawing import colours

from inpainting_tf import inference, photographs
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Facts, Runtime
from inpainting_tf.photographs import Photograph

SIZE = (96, 128)
PICTURE = colours(SIZE)
# Poisson blending continues the surroundings into what this network leaves grey.
BLANK = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(64, 24)))
inpaint = functools.partial(inference.inpaint, BLANK, detail="none")


def disc(radius: float = 36, centre: tuple[int, int] = (48, 64)) -> np.ndarray:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    hole = np.zeros(SIZE, np.float32)
    hole[top:bottom, left:right] = 1
    return hole


def on_transparent_ground(shape: np.ndarray) -> Photograph:
    """A picture cut out along `shape`: black and transparent around it."""
    rgb = np.where(shape[..., None], PICTURE, 0).astype(np.uint8)
    return Photograph(rgb, np.where(shape, 255, 0).astype(np.uint8))


def test_transparent_surroundings_are_no_border():
    photograph = on_transparent_ground(disc())
    hole = box(40, 56, 88, 108) * disc()  # at the rim of the disc
    done = photographs.repair(photograph, hole, inpaint)
    error = np.abs(done.rgb.astype(int) - PICTURE)[hole > 0]
    assert error.max() < 40 and error.mean() < 12  # a black smear otherwise: 96 on average
    assert (done.rgb == photograph.rgb)[hole == 0].all()


def test_transparent_surroundings_are_not_filled():
    photograph = on_transparent_ground(disc())
    done = photographs.repair(photograph, box(40, 56, 88, 120), inpaint)  # beyond the disc
    np.testing.assert_array_equal(done.mask, (box(40, 56, 88, 120) > 0) & disc())
    assert done.missing == pytest.approx(done.mask.sum() / disc().sum())


def test_an_erased_part_under_the_mask_is_filled():
    erased = disc(8)
    photograph = Photograph(PICTURE, np.where(erased, 0, 255).astype(np.uint8))
    done = photographs.repair(photograph, box(30, 70, 40, 90), inpaint)
    assert done.mask[erased].all()


def test_a_soft_eraser_leaves_no_ring():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    away = np.hypot(rows - 48, columns - 64)
    alpha = np.clip(255 * (away - 10) / 12, 0, 255).astype(np.uint8)
    scribbled = np.where((away < 21)[..., None], (255, 0, 255), PICTURE).astype(np.uint8)
    done = photographs.repair(Photograph(scribbled, alpha), None, inpaint, grow=0)
    np.testing.assert_array_equal(done.mask, alpha < 255)
    assert np.abs(done.rgb.astype(int) - PICTURE)[alpha < 255].mean() < 6


def test_without_a_mask_something_must_be_erased():
    for alpha in (None, np.full(SIZE, 255, np.uint8)):
        with pytest.raises(InputError, match="--mask must be given"):
            photographs.repair(Photograph(PICTURE, alpha), None, inpaint)


def test_a_mask_over_nothing_visible():
    with pytest.raises(InputError, match="nothing visible is missing"):
        photographs.repair(on_transparent_ground(disc()), box(0, 8, 0, 8), inpaint)
    with pytest.raises(InputError, match="nothing visible is known"):
        photographs.repair(on_transparent_ground(disc(5)), box(0, 96, 0, 127), inpaint)


def test_the_hole_grows_over_a_mixed_rim_unless_told():
    ball, cut = disc(20), disc(18)
    shining = np.where(cut[..., None], 255, np.where(ball[..., None], (PICTURE + 255.0) / 2, PICTURE))
    photograph = Photograph(shining.astype(np.uint8))
    done = photographs.repair(photograph, cut.astype(np.float32), inpaint)
    assert done.grown in (2, 3) and done.mask[disc(19)].all()
    kept = photographs.repair(photograph, cut.astype(np.float32), inpaint, grow=0)
    assert kept.grown == 0 and (kept.mask == cut).all()
    assert np.abs(done.rgb.astype(int) - PICTURE)[ball].mean() < 6


@pytest.mark.parametrize(("grow", "looks"), [(None, False), (0, True), (2, True)])
def test_it_is_decided_once_which_rim_is_mixed(monkeypatch, grow, looks):
    """By `repair` where it grows the hole by itself, else by `inpaint`."""
    real, given = inference.rims.grown_over, []
    monkeypatch.setattr(inference.rims, "grown_over", lambda *args: given.append(args) or real(*args))
    asked = []

    def fill(image, mask, **how):
        given.clear()
        filled = inpaint(image, mask, **how)
        asked.append(bool(given))
        return filled

    photographs.repair(Photograph(PICTURE), box(40, 56, 50, 70), fill, grow=grow)
    assert asked == [looks]


def test_growing_and_feathering_as_told():
    hole = box(40, 56, 50, 70)
    done = photographs.repair(Photograph(PICTURE), hole, inpaint, grow=3, feather=4)
    rows = np.flatnonzero(done.mask[:, 60])
    assert (rows[0], rows[-1]) == (40 - 3 - 4, 55 + 3 + 4)
    changed = (done.rgb != PICTURE).any(-1)
    assert not changed[~done.mask].any()
