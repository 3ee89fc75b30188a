"""Applies a network of one scale to pictures of any size, in square windows around their holes.

A network is trained on pictures of some size with holes of some size. It receives a larger photograph in
windows that contain a hole and its surroundings: unscaled where the hole is no larger than the smallest of
training, else reduced so that it is as large as that one. (Context is worth more than resolution: on faces of
160 px, 64 px networks gain a decibel over reducing holes to the largest of training.) Long and thin holes
(scratches, writing) are covered by several overlapping windows. The cost grows with the holes and not with
the photograph.

NumPy, SciPy and OpenCV only. Lengths are pixels, places (row, column), masks boolean [H, W], True = missing.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np

from inpainting_tf.inference import geometry
from inpainting_tf.inference.geometry import Scale
from inpainting_tf.ops.boxes import Box, bounding_box, box_shape, boxes_of, grown, moved
from inpainting_tf.ops.harmonic import edge, harmonic
from inpainting_tf.ops.images import to_float, to_levels


@dataclasses.dataclass(frozen=True)
class Window:
    """A part of a picture that a network receives.

    Attributes:
        rows, columns: from where to where, in pixels; beyond the picture it is mirrored.
        shape: (height, width) in which the network receives it.
        hole: the label of the hole that it fills.
        centre: of the part that it fills.
        reach: the blending reach: at this distance from the centre, in rows or columns, its weight has
            fallen to 0; None for the same weight everywhere.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    shape: tuple[int, int]
    hole: int = 1
    centre: tuple[float, float] = (0.0, 0.0)
    reach: float | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """The windows of a picture, and to which hole each missing pixel belongs: int32 [H, W], 0 = known."""

    labels: np.ndarray
    windows: list[Window]


def whole(mask: np.ndarray, divisor: int = 1) -> Plan:
    """The picture as one window, its sides rounded up to multiples of `divisor`."""
    height, width = (geometry.rounded_up(side, divisor) for side in mask.shape)
    return Plan(mask.astype(np.int32), [Window((0, height), (0, width), (height, width))])


def around_holes(mask: np.ndarray, scale: Scale, shapes: Sequence[tuple[int, int]]) -> Plan:
    """A plan for a network that receives windows of these shapes.

    Args:
        mask: bool [H, W] with at least one missing pixel.
        scale: what the network was trained on.
        shapes: (height, width) of its input for each of `geometry.level`'s levels, or one for all; not larger
            than the picture, but for the rounding to a multiple of the divisor.

    Returns:
        The plan, with windows of one shape one after the other.
    """
    labels, place = np.zeros(mask.shape, np.int32), bounding_box(mask)
    labels[place] = _holes(mask[place], scale, apart=len(set(shapes)) > 1)
    thickness = _thickness(labels[_with_rim(place, mask.shape)])
    found: list[Window] = []
    for label, box in enumerate(boxes_of(labels[place]), 1):
        level = geometry.level(np.array(box_shape(box)), scale.hole, np)
        shape = shapes[min(level, len(shapes) - 1)]
        found += _cover(labels, label, moved(box, place), thickness[label], scale, shape)
    return Plan(labels, sorted(found, key=lambda window: window.shape))


