"""A user's picture files, read with their metadata.

`data.pictures` reads training pictures and discards what a network does not need; here transparency, colour
profile, EXIF and greyscale are kept, and files that could not be written again are refused with a message.
"""

from __future__ import annotations

import dataclasses
import os
from typing import BinaryIO

import numpy as np
from PIL import Image

from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")  # read and written
_COLOURS = {"RGB", "RGBA", "RGBX", "P", "PA", "L", "LA", "1"}
File = str | os.PathLike | BinaryIO


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A picture and its file's metadata.

    Attributes:
        rgb: uint8 [H, W, 3], upright.
        alpha: uint8 [H, W], 255 = opaque; None where the file has no transparency.
        grey: whether the file is greyscale.
        icc_profile: the colour profile; the pixels are not converted.
        exif: the EXIF data without the orientation, which is applied to the pixels.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    grey: bool = False
    icc_profile: bytes | None = None
    exif: bytes | None = None


def read(file: File) -> Photograph:
    """A picture file as a photograph.

    Args:
        file: a path or an open binary file: JPEG, PNG, WebP, BMP, TIFF or GIF.

    Raises:
        InputError: no picture, a damaged one, an animation, one whose colours (CMYK, 16 bits, ...) could not
            be kept, or so many pixels that Pillow reports a decompression bomb.
    """
    try:
        with pictures.opened(file) as image:
            _check_pixels(image)
            image.load()
            turned = pictures.upright(_eight_bit(image), image)
            alpha = np.array(turned.getchannel("A")) if turned.mode in ("LA", "RGBA") else None
            return Photograph(
                rgb=np.array(turned.convert("RGB")),
                alpha=alpha,
                grey=turned.mode in ("L", "LA"),
                icc_profile=image.info.get("icc_profile"),
                exif=_exif(image),
            )
    except pictures.UnreadablePicture as error:
        raise InputError(f"`image` {named(file)} cannot be read: {error}.") from error


def named(file: File) -> str:
    """The file's name in messages."""
    return repr(os.fspath(file)) if isinstance(file, str | os.PathLike) else "(the uploaded file)"


def _check_pixels(image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise pictures.UnreadablePicture(
            f"it is an animation of {frames} frames; save one of them as a picture"
        )
    # A 16-bit RGB PNG opens as 8-bit "RGB": the decoder's raw mode has the depth.
    if image.mode not in _COLOURS or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        raise pictures.UnreadablePicture(
            f"its pixels ({image.mode}) are not 8-bit grey or RGB; convert it, for example to an 8-bit PNG"
        )


def _eight_bit(image: Image.Image) -> Image.Image:
    """In mode L, LA, RGB or RGBA."""
    transparent = image.has_transparency_data
    if image.mode in ("1", "L", "LA"):
        return image.convert("LA" if transparent else "L")
    return image.convert("RGBA" if transparent else "RGB")


def _exif(image: Image.Image) -> bytes | None:
    try:
        found = image.getexif()
        found.pop(pictures.ORIENTATION, None)
        return found.tobytes() if len(found) else None
    except Exception:  # damaged metadata of an intact picture
        return None
