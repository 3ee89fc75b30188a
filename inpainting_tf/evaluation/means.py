"""Means of the metrics over pictures: over all of them, and by the size of their holes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

MEANS = (
    "mse", "mae", "psnr", "ssim",
    "raw_mse", "raw_mae", "raw_psnr", "raw_ssim",
    "hole_mse", "hole_psnr", "hole_mae",
    "lpips", "raw_lpips",
)  # fmt: skip
BINS = 10  # of equal width, as in Liu et al., Image Inpainting for Irregular Holes, 2018, table 1
Row = Mapping[str, Any]


def of(rows: Sequence[Row]) -> dict[str, float | None]:
    """The mean of each column of `MEANS`; None for one that was not measured."""
    return {key: mean(rows, key) for key in MEANS}


def mean(rows: Sequence[Row], key: str) -> float | None:
    """The mean of a column over the rows that have it."""
    values = [row[key] for row in rows if row[key] is not None]
    return math.fsum(values) / len(values) if values else None


def by_hole_size(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The means over the pictures whose holes have about the same size.

    Args:
        rows: of an `Evaluation`.

    Returns:
        A dict for each tenth of the picture in which there are holes, the smallest first: ``missing``, the
        bounds (a, b) of the missing share, a < share <= b; ``images``, how many; and the `MEANS`.
    """
    ordered = sorted(rows, key=_bin)
    bins = ((number, list(those)) for number, those in itertools.groupby(ordered, _bin))
    return [
        {"missing": [number / BINS, (number + 1) / BINS], "images": len(those), **of(those)}
        for number, those in bins
    ]


def _bin(row: Row) -> int:
    """Rounded, because 0.07 * 100 is above 7."""
    return max(0, math.ceil(round(row["missing"] * BINS, 9)) - 1)
