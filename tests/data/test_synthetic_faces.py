"""Drawn portraits: reproducible, varied, of the asked size, and built like faces."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.data.synthetic_faces.look import BACKGROUNDS, STYLES, draw_look
from inpainting_tf.errors import InputError


@pytest.fixture(scope="module")
def crowd() -> np.ndarray:
    """60 people at 64 x 64, float [60, 64, 64, 3] in [0, 1]."""
    return np.stack([face(index, 64) for index in range(60)]) / 255.0


def _box(pictures: np.ndarray, y: float, x: float, half_height: float, half_width: float) -> np.ndarray:
    """Mean brightness [n] of a box, in fractions of the picture."""
    side = pictures.shape[1]
    rows = slice(round((y - half_height) * side), round((y + half_height) * side))
    columns = slice(round((x - half_width) * side), round((x + half_width) * side))
    return pictures[:, rows, columns].mean((1, 2, 3))


def test_the_same_index_is_the_same_face():
    first = face(7, (32, 48))
    face(8, (32, 48))
    np.testing.assert_array_equal(face(7, (32, 48)), first)
    np.testing.assert_array_equal(face(np.int64(7), (32, 48), seed=0), first)


@pytest.mark.parametrize(("index", "seed"), [(8, 0), (7, 1), (0, 7)])
def test_another_index_or_seed_is_another_face(index, seed):
    difference = np.abs(face(7, 48).astype(int) - face(index, 48, seed=seed))
    assert difference.mean() > 10


def test_everybody_differs_from_everybody(crowd):
    flat = crowd.reshape(len(crowd), -1)
    distance = np.abs(flat[:, None] - flat[None]).mean(-1)
    assert distance[~np.eye(len(flat), dtype=bool)].min() > 0.03


@pytest.mark.parametrize("index", range(4))
def test_a_small_face_is_the_large_one_made_smaller(index):
    shrunk = face(index, 128).reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(shrunk - face(index, 64)).mean() < 3
    assert np.abs(shrunk - face(index + 1, 64)).mean() > 20


@pytest.mark.parametrize("image_size", [(32, 48), (48, 32), (64, 64), 40, [33, 57]])
def test_shape_and_type(image_size):
    picture = face(3, image_size)
    assert picture.shape == (*np.broadcast_to(image_size, 2), 3)
    assert picture.dtype == np.uint8


def test_a_picture_that_is_not_square_is_cropped_in_the_middle_not_stretched():
    square = face(5, 48).astype(int)
    assert np.abs(face(5, (32, 48)) - square[8:-8]).mean() < 2
    assert np.abs(face(5, (48, 32)) - square[:, 8:-8]).mean() < 2


def test_the_values_use_the_range(crowd):
    assert crowd.min() < 0.03
    assert crowd.max() > 0.97
    assert 0.25 < crowd.mean() < 0.6
    assert (crowd.std((1, 2, 3)) > 0.08).all()


def test_eyes_are_darker_than_the_cheeks(crowd):
    """Whatever the skin, pupils, lashes and brows are dark at the stable height of an aligned crop."""
    cheeks = (_box(crowd, 0.6, 0.4, 0.04, 0.05) + _box(crowd, 0.6, 0.6, 0.04, 0.05)) / 2
    eyes = (_box(crowd, 0.45, 0.4, 0.03, 0.05) + _box(crowd, 0.45, 0.6, 0.03, 0.05)) / 2
    assert (cheeks - eyes).mean() > 0.05
    for columns in (slice(20, 30), slice(34, 44)):  # left and right eye of every single person
        darkest = crowd[:, 26:34, columns].mean(-1).min((1, 2))
        assert (darkest < 0.7 * cheeks).mean() > 0.95


def test_the_mouth_is_redder_than_the_cheeks(crowd):
    redness = crowd[..., :1] / (crowd.sum(-1, keepdims=True) + 1e-6)
    mouth, cheeks = _box(redness, 0.7, 0.5, 0.03, 0.06), _box(redness, 0.6, 0.38, 0.04, 0.04)
    assert mouth.mean() > cheeks.mean()


def test_faces_are_symmetric_like_faces_and_lit_from_one_side(crowd):
    """The picture resembles its mirror image far more than its neighbour's, but is not equal to it."""
    middle = crowd[:, 16:48, 12:52]
    mirrored = np.abs(middle - middle[:, :, ::-1]).mean((1, 2, 3))
    strangers = np.abs(middle - np.roll(middle, 1, axis=0)[:, :, ::-1]).mean((1, 2, 3))
    assert mirrored.mean() < 0.6 * strangers.mean()
    assert mirrored.min() > 0.005


def test_the_middle_is_skin_and_the_upper_corners_are_not(crowd):
    """Skin is red before green before blue; the background of a corner owes nothing to it."""
    skin = crowd[:, 36:42, 24:40].mean((1, 2))
    assert (skin[:, 0] > skin[:, 1]).all()
    assert (skin[:, 1] >= skin[:, 2] - 0.03).all()
    corner = np.concatenate([crowd[:, :6, :6], crowd[:, :6, -6:]], 2).mean((1, 2))
    assert (corner[:, 0] > corner[:, 1]).mean() < 0.8


def test_the_lots_reach_every_style_and_background():
    looks = [draw_look(np.random.default_rng([0, index])) for index in range(400)]
    assert {look.style for look in looks} == set(STYLES)
    assert {look.background for look in looks} == set(BACKGROUNDS)
    assert all(look.beard == "none" for look in looks if look.masculine <= 0.5)
    assert 0.3 < np.mean([look.masculine > 0.5 for look in looks]) < 0.7
    assert np.std([sum(look.skin) / 3 for look in looks]) > 25


@pytest.mark.parametrize("index", [-1, 1.5, "3", None, True])
def test_a_wrong_index_is_refused(index):
    with pytest.raises(InputError, match=r"`index` must be .* Received"):
        face(index)


def test_a_wrong_seed_is_refused():
    with pytest.raises(InputError, match=r"`seed` must be .* Received -2"):
        face(0, seed=-2)


@pytest.mark.parametrize(
    "image_size", [0, 7, -64, 2000, 64.0, "64", (64,), (64, 64, 3), (64, 4), (64, None), True]
)
def test_a_wrong_image_size_is_refused(image_size):
    with pytest.raises(InputError, match=r"`image_size` must be .* Received"):
        face(0, image_size)
