"""One photograph repaired: its transparent surroundings are neither filled nor looked at."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import cv2
import numpy as np

from inpainting_tf.errors import InputError
from inpainting_tf.inference import FAINT, rims
from inpainting_tf.photographs import deep, holes
from inpainting_tf.photographs.reading import Photograph, of_pixels
from inpainting_tf.photographs.writing import stored

_INVISIBLE = 16  # alpha below which a pixel's colour means nothing


class Inpaint(Protocol):
    """What fills a hole, see `inference.inpaint`: a picture and a hole -> the picture."""

    def __call__(self, image: np.ndarray, mask: np.ndarray, /, *, trust_rim: bool) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True, eq=False)
class Repaired:
    """A repaired photograph.

    Attributes:
        rgb: its pixels [H, W, 3]: uint8, or uint16 for a photograph of 16 bits.
        mask: bool [H, W], True where they may have changed; these are opaque.
        missing: the missing share of the pixels that were visible or erased.
        grown: pixels by which the hole was grown because its rim was mixed with what it covers.
    """

    rgb: np.ndarray
    mask: np.ndarray
    missing: float
    grown: int = 0


def repair(
    photograph: Photograph,
    hole: np.ndarray | None,
    inpaint: Inpaint,
    *,
    grow: int | None = None,
    feather: int = 0,
) -> Repaired:
    """Fills a photograph's hole.

    What is transparent around a thing, and not only in the hole, is neither filled nor shown to the network:
    it sees the nearest visible colours there.

    Args:
        photograph: what `read` returned.
        hole: float32 [H, W], see `read_mask`; None: everything that is not opaque.
        inpaint: fills a picture, uint8 [H, W, 3], whose missing pixels have opacities, float32 [H, W]. One
            of 16 bits is uint16, and brightened if it is very dark.
        grow: pixels by which the hole is grown; None: as many as its rim is mixed with what it covers.
        feather: pixels over which the fill fades out around the hole.

    Raises:
        InputError: nothing, or nothing visible, is missing or known; and those of `inpaint`.
    """
    rgb, alpha = photograph.colours, photograph.alpha
    if hole is None:
        if alpha is None or (alpha == 255).all():
            raise InputError(
                "--mask must be given: the picture has no transparent parts that would be the hole."
            )
        hole = holes.of_transparency(alpha)
    ground = _ground(alpha, hole)
    tone = deep.tone(rgb) if photograph.deep is not None else deep.Tone()
    seen = _extended(tone.applied(rgb), ground, hole)
    hole, width = rims.grown_over(hole, seen) if grow is None else (holes.grown(hole, grow), 0)
    hole = _without(ground, holes.feathered(hole, feather))
    mask = hole >= FAINT
    if not mask.any() or not (~mask & ~ground).any():
        raise InputError(
            "`mask` must have both missing and known pixels. Received one for which nothing visible is "
            + ("missing." if not mask.any() else "known.")
        )
    filled = tone.undone(inpaint(seen, hole, trust_rim=grow is None))
    share = float(mask.sum() / (~ground).sum())
    if seen is not rgb:  # elsewhere it is what the network was shown
        filled = np.where(mask[..., None], filled, rgb)
    return Repaired(filled, mask, share, width)


def after(photograph: Photograph, done: Repaired) -> Photograph:
    """The photograph that was repaired, as if it had been read: to be repaired again."""
    again = of_pixels(stored(photograph, done.rgb, done.mask))
    return dataclasses.replace(again, about=photograph.about, encoded=photograph.encoded)


def _ground(alpha: np.ndarray | None, hole: np.ndarray) -> np.ndarray:
    """The transparent parts that are not the hole alone, bool [H, W]."""
    if alpha is None or alpha.min() >= _INVISIBLE:
        return np.zeros(hole.shape, bool)
    _, labels = cv2.connectedComponents((alpha < _INVISIBLE).astype(np.uint8), connectivity=8)
    beyond = np.zeros(labels.max() + 1, bool)
    beyond[labels[hole < FAINT]] = True
    beyond[0] = False  # what is visible
    return beyond[labels]


def _without(ground: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return np.where(ground, np.float32(0.0), hole) if ground.any() else hole


def _extended(rgb: np.ndarray, ground: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The picture with the nearest visible and known colour everywhere on the ground."""
    known = ~ground & (hole < FAINT)
    if not ground.any() or not known.any():
        return rgb
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((nearest.max() + 1, 3), rgb.dtype)
    colours[nearest[known]] = rgb[known]
    return np.where(ground[..., None], colours[nearest], rgb)
