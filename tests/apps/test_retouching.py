"""What the demo page does to pictures and paint, without a page."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from canvases import SIZE, framed, noise, paint, two_holes
from encoding import decoded, encoded

from inpainting_tf import InputError, classical
from inpainting_tf.apps import examples, retouching
from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.ops.images import to_float
from inpainting_tf.photographs import holes


@pytest.fixture
def hole():
    return two_holes()


# Paint and masks


@pytest.mark.parametrize("opacity", [40, 128, 255])
def test_paint_is_the_opacity_of_the_hole(hole, opacity):
    found = retouching.hole_of(paint(hole, opacity), SIZE)
    assert found.dtype == np.float32 and np.array_equal(found, np.where(hole, np.float32(opacity / 255), 0))


def test_a_large_picture_is_painted_on_in_reduced_size(monkeypatch, hole):
    monkeypatch.setattr(retouching, "VIEW", 128)
    size = (3 * SIZE[0], 3 * SIZE[1])
    assert retouching.view_size(size) == SIZE and retouching.view_size((50, 60)) == (50, 60)
    assert retouching.view(np.zeros((*size, 3), np.uint8)).shape == (*SIZE, 3)
    mask = retouching.hole_of(paint(hole), size)
    assert np.array_equal(mask > 0, hole.repeat(3, axis=0).repeat(3, axis=1))


def test_a_mask_becomes_the_paint_of_which_it_is_the_mask(hole):
    soft = holes.feathered(hole.astype(np.float32), 5)
    assert np.abs(retouching.hole_of(retouching.paint_of(soft), SIZE) - soft).max() < 0.003


@pytest.mark.parametrize("scale", [1, 2, 7.9])
def test_paint_is_the_paint_of_its_hole(monkeypatch, hole, scale):
    """Or a mask that is saved and loaded again grows each time."""
    monkeypatch.setattr(retouching, "VIEW", SIZE[1])
    soft, size = retouching.feathered(paint(hole), 5), tuple(round(scale * side) for side in SIZE)
    assert np.array_equal(retouching.paint_of(retouching.hole_of(soft, size)), soft)


@pytest.mark.parametrize("scale", [2, 7, 7.9])
def test_no_pixel_of_a_large_mask_is_lost_in_the_view(monkeypatch, scale):
    size = (round(scale * 61), round(scale * 40))
    monkeypatch.setattr(retouching, "VIEW", 61)
    mask = np.zeros(size, bool)  # single pixels
    mask.ravel()[:: size[0] * 7 + 3] = True
    back = retouching.hole_of(retouching.paint_of(mask.astype(np.float32)), size)
    assert (back[mask] == 1).all() and (back > 0).sum() <= mask.sum() * np.ceil(scale) ** 2


def test_the_face_mask_covers_mouth_and_leaves_eyes():
    mask = retouching.face_mask(SIZE) > 0
    height, width = SIZE
    assert mask.shape == SIZE
    assert mask[round(0.75 * height), width // 2] and not mask[: height // 2].any()
    assert np.array_equal(mask, mask[:, ::-1])


def test_paint_grows_and_shrinks_by_pixels_in_every_direction(hole):
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    disc[:] = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3
    wider = retouching.widened(paint(hole), 3)
    assert np.array_equal(wider > 0, cv2.dilate(hole.astype(np.uint8), disc) > 0)
    assert np.array_equal(retouching.widened(wider, -3), paint(hole))
    nothing = paint(np.zeros(SIZE, bool))
    assert np.array_equal(retouching.widened(nothing, 9), nothing)
    assert np.array_equal(retouching.widened(255 - nothing, -9), 255 - nothing)


def test_feathered_paint_fades_at_its_edges_alone(hole):
    soft = retouching.feathered(paint(hole), 4)
    assert soft[60, 47] == 255 and soft[0, 0] == 0
    edge = soft[60, 22:31].astype(int)
    assert (np.diff(edge) >= 0).all() and edge[0] == 0 and edge[-1] == 255 and len(np.unique(edge)) == 6


REFUSED = {
    "nothing painted": (paint(np.zeros(SIZE, bool)), "Nothing is marked"),
    "all painted": (paint(np.ones(SIZE, bool)), "Everything is marked"),
    "another size": (paint(np.ones(SIZE[::-1], bool)), "96 x 128. Received 128 x 96"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_paint_that_is_no_hole_is_refused_in_words(case):
    given, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as refused:
        retouching.hole_of(given, SIZE)
    assert "\n" not in str(refused.value)


def test_paint_travels_as_a_png(hole):
    soft = retouching.feathered(paint(hole), 3)
    assert np.array_equal(retouching.decoded_paint(retouching.encoded_paint(soft), SIZE), soft)


PAINTINGS = {
    "empty": b"",
    "text": b"not a picture",
    "a JPEG": encoded(noise(*SIZE, 3), "JPEG"),
    "opaque": encoded(noise(*SIZE, 3)),
    "grey": encoded(noise(*SIZE)),
    "half": retouching.encoded_paint(noise(*SIZE))[:-2000],
    "another size": retouching.encoded_paint(noise(8, 9)),
}


@pytest.mark.parametrize("case", PAINTINGS)
def test_what_is_no_painting_is_refused_in_words(case):
    with pytest.raises(InputError, match=r"^The painting must be") as refused:
        retouching.decoded_paint(PAINTINGS[case], SIZE)
    assert "\n" not in str(refused.value)


# Fills and views


@pytest.mark.parametrize("name", retouching.CLASSICAL)
def test_classical_fills_need_only_what_is_near_the_hole(name):
    picture, missing = face(1, (80, 120)), np.zeros((80, 120), bool)
    missing[60:68, 30:44] = True
    before = picture.copy()
    filled = retouching.classical_fill(name, picture, missing)
    assert np.array_equal(picture, before) and np.array_equal(filled[~missing], picture[~missing])
    whole = classical.get(name)(to_float(picture)[None], np.float32(missing)[None, ..., None])
    if name == "patchmatch":  # searches at random, in all that it is shown
        assert np.abs(filled[missing] - 255 * whole[0][missing]).mean() < 40
    else:
        assert np.abs(filled[missing] - 255 * whole[0][missing]).max() < 1


def test_what_would_take_too_long_is_refused_in_words(monkeypatch, hole):
    few = retouching.Limit("Biharmonic", hole.sum() - 1, 10**6)
    near = retouching.Limit("PatchMatch", 10**6, 1000)
    monkeypatch.setitem(retouching.CLASSICAL, "biharmonic", few)
    monkeypatch.setitem(retouching.CLASSICAL, "patchmatch", near)
    with pytest.raises(InputError, match=f"Biharmonic is left out.*{hole.sum():,} pixels"):
        retouching.classical_fill("biharmonic", framed(), hole)
    with pytest.raises(InputError, match=r"PatchMatch is left out.*spread over"):
        retouching.classical_fill("patchmatch", framed(), hole)
    with pytest.raises(InputError, match="Did you mean 'telea'"):
        retouching.classical_fill("tela", framed(), hole)


def test_views_are_small_files_that_look_like_the_picture():
    picture = face(5, (480, 640))
    data, kind = retouching.encoded_view(picture, longest=320)
    shown = decoded(data).astype(int)
    assert kind == "image/jpeg" and shown.shape == (240, 320, 3) and len(data) < 40_000
    assert np.abs(shown - retouching.view(picture, 320)).mean() < 4
    alpha = np.full((480, 640), 255, np.uint8)
    alpha[:200] = 0
    data, kind = retouching.encoded_view(picture, alpha, 320)
    assert kind == "image/webp" and np.array_equal(decoded(data)[..., 3] > 127, alpha[::2, ::2] > 0)


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_examples_have_a_hole_over_what_they_show(name):
    rgb, hole = examples.get(name).draw()
    again, _ = examples.get(name).draw()
    assert rgb.dtype == np.uint8 and rgb.shape[:2] == hole.shape and 0.01 < hole.mean() < 0.3
    assert np.array_equal(rgb, again)
