"""The web page's operations on a picture, in NumPy.

Pictures are uint8 [H, W, 3], masks bool [H, W], True = missing; known pixels come back bit-identical.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import cv2
import numpy as np

from inpainting_tf import classical, photographs
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.figures import OUTLINE_COLOR
from inpainting_tf.inference import FAINT, Engine, inpaint
from inpainting_tf.ops.boxes import Box, bounding_box, box_shape, grown
from inpainting_tf.ops.images import to_float, to_uint8
from inpainting_tf.ops.masks import Mask, draw, numbers

VIEW = 2048  # the longer side of the browser's canvas: some browsers cannot handle larger ones
SMALL_VIEW = 1024  # of pictures side by side
HOLES = {
    "paint": "Paint over it",
    "file": "Upload a mask",
    "face_mask": "Face mask",
}


@dataclasses.dataclass(frozen=True)
class Limit:
    """Limits of a classical fill on the page, beyond which it takes more than some ten seconds.

    Attributes:
        title: the method's name on the page.
        missing: largest number of missing pixels.
        pixels: largest number of pixels in the rectangle around all holes.
        margin: known pixels that it receives around that rectangle, as a share of its sides; at least 8.
    """

    title: str
    missing: int
    pixels: int
    margin: float = 0.0


CLASSICAL = {
    "telea": Limit("Telea", 1_000_000, 16_000_000),
    "navier_stokes": Limit("Navier-Stokes", 1_000_000, 16_000_000),
    "biharmonic": Limit("Biharmonic", 60_000, 1_000_000),
    "patchmatch": Limit("PatchMatch", 60_000, 1_000_000, margin=0.5),
}


def mask_of(
    how: str, size: tuple[int, int], *, layers: Sequence[np.ndarray] = (), file: BinaryIO | None = None
) -> np.ndarray:
    """The hole, from one of the kinds of input in `HOLES`.

    Args:
        how: "paint", "file" or "face_mask".
        size: the picture's (height, width).
        layers: the painting, uint8 [h, w, 4] each, on a canvas of `view_size(size)`: pixels that are not
            fully transparent are missing.
        file: a mask as a picture file: white (anything but black) is missing.

    Returns:
        bool [H, W] with missing and known pixels.

    Raises:
        InputError: nothing or everything is missing, the layers or the file are of another size, or the file
            is no mask.
    """
    if how not in HOLES:
        raise unknown("how", how, HOLES)
    if how == "paint":
        return _painted(layers, size)
    if how == "face_mask":
        shape = Mask("face_mask")
        return draw(shape, np.full((1, numbers(shape)), 0.5, np.float32), size)[0, ..., 0]
    if file is None:
        raise InputError("There is no mask yet: upload one, or paint over what is to be filled.")
    return photographs.read_mask(file, size) >= FAINT


def repair(
    model: Engine,
    rgb: np.ndarray,
    mask: np.ndarray,
    blend: str = "none",
    baselines: Iterable[str] = (),
) -> tuple[np.ndarray, dict[str, np.ndarray], list[str]]:
    """A picture filled by a network, and by classical methods to compare with.

    Args:
        model: a completion network.
        rgb: uint8 [H, W, 3].
        mask: bool [H, W], True = missing.
        blend: see `inpainting_tf.inpaint`.
        baselines: names in `CLASSICAL`.

    Returns:
        The filled picture; those of the baselines, by name; and a sentence for each one left out because the
        hole is too large for it.

    Raises:
        InputError: see `inpainting_tf.inpaint`.
    """
    filled = inpaint(model, rgb, mask, blend=blend)
    others: dict[str, np.ndarray] = {}
    left_out = []
    for name in baselines:
        reason = too_large(name, mask)
        if reason is None:
            others[name] = classical_fill(name, rgb, mask)
        else:
            left_out.append(reason)
    return filled, others, left_out


def classical_fill(name: str, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture filled by a method of `CLASSICAL`, which receives the holes and their surroundings."""
    rows, columns = _around(mask, _limit(name).margin)
    part = to_float(rgb[rows, columns])[None]
    missing = mask[rows, columns]
    prediction = classical.get(name)(part, missing[None, ..., None].astype(np.float32))[0]
    filled = rgb.copy()
    filled[rows, columns][missing] = to_uint8(prediction[missing])
    return filled


def too_large(name: str, mask: np.ndarray) -> str | None:
    """Why a method of `CLASSICAL` is left out, as a sentence; None if it is not."""
    limit = _limit(name)
    missing, pixels = int(mask.sum()), mask[_around(mask, limit.margin)].size
    if missing > limit.missing:
        reason = f"the hole has {missing:,} pixels, more than {limit.missing:,}"
    elif pixels > limit.pixels:
        reason = f"the holes are spread over {pixels:,} pixels, more than {limit.pixels:,}"
    else:
        return None
    return f"{limit.title} is left out, it would take too long: {reason}."


def view_size(size: tuple[int, int], longest: int | None = None) -> tuple[int, int]:
    """The (height, width) in which a picture is shown: its own up to `longest`, by default `VIEW`."""
    factor = min(1.0, (longest or VIEW) / max(size))
    return max(1, round(factor * size[0])), max(1, round(factor * size[1]))


def view(rgb: np.ndarray, longest: int | None = None) -> np.ndarray:
    """A picture in its `view_size`."""
    size = view_size(rgb.shape[:2], longest)
    return rgb if size == rgb.shape[:2] else cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA)


def with_hole(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with its missing pixels in one conspicuous colour."""
    shown = rgb.copy()
    shown[mask] = to_uint8(np.asarray(OUTLINE_COLOR, np.float32))
    return shown


def _painted(layers: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    canvas = view_size(size)
    if any(layer.shape[:2] != canvas for layer in layers):
        shapes = " and ".join(f"{layer.shape[0]} x {layer.shape[1]}" for layer in layers)
        raise InputError(
            f"The painting must be as large as its picture, {canvas[0]} x {canvas[1]}. Received {shapes}: "
            "choose the picture again, then paint."
        )
    painted = np.zeros(canvas, np.uint8)
    for layer in layers:
        painted |= np.uint8(layer[..., 3] > 0)
    if painted.all() or not painted.any():
        what = "Nothing is painted yet" if not painted.any() else "Everything is painted over"
        raise InputError(f"{what}: paint over what is to be filled, and leave the rest unpainted.")
    return cv2.resize(painted, size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def _limit(name: str) -> Limit:
    if name not in CLASSICAL:
        raise unknown("baseline", name, CLASSICAL)
    return CLASSICAL[name]


def _around(mask: np.ndarray, margin: float) -> Box:
    """The rectangle around all missing pixels, with a margin: a share of its sides."""
    box = bounding_box(mask)
    height, width = (max(8, round(margin * side)) for side in box_shape(box))
    return grown(box, (height, width), mask.shape)