def cut(picture: np.ndarray, mask: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """The network's input from a window of a picture.

    Args:
        picture: uint8 or uint16 [H, W, 3].
        mask: bool [H, W].
        window: where.

    Returns:
        The picture, float32 [*window.shape, 3] in [0, 1], 0 in the holes, and the mask, float32
        [*window.shape, 1], 1 = missing. A reduced pixel is the mean of its known ones; it is missing where
        one of them is.
    """
    rows, columns = _mirrored(window.rows, mask.shape[0]), _mirrored(window.columns, mask.shape[1])
    known, part = ~mask[rows][:, columns], picture[rows][:, columns]
    # One channel at a time: a window may be as large as the picture.
    largest = np.iinfo(picture.dtype).max
    channels = (part[..., channel].astype(np.float32) / largest for channel in range(3))
    sums = [_reduced(channel * known, window.shape) for channel in channels]
    weight = _reduced(known.astype(np.float32), window.shape)
    known = weight > 1.0 - 1e-3
    colours = np.clip(np.stack(sums, axis=-1) / np.maximum(weight, 1e-6)[..., None], 0.0, 1.0)
    return colours * known[..., None], ~known[..., None] * np.float32(1.0)


class Canvas:
    """The weighted mean of the predictions of a picture's windows, in its holes and along their edges.

    Blending needs the prediction's gradients across the edges.
    """

    def __init__(self, plan: Plan) -> None:
        self.place = _with_rim(bounding_box(plan.labels), plan.labels.shape)
        self._labels = plan.labels[self.place]
        self._hole = self._labels > 0
        self._near = self._hole | edge(self._hole)
        count = np.count_nonzero(self._near)
        self._number = np.zeros(self._hole.shape, np.int32)  # of the pixels of `_near`, row by row
        self._number[self._near] = np.arange(count)
        self._sum = np.zeros((count, 3), np.float32)
        self._weight = np.zeros((count, 1), np.float32)

    def add(self, window: Window, prediction: np.ndarray) -> None:
        """Adds float32 [*window.shape, 3] in the window's hole and along its edge."""
        here, there = zip(
            _overlap(self.place[0], window.rows), _overlap(self.place[1], window.columns), strict=True
        )
        own = self._labels[here] == window.hole
        own |= edge(own)
        numbers = self._number[here][own]
        weight = _weights(window)[there][own]
        self._weight[numbers, 0] += weight
        size = (window.rows[1] - window.rows[0], window.columns[1] - window.columns[0])
        for channel in range(3):  # one at a time: a window may be as large as the picture
            self._sum[numbers, channel] += weight * _enlarged(prediction[..., channel], size)[there][own]

    def paint(self, picture: np.ndarray, blend: bool) -> None:
        """Fills the missing pixels of `picture`, uint8 or uint16 [H, W, 3], in place.

        Args:
            picture: the plan's picture.
            blend: by Poisson blending.
        """
        part, missing = picture[self.place], self._hole[self._near]
        predicted = self._mean(part)
        correction: np.ndarray | float = 0.0
        if blend and not missing.all():
            rim = edge(self._hole)
            correction = harmonic(self._hole, to_float(part[rim]) - predicted[~missing])
        part[self._hole] = to_levels(predicted[missing] + correction, picture.dtype)

    def _mean(self, part: np.ndarray) -> np.ndarray:
        """float32 [K, 3], in place of the sums; where no window has added anything, the picture."""
        mean, weight = self._sum, self._weight
        mean /= np.maximum(weight, 1e-6)
        without = weight[:, 0] == 0
        mean[without] = to_float(part[self._near][without])
        return mean


# Holes


def _with_rim(box: Box, size: tuple[int, ...]) -> Box:
    """The box and a pixel more on each side."""
    return grown(box, (1, 1), size)


def _holes(mask: np.ndarray, scale: Scale, apart: bool) -> np.ndarray:
    """Labels from 1 of what is filled together, 0 for known pixels: int32 [H, W].

    Args:
        mask: bool [H, W].
        scale: what the network was trained on.
        apart: specks by themselves. A window around one costs a fraction of a window around several.
    """
    margin = max(1, scale.hole // 2)
    if not apart:
        return _groups(mask, margin)
    alone, others = _specks(mask, scale), mask.copy()
    others[mask] = alone == 0
    labels = _groups(others, margin)
    labels[mask] = np.where(alone > 0, alone + labels.max(), labels[mask])
    return labels


def _specks(mask: np.ndarray, scale: Scale) -> np.ndarray:
    """For each missing pixel the label of its hole, from 1, if that is a speck, else 0: int32 [K]."""
    labels = _groups(mask, max(1, scale.hole // (3 * geometry.SPECK)))
    levels = [geometry.level(np.array(box_shape(box)), scale.hole, np) for box in boxes_of(labels)]
    is_speck = np.array([0, *levels]) == geometry.LEVELS - 1
    return (np.cumsum(is_speck) * is_speck).astype(np.int32)[labels[mask]]


def _groups(mask: np.ndarray, margin: int) -> np.ndarray:
    """Labels from 1, shared by holes nearer to each other than two margins; 0 for known pixels."""
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    _, labels = cv2.connectedComponents(cv2.dilate(mask.astype(np.uint8), kernel), connectivity=8)
    labels *= mask
    return labels


def _cover(
    labels: np.ndarray, label: int, box: Box, thickness: float, scale: Scale, shape: tuple[int, int]
) -> list[Window]:
    """The windows of one hole, given its label, bounding box and thickness."""
    hole = labels[box] == label
    corner, sides, picture, seen = (
        np.array(pair, float) for pair in ((box[0].start, box[1].start), hole.shape, labels.shape, shape)
    )
    factor = geometry.reduction(sides, thickness, scale.hole, picture, seen, np)
    size = geometry.window_size(factor, seen, np)
    reach = None if geometry.covered(sides, size, picture, np) else float(size.min()) / 3
    cells = np.array([(0.0, 0.0, *sides)] if reach is None else _cells(hole, reach))
    centres = corner + (cells[:, :2] + cells[:, 2:]) / 2
    starts = geometry.placed(centres, size, picture, np)
    return [
        Window((int(top), int(bottom)), (int(left), int(right)), shape, label, tuple(centre), reach)
        for (top, left), (bottom, right), centre in zip(starts, starts + size, centres.tolist(), strict=True)
    ]


def _thickness(labels: np.ndarray) -> np.ndarray:
    """For each label, twice the largest distance from a missing pixel to a known one inside the picture."""
    hole = labels > 0
    distance = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    thickness = np.zeros(labels.max() + 1, np.float32)
    np.maximum.at(thickness, labels[hole], 2 * distance[hole])
    return thickness


def _cells(hole: np.ndarray, side: float) -> list[tuple[float, float, float, float]]:
    """The cells of a grid, at most `side` on a side, in which a pixel is missing."""
    rows, columns = (np.linspace(0, n, math.ceil(n / side) + 1) for n in hole.shape)
    return [
        (top, left, bottom, right)
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
        if hole[int(top) : math.ceil(bottom), int(left) : math.ceil(right)].any()
    ]


# Pixels


def _mirrored(interval: tuple[int, int], length: int) -> slice | np.ndarray:
    """The indices of an interval in an axis that is mirrored beyond its ends."""
    if interval[0] >= 0 and interval[1] <= length:
        return slice(*interval)
    period = max(1, 2 * (length - 1))
    steps = np.abs(np.arange(*interval)) % period
    return np.minimum(steps, period - steps) if length > 1 else steps * 0


def _reduced(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(array, shape[::-1], interpolation=cv2.INTER_AREA)


def _enlarged(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(array, size[::-1], interpolation=cv2.INTER_CUBIC)


def _overlap(canvas: slice, interval: tuple[int, int]) -> tuple[slice, slice]:
    """The intersection of two intervals, as a slice of each."""
    start, stop = max(canvas.start, interval[0]), min(canvas.stop, interval[1])
    return slice(start - canvas.start, stop - canvas.start), slice(start - interval[0], stop - interval[0])


def _weights(window: Window) -> np.ndarray:
    """float32 over the window: 1 at the centre of the part that it fills, falling to 0 at its reach."""
    sides = (np.arange(*window.rows) + 0.5, np.arange(*window.columns) + 0.5)
    if window.reach is None:
        return np.ones([len(side) for side in sides], np.float32)
    tents = [
        np.maximum(0.0, 1.0 - np.abs(side - middle) / window.reach)
        for side, middle in zip(sides, window.centre, strict=True)
    ]
    return np.outer(*tents).astype(np.float32)
