"""Sizes as people write them."""

from __future__ import annotations

import doctest

import pytest

from inpainting_tf import sizes
from inpainting_tf.errors import InputError


@pytest.mark.parametrize(
    ("value", "size", "shape", "text"),
    [
        ("64", 64, (64, 64), "64"),
        (64, 64, (64, 64), "64"),
        ("96x160", (96, 160), (96, 160), "96x160"),
        ((160, 96), (160, 96), (160, 96), "160x96"),
        ([96, 160], (96, 160), (96, 160), "96x160"),
        ("64x64", 64, (64, 64), "64"),
    ],
)
def test_a_size_is_a_side_or_height_and_width(value, size, shape, text):
    found = sizes.parse(value)
    assert found == size and type(found) is type(size)
    assert sizes.shape(found) == shape and sizes.text(found) == text
    assert sizes.parse(sizes.text(found)) == found


@pytest.mark.parametrize(
    "value", ["", "x", "96x", "x96", "96x160x3", "96 x 160", "-64", "64.0", 64.5, True, None]
)
def test_anything_else_is_refused_with_an_example(value):
    with pytest.raises(InputError, match=r"`image_size` must be a side or HEIGHTxWIDTH.* 96x160\. Received"):
        sizes.parse(value)


@pytest.mark.parametrize("value", ["8", "8x64", "64x15", "0"])
def test_small_ones_are_refused_where_there_is_a_least_one(value):
    with pytest.raises(InputError, match=rf"`side` must be at least 16 pixels\. Received {value}\."):
        sizes.parse(value, least=16, argument="side")


def test_the_example_runs():
    results = doctest.testmod(sizes)
    assert results.attempted and not results.failed
