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
