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
from inpainting_tf.photographs import about, containers, deep, formats, jpeg
from inpainting_tf.photographs.formats import Format
from inpainting_tf.photographs.reading import Encoded, Photograph, read

# Levels by which the means of 8x8 pixels may differ in a lossy file, on average: noise in saturated colours
# differs by 20 where colours are stored at half the resolution.
_ALIKE = 32


class NotWritten(OSError):
    """A file that would not hold the picture that was encoded; nothing was written."""


def write(
    path: str | os.PathLike, photograph: Photograph, rgb: np.ndarray, mask: np.ndarray | None = None
) -> None:
    """Writes new pixels as `encoded` returns them.

    Raises:
        InputError, NotWritten: those of `encoded`, or a file that cannot be written.
    """
    files.write_bytes(path, encoded(path, photograph, rgb, mask))


def encoded(
    path: str | os.PathLike, photograph: Photograph, rgb: np.ndarray, mask: np.ndarray | None = None
) -> bytes:
    """A file of new pixels, stored as the photograph's file was, after reading it again to check it.

    PNG, WebP, BMP and TIFF hold the pixels exactly. A JPEG is stored with the tables and the subsampling of
    the JPEG that it came from, and its blocks of 8x8 pixels in which nothing was filled are the same as
    before; of a picture in another format, with quality 95. A WebP that was lossy stays so.

    Args:
        path: its name, which ends in one of `ENDINGS`.
        photograph: what `read` returned.
        rgb: uint8 [H, W, 3], or uint16 for a photograph of 16 bits, which PNG and TIFF keep.
        mask: bool [H, W], True = filled: these pixels become opaque. None: any may have changed.

    Raises:
        InputError: another ending, or one that cannot hold the photograph's transparency or size.
        NotWritten: what was encoded is not the picture.
    """
    format = formats.of_path(path)
    if rgb.dtype == np.uint16 and not format.deep:
        rgb = deep.eight_bit(rgb)
    pixels = stored(photograph, rgb, mask)
    if pixels.shape[2] in (2, 4) and not format.alpha:
        able = ", ".join(ending for each in formats.FORMATS.values() if each.alpha for ending in each.endings)
        raise InputError(
            f"`output` must end in {able}: the picture is transparent in parts. Received {os.fspath(path)!r}."
        )
    try:
        data = _encoded(format, photograph, pixels, mask)
    except (OSError, ValueError, RuntimeError, struct.error, cv2.error) as error:  # what encoders raise
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{os.fspath(path)!r} could not be written: it does not fit into {format.name} ({reason}). "
            "Choose another format."
        ) from error
    _check(data, format, pixels, exact=format.exact and not _lossy(format, photograph))
    return data


def stored(photograph: Photograph, rgb: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """What is stored, [H, W, C] of the type of `rgb`: grey or colours, and any transparency."""
    opaque = np.iinfo(rgb.dtype).max
    alpha = photograph.alpha
    if alpha is not None and photograph.deep is not None and rgb.dtype == np.uint16:
        alpha = photograph.deep[..., -1]
    if alpha is not None and mask is not None:
        alpha = np.where(mask, opaque, alpha).astype(rgb.dtype)
    colours = _grey(rgb) if photograph.grey else rgb
    if alpha is None or (alpha == opaque).all():
        return colours
    return np.concatenate([colours, alpha[..., None]], axis=-1)


def _grey(rgb: np.ndarray) -> np.ndarray:
    """The brightness, [H, W, 1]; grey levels stay as they are."""
    weighted: np.ndarray = (rgb.astype(np.uint32) @ np.array([299, 587, 114], np.uint32))[..., None]
    return ((weighted + 500) // 1000).astype(rgb.dtype)


# Encoding


def _encoded(format: Format, photograph: Photograph, pixels: np.ndarray, mask: np.ndarray | None) -> bytes:
    source, told = photograph.encoded, about.options(photograph.about, format.name)
    if format.name == "TIFF":
        return containers.tiff(pixels, about.tags(photograph.about))
    if pixels.dtype == np.uint16:
        return containers.with_chunks(deep.png(pixels), _saved(Image.new("RGB", (1, 1)), format.name, told))
    image = Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
    if format.name == "JPEG" and source is not None and source.data is not None:
        return _like(source, source.data, photograph.about, image, mask)
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


def _saved(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()  # Pillow does not report a full disk
    image.save(file, name, **options)
    return file.getvalue()


# Checking


def _check(encoded: bytes, format: Format, pixels: np.ndarray, exact: bool) -> None:
    """Raises NotWritten unless the file can be read again and holds the picture."""
    try:
        written = read(io.BytesIO(encoded), max_megapixels=float("inf"))
    except InputError as error:
        raise NotWritten(f"as {format.name} it could not be read again: {error}") from error
    opaque = np.iinfo(pixels.dtype).max
    alpha = pixels[..., -1] if pixels.shape[2] in (2, 4) else np.full(pixels.shape[:2], opaque, pixels.dtype)
    colours = pixels[..., :3] if pixels.shape[2] > 2 else np.repeat(pixels[..., :1], 3, axis=-1)
    if written.colours.shape != colours.shape:
        raise NotWritten(f"as {format.name} it would have another size")
    if exact:
        same = np.array_equal(written.colours, colours) and np.array_equal(_alpha(written), alpha)
    else:
        same = _alike(written.rgb, colours, alpha == opaque)
    if not same:
        raise NotWritten(f"as {format.name} it would be another picture")


def _alpha(photograph: Photograph) -> np.ndarray:
    """[H, W] in the photograph's depth."""
    if photograph.alpha is None:
        return np.full(photograph.colours.shape[:2], np.iinfo(photograph.colours.dtype).max)
    return photograph.alpha if photograph.deep is None else photograph.deep[..., -1]


def _alike(written: np.ndarray, rgb: np.ndarray, opaque: np.ndarray) -> bool:
    """Whether the opaque parts are the same but for what a lossy codec changes."""
    if not opaque.all():
        written, rgb = (picture * opaque[..., None].astype(np.uint8) for picture in (written, rgb))
    means = [_means(picture) for picture in (written, rgb)]
    return float(np.abs(means[0] - means[1]).mean()) <= _ALIKE


def _means(picture: np.ndarray) -> np.ndarray:
    height, width = (max(1, side // 8) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
