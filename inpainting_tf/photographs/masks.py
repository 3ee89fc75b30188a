"""Mask files: the missing pixels of a picture file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError
from inpainting_tf.ops.images import check_two_levels
from inpainting_tf.photographs.reading import ENDINGS, File, named

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
        with pictures.opened(file) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise pictures.UnreadablePicture(f"an animation of {frames} frames")
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


def mask_file(folder: Path, name: str) -> Path:
    """The mask of the picture `name` in a folder: the file of that name, with any ending.

    Where there is none, the path of the PNG of that name.
    """
    found = [folder / f"{Path(name).stem}{ending}" for ending in (".png", *ENDINGS)]
    return next((file for file in found if file.is_file()), found[0])


def _as_mask(image: Image.Image) -> Image.Image:
    """In one channel, 0 where it is black or transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return image
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    return image.convert("L")
