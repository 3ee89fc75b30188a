"""The geometry of a window: the shape in which a network receives it, its reduction, its place.

Defined once, as pure functions of numbers, for NumPy (`inpainting_tf.inference.windows`) and for TensorFlow's
graphs (`inpainting_tf.export.saved_model`). `xp` is the namespace of the arrays: `numpy` or `keras.ops`.
Pairs are arrays [2], (height, width) or (row, column), in pixels: float64, but integers in `input_shape`.
"""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

Array = Any  # a number, a NumPy array or a tensor

# A hole whose share of a window's side is larger is covered by several windows.
LARGEST_SHARE = 0.75
# Networks need this much of a picture around a speck: windows of 24 px cost `faces` 0.1 dB, of 16 px 0.3 dB.
SMALLEST_SIDE = 32
LEVELS = 3  # shapes of windows: those of large holes, of small ones, of specks
SPECK = 4  # times smaller than the smallest hole of training


@dataclasses.dataclass(frozen=True)
class Scale:
    """What a network was trained on: pictures of (height, width) pixels, holes from `hole` pixels wide on."""

    size: tuple[int, int]
    hole: int


def rounded_up(sides: Array, divisor: int) -> Array:
    """Whole numbers, each raised to a multiple of `divisor`."""
    return -(-sides // divisor) * divisor


def input_shape(picture: Array, size: Array, divisor: int, xp: ModuleType) -> Array:
    """The shape in which a network that takes any size receives its windows.

    Args:
        picture: int [2], the picture's size.
        size: int [2], of the pictures that the network was trained on.
        divisor: of both sides of the network's input.
        xp: the namespace of the arrays.
    """
    return rounded_up(xp.minimum(picture, size), divisor)


def level(sides: Array, smallest: Array, xp: ModuleType) -> Array:
    """How often the windows of a hole are halved: 0, 1 or 2.

    Once if it is smaller than the smallest of training: in the whole it would be a smaller part than any of
    training, and `faces` fills specks of 3 to 11 px half a decibel to a decibel better in the half. Twice if
    it is smaller than a quarter of that, a speck: `photos` fills one as well, within 0.03 dB, in 32 px as in
    64 or 128, at a quarter and a sixteenth of the cost.

    Args:
        sides: [2], of the hole's bounding box.
        smallest: the side of the smallest holes that the network was trained on.
        xp: the namespace of the arrays.
    """
    longest = xp.max(sides)
    return xp.where(longest < smallest, 1, 0) + xp.where(SPECK * longest < smallest, 1, 0)


def level_shapes(picture: Array, shape: Array, divisor: int, xp: ModuleType) -> tuple[Array, ...]:
    """For each level the int [2] in which a network that takes any size receives the windows of its holes.

    None is smaller than `SMALLEST_SIDE`. A picture that fits into one window is seen whole, as in training.

    Args:
        picture: int [2], the picture's size.
        shape: int [2], in which the network receives the windows of large holes.
        divisor: of both sides of the network's input.
        xp: the namespace of the arrays.
    """
    least = xp.minimum(shape, SMALLEST_SIDE)
    halved = (rounded_up(xp.maximum(shape // 2**each, least), divisor) for each in range(1, LEVELS))
    return shape, *(xp.where(xp.all(picture <= shape), shape, each) for each in halved)


def reduction(
    sides: Array, thickness: Array, smallest: int, picture: Array, shape: Array, xp: ModuleType
) -> Array:
    """The factor by which a hole is reduced for the network, at least 1.

    It reduces the hole to the size of the smallest of training, but no window is larger than the picture. A
    hole's length is that of its box, and at most twice its thickness: for a compact hole one window over the
    whole is better than several over its parts, and the strokes of training are thinner than its rectangles.

    Args:
        sides: [2], of the hole's bounding box.
        thickness: of the hole: twice the largest distance from a missing pixel to a known one.
        smallest: the side of the smallest holes that the network was trained on.
        picture: [2], the picture's size.
        shape: [2], in which the network receives a window.
        xp: the namespace of the arrays.
    """
    largest = xp.maximum(1.0, xp.min(picture / shape))
    length = xp.minimum(xp.max(sides), 2 * thickness)
    return xp.minimum(xp.maximum(1.0, length / smallest), largest)


def window_size(factor: Array, shape: Array, xp: ModuleType) -> Array:
    """[2], the size in the picture of a window that the network receives in `shape`, reduced by `factor`."""
    return xp.round(factor * shape)


def covered(sides: Array, size: Array, picture: Array, xp: ModuleType) -> Array:
    """Bool, whether one window of `size` covers a hole whose box has these sides.

    A window of the whole picture always does.
    """
    return xp.all((sides <= LARGEST_SHARE * size) | (size >= picture))


def covering_size(sides: Array, factor: Array, picture: Array, shape: Array, xp: ModuleType) -> Array:
    """[2], the size of the smallest window that covers the hole alone, reduced by `factor` or more."""
    needed = xp.max(xp.minimum(sides / LARGEST_SHARE, picture) / shape)
    return xp.ceil(xp.maximum(factor, needed) * shape)


def placed(centre: Array, size: Array, picture: Array, xp: ModuleType) -> Array:
    """The first row and column of windows: around their centres, inside the picture where they fit.

    Args:
        centre: [..., 2], of what each window fills.
        size: [2], of a window. A larger one than the picture is centred on it.
        picture: [2], the picture's size.
        xp: the namespace of the arrays.
    """
    inside = xp.minimum(xp.maximum(0.0, xp.round(centre - size / 2)), picture - size)
    return xp.where(size > picture, (picture - size) // 2, inside)
