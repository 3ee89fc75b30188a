"""Pictures that are extended beyond their edges."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf import InputError
from inpainting_tf.photographs import Photograph, extend
from inpainting_tf.photographs.reading import of_pixels

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)


def test_what_is_new_is_the_hole_and_the_picture_stays():
    known = np.zeros((5, 7), np.float32)
    known[2, 3] = 0.5
    alpha = np.full((5, 7), 9, np.uint8)
    wider, hole = extend(Photograph(RGB, alpha), (4, 3, 2, 1), known)
    assert wider.rgb.shape == (9, 13, 3) and wider.rgb.dtype == np.uint8
    assert hole.shape == (9, 13) and hole.dtype == np.float32
    inside = np.zeros((9, 13), bool)
    inside[3:8, 4:11] = True
    assert np.array_equal(wider.rgb[inside], RGB.reshape(-1, 3))
    assert np.array_equal(hole[inside], known.ravel()) and (hole[~inside] == 1).all()
    assert (wider.alpha[inside] == 9).all() and (wider.alpha[~inside] == 255).all()
    assert np.array_equal(wider.rgb[0, 0], RGB[0, 0])


def test_sixteen_bits_are_extended_too():
    levels = np.random.default_rng(1).integers(0, 65536, (5, 7, 4)).astype(np.uint16)
    levels[..., 3] = 700
    wider, _ = extend(of_pixels(levels), (0, 2, 3, 0))
    assert np.array_equal(wider.deep[2:, :7], levels) and wider.deep.dtype == np.uint16
    assert (wider.deep[:2, :, 3] == 65535).all() and (wider.alpha[:, 7:] == 255).all()


REFUSED = {
    "three": ((1, 2, 3), "four whole numbers"),
    "negative": ((-1, 0, 0, 2), "Received -1,0,0,2"),
    "wider than the picture": ((8, 0, 0, 0), r"\(7 across, 5 down\)"),
    "higher than the picture": ((0, 6, 0, 0), r"\(7 across, 5 down\)"),
    "nothing": ((0, 0, 0, 0), "one of them more than 0"),
    "a fraction": ((0.5, 0, 0, 0), "whole"),
    "too large": ((7, 5, 7, 5), "at most 0.0001 million pixels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_margins_are_refused_in_words(case):
    margins, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as refused:
        extend(Photograph(RGB), margins, max_megapixels=0.0001)
    assert "\n" not in str(refused.value)
