"""Detail for large holes: a network's fill says what belongs where, known patches say how it looks.

A network that was trained on the squared error fills a large hole with a mean, which is smooth. Here its
fill is the guide of an exemplar synthesis (`inpainting_tf.classical.exemplar`): of the picture's own patches
those are taken that look like the guide when they are blurred. Where none does, the network's fill stays; so
it does where the picture has no detail, as in a clear sky, which copies would fill with bands.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from inpainting_tf.classical import exemplar
from inpainting_tf.ops.images import to_float, to_levels

DETAILS = ("auto", "exemplar", "none")
THICK = 16  # pixels: thinner holes the network fills sharply
LARGEST = 36_000  # pixels of a hole: a larger one is synthesized at the scale at which it has so many
_MARGIN = 64  # pixels around a hole, at least, that patches are taken from
_GRAINY = 1 / 255  # deviation of the finest detail around a hole, below which there is none to copy
_SHIFT = 0.04  # by which the copies' colours may be shifted to those of the guide
_TRUSTED = 0.15  # deviation from the guide, in [0, 1], at which copies and guide count alike


def add(picture: np.ndarray, mask: np.ndarray, detail: str = "auto") -> None:
    """Replaces the smooth fills of thick holes by known patches that agree with them, in place.

    Args:
        picture: uint8 or uint16 [H, W, 3], filled.
        mask: bool [H, W], True = filled, the others are known.
        detail: "exemplar"; "auto" keeps the fill, pixel by pixel, where no known patch agrees with it; "none"
            changes nothing.
    """
    if detail == "none" or not _maybe_thick(mask):
        return
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for label in np.unique(labels[2 * exemplar.depth(mask) > THICK]):
        left, top, width, height, area = boxes[label]
        margin = max(_MARGIN, width, height)
        place = (
            slice(max(0, top - margin), top + height + margin),
            slice(max(0, left - margin), left + width + margin),
        )
        own = labels[place] == label
        if detail == "auto" and _is_smooth(picture[place], mask[place]):
            continue
        filled = _detailed(to_float(picture[place]), mask[place], min(1.0, (LARGEST / area) ** 0.5), detail)
        picture[place][own] = to_levels(filled[own], picture.dtype)


def _is_smooth(picture: np.ndarray, hole: np.ndarray) -> bool:
    """Whether the known pixels, but for a rim of two, have nothing but the steps of uint8."""
    values = to_float(picture)
    fine = (values - cv2.GaussianBlur(values, (0, 0), 1.0))[
        cv2.dilate(hole.astype(np.uint8), np.ones((5, 5))) == 0
    ]
    return not fine.size or float(fine.std()) < _GRAINY


def _maybe_thick(mask: np.ndarray) -> bool:
    """Whether some hole holds a square that all thick holes do: quick, for large pictures with specks."""
    side = 2 * math.floor(THICK / 2 / math.sqrt(2)) + 1
    return bool(cv2.erode(mask.astype(np.uint8), np.ones((side, side), np.uint8)).any())


def _detailed(picture: np.ndarray, hole: np.ndarray, scale: float, detail: str) -> np.ndarray:
    """The exemplar fill guided by the fill that is there, synthesized at a scale of at most 1."""
    if scale == 1.0:
        return _synthesized(picture, hole, detail)[0]
    height, width = hole.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    missing = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    filled, sources = _synthesized(small, missing, detail)
    # What the smaller scale lacks is taken from where the patches were.
    fine = picture - cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:height, :width]
    down, right = y * size[1] // height, x * size[0] // width
    rows, columns = np.moveaxis(sources[down, right], -1, 0)
    rows = np.clip(y + np.rint((rows - down) / scale).astype(int), 0, height - 1)
    columns = np.clip(x + np.rint((columns - right) / scale).astype(int), 0, width - 1)
    enlarged = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    known = ~hole[rows, columns][..., None]
    return np.asarray(np.clip(enlarged + known * fine[rows, columns], 0.0, 1.0))


def _synthesized(guide: np.ndarray, hole: np.ndarray, detail: str) -> tuple[np.ndarray, np.ndarray]:
    """The fill, and where its pixels come from, int [H, W, 2]."""
    copied, sources = exemplar.guided(guide, hole, guide)
    return (copied if detail == "exemplar" else _trusted(guide, copied, hole)), sources


def _trusted(guide: np.ndarray, copied: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The copies where, blurred to the guide's resolution, they agree with it; elsewhere the guide."""
    difference = exemplar.blurred(copied - guide, hole)
    deviation = np.sqrt(np.square(difference).mean(axis=-1, keepdims=True))
    trust = 1.0 / (1.0 + (deviation / _TRUSTED) ** 6)
    copied = np.clip(copied - np.clip(difference, -_SHIFT, _SHIFT), 0.0, 1.0)
    return np.asarray(trust * copied + (1.0 - trust) * guide)
