"""A guided exemplar fill: the guide decides what is copied, the picture how it looks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inpainting_tf.classical.exemplar import guided, inpaint
from inpainting_tf.errors import InputError
from inpainting_tf.ops.texture import fine_energy

SIZE = (56, 80)
DARK, BRIGHT = 0.25, 0.75


def halves(boundary: int) -> np.ndarray:
    """Dark on the left of a column and bright on the right, float32 [H, W, 3]."""
    columns = np.where(np.arange(SIZE[1]) < boundary, DARK, BRIGHT)
    return np.broadcast_to(columns[None, :, None], (*SIZE, 3)).astype("float32")


@pytest.fixture
def picture() -> np.ndarray:
    """Two grainy halves."""
    return halves(40) + np.random.default_rng(0).normal(0, 0.05, (*SIZE, 3)).astype("float32")


@pytest.fixture
def missing() -> np.ndarray:
    hole = np.zeros(SIZE, bool)
    hole[16:40, 24:56] = True
    return hole


@pytest.mark.parametrize("boundary", [30, 50])
def test_what_is_copied_follows_the_guide(picture, missing, boundary):
    filled = inpaint(picture, missing, guide=halves(boundary))
    inner = filled[22:34]
    assert abs(inner[:, 24 : boundary - 4].mean() - DARK) < 0.06
    assert abs(inner[:, boundary + 4 : 56].mean() - BRIGHT) < 0.06


def test_copies_are_whole_pieces(missing):
    """Of smooth noise, in which many patches are about as similar."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).random((*SIZE, 3), "float32"), (0, 0), 2.0)
    _, sources = guided(noise, missing, cv2.GaussianBlur(noise, (0, 0), 6.0))
    steps = sources - np.moveaxis(np.mgrid[: SIZE[0], : SIZE[1]], 0, -1)
    for axis in (0, 1):
        first, second = (np.take(missing, range(start, SIZE[axis] + start - 1), axis) for start in (0, 1))
        continued = (np.diff(steps, axis=axis) == 0).all(axis=-1)
        assert continued[first & second].mean() > 0.7


def test_and_its_look_the_picture(picture, missing):
    filled = inpaint(picture, missing, guide=halves(40))
    inner = np.zeros(SIZE, bool)
    inner[20:36, 26:36] = True
    assert 0.5 < fine_energy(filled, inner) / fine_energy(picture, inner) < 1.3
    np.testing.assert_array_equal(filled[~missing], picture[~missing])


def test_neither_the_guide_outside_the_hole_nor_the_picture_under_it_counts(picture, missing):
    guide = halves(30)
    filled = inpaint(picture, missing, guide=guide)
    hidden = np.where(missing[..., None], np.float32(0.1), picture)
    outside = np.where(missing[..., None], guide, np.float32(0.9))
    np.testing.assert_array_equal(inpaint(hidden, missing, guide=outside), filled)


def test_it_is_a_function_of_its_seed(picture, missing):
    first = inpaint(picture, missing, guide=halves(40))
    np.testing.assert_array_equal(inpaint(picture, missing, guide=halves(40)), first)
    assert not np.array_equal(inpaint(picture, missing, guide=halves(40), seed=1), first)


def test_a_guide_that_does_not_fit_is_refused(picture, missing):
    for guide, words in ((halves(40)[:-1], r"\(55, 80, 3\)"), (np.uint8(halves(40)), "uint8")):
        with pytest.raises(
            InputError, match=f"`guide` must be floating point of the picture's shape.*{words}"
        ):
            inpaint(picture, missing, guide=guide)


def test_where_it_was_copied_from(picture, missing):
    filled, sources = guided(picture, missing, halves(40))
    rows, columns = np.moveaxis(sources, -1, 0)
    assert not missing[rows, columns].any()
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    assert (rows == y)[~missing].all() and (columns == x)[~missing].all()
    # The last vote is nearly a copy.
    copied, known = picture[rows, columns][missing], picture[~missing]
    assert np.abs(filled[missing] - copied).mean() < 0.6 * np.abs(filled[missing] - known.mean()).mean()
    np.testing.assert_array_equal(filled, inpaint(picture, missing, guide=halves(40)))
