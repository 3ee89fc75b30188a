"""Mask files: the missing pixels of a picture file."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError
from inpainting_tf.ops.images import check_two_levels
from inpainting_tf.photographs.reading import File, named, opened

_LOSSY = ("JPEG", "WEBP")  # formats in which black is not exactly 0


def read_mask(file: File, size: tuple[int, int]) -> np.ndarray:
    """A mask file for a picture of (height, width).

    Every pixel that is not black is missing; transparent ones are known. Of a JPEG or WebP, where black is
    not exactly 0, pixels of at least half of white.

    Returns:
        bool [H, W], True = missing.

    Raises:
        InputError: as `read` (but for 16 bits), another size than the picture's, a photograph, or a mask
            without a missing or without a known pixel.
    """
    try:
        with opened(file) as (image, _):
            image.load()
            lossy, turned = image.format in _LOSSY, pictures.upright(_as_mask(image), image)
    except pictures.UnreadablePicture as error:
        raise InputError(f"`mask` {named(file)} cannot be read: {error}.") from error
    levels = np.array(turned)
    if levels.shape != tuple(size):
        raise InputError(
            f"`mask` must have the height and width of its picture, {size[0]} x {size[1]}. "
            f"Received {levels.shape[0]} x {levels.shape[1]}, {named(file)}."
        )
    if levels.dtype == np.uint8:
        check_two_levels(levels)
    missing = levels >= 128 if lossy else levels > 0
    if missing.all() or not missing.any():
        what = "no known (black) pixel" if missing.all() else "no missing pixel: it is black all over"
        raise InputError(f"`mask` must have both missing and known pixels. {named(file)} has {what}.")
    return missing


def _as_mask(image: Image.Image) -> Image.Image:
    """In one channel, 0 where it is black or transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return image
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    return image.convert("L")
