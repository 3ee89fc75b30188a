"""Which part of a picture is taken where it has another shape than is wanted.

centre    the largest part of that shape, in the middle
random    in training a part of two thirds to all of that size, anywhere, as Iizuka et al. 2017 take one of
          256 pixels from pictures of 256 to 384; in evaluation the centre
zoom      in training a part of any scale, anywhere: as often as not pixel by pixel, else up to the largest;
          in evaluation the centre
resize    the whole picture, squeezed: what papers that "resize" pictures may have done
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

NUMBERS = 3  # uniform numbers for a random part
_SMALLEST = 2 / 3  # share of the largest part's sides
LARGEST = 1 / _SMALLEST  # how much larger than a random part a picture is at most
Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of any picture.

    Attributes:
        share: its sides, as a share of those of the largest part that has the wanted shape.
        zoom: the same by scale, in place of `share`: 0 is the picture's own pixels, 1 the largest part, with
            equal factors between them.
        row, column: its place, from 0 at the upper left to 1 at the lower right.
        squeezed: the whole picture, in another shape.
    """

    share: float = 1.0
    row: float = 0.5
    column: float = 0.5
    squeezed: bool = False
    zoom: float | None = None

    def box(self, size: tuple[int, int], image_size: tuple[int, int]) -> Box:
        """(left, top, right, bottom) in px, as Pillow takes it.

        Args:
            size: (height, width) of the picture in px.
            image_size: (height, width) of what is wanted in px.
        """
        (rows, columns), (height, width) = size, image_size
        if self.squeezed:
            return 0.0, 0.0, columns, rows
        largest = min(rows / height, columns / width)
        scale = self.share * largest if self.zoom is None else min(largest, max(1.0, largest) ** self.zoom)
        top, left = (rows - scale * height) * self.row, (columns - scale * width) * self.column
        if scale == 1:  # whole pixels, which are not interpolated
            top, left = math.floor(top), math.floor(left)
        # Rounding must not leave the picture.
        return left, top, min(left + scale * width, columns), min(top + scale * height, rows)


CENTRE, WHOLE = Part(), Part(squeezed=True)


def fixed(crop: str) -> Part:
    """The part of each picture for an evaluation, and for a training that takes no random ones."""
    return WHOLE if crop == "resize" else CENTRE


def _random(uniforms: np.ndarray) -> Part:
    share, row, column = map(float, uniforms)
    return Part(_SMALLEST + (1 - _SMALLEST) * share, row, column)


def _zoom(uniforms: np.ndarray) -> Part:
    scale, row, column = map(float, uniforms)
    return Part(zoom=max(0.0, 2 * scale - 1), row=row, column=column)


_DRAWN: dict[str, Callable[[np.ndarray], Part]] = {"random": _random, "zoom": _zoom}
CROPS = ("centre", *_DRAWN, "resize")


def is_drawn(crop: str) -> bool:
    """Whether a training takes another part of a picture each time."""
    return crop in _DRAWN


def drawn(crop: str, uniforms: np.ndarray) -> list[Part]:
    """Random parts from float32 [N, `NUMBERS`] in [0, 1)."""
    return [_DRAWN[crop](each) for each in uniforms]
