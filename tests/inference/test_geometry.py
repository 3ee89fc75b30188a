"""The rule of windows by hand, and the same from NumPy and from the tensors of a graph."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf.inference import geometry


@pytest.fixture(params=[np, keras.ops], ids=["numpy", "keras"])
def xp(request):
    return request.param


@pytest.fixture
def pair(xp):
    """Makes an array of two numbers, float64."""
    return lambda *numbers: xp.array(numbers, "float64")


def test_a_picture_smaller_than_the_training_pictures_is_seen_as_it_is_but_for_the_divisor(xp):
    sizes = xp.array([[30, 201], [64, 96]])
    assert np.array(geometry.input_shape(sizes[0], sizes[1], 8, xp)).tolist() == [32, 96]


def test_windows_are_halved_as_long_as_that_is_enough(xp):
    def shapes(shape, picture=(200, 300)):
        found = geometry.level_shapes(xp.array(picture), xp.array(shape), 4, xp)
        return [np.array(each).tolist() for each in found]

    assert shapes((128, 192)) == [[128, 192], [64, 96], [32, 48]]
    assert shapes((64, 96)) == [[64, 96], [32, 48], [32, 32]]
    assert shapes((100, 128)) == [[100, 128], [52, 64], [32, 32]]
    assert shapes((48, 28)) == [[48, 28], [32, 28], [32, 28]] and shapes((32, 32)) == [[32, 32]] * 3
    assert shapes((64, 64), (62, 64)) == [[64, 64]] * 3 and shapes((64, 64), (62, 65))[1] == [32, 32]


@pytest.mark.parametrize(("sides", "expected"), [((12, 3), 0), ((3, 11), 1), ((3, 1), 1), ((2, 1), 2)])
def test_how_often_they_are_halved_depends_on_the_smallest_hole_of_training(xp, sides, expected):
    assert int(geometry.level(xp.array(sides), 12, xp)) == expected


CASES = {
    "no larger than in training": ((7, 9), 7, (90, 120), 1.0),
    "three times as large": ((36, 24), 24, (400, 500), 3.0),
    "a scratch is as long as it is thick twice": ((90, 80), 15, (400, 500), 2.5),
    "no window outgrows the picture": ((60, 60), 60, (48, 500), 1.5),
    "a picture smaller than the window": ((20, 20), 20, (25, 30), 1.0),
}


@pytest.mark.parametrize("case", CASES)
def test_how_far_a_hole_is_reduced(xp, pair, case):
    sides, thickness, picture, factor = CASES[case]
    found = geometry.reduction(pair(*sides), thickness, 12, pair(*picture), pair(32, 48), xp)
    assert float(found) == factor


def test_one_window_covers_a_hole_up_to_three_quarters_of_it(xp, pair):
    def covered(*sides):
        return bool(geometry.covered(pair(*sides), pair(32, 40), pair(200, 40), xp))

    assert covered(24, 40) and not covered(25, 10), "the window has all columns of the picture"


def test_a_covering_window_is_as_large_as_hole_and_scale_ask(xp, pair):
    def size(*sides):
        found = geometry.covering_size(pair(*sides), 1.5, pair(100, 300), pair(32, 32), xp)
        return np.array(found).tolist()

    assert size(24, 30) == [48, 48] and size(24, 91) == [122, 122] and size(24, 299) == [300, 300]


def test_where_windows_lie(xp, pair):
    centres = xp.stack([pair(50, 60), pair(3, 118), pair(41.5, 42.5)])
    starts = geometry.placed(centres, pair(32, 20), pair(90, 120), xp)
    assert np.array(starts).tolist() == [[34, 50], [0, 100], [26, 32]], "half goes to the even number"
    assert np.array(geometry.placed(centres[0], pair(97, 20), pair(90, 120), xp)).tolist() == [-4, 50]
