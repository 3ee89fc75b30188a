"""Damage as photographs have it: scratches, lettering, objects' shapes and blocks, drawn at any size.

Each function takes a NumPy generator and a size, and returns a mask, bool [H, W], **True = missing**. Widths
are in pixels and numbers grow with the picture, as a scratch on a large scan is longer and not wider; an
object's size is a fraction of the shorter side.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

Size = tuple[int, int]
_UNIT = 128  # pixels of the shorter side that the numbers of scratches and words are meant for


def scratches(rng: np.random.Generator, size: Size, width: tuple[int, int] = (1, 5)) -> np.ndarray:
    """Bent lines, `width` pixels wide (both ends included), and specks of about that size."""
    mask, scale = np.zeros(size, np.uint8), min(size) / _UNIT
    for _ in range(round(rng.integers(1, 6) * scale) or 1):
        cv2.polylines(mask, [_path(rng, size, scale)], False, 1, int(rng.integers(width[0], width[1] + 1)))
    for _ in range(round(rng.integers(0, 16) * scale)):
        cv2.circle(mask, _place(rng, size), int(rng.integers(width[0], width[1] + 1)) // 2, 1, -1)
    return mask > 0


def lettering(rng: np.random.Generator, size: Size, width: tuple[int, int] = (1, 4)) -> np.ndarray:
    """Lines of random signs in one of OpenCV's vector fonts, `width` pixels thick."""
    mask = np.zeros(size, np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        text = "".join(map(chr, rng.integers(33, 127, rng.integers(4, 4 + max(5, size[1] // 12)))))
        place = int(rng.integers(-10, max(1, size[1] // 2))), int(rng.integers(10, size[0] + 10))
        thick = int(rng.integers(width[0], width[1] + 1))
        cv2.putText(mask, text, place, int(rng.integers(8)), float(rng.uniform(0.4, 1.6)), 1, thick)
    return mask > 0 if mask.any() else scratches(rng, size, width)


def blob(rng: np.random.Generator, size: Size, extent: tuple[float, float] = (0.12, 0.45)) -> np.ndarray:
    """An object's outline, smooth and not convex; its mean diameter in fractions of the shorter side."""
    mask, angle = np.zeros(size, np.uint8), np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = [rng.normal(0, 0.25 / n) * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) for n in range(1, 5)]
    radius = rng.uniform(*extent) * min(size) / 2 * np.clip(1 + sum(waves), 0.3, 1.8)
    aspect = math.exp(rng.normal(0, 0.3))
    outline = np.stack([radius * np.cos(angle) * aspect, radius * np.sin(angle) / aspect], axis=1)
    cv2.fillPoly(mask, [np.round(outline + _place(rng, size)).astype(np.int32)], 1)
    return mask > 0


def block(rng: np.random.Generator, size: Size, extent: tuple[float, float] = (0.15, 0.5)) -> np.ndarray:
    """A rectangle inside the picture; its sides in fractions of the shorter side."""
    mask = np.zeros(size, bool)
    sides = [max(1, round(rng.uniform(*extent) * min(size))) for _ in size]
    top, left = (int(rng.integers(0, whole - side + 1)) for whole, side in zip(size, sides, strict=True))
    mask[top : top + sides[0], left : left + sides[1]] = True
    return mask


def several(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Scratches over one or two small objects."""
    mask = scratches(rng, size) | blob(rng, size, (0.08, 0.25))
    return mask | blob(rng, size, (0.08, 0.25)) if rng.random() < 0.5 else mask


KINDS: dict[str, Callable[[np.random.Generator, Size], np.ndarray]] = {
    "scratches": scratches,
    "lettering": lettering,
    "blob": blob,
    "block": block,
    "several": several,
}
SHARES = (0.3, 0.2, 0.25, 0.1, 0.15)  # of the kinds, in `photograph`


def photograph(rng: np.random.Generator, size: Size, extent: tuple[float, float] = (0.15, 0.5)) -> np.ndarray:
    """One of the `KINDS`, thin damage as often as thick: the holes that a network for photographs needs.

    `extent` is that of a block. Never empty.
    """
    kind = list(KINDS)[rng.choice(len(KINDS), p=SHARES)]
    mask = block(rng, size, extent) if kind == "block" else KINDS[kind](rng, size)
    if not mask.any():  # an object outside
        mask[size[0] // 2, size[1] // 2] = True
    return mask


def portrait(rng: np.random.Generator, size: Size, extent: tuple[float, float] = (0.2, 0.6)) -> np.ndarray:
    """A photograph's damage, as often as a block or an object of that extent, which hides parts of a face."""
    if rng.random() < 0.5:
        return photograph(rng, size)
    mask = blob(rng, size, extent) if rng.random() < 0.5 else block(rng, size, extent)
    return mask if mask.any() else block(rng, size, extent)  # an object outside


def _place(rng: np.random.Generator, size: Size) -> tuple[int, int]:
    """A random pixel as OpenCV takes it: column, row."""
    return int(rng.integers(size[1])), int(rng.integers(size[0]))


def _path(rng: np.random.Generator, size: Size, scale: float) -> np.ndarray:
    """The corners of a line that turns a little at each: int32 [N, 2], column and row."""
    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, rng.integers(2, 7)))
    steps = rng.uniform(8, 40, len(turns)) * scale
    moves = np.stack([steps * np.cos(turns), steps * np.sin(turns)], axis=1)
    return np.round(np.cumsum([_place(rng, size), *moves], axis=0)).astype(np.int32)
