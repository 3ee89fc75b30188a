"""How a network of one scale is applied to pictures of any size: square windows around their holes.

A network knows pictures of some size with holes of some size. A larger photograph is shown to it in windows
that hold a hole and its surroundings: pixel by pixel where the hole is no larger than the smallest it was
trained on, and reduced where it is, so that it looks as large as that one. (To see much of what is around a
hole is worth more than resolution: on faces of 160 px, 64 px networks gain a decibel by it over holes that
look as large as the largest.) Long and thin holes (scratches, writing) are followed by several windows that
overlap. The cost grows with the holes and not with the photograph.

NumPy and OpenCV only. Lengths are pixels, places (row, column), masks boolean [H, W], True = missing.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import cv2
import numpy as np

from inpainting_tf.ops.blending import poisson_blend
from inpainting_tf.ops.images import to_float, to_uint8

# A hole that takes a larger share of a window's side is spread over several windows.
LARGEST_SHARE = 0.75
_SQUARE = np.ones((3, 3), np.uint8)  # a pixel and its neighbours


@dataclasses.dataclass(frozen=True)
class Scale:
    """What a network was trained on: pictures of (height, width) pixels, holes from `hole` pixels wide on."""

    size: tuple[int, int]
    hole: int


@dataclasses.dataclass(frozen=True)
class Window:
    """A part of a picture that a network is shown.

    Attributes:
        rows, columns: from where to where, in pixels; beyond the picture it is mirrored.
        shape: (height, width) in which the network sees it.
        hole: the label of the hole that it fills.
        centre: of what it fills.
        reach: how far from there, in rows and columns, its word counts; None for as far as it goes.
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
    height, width = (math.ceil(side / divisor) * divisor for side in mask.shape)
    return Plan(mask.astype(np.int32), [Window((0, height), (0, width), (height, width))])


