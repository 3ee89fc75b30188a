"""The web page's operations on a picture, in NumPy.

Pictures are uint8 [H, W, 3], masks bool [H, W], True = missing; known pixels come back bit-identical. What a
browser shows and paints on is a reduced picture, at most `VIEW` pixels long; its paint is uint8 [h, w], the
opacity at each pixel.
"""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpainting_tf import classical
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import FAINT
from inpainting_tf.ops.boxes import Box, bounding_box, box_shape, grown
from inpainting_tf.ops.images import to_float, to_levels
from inpainting_tf.ops.masks import Mask, draw, numbers
from inpainting_tf.photographs import holes

PAINT = (226, 0, 122)  # hardly ever a colour of photographs
VIEW = 2048  # the longer side of the browser's canvas: some browsers cannot handle larger ones
MOSTLY = 2 / 3  # of a picture: a larger hole is probably the inverse of what is meant
DETAILED = 1_000_000  # pixels of the largest hole that is given detail within ten seconds
_HALF = 128  # of full opacity, about
_QUALITY = 90  # of pictures that are only shown
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


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

# What is missing


def hole_of(paint: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The hole that is painted in a view of a picture.

    Args:
        paint: uint8 [h, w], opacity.
        size: the picture's (height, width).

    Returns:
        float32 [H, W] in [0, 1], with missing and known pixels.

    Raises:
        InputError: the paint is of another size than the view, or nothing or everything is missing.
    """
    check_paint(paint, size)
    hole = paint.astype(np.float32) / 255
    missing = hole >= FAINT
    if missing.all() or not missing.any():
        what = "Nothing is marked yet" if not missing.any() else "Everything is marked"
        raise InputError(f"{what}: paint over what is to be filled, and leave the rest as it is.")
    return np.asarray(cv2.resize(hole, size[::-1], interpolation=cv2.INTER_NEAREST))


def paint_of(hole: np.ndarray) -> np.ndarray:
    """A hole, float32 [H, W], as paint in its picture's view: the most of what `hole_of` makes of a pixel."""
    for axis, side in enumerate(view_size(hole.shape[:2])):
        numbers = np.arange(side, dtype=np.float32)[:, None]  # those of the view, where `hole_of` takes them
        taken = cv2.resize(numbers, (1, hole.shape[axis]), interpolation=cv2.INTER_NEAREST)[:, 0]
        hole = np.maximum.reduceat(hole, np.searchsorted(taken, numbers[:, 0]), axis)
    return np.rint(hole * 255).astype(np.uint8)


def face_mask(size: tuple[int, int]) -> np.ndarray:
    """The shape of a medical mask on a face in the middle of a portrait, float32 [H, W]."""
    shape = Mask("face_mask")
    return draw(shape, np.full((1, numbers(shape)), 0.5, np.float32), size)[0, ..., 0]


def widened(paint: np.ndarray, pixels: int) -> np.ndarray:
    """Paint that reaches farther in every direction; with a negative number less far."""
    if pixels < 0:
        return np.uint8(255) - widened(np.uint8(255) - paint, -pixels)
    if not (paint >= _HALF).any():
        return paint
    distance = cv2.distanceTransform((paint < _HALF).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(distance <= pixels, np.uint8(255), paint)


def feathered(paint: np.ndarray, pixels: int) -> np.ndarray:
    """Paint that fades out around its edges, over so many pixels."""
    return np.rint(holes.feathered(paint.astype(np.float32) / 255, pixels) * 255).astype(np.uint8)


def check_paint(paint: np.ndarray, size: tuple[int, int]) -> None:
    """Raises InputError for paint of another size than the view of a picture of (height, width)."""
    canvas = view_size(size)
    if paint.shape != canvas:
        raise InputError(
            f"The painting must be as large as its picture's view, {canvas[0]} x {canvas[1]}. Received "
            f"{paint.shape[0]} x {paint.shape[1]}: choose the picture again, then paint."
        )


# What is filled in


def detail_of(hole: np.ndarray) -> str:
    """The detail of a fill that comes soon: see `inpainting_tf.inpaint`."""
    return "auto" if (hole >= FAINT).sum() <= DETAILED else "none"


def classical_fill(name: str, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture filled by a method of `CLASSICAL`, which receives the holes and their surroundings.

    Raises:
        InputError: another name, or a hole that is too large for it.
    """
    reason = too_large(name, mask)
    if reason is not None:
        raise InputError(reason)
    rows, columns = _around(mask, _limit(name).margin)
    part = to_float(rgb[rows, columns])[None]
    missing = mask[rows, columns]
    prediction = classical.get(name)(part, missing[None, ..., None].astype(np.float32))[0]
    filled = rgb.copy()
    filled[rows, columns][missing] = to_levels(prediction[missing], rgb.dtype)
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


# What is shown


def view_size(size: tuple[int, int], longest: int | None = None) -> tuple[int, int]:
    """The (height, width) in which a picture is shown: its own up to `longest`, by default `VIEW`."""
    factor = min(1.0, (longest or VIEW) / max(size))
    return max(1, round(factor * size[0])), max(1, round(factor * size[1]))


def view(rgb: np.ndarray, longest: int | None = None) -> np.ndarray:
    """A picture in its `view_size`."""
    size = view_size(rgb.shape[:2], longest)
    return rgb if size == rgb.shape[:2] else cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA)


def encoded_view(
    rgb: np.ndarray, alpha: np.ndarray | None = None, longest: int | None = None
) -> tuple[bytes, str]:
    """A picture to be shown, as a file and its media type: a JPEG, or a WebP of one transparent in parts."""
    shown = Image.fromarray(view(rgb, longest))
    if alpha is None:
        return _saved(shown, "JPEG", quality=_QUALITY, subsampling=0), "image/jpeg"
    shown.putalpha(Image.fromarray(view(alpha, longest)))
    return _saved(shown, "WEBP", quality=_QUALITY, method=0), "image/webp"


def encoded_paint(paint: np.ndarray) -> bytes:
    """Paint as a PNG in the page's colour, uint8 [h, w, 4] inside."""
    levels = np.empty((*paint.shape, 4), np.uint8)
    levels[..., :3] = PAINT
    levels[..., 3] = paint
    return _saved(Image.fromarray(levels), "PNG", compress_level=1)


def decoded_paint(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """What a browser painted on the view of a picture of (height, width).

    Args:
        data: a PNG with transparency.
        size: the picture's.

    Raises:
        InputError: anything else, or another size than the view's.
    """
    rule = "The painting must be a PNG with transparency"
    if not data.startswith(_SIGNATURE):
        raise InputError(f"{rule}. Received {len(data)} bytes of something else.")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            check_paint(np.broadcast_to(np.uint8(0), image.size[::-1]), size)  # before it takes any memory
            if image.mode != "RGBA":
                raise InputError(f"{rule}. Received one of mode {image.mode}.")
            return np.array(image.getchannel("A"))
    except InputError:
        raise
    except Exception as error:  # Pillow's parsers raise OSError, SyntaxError, struct.error, ...
        raise InputError(f"{rule}. Received a damaged one.") from error


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _limit(name: str) -> Limit:
    if name not in CLASSICAL:
        raise unknown("method", name, CLASSICAL)
    return CLASSICAL[name]


def _around(mask: np.ndarray, margin: float) -> Box:
    """The rectangle around all missing pixels, with a margin: a share of its sides."""
    box = bounding_box(mask)
    height, width = (max(8, round(margin * side)) for side in box_shape(box))
    return grown(box, (height, width), mask.shape)
