"""Mask files: the missing pixels of a picture, with their opacities."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError
from inpainting_tf.inference import FAINT
from inpainting_tf.ops.images import check_two_levels
from inpainting_tf.photographs import holes
from inpainting_tf.photographs.reading import File, named, opened

_LOSSY = ("JPEG", "WEBP", "MPO", "AVIF", "HEIF")  # formats in which black is not exactly 0
_DARK, _BRIGHT = 32, 223  # levels up to and from which a lossy file means black and white
_LABELS = 25  # levels of at most this are numbers of things, and not opacities
_STEEP = 0.85  # share of its surroundings' opacity by which it changes within a pixel at an edge
# Text in a PNG whose levels are all opacities: an edge that was feathered by a few pixels looks antialiased.
_MARK, _EXACT = "inpainting_tf", "opacities"
_MOST = 2 / 3  # of a picture: a mask that paints more of it than this on nothing means the rest


def read_mask(file: File, size: tuple[int, int], *, fit: bool = False, invert: bool = False) -> np.ndarray:
    """A mask file for a picture of (height, width).

    Black is known and white missing. Values between are opacities, with which the fill is laid over the
    picture; but at an edge of one or two pixels, where they come from antialiasing, such pixels are missing.
    Numbers up to 25 alone are labels of missing things. A file of `encoded_mask` is the hole that it was.

    Transparency is understood in two ways. Paint on a transparent ground is a mask like any other. But where
    all paint is black, or is a photograph, or covers most of the picture in one colour, the transparent part
    is missing.

    Args:
        file: a path or an open binary file.
        size: of the picture.
        fit: stretch a mask of another size.
        invert: white is known and black missing.

    Returns:
        float32 [H, W] in [0, 1]: 0 = known, 1 = missing.

    Raises:
        InputError: as `read`, another size than the picture's, a photograph, or a mask without a missing or
            without a known pixel.
    """
    return read_masks((file,), size, fit=fit, invert=invert)


def read_masks(
    files: Sequence[File], size: tuple[int, int], *, fit: bool = False, invert: bool = False
) -> np.ndarray:
    """The union of several masks of one picture; see `read_mask`."""
    found = functools.reduce(np.maximum, (_read(file, size, fit, invert) for file in files))
    missing = found >= FAINT
    if missing.all() or not missing.any():
        known = "white" if invert else "black"
        what = f"no known ({known}) pixel" if missing.all() else f"no missing pixel: it is {known} all over"
        raise InputError(f"`mask` must have both missing and known pixels. {named(files[0])} has {what}.")
    return found


def encoded_mask(hole: np.ndarray) -> bytes:
    """A hole, float32 [H, W] in [0, 1], as a mask file: a PNG in which white is missing, grey an opacity.

    `read_mask` returns the same hole, to a level of 255.
    """
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text(_MARK, _EXACT)
    Image.fromarray(np.rint(hole * 255).astype(np.uint8)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def _read(file: File, size: tuple[int, int], fit: bool, invert: bool) -> np.ndarray:
    try:
        with opened(file) as (image, _):
            image.load()
            levels, lossy = _one_channel(pictures.upright(image, image), invert), image.format in _LOSSY
            exact = image.info.get(_MARK) == _EXACT
    except pictures.UnreadablePicture as error:
        raise InputError(f"`mask` {named(file)} cannot be read: {error}.") from error
    if not fit and levels.shape != tuple(size):
        raise InputError(
            f"`mask` must have the height and width of its picture, {size[0]} x {size[1]}. Received "
            f"{levels.shape[0]} x {levels.shape[1]}, {named(file)}: pass --fit_mask to stretch it."
        )
    if levels.dtype == np.uint8 and not exact:
        check_two_levels(levels)
    found = _share(levels) if exact else _opacity(levels, lossy)
    found = holes.fitted(found, size) if fit else found
    return holes.inverted(found) if invert else found


def _opacity(levels: np.ndarray, lossy: bool) -> np.ndarray:
    """float32 [H, W] in [0, 1] from the levels of a mask's one channel."""
    if levels.max() <= _LABELS or not _has_between(levels):
        return (levels > (levels.max() / 2 if lossy else 0)).astype(np.float32)
    soft = _share(levels)
    if lossy:
        soft = np.clip((255 * soft - _DARK) / (_BRIGHT - _DARK), 0.0, 1.0)
    square = np.ones((3, 3), np.uint8)
    highest, lowest = cv2.dilate(soft, square), cv2.erode(soft, square)
    edge = (highest - lowest > _STEEP * highest) & (highest > 0.25) & (soft > 0)
    return np.where(edge, np.float32(1.0) if not lossy else np.rint(soft), soft)


def _share(levels: np.ndarray) -> np.ndarray:
    """Levels as float32 in [0, 1]."""
    return levels.astype(np.float32) / (255 if levels.dtype == np.uint8 else max(65535, levels.max()))


def _has_between(levels: np.ndarray) -> bool:
    """Whether there are levels between the lowest and the highest."""
    return bool(((levels > levels.min()) & (levels < levels.max())).any())


def _one_channel(image: Image.Image, invert: bool) -> np.ndarray:
    """[H, W], bright where something is missing, in whatever colour."""
    if image.mode.startswith("I") or image.mode == "F":
        return np.array(image)
    if not image.has_transparency_data:
        return np.array(image.convert("RGB")).max(axis=-1)
    layer = np.array(image.convert("RGBA"))
    level, alpha = layer[..., :3].max(axis=-1), layer[..., 3]
    if alpha.min() == 255:
        return level
    # Who inverts a mask has looked at it: paint is known then, however much there is of it.
    if _is_cut_out(level[alpha >= 128], level.size, most=np.inf if invert else _MOST):
        return 255 - alpha
    return np.where(level > _DARK, alpha, np.uint8(0))


def _is_cut_out(paint: np.ndarray, pixels: int, most: float) -> bool:
    """Whether a layer's transparent part is the hole, and not its paint: the levels of opaque pixels."""
    if paint.size == 0:
        return False
    counts = np.sort(np.bincount(paint, minlength=256))
    black, photograph = paint.max() <= _DARK, counts[-2:].sum() < paint.size / 2
    return bool(black or photograph or counts[-1] > most * pixels)
