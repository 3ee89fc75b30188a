"""Bounding boxes of masks: a slice of rows and one of columns, in pixels."""

from __future__ import annotations

import numpy as np

Box = tuple[slice, slice]


def bounding_box(mask: np.ndarray) -> Box:
    """The smallest box around the missing pixels.

    Args:
        mask: bool [H, W] (any non-zero value is missing), with at least one missing pixel.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def boxes_of(labels: np.ndarray) -> list[Box]:
    """The smallest box around the pixels of each label.

    `scipy.ndimage.find_objects` does the same; its package takes longer to load than a repair.

    Args:
        labels: int [H, W], 0 for no label; each from 1 to the largest is there.
    """
    flat, width = labels.ravel(), labels.shape[1]
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts, stops = np.concatenate([[0], changes]), np.concatenate([changes, [flat.size]])
    of_labels = flat[starts] > 0  # runs of pixels with one label, which may go on in the next rows
    starts, stops = starts[of_labels], stops[of_labels]
    first, last = np.array(np.divmod(starts, width)), np.array(np.divmod(stops - 1, width))
    goes_on = last[0] > first[0]
    first[1, goes_on], last[1, goes_on] = 0, width - 1
    count = int(labels.max(initial=0))
    lowest, highest = np.full((2, count), flat.size), np.zeros((2, count), int)
    for axis in (0, 1):
        np.minimum.at(lowest[axis], flat[starts] - 1, first[axis])
        np.maximum.at(highest[axis], flat[starts] - 1, last[axis])
    corners = np.stack([lowest, highest + 1], axis=-1).transpose(1, 0, 2).tolist()
    return [(slice(*rows), slice(*columns)) for rows, columns in corners]


def grown(box: Box, margins: tuple[int, int], size: tuple[int, ...]) -> Box:
    """The box with `margins` rows and columns more on each side, within a picture of (height, width)."""
    rows, columns = (
        slice(max(0, side.start - margin), min(side.stop + margin, length))
        for side, margin, length in zip(box, margins, size, strict=True)
    )
    return rows, columns


def moved(box: Box, part: Box) -> Box:
    """A box in coordinates of the picture's part `part`, in those of the picture."""
    rows, columns = (
        slice(side.start + within.start, side.stop + within.start)
        for side, within in zip(box, part, strict=True)
    )
    return rows, columns


def box_shape(box: Box) -> tuple[int, int]:
    """Its (height, width)."""
    return box[0].stop - box[0].start, box[1].stop - box[1].start
