"""Which part of a picture is taken where it has another shape than is wanted.

centre    the largest part of that shape, in the middle
random    in training a part of two thirds to all of that size, anywhere, as Iizuka et al. 2017 take one of
          256 pixels from pictures of 256 to 384; in evaluation the centre
resize    the whole picture, squeezed: what papers that "resize" pictures may have done
"""

from __future__ import annotations

import dataclasses

import numpy as np

CROPS = ("centre", "random", "resize")
NUMBERS = 3  # uniform numbers for a random part
_SMALLEST = 2 / 3  # share of the largest part's sides
LARGEST = 1 / _SMALLEST  # how much larger than a random part a picture is at most
Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of any picture.

    Attributes:
        share: its sides, as a share of those of the largest part that has the wanted shape.
        row, column: its place, from 0 at the upper left to 1 at the lower right.
        squeezed: the whole picture, in another shape.
    """

    share: float = 1.0
    row: float = 0.5
    column: float = 0.5
    squeezed: bool = False

    def box(self, size: tuple[int, int], image_size: tuple[int, int]) -> Box:
        """(left, top, right, bottom) in px, as Pillow takes it.

        Args:
            size: (height, width) of the picture in px.
            image_size: (height, width) of what is wanted in px.
        """
        (rows, columns), (height, width) = size, image_size
        if self.squeezed:
            return 0.0, 0.0, columns, rows
        scale = self.share * min(rows / height, columns / width)
        top, left = (rows - scale * height) * self.row, (columns - scale * width) * self.column
        # Rounding must not leave the picture.
        return left, top, min(left + scale * width, columns), min(top + scale * height, rows)


CENTRE, WHOLE = Part(), Part(squeezed=True)


def fixed(crop: str) -> Part:
    """The part of each picture for an evaluation, and for a training that takes no random ones."""
    return WHOLE if crop == "resize" else CENTRE


def at_random(uniforms: np.ndarray) -> list[Part]:
    """Random parts from float32 [N, `NUMBERS`] in [0, 1)."""
    return [
        Part(_SMALLEST + (1 - _SMALLEST) * float(share), float(row), float(column))
        for share, row, column in uniforms
    ]
