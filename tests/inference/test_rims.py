"""Masks that end where the covered thing still shines through, and fills that do not begin there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from skimage import data

import inpainting_tf
from inpainting_tf.inference import Facts, Runtime, rims

TRUTH = data.coffee()[:200]
# A fill that Poisson blending alone makes: what it knows of the surroundings is all that is in the hole.
BLANK = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(64, 24)))


def lettered(colour: int = 255) -> tuple[np.ndarray, np.ndarray]:
    """The coffee under antialiased letters, and their opacity."""
    layer = Image.new("L", TRUTH.shape[1::-1], 0)
    font = ImageFont.load_default(44)
    ImageDraw.Draw(layer).text((40, 30), "WATERMARK\nof somebody", fill=255, font=font)
    opacity = np.asarray(layer)[..., None] / 255
    return np.rint(TRUTH * (1 - opacity) + colour * opacity).astype(np.uint8), opacity[..., 0]


def decibels(filled: np.ndarray, where: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((filled[where].astype(float) - TRUTH[where]) ** 2))


@pytest.mark.parametrize("colour", [255, 0])
def test_the_rim_of_letters_cut_at_their_colour_is_mixed(colour):
    picture, opacity = lettered(colour)
    cut = (np.abs(picture.astype(int) - colour) <= 13).all(-1) & (opacity > 0)
    assert rims.mixed(picture, cut) == 1
    assert rims.mixed(picture, opacity > 0) == 0, "the whole letters are covered"
    assert rims.mixed(picture.astype(np.uint16) * 257, cut) == 1


@pytest.mark.parametrize(("radius", "width"), [(0, 0), (0.6, 2), (1.5, 3)])
def test_the_softer_an_edge_the_wider_its_rim(radius, width):
    layer = Image.new("L", TRUTH.shape[1::-1], 0)
    ImageDraw.Draw(layer).ellipse((60, 60, 160, 140), fill=255)
    opacity = np.asarray(layer.filter(ImageFilter.GaussianBlur(radius)))[..., None] / 255
    picture = np.rint(TRUTH * (1 - opacity) + 255 * opacity).astype(np.uint8)
    assert rims.mixed(picture, opacity[..., 0] > 0.95) == width


def test_the_faint_end_of_a_blurred_rim_is_noticed_around_its_beginning():
    layer = Image.new("L", TRUTH.shape[1::-1], 0)
    text = "WATERMARK\nof somebody"
    ImageDraw.Draw(layer).text((20, 30), text, fill=255, font=ImageFont.load_default(44))
    opacity = np.asarray(layer.filter(ImageFilter.GaussianBlur(1.5)))[..., None] / 255
    picture = np.rint(TRUTH * (1 - opacity) + 255 * opacity).astype(np.uint8)
    cut = opacity[..., 0] > 0.9
    assert rims.mixed(picture, cut) == 2
    grown, width = rims.grown_over(cut, picture)
    assert width == 3 and np.array_equal(grown, rims.widened(cut, 3))
    everything = np.ones_like(cut)
    everything[:2] = False
    assert rims.grown_over(everything, picture)[1] == 0, "something must stay known"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_rim_that_is_trusted_is_not_looked_at(trusted):
    picture, _ = lettered()
    cut = (picture > 242).all(-1)
    filled = inpainting_tf.inpaint(BLANK, picture, cut, trust_rim=trusted)
    assert (decibels(filled, cut) > 18) is not trusted


@pytest.mark.parametrize("box", [(20, 60, 30, 110), (90, 150, 300, 420), (150, 170, 500, 590)])
def test_drawn_holes_have_no_mixed_rim(box):
    mask = np.zeros(TRUTH.shape[:2], bool)
    mask[box[0] : box[1], box[2] : box[3]] = True
    assert rims.mixed(TRUTH, mask) == 0


def test_edges_at_some_side_of_a_hole_are_the_pictures_own():
    """Rectangles on many parts of 64 px: some end at an edge, none at a mixture of what they hide."""
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        top, left = rng.integers(0, np.array(TRUTH.shape[:2]) - 64)
        (row, column), (height, width) = rng.integers(4, 36, 2), rng.integers(16, 25, 2)
        mask = np.zeros((64, 64), bool)
        mask[row : row + height, column : column + width] = True
        found.append(rims.mixed(TRUTH[top : top + 64, left : left + 64], mask))
    assert np.count_nonzero(found) <= 1


def test_of_a_few_pixels_nothing_is_concluded():
    picture, opacity = lettered()
    rows, columns = slice(35, 60), slice(40, 56)  # a part of the first letter
    cut = np.zeros(opacity.shape, bool)
    cut[rows, columns] = (picture > 242).all(-1)[rows, columns]
    assert 0 < cut.sum() < 80 and rims.mixed(picture, cut) == 0


def test_what_is_under_the_hole_does_not_matter():
    picture, _ = lettered()
    cut = (picture > 242).all(-1)
    assert rims.mixed(np.where(cut[..., None], 0, picture).astype(np.uint8), cut) == 1


def test_a_large_picture_is_looked_at_in_bands():
    picture, _ = lettered()
    tall = np.concatenate([picture] * 30)
    assert rims.mixed(tall, (tall > 242).all(-1)) == 1


@pytest.mark.parametrize("blend", ["none", "poisson"])
def test_a_fill_does_not_begin_at_a_mixed_rim(blend):
    picture, _ = lettered()
    cut = (picture > 242).all(-1)
    filled = inpainting_tf.inpaint(BLANK, picture, cut, blend=blend)
    assert (filled == picture)[~cut].all(), "known pixels stay, mixed or not"
    if blend == "poisson":
        assert decibels(filled, cut) > 18  # 8.1 where it begins at the letters' rim


def test_letters_become_unreadable_when_the_rim_is_filled_too():
    picture, opacity = lettered()
    cut = (picture > 242).all(-1)
    grown = rims.widened(cut, rims.mixed(picture, cut))
    filled = inpainting_tf.inpaint(BLANK, picture, grown)
    assert decibels(filled, opacity > 0) > 22
    assert decibels(inpainting_tf.inpaint(BLANK, picture, cut), opacity > 0) < 16


# Opacities


def test_a_fill_is_laid_over_the_picture_with_the_masks_opacity():
    picture = TRUTH[:100, :150]
    opacity = np.zeros(picture.shape[:2], np.float32)
    opacity[20:60, 30:90], opacity[60:70, 30:90], opacity[70:75, 30:90] = 1, 0.5, 0.05
    whole = inpainting_tf.inpaint(BLANK, picture, opacity >= 0.1)
    filled = inpainting_tf.inpaint(BLANK, picture, opacity)
    assert (filled == whole)[opacity == 1].all() and (filled == picture)[opacity < 0.1].all()
    half = (picture[60:70, 30:90].astype(float) + whole[60:70, 30:90]) / 2
    np.testing.assert_allclose(filled[60:70, 30:90], half, atol=0.5)


def test_faint_opacities_are_no_hole():
    picture, opacity = TRUTH[:60, :80], np.full((60, 80), 0.05)
    with pytest.raises(inpainting_tf.InputError, match="no missing pixel"):
        inpainting_tf.inpaint(BLANK, picture, opacity)
