"""The rim of a hole: known pixels that are mixed with what the hole hides.

A mask that was made by a threshold, or cut along an edge, ends where the covered thing still shines through:
antialiased letters, resized pictures and JPEG files have a pixel or two of mixture there. A fill that begins
at such pixels carries the letters' colour into the hole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from inpainting_tf.ops.boxes import bounding_box, grown

FAINT = 0.1  # the least opacity with which a pixel counts as missing
REACH = 3  # pixels of a rim that may be mixed
_BEYOND = 3  # pixels beyond them with which they are compared
_BAND = 128  # rows looked at together
_ENOUGH = 2_000_000  # pixels looked at in a large picture, in bands spread over it
# Measured on 207 photographs of 176 to 384 px: a mixed rim is found around 88 % of letters cut at 90 % of
# their colour (after JPEG 87 %, blurred 98 %) and around 0.5 % of drawn holes or less, also of those on faces
# of 64 px and on pictures of 32 px. Without the rules of the sides and of the length it was found around 12 %
# and 11 % of the rectangles there, those that end at an edge of the picture.
_COHERENT = 0.45  # length of the mean difference, as a share of the mean length: 1 = all in one direction
_FARTHER = 1.5  # mean length, as a multiple of that beyond the rim; and beside the hole, of that at its end
_ON_ALL_SIDES = 0.8  # mean length in that direction on each side of a hole, as such a multiple
_LONG = 80  # pixels of a ring: those of shorter ones may differ by chance
_SIDES = 4  # above, below, left and right of what is missing
_A_SIDE = 0.05  # share of the rim's pixels that makes a side


def mixed(image: np.ndarray, mask: np.ndarray) -> int:
    """How many pixels around the holes are mixed with what is in them.

    Pixels of a rim are compared with the mean of those a little farther away. Where they are mixed, they
    differ from it far more than others do, and on all sides of the holes in the same direction.

    Args:
        image: uint8 or uint16 [H, W, 3]. What is under the holes is ignored.
        mask: bool [H, W], True = missing.

    Returns:
        0 to `REACH`.
    """
    totals = np.zeros(((REACH + 1) * _SIDES, 5))
    for ring, side, difference in _differences(image, mask):
        near = ring >= 0
        part, found = ring[near] * _SIDES + side[near], difference[near]
        columns = (np.ones(len(found)), np.linalg.norm(found, axis=1), *found.T)
        totals += np.stack([np.bincount(part, each, len(totals)) for each in columns], axis=1)
    each_side = totals.reshape(REACH + 1, _SIDES, 5)
    counts, lengths, sums = each_side[..., 0], each_side[..., 1], each_side[..., 2:]
    level = np.iinfo(image.dtype).max / 255
    mean = lengths.sum(1) / np.maximum(counts.sum(1), 1)
    if mean[1] <= _FARTHER * mean[REACH]:  # it does not fade: an edge of the picture's own
        return 0
    usual = mean[0] + level
    whole = np.linalg.norm(sums.sum(1), axis=1)
    direction = sums.sum(1) / np.maximum(whole, 1e-9)[:, None]
    each = np.einsum("rsc,rc->rs", sums, direction) / np.maximum(counts, 1)
    small = counts <= _A_SIDE * counts.sum(1, keepdims=True)
    is_mixed = (
        (counts.sum(1) >= _LONG)
        & (whole > _COHERENT * lengths.sum(1))
        & (mean > _FARTHER * usual)
        & (np.where(small, np.inf, each).min(1) > _ON_ALL_SIDES * usual)
    )
    return next((number - 1 for number in range(1, REACH + 1) if not is_mixed[number]), REACH)


def grown_over(hole: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, int]:
    """The hole and the mixed rim around it, and that rim's width; the hole alone if nothing else is known.

    Around a rim that was found it is looked once more: beside a blurred edge the outermost pixels are too
    faint to be noticed beside the others.

    Args:
        hole: bool [H, W], True = missing, or float, of opacities.
        image: as `mixed` takes it.
    """
    width = mixed(image, hole >= FAINT)
    whole = widened(hole, width)
    if width and not (whole >= FAINT).all():
        width += mixed(image, whole >= FAINT)
        whole = widened(hole, width)
    return (hole, 0) if (whole >= FAINT).all() else (whole, width)


def widened(mask: np.ndarray, width: int) -> np.ndarray:
    """A mask, bool or float [H, W], grown by `width` pixels in every direction."""
    if width == 0:
        return mask
    side = 2 * width + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    kind = np.uint8 if mask.dtype == bool else np.float32
    return np.asarray(cv2.dilate(mask.astype(kind), disc)).astype(mask.dtype)


def _differences(image: np.ndarray, mask: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Band by band: ring and side of each pixel, and its difference from the mean of those beyond the rim.

    Rings are counted from 1 beside the hole; 0 is beyond the rim, -1 anything else.
    """
    margin = 2 * (REACH + _BEYOND)
    rows, columns = grown(bounding_box(mask), (margin, margin), mask.shape)
    tops = [top for top in range(rows.start, rows.stop, _BAND) if mask[top : top + _BAND, columns].any()]
    step = math.ceil(len(tops) * _BAND * (columns.stop - columns.start) / _ENOUGH)
    for top in tops[:: max(1, step)]:
        bottom = min(top + _BAND, rows.stop)
        around = slice(max(0, top - margin), bottom + margin)
        hole = mask[around, columns]
        inner = slice(top - around.start, bottom - around.start)
        yield tuple(each[inner] for each in _compared(image[around, columns].astype(np.float32), hole))


def _compared(part: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distance = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    beyond = (distance > REACH) & (distance <= REACH + _BEYOND)
    count = _summed(beyond.astype(np.float32))
    mean = _summed(part * beyond[..., None]) / np.maximum(count, 1.0)[..., None]
    ring = np.where(beyond, 0, np.ceil(distance))
    ring[hole | (count < 4) | (distance > REACH + _BEYOND)] = -1
    return ring.astype(np.int8), _side(hole), part - mean


def _side(hole: np.ndarray) -> np.ndarray:
    """On which side of the nearest hole each pixel beside one lies, 0 to 3."""
    near = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 1.0)
    right, down = (cv2.Sobel(near, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    across = np.abs(right) > np.abs(down)
    return 2 * across + (np.where(across, right, down) > 0)


def _summed(array: np.ndarray) -> np.ndarray:
    """Over the square that reaches from a hole to beyond its rim."""
    side = 2 * (REACH + _BEYOND) + 1
    return np.asarray(cv2.boxFilter(array, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT))
