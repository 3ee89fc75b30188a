"""Repaired pictures, written as their files were: format, quality, metadata."""

from __future__ import annotations

import io
import os
import struct
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpainting_tf import files
from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import about, containers, formats, jpeg
from inpainting_tf.photographs.formats import Format
from inpainting_tf.photographs.reading import Encoded, Photograph, read

_ALIKE = 16  # levels by which the means of 8x8 pixels may differ in a lossy file, on average


class NotWritten(OSError):
    """A file that would not hold the picture that was encoded; nothing was written."""


def write(
    path: str | os.PathLike, photograph: Photograph, rgb: np.ndarray, mask: np.ndarray | None = None
) -> None:
    """Writes new pixels as the photograph's file was written, after reading them again to check them.

    PNG, WebP, BMP and TIFF hold the pixels exactly. A JPEG is stored with the tables and the subsampling of
    the JPEG that it came from, and its blocks of 8x8 pixels in which nothing was filled are the same as
    before; of a picture in another format, with quality 95. A WebP that was lossy stays so.

    Args:
        path: ends in one of `ENDINGS`.
        photograph: what `read` returned.
        rgb: uint8 [H, W, 3].
        mask: bool [H, W], True = filled: these pixels become opaque. None: any may have changed.

    Raises:
        InputError: another ending, one that cannot hold the photograph's transparency or size, or a file that
            cannot be written.
        NotWritten: what was encoded is not the picture.
    """
    format = formats.of_path(path)
    alpha = _transparency(photograph.alpha, mask)
    if alpha is not None and not format.alpha:
        able = ", ".join(ending for each in formats.FORMATS.values() if each.alpha for ending in each.endings)
        raise InputError(
            f"`output` must end in {able}: the picture is transparent in parts. Received {os.fspath(path)!r}."
        )
    try:
        encoded = _encoded(format, photograph, rgb, alpha, mask)
    except (OSError, ValueError, RuntimeError, struct.error) as error:  # what Pillow's encoders raise
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{os.fspath(path)!r} could not be written: it does not fit into {format.name} ({reason}). "
            "Choose another format."
        ) from error
    _check(encoded, format, rgb, alpha, exact=format.exact and not _lossy(format, photograph))
    with files.replacing(path) as temporary:
        temporary.write_bytes(encoded)


def _transparency(alpha: np.ndarray | None, mask: np.ndarray | None) -> np.ndarray | None:
    """After filling; None where nothing is transparent."""
    if alpha is not None and mask is not None:
        alpha = np.where(mask, np.uint8(255), alpha)
    return None if alpha is None or (alpha == 255).all() else alpha


# Encoding


def _encoded(
    format: Format,
    photograph: Photograph,
    rgb: np.ndarray,
    alpha: np.ndarray | None,
    mask: np.ndarray | None,
) -> bytes:
    source, image = photograph.encoded, _image(rgb, photograph.grey, alpha)
    if format.name == "TIFF":
        pixels = np.asarray(image)
        return containers.tiff(pixels.reshape(*pixels.shape[:2], -1), about.tags(photograph.about))
    if format.name == "JPEG" and source is not None and source.data is not None:
        return _like(source, source.data, photograph.about, image, mask)
    told = about.options(photograph.about, format.name)
    options = formats.LOSSY if _lossy(format, photograph) else format.options
    return _saved(image, format.name, options | told)


def _lossy(format: Format, photograph: Photograph) -> bool:
    """Whether the photograph came with a loss in this format."""
    source = photograph.encoded
    return source is not None and source.name == format.name and not source.exact


def _like(
    source: Encoded, data: bytes, told: about.About, image: Image.Image, mask: np.ndarray | None
) -> bytes:
    """A JPEG stored as the one that it came from: not turned upright either."""
    options = jpeg.likewise(data) | about.options(told, "JPEG", source.orientation)
    encoded = _saved(pictures.turned_back(image, source.orientation), "JPEG", options)
    if mask is None:
        return encoded
    filled = pictures.turned_back(Image.fromarray(mask), source.orientation)
    return jpeg.with_blocks_of(data, encoded, np.asarray(filled))


def _image(rgb: np.ndarray, grey: bool, alpha: np.ndarray | None) -> Image.Image:
    image = Image.fromarray(rgb).convert("L") if grey else Image.fromarray(rgb)
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def _saved(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()  # Pillow does not report a full disk
    image.save(file, name, **options)
    return file.getvalue()


# Checking


def _check(encoded: bytes, format: Format, rgb: np.ndarray, alpha: np.ndarray | None, exact: bool) -> None:
    """Raises NotWritten unless the file can be read again and holds the picture."""
    try:
        written = read(io.BytesIO(encoded), max_megapixels=float("inf"))
    except InputError as error:
        raise NotWritten(f"as {format.name} it could not be read again: {error}") from error
    if written.rgb.shape != rgb.shape:
        raise NotWritten(f"as {format.name} it would have another size")
    same = np.array_equal(written.rgb, rgb) and _same(written.alpha, alpha)
    if not same and (exact or not _alike(written.rgb, rgb, alpha)):
        raise NotWritten(f"as {format.name} it would be another picture")


def _same(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    opaque = np.uint8(255)
    return bool(np.all((opaque if first is None else first) == (opaque if second is None else second)))


def _alike(written: np.ndarray, rgb: np.ndarray, alpha: np.ndarray | None) -> bool:
    """Whether the opaque parts are the same but for what a lossy codec changes."""
    shown = np.uint8(1) if alpha is None else (alpha == 255)[..., None].astype(np.uint8)
    means = [_means(picture * shown) for picture in (written, rgb)]
    return float(np.abs(means[0] - means[1]).mean()) <= _ALIKE


def _means(picture: np.ndarray) -> np.ndarray:
    height, width = (max(1, side // 8) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
