"""Pictures extended beyond their edges: the new surroundings are a hole to be filled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from inpainting_tf.errors import InputError
from inpainting_tf.photographs.reading import MEGAPIXELS, Photograph

SIDES = ("left", "top", "right", "bottom")


def extend(
    photograph: Photograph,
    margins: Sequence[int],
    hole: np.ndarray | None = None,
    *,
    max_megapixels: float = MEGAPIXELS,
) -> tuple[Photograph, np.ndarray]:
    """A photograph on a larger canvas, and the hole around it.

    Args:
        photograph: what `read` returned.
        margins: pixels to add on the left, above, on the right and below. At most the picture's own width or
            height on each side: a network that sees the picture alone has nothing to say farther away.
        hole: float32 [H, W] in [0, 1], what else is to be filled.
        max_megapixels: the most that the result may have, in millions of pixels.

    Returns:
        The photograph, with the new parts opaque and coloured as the nearest pixel; and the hole, float32
        [H + top + bottom, W + left + right], 1 where it is new. No pixel is where it is in the file, so that
        a JPEG of it is encoded anew, with the same tables.

    Raises:
        InputError: other than four margins, a negative or too large one, none above 0, or a picture of more
            than `max_megapixels`.

    Example:
        >>> import numpy as np
        >>> photograph = Photograph(np.zeros((60, 80, 3), np.uint8))
        >>> wider, hole = extend(photograph, (10, 0, 30, 0))
        >>> wider.rgb.shape, int(hole.sum())
        ((60, 120, 3), 2400)
    """
    height, width = photograph.rgb.shape[:2]
    left, top, right, bottom = _checked(margins, (height, width), max_megapixels)
    rows, columns = (top, bottom), (left, right)
    inside = np.zeros((height, width), np.float32) if hole is None else hole
    new = np.pad(np.zeros((height, width), bool), (rows, columns), constant_values=True)
    rgb, levels = (_padded(each, rows, columns) for each in (photograph.rgb, photograph.deep))
    alpha = _padded(photograph.alpha, rows, columns)
    if alpha is not None:
        alpha[new] = 255
    if levels is not None and alpha is not None:
        levels[new, -1] = np.iinfo(levels.dtype).max
    wider = dataclasses.replace(photograph, rgb=rgb, alpha=alpha, deep=levels)
    return wider, np.pad(inside, (rows, columns), constant_values=1)


def _padded(pixels: np.ndarray | None, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    """Continued by the nearest pixels."""
    if pixels is None:
        return None
    return np.pad(pixels, [rows, columns, (0, 0)][: pixels.ndim], "edge")


def _checked(
    margins: Sequence[int], size: tuple[int, int], max_megapixels: float
) -> tuple[int, int, int, int]:
    rule = f"must be four whole numbers of pixels, {', '.join(SIDES)}, from 0 to the picture's own side"
    most = (size[1], size[0], size[1], size[0])
    whole = len(margins) == 4 and all(isinstance(each, (int, np.integer)) for each in margins)
    if not whole or not all(0 <= each <= limit for each, limit in zip(margins, most, strict=True)):
        raise InputError(
            f"`extend` {rule} ({size[1]} across, {size[0]} down). Received {','.join(map(str, margins))}."
        )
    if not any(margins):
        raise InputError(f"`extend` {rule}, and one of them more than 0. Received 0,0,0,0.")
    left, top, right, bottom = (int(each) for each in margins)
    pixels = (size[0] + top + bottom) * (size[1] + left + right)
    if pixels > max_megapixels * 1e6:
        raise InputError(
            f"`extend` must leave at most {max_megapixels:g} million pixels. Received "
            f"{','.join(map(str, margins))}, which make {pixels / 1e6:.1f} million: add less."
        )
    return left, top, right, bottom
