"""Mask files in all their forms: what is missing, and how much of it shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import SIZE, animated, hole, save
from PIL import Image, ImageFilter

from inpainting_tf import photographs
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import holes

WHITE = np.where(hole(), 255, 0).astype(np.uint8)
PAINTED = np.dstack([np.repeat(np.where(hole(), 200, 90).astype(np.uint8)[..., None], 3, -1), WHITE])
MASKS = {
    "white on black": ("a.png", lambda path: save(path, WHITE)),
    "one level above black": ("a.png", lambda path: save(path, WHITE // 255)),
    "black and white": ("a.png", lambda path: save(path, WHITE, "1")),
    "in colours": ("a.png", lambda path: save(path, np.repeat(WHITE[..., None], 3, -1))),
    "painted on a transparent layer": ("a.png", lambda path: save(path, PAINTED)),
    "16 bits": ("a.png", lambda path: cv2.imwrite(str(path), WHITE.astype(np.uint16) * 3)),
    "a JPEG": ("a.jpg", lambda path: save(path, WHITE, quality=90)),
}


@pytest.mark.parametrize("kind", MASKS)
def test_forms_of_masks(tmp_path, kind):
    name, make = MASKS[kind]
    make(tmp_path / name)
    found = photographs.read_mask(tmp_path / name, SIZE)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, hole())


BAD_MASKS = {
    "transposed": (WHITE.T, r"must have the height and width of its picture, 32 x 48. Received 48 x 32"),
    "black": (WHITE * 0, "has no missing pixel"),
    "white": (WHITE * 0 + 255, "has no known"),
    "a photograph": (np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8), "like a photograph"),
}


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_masks_that_are_refused(tmp_path, kind):
    levels, message = BAD_MASKS[kind]
    with pytest.raises(InputError, match=message) as caught:
        photographs.read_mask(save(tmp_path / "a.png", levels), SIZE)
    assert "`mask`" in str(caught.value) and "\n" not in str(caught.value)


def test_a_mask_is_turned_upright_as_its_picture_is(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    stored = np.rot90(hole().astype(np.uint8) * 255)
    file = save(tmp_path / "mask.png", stored, exif=exif)
    np.testing.assert_array_equal(photographs.read_mask(file, SIZE), hole())


def test_an_animated_mask_is_refused(tmp_path):
    animated(tmp_path / "a.gif")
    with pytest.raises(InputError, match=r"`mask` .*a\.gif.* an animation of 3 frames"):
        photographs.read_mask(tmp_path / "a.gif", SIZE)


# Values between black and white


def soft(radius: float, shape=hole) -> np.ndarray:
    """A mask blurred by a Gaussian, uint8."""
    image = Image.fromarray(shape().astype(np.uint8) * 255)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)))


def large() -> np.ndarray:
    missing = np.zeros((120, 160), bool)
    missing[40:80, 50:110] = True
    return missing


def test_values_between_are_opacities(tmp_path):
    levels = soft(8, large)
    found = photographs.read_mask(save(tmp_path / "a.png", levels), levels.shape)
    np.testing.assert_allclose(found, levels / 255, atol=1e-6)
    assert (found > 0).sum() > 2 * large().sum() > found.sum(), "the hole has not grown"


def test_a_plateau_of_grey_is_half_there(tmp_path):
    levels = np.where(large(), np.uint8(128), np.uint8(0))
    levels[:10, :10] = 255
    found = photographs.read_mask(save(tmp_path / "a.png", levels), levels.shape)
    assert (found[50:70, 60:100] == np.float32(128 / 255)).all() and (found[2:8, 2:8] == 1).all()


@pytest.mark.parametrize("feather", [1, 2, 5, 20])
def test_an_encoded_mask_is_read_as_it_was(tmp_path, feather):
    """A narrow feather would be taken for an antialiased edge, the widest for a photograph."""
    hole = np.zeros((70, 90), np.float32)
    hole[25:40, 30:60] = 1
    soft = np.rint(holes.feathered(hole, feather) * 255) / np.float32(255)
    (tmp_path / "mask.png").write_bytes(photographs.encoded_mask(soft))
    assert np.array_equal(photographs.read_mask(tmp_path / "mask.png", soft.shape), soft)
    assert len(np.unique(soft)) > 2


def test_antialiased_edges_are_missing(tmp_path):
    big = Image.fromarray(large().astype(np.uint8) * 255).rotate(20)
    levels = np.asarray(big.resize((40, 30), Image.Resampling.BOX))
    found = photographs.read_mask(save(tmp_path / "a.png", levels), levels.shape)
    np.testing.assert_array_equal(found, levels > 0)


def test_hair_lines_are_missing_however_thin(tmp_path):
    levels = np.zeros((30, 40), np.uint8)
    levels[:, 20], levels[10, :], levels[5:9, 5:9] = 100, 140, 255
    found = photographs.read_mask(save(tmp_path / "a.png", levels), levels.shape)
    np.testing.assert_array_equal(found, levels > 0)


def test_labels_are_missing_things(tmp_path):
    levels = np.zeros(SIZE, np.uint8)
    levels[2:5, 2:9], levels[20:24, 30:40] = 1, 2
    np.testing.assert_array_equal(photographs.read_mask(save(tmp_path / "a.png", levels), SIZE), levels > 0)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 255), (40, 200, 60)])
def test_the_colour_does_not_matter(tmp_path, colour):
    soft_edges = np.asarray(Image.fromarray(soft(8, large)).resize((80, 60)))[..., None] / 255
    name = save(tmp_path / "a.png", np.rint(soft_edges * colour).astype(np.uint8))
    found = photographs.read_mask(name, (60, 80))
    np.testing.assert_allclose(found, soft_edges[..., 0] * max(colour) / 255, atol=0.01)


def test_a_soft_mask_may_be_a_jpeg(tmp_path):
    levels = soft(8, large)
    found = photographs.read_mask(save(tmp_path / "a.jpg", levels, quality=90), levels.shape)
    assert np.abs(found - levels / 255).max() < 0.2 and (found[:10] == 0).all() and found[60, 80] == 1


# Transparency


def with_alpha(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.dstack([colour, alpha]).astype(np.uint8)


PAPER = {
    "black": np.zeros((*SIZE, 3)),
    "white": np.full((*SIZE, 3), 255),
    "one colour": np.full((*SIZE, 3), (10, 90, 30)),
    "the photograph": np.random.default_rng(0).integers(0, 256, (*SIZE, 3)),
}


@pytest.mark.parametrize("paper", PAPER)
def test_a_hole_in_the_masks_transparency(tmp_path, paper):
    name = save(tmp_path / "a.png", with_alpha(PAPER[paper], np.where(hole(), 0, 255)))
    np.testing.assert_array_equal(photographs.read_mask(name, SIZE), hole())


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 0, 0), (0, 0, 90)])
def test_paint_on_a_transparent_layer(tmp_path, colour):
    paint = np.zeros((*SIZE, 3)) + colour
    name = save(tmp_path / "a.png", with_alpha(paint, np.where(hole(), 255, 0)))
    np.testing.assert_array_equal(photographs.read_mask(name, SIZE), hole())


def test_inverted_paint_is_known_however_much_there_is(tmp_path):
    name = save(tmp_path / "a.png", with_alpha(PAPER["white"], np.where(hole(), 0, 255)))
    np.testing.assert_array_equal(photographs.read_mask(name, SIZE, invert=True), hole())


def test_a_soft_eraser_in_the_mask_is_soft(tmp_path):
    alpha = 255 - soft(8, large)
    name = save(tmp_path / "a.png", with_alpha(np.zeros((120, 160, 3)), alpha))
    np.testing.assert_allclose(photographs.read_mask(name, (120, 160)), soft(8, large) / 255, atol=1e-6)


# Changes


def test_inverted(tmp_path):
    name = save(tmp_path / "a.png", 255 - WHITE)
    np.testing.assert_array_equal(photographs.read_mask(name, SIZE, invert=True), hole())
    with pytest.raises(InputError, match=r"no missing pixel: it is white all over"):
        photographs.read_mask(save(tmp_path / "b.png", WHITE * 0 + 255), SIZE, invert=True)


@pytest.mark.parametrize("size", [(64, 96), (16, 24), (50, 40)])
def test_fitted(tmp_path, size):
    name = save(tmp_path / "a.png", WHITE)
    with pytest.raises(InputError, match="pass --fit_mask to stretch it"):
        photographs.read_mask(name, size)
    found = photographs.read_mask(name, size, fit=True)
    assert found.shape == size and set(np.unique(found)) == {0, 1}
    assert abs(found.mean() - hole().mean()) < 0.02


def test_fitted_softly(tmp_path):
    levels = soft(8, large)
    found = photographs.read_mask(save(tmp_path / "a.png", levels), (240, 320), fit=True)
    np.testing.assert_allclose(found[::2, ::2], levels / 255, atol=0.05)


def test_grown_and_feathered():
    point = np.zeros((21, 31), np.float32)
    point[10, 15] = 1
    wider = holes.grown(point, 4)
    rows, columns = np.nonzero(wider)
    away = np.hypot(rows - 10, columns - 15)
    assert away.max() == pytest.approx(4, abs=0.5) and wider.sum() > 40
    soft_edge = holes.feathered(point, 4)[10]
    np.testing.assert_allclose(soft_edge[15:21], [1, 0.8, 0.6, 0.4, 0.2, 0], atol=1e-6)
    np.testing.assert_array_equal(soft_edge, soft_edge[::-1][:31])
    assert holes.grown(point, 0) is point and holes.feathered(point, 0) is point
    np.testing.assert_array_equal(holes.inverted(point), 1 - point)


def test_a_soft_hole_grows_softly():
    levels = soft(8, large).astype(np.float32) / 255
    wider = holes.grown(levels, 3)
    assert (wider >= levels).all() and 0 < (wider - levels).max() < 0.25


def test_the_union_of_masks_needs_a_hole_in_one_of_them(tmp_path):
    black, white = save(tmp_path / "a.png", WHITE * 0), save(tmp_path / "b.png", WHITE)
    np.testing.assert_array_equal(photographs.read_masks([black, white], SIZE), hole())
    with pytest.raises(InputError, match="no missing pixel"):
        photographs.read_masks([black, black], SIZE)