def around_holes(mask: np.ndarray, scale: Scale, shape: tuple[int, int]) -> Plan:
    """A plan for a network that sees windows of `shape`.

    Args:
        mask: bool [H, W] with at least one missing pixel.
        scale: what the network was trained on.
        shape: (height, width) of what it is shown; not larger than the picture, but for the rounding that
            its strides ask for.
    """
    top, left, bottom, right = _box(mask)
    labels = np.zeros(mask.shape, np.int32)
    part = labels[top:bottom, left:right]
    part[:] = _groups(mask[top:bottom, left:right], max(1, scale.hole // 2))
    found: list[Window] = []
    for label, box in enumerate(_boxes(part), 1):
        place = (slice(top + box[0], top + box[2]), slice(left + box[1], left + box[3]))
        found += _cover(
            labels[place] == label, (place[0].start, place[1].start), mask.shape, scale, shape, label
        )
    return Plan(labels, found)


def cut(picture: np.ndarray, mask: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """What the network is shown of a picture.

    Args:
        picture: uint8 [H, W, 3].
        mask: bool [H, W].
        window: where.

    Returns:
        The picture, float32 [*window.shape, 3] in [0, 1], 0 in the holes, and the mask, float32
        [*window.shape, 1], 1 = missing. A reduced pixel is the mean of its known ones; it is missing where
        one of them is.
    """
    rows, columns = _mirrored(window.rows, mask.shape[0]), _mirrored(window.columns, mask.shape[1])
    known = ~mask[rows][:, columns]
    colours = picture[rows][:, columns].astype(np.float32) / 255.0 * known[..., None]
    if known.shape != window.shape:
        weight = _reduced(known.astype(np.float32), window.shape)
        colours = _reduced(colours, window.shape) / np.maximum(weight, 1e-6)[..., None]
        known = weight > 1.0 - 1e-3
        colours = np.where(known[..., None], np.clip(colours, 0.0, 1.0), 0.0)
    return colours.astype(np.float32), ~known[..., None].astype(bool) * np.float32(1.0)


class Canvas:
    """Where the predictions of a picture's windows come together; what overlaps is averaged."""

    def __init__(self, plan: Plan) -> None:
        self.rows, self.columns = _with_rim(_box(plan.labels > 0), plan.labels.shape)
        self._labels = plan.labels[self.rows, self.columns]
        self._sum = np.zeros((*self._labels.shape, 3), np.float32)
        self._weight = np.zeros((*self._labels.shape, 1), np.float32)

    def add(self, window: Window, prediction: np.ndarray) -> None:
        """Takes float32 [*window.shape, 3] in the hole that the window is for, and a pixel around it."""
        size = (window.rows[1] - window.rows[0], window.columns[1] - window.columns[0])
        if size != window.shape:
            prediction = cv2.resize(prediction, size[::-1], interpolation=cv2.INTER_CUBIC)
        here, there = zip(
            _overlap(self.rows, window.rows), _overlap(self.columns, window.columns), strict=True
        )
        own = cv2.dilate((self._labels[here] == window.hole).astype(np.uint8), _SQUARE)
        weight = (own * _weights(window)[there])[..., None]
        self._sum[here] += weight * prediction[there]
        self._weight[here] += weight

    def paint(self, picture: np.ndarray, blend: bool) -> None:
        """Puts the predictions into the missing pixels of `picture`, uint8 [H, W, 3], in place.

        Args:
            picture: what the plan is for.
            blend: by Poisson's equation, hole by hole.
        """
        part = picture[self.rows, self.columns]
        for label, box in enumerate(_boxes(self._labels), 1):
            place = _with_rim(box, self._labels.shape)
            labels, image, weight = self._labels[place], to_float(part[place]), self._weight[place]
            filled = np.where(weight > 0, self._sum[place] / np.maximum(weight, 1e-6), image)
            if blend:
                missing = np.float32(labels > 0)[..., None]
                filled = poisson_blend(image[None], filled[None], missing[None])[0]
            part[place][labels == label] = to_uint8(filled[labels == label])


# Holes


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) around the missing pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _with_rim(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The box and a pixel more on each side: blending looks at how the prediction goes on there."""
    (top, left, bottom, right), (height, width) = box, shape
    return slice(max(0, top - 1), min(height, bottom + 1)), slice(max(0, left - 1), min(width, right + 1))


def _groups(mask: np.ndarray, margin: int) -> np.ndarray:
    """Holes that lie nearer to each other than two margins share a label, from 1; known pixels have 0."""
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    _, labels = cv2.connectedComponents(cv2.dilate(mask.astype(np.uint8), kernel), connectivity=8)
    return np.where(mask, labels, 0)


def _boxes(labels: np.ndarray) -> list[tuple[int, int, int, int]]:
    """(top, left, bottom, right) of the labels 1, 2, ..., each of which occurs."""
    rows, columns = np.nonzero(labels)
    owner = labels[rows, columns] - 1
    count = int(owner.max()) + 1
    first, last = np.full((2, count), np.iinfo(np.int64).max), np.zeros((2, count), np.int64)
    for axis, places in enumerate((rows, columns)):
        np.minimum.at(first[axis], owner, places)
        np.maximum.at(last[axis], owner, places + 1)
    return [tuple(map(int, box)) for box in np.concatenate([first, last]).T]


def _cover(
    hole: np.ndarray,
    corner: tuple[int, int],
    picture: tuple[int, int],
    scale: Scale,
    shape: tuple[int, int],
    label: int,
) -> Iterator[Window]:
    """The windows of one hole, given the part of the picture around it and that part's top left corner."""
    largest = max(1.0, min(side / seen for side, seen in zip(picture, shape, strict=True)))
    thickness = 2 * float(cv2.distanceTransform(_bordered(hole, corner, picture), cv2.DIST_L2, 5).max())
    # Where a hole is compact, one look at all of it is better than several at its parts. Of the others twice
    # the thickness counts: the strokes that networks are trained on are thinner than their rectangles.
    length = min(max(hole.shape), 2 * thickness)
    factor = min(max(1.0, length / scale.hole), largest)
    size = tuple(round(factor * seen) for seen in shape)
    # Where the window takes the whole picture there is nowhere else to look from.
    if all(
        side <= LARGEST_SHARE * seen or seen >= whole
        for side, seen, whole in zip(hole.shape, size, picture, strict=True)
    ):
        cells, reach = [(0.0, 0.0, *map(float, hole.shape))], None
    else:
        reach = min(size) / 3
        cells = _cells(hole, reach)
    for top, left, bottom, right in cells:
        centre = (corner[0] + (top + bottom) / 2, corner[1] + (left + right) / 2)
        rows, columns = (_placed(*axis) for axis in zip(centre, size, picture, strict=True))
        yield Window(rows, columns, shape, label, centre, reach)


def _bordered(hole: np.ndarray, corner: tuple[int, int], picture: tuple[int, int]) -> np.ndarray:
    """uint8, with the known pixels around the box; there are none beyond the picture's border."""
    before = [int(start > 0) for start in corner]
    after = [
        int(start + side < whole) for start, side, whole in zip(corner, hole.shape, picture, strict=True)
    ]
    return np.pad(hole.astype(np.uint8), list(zip(before, after, strict=True)))


def _cells(hole: np.ndarray, side: float) -> list[tuple[float, float, float, float]]:
    """The cells of a grid, at most `side` on a side, in which a pixel is missing."""
    rows, columns = (np.linspace(0, n, math.ceil(n / side) + 1) for n in hole.shape)
    return [
        (top, left, bottom, right)
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
        if hole[int(top) : math.ceil(bottom), int(left) : math.ceil(right)].any()
    ]


def _placed(centre: float, size: int, picture: int) -> tuple[int, int]:
    """From where to where a window goes: around the centre, inside the picture if it fits."""
    start = (picture - size) // 2 if size > picture else min(max(0, round(centre - size / 2)), picture - size)
    return start, start + size


# Pixels


def _mirrored(interval: tuple[int, int], length: int) -> slice | np.ndarray:
    """The indices of an interval in an axis that goes on, beyond its ends, as its mirror image."""
    if interval[0] >= 0 and interval[1] <= length:
        return slice(*interval)
    period = max(1, 2 * (length - 1))
    steps = np.abs(np.arange(*interval)) % period
    return np.minimum(steps, period - steps) if length > 1 else steps * 0


def _reduced(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(array, shape[::-1], interpolation=cv2.INTER_AREA)


def _overlap(canvas: slice, interval: tuple[int, int]) -> tuple[slice, slice]:
    """What two intervals share, as a slice of each."""
    start, stop = max(canvas.start, interval[0]), min(canvas.stop, interval[1])
    return slice(start - canvas.start, stop - canvas.start), slice(start - interval[0], stop - interval[0])


def _weights(window: Window) -> np.ndarray:
    """float32 over the window: 1 at the centre of what it fills, falling to 0 at its reach."""
    sides = (np.arange(*window.rows) + 0.5, np.arange(*window.columns) + 0.5)
    if window.reach is None:
        return np.ones([len(side) for side in sides], np.float32)
    tents = [
        np.maximum(0.0, 1.0 - np.abs(side - middle) / window.reach)
        for side, middle in zip(sides, window.centre, strict=True)
    ]
    return np.outer(*tents).astype(np.float32)
