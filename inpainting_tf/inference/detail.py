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
_FEW = 8_000  # known pixels around a hole: in fewer, as in a picture of 64 px, no patch fits well
_MARGIN = 64  # pixels around a hole, at least, that patches are taken from
_BAND = 64  # rows looked at together
_ENOUGH = 2_000_000  # pixels looked at in large surroundings, in bands spread over what is known
_GRAINY = 1 / 255  # deviation of the finest detail around a hole, below which there is none to copy
_FINEST = 2.0  # pixels: detail finer than a blur of so many is taken from single pixels
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
        if detail == "auto" and not _has_detail(picture[place], mask[place]):
            continue
        _paint(picture[place], mask[place], own, min(1.0, (LARGEST / area) ** 0.5), detail)


def _has_detail(picture: np.ndarray, hole: np.ndarray) -> bool:
    """Whether the known pixels are many, and but for a rim of two have more than the steps of uint8."""
    if np.count_nonzero(~hole) < _FEW:
        return False
    known = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5))) == 0
    height = hole.shape[0] if hole.size <= _ENOUGH else _BAND
    bands = [slice(top, top + height) for top in range(0, hole.shape[0], height)]
    bands = [band for band in bands if known[band].any()]
    step = max(1, math.ceil(len(bands) * height * hole.shape[1] / _ENOUGH))
    fine = [_fine(to_float(picture[band]))[known[band]] for band in bands[::step]]
    return bool(fine) and float(np.concatenate(fine).std()) >= _GRAINY


def _fine(values: np.ndarray) -> np.ndarray:
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), 1.0))


def _maybe_thick(mask: np.ndarray) -> bool:
    """Whether some hole holds a square that all thick holes do: quick, for large pictures with specks."""
    side = 2 * math.floor(THICK / 2 / math.sqrt(2)) + 1
    return bool(cv2.erode(mask.astype(np.uint8), np.ones((side, side), np.uint8)).any())


def _paint(picture: np.ndarray, hole: np.ndarray, own: np.ndarray, scale: float, detail: str) -> None:
    """Paints `own` pixels, in place, by the exemplar fill guided by the fill that is there.

    It is synthesized at a scale of at most 1; what that lacks is taken from where the patches were.
    """
    if scale == 1.0:
        filled, _ = _synthesized(to_float(picture), hole, detail)
        picture[own] = to_levels(filled[own], picture.dtype)
        return
    channels = [picture[..., number] for number in range(3)]  # one at a time: they may be of many megapixels
    size = (max(1, round(hole.shape[0] * scale)), max(1, round(hole.shape[1] * scale)))
    small = np.stack([_resized(to_float(each), size, cv2.INTER_AREA) for each in channels], axis=-1)
    missing = _resized(hole.astype(np.float32), size, cv2.INTER_AREA) > 0
    filled, sources = _synthesized(small, missing, detail)
    origins = _origins(own, sources, scale)
    known = ~hole.ravel()[origins]
    for number, each in enumerate(channels):
        fine = to_float(each) - _resized(small[..., number], hole.shape, cv2.INTER_CUBIC)
        enlarged = _resized(filled[..., number], hole.shape, cv2.INTER_CUBIC)
        each[own] = to_levels(enlarged[own] + known * fine.ravel()[origins], picture.dtype)


def _origins(own: np.ndarray, sources: np.ndarray, scale: float) -> np.ndarray:
    """The place in the flattened picture from which each of its own pixels comes, given those of a scale."""
    (height, width), (small_height, small_width) = own.shape, sources.shape[:2]
    places = np.moveaxis(np.mgrid[:small_height, :small_width], 0, -1)
    steps = np.rint((sources - places) / scale).astype(np.int32).reshape(-1, 2)
    y, x = np.nonzero(own)
    cells = y * small_height // height * small_width + x * small_width // width
    rows = np.clip(y + steps[cells, 0], 0, height - 1)
    return rows * width + np.clip(x + steps[cells, 1], 0, width - 1)


def _resized(values: np.ndarray, size: tuple[int, ...], interpolation: int) -> np.ndarray:
    """Float [H, W] in another (height, width)."""
    return np.asarray(cv2.resize(values, size[::-1], interpolation=interpolation))


def _synthesized(guide: np.ndarray, hole: np.ndarray, detail: str) -> tuple[np.ndarray, np.ndarray]:
    """The fill, and where its pixels come from, int [H, W, 2]."""
    copied, sources = exemplar.guided(guide, hole, guide)
    filled = copied if detail == "exemplar" else _trusted(guide, copied, hole)
    return _with_finest(filled, guide, hole, sources), sources


def _with_finest(filled: np.ndarray, guide: np.ndarray, hole: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The finest detail of each missing pixel is its source's: the mean of overlapping patches has little.

    It is added also where the guide is trusted more than the copies, as grain is everywhere.
    """
    known = np.where(hole[..., None], np.float32(0), np.float32(1))
    around = _blurred(known * guide) / np.maximum(_blurred(known), 1e-3)[..., None]
    finest = (known * (guide - around))[sources[..., 0], sources[..., 1]]
    return np.where(hole[..., None], np.clip(_blurred(filled) + finest, 0.0, 1.0), filled)


def _blurred(values: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(values.astype(np.float32), (0, 0), _FINEST))


def _trusted(guide: np.ndarray, copied: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The copies where, blurred to the guide's resolution, they agree with it; elsewhere the guide."""
    difference = exemplar.blurred(copied - guide, hole)
    deviation = np.sqrt(np.square(difference).mean(axis=-1, keepdims=True))
    trust = 1.0 / (1.0 + (deviation / _TRUSTED) ** 6)
    copied = np.clip(copied - np.clip(difference, -_SHIFT, _SHIFT), 0.0, 1.0)
    return np.asarray(trust * copied + (1.0 - trust) * guide)
