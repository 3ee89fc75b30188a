"""Picture files -> uint8 RGB arrays of one size: robust reading and resizing.

Pillow only, no TensorFlow.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from inpainting_tf.data.crops import CENTRE, Part
from inpainting_tf.errors import InputError

SMALLEST_SIDE = 8  # px: smaller files are tracking pixels and icons

# Pillow opens far more (EPS even starts another program); untrusted files are opened as these alone.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

# EXIF orientation (tag 0x0112) -> the transposition that turns the stored picture upright.
ORIENTATION = 0x0112
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_limit = threading.Lock()  # of pictures that Pillow opens


class UnreadablePicture(Exception):
    """A file that holds no readable picture; the message is a short reason without the file's name."""


def read(
    file: str | os.PathLike | BinaryIO, image_size: tuple[int, int] | None = None, part: Part = CENTRE
) -> np.ndarray:
    """One picture as upright 8-bit RGB, from a file of any of the formats.

    The EXIF orientation is applied. Greyscale, palette and CMYK become RGB, 16-bit greyscale is scaled
    (65535 -> 255), transparent parts are composited over white, and an animation's first frame is read.

    Args:
        file: a path, or an open binary file that holds JPEG, PNG, WebP, BMP, TIFF or GIF.
        image_size: (height, width) to crop and resize to, as `resize` does; None keeps the picture's own.
            Large JPEGs are then decoded at a fraction of their size (never under twice the target), which is
            many times faster and may differ by a few grey levels from ``resize(read(file), image_size)``.
        part: which part of the picture is taken for it.

    Returns:
        uint8 [H, W, 3] in 0..255.

    Raises:
        UnreadablePicture: missing, empty, truncated, damaged, not a picture, a side under 8 px, or so many
            pixels that Pillow reports a decompression bomb.
    """
    with opened(file) as image:
        return _decode(image, image_size, part)


@contextlib.contextmanager
def opened(
    file: str | os.PathLike | BinaryIO, formats: tuple[str, ...] = _FORMATS, any_size: bool = False
) -> Iterator[Image.Image]:
    """The picture in a file, not decoded yet; any error in the block becomes an `UnreadablePicture`.

    Args:
        file: a path or an open binary file.
        formats: Pillow's names of those that are tried, for any file name.
        any_size: without Pillow's warning of large pictures and its limit.
    """
    try:
        data = io.BytesIO(contents(file))
        with _open(data, formats) if any_size else Image.open(data, formats=formats) as image:
            yield image
    except (UnreadablePicture, InputError):
        raise
    # Pillow's parsers raise OSError, SyntaxError, struct.error, ... on damaged files.
    except Exception as error:
        raise UnreadablePicture(_reason(error)) from error


def resize(picture: np.ndarray, image_size: tuple[int, int], part: Part = CENTRE) -> np.ndarray:
    """Crop to a part, the largest one in the centre by default, then antialiased resize.

    Bicubic, because Pillow widens its support when it shrinks (no aliasing) and it is sharper than bilinear
    without Lanczos' ringing. `reducing_gap` first shrinks very large pictures by averaging, which is faster
    without a visible difference. Pixels at the crop's edge are interpolated with their neighbours outside.

    Args:
        picture: uint8 [H, W, 3].
        image_size: (height, width) in px.
        part: which part of the picture is taken.

    Returns:
        uint8 [height, width, 3].
    """
    return np.array(_fit(Image.fromarray(picture), image_size, part))


def contents(file: str | os.PathLike | BinaryIO) -> bytes:
    """A file's bytes.

    Raises:
        UnreadablePicture: it cannot be read, or has none.
    """
    try:
        data = file.read() if hasattr(file, "read") else Path(file).read_bytes()
    except OSError as error:
        raise UnreadablePicture(_reason(error)) from error
    if not data:
        raise UnreadablePicture("empty file")
    return data


def _open(data: io.BytesIO, formats: tuple[str, ...]) -> Image.Image:
    with _limit:  # a global of Pillow's: restored before another thread opens a picture
        former, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(data, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = former


def _decode(image: Image.Image, image_size: tuple[int, int] | None, part: Part) -> np.ndarray:
    if min(image.size) < SMALLEST_SIDE:
        raise UnreadablePicture(f"{image.height}x{image.width} px is smaller than {SMALLEST_SIDE} px")
    if image_size is not None:  # square, because the EXIF orientation may swap the sides afterwards
        image.draft(None, (2 * max(image_size),) * 2)
    image.load()
    rgb = upright(_rgb(image), image)
    return np.array(rgb if image_size is None else _fit(rgb, image_size, part))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):  # "I": older Pillows
        image = _from_16_bit(image)
    elif image.mode in ("I", "F"):
        raise UnreadablePicture(f"32-bit pixels ({image.mode}) have no fixed range")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """0..65535 -> 0..255, rounded (65535 / 255 = 257 exactly); Pillow's own `convert` clips at 255."""
    grey = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((grey + 128) // 257).astype(np.uint8))


def upright(pixels: Image.Image, original: Image.Image) -> Image.Image:
    """`pixels` turned by the EXIF orientation of `original`; unchanged where there is none."""
    return _turned(pixels, orientation(original))


def turned_back(pixels: Image.Image, orientation: int) -> Image.Image:
    """Upright pixels turned to an EXIF orientation, which `upright` undoes."""
    return _turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def _turned(pixels: Image.Image, orientation: int) -> Image.Image:
    turn = _TURN.get(orientation)
    return pixels if turn is None else pixels.transpose(turn)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a picture's stored pixels, 1 to 8: 1 = upright, or not told."""
    try:
        told = image.getexif().get(ORIENTATION, 1)
        return told if told in _TURN else 1
    except Exception:  # damaged metadata of an intact picture
        return 1


def _fit(image: Image.Image, image_size: tuple[int, int], part: Part) -> Image.Image:
    height, width = image_size
    box = part.box((image.height, image.width), image_size)
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels (decompression bomb?)"
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
