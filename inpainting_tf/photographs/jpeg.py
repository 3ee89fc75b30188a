"""JPEG files repaired as they were stored: the same tables, subsampling, and blocks beside the hole.

A JPEG stores its picture in blocks of 8x8 quantised frequencies. The repaired pixels are encoded with the
file's own quantization tables, and then every block without a filled pixel is replaced by the file's own, so
that nothing is lost there. The blocks are exchanged by the package `jpegio` (libjpeg-turbo); where it is not
installed, or cannot read the file, encoding with the same tables leaves most blocks nearly as they were.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

_SIDE = 8  # pixels of a block


def likewise(data: bytes) -> dict[str, Any]:
    """The arguments with which Pillow's `save` encodes as a JPEG file was encoded, where it can."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        tables = getattr(image, "quantization", {})
        # 0: 4:4:4, 1: 4:2:2, 2: 4:2:0; Pillow writes no others.
        subsampling = max(0, JpegImagePlugin.get_sampling(image))
    if not tables or max(map(max, tables.values())) > 255:  # of more than eight bits
        return {"quality": 95, "subsampling": subsampling}
    return {"qtables": [tables[key] for key in sorted(tables)], "subsampling": subsampling}


def with_blocks_of(original: bytes, encoded: bytes, filled: np.ndarray) -> bytes:
    """A JPEG with the blocks of another one wherever nothing was filled.

    Args:
        original: the file before the repair.
        encoded: the same picture repaired, encoded as `likewise` tells.
        filled: bool [H, W], of the pixels as they are stored (not turned upright).

    Returns:
        A JPEG file with the metadata of `encoded`; `encoded` itself where blocks cannot be exchanged.
    """
    with contextlib.suppress(Exception), tempfile.TemporaryDirectory() as folder:
        exchanged = _exchanged(original, encoded, filled, Path(folder))
        differs = (_decoded(original) != _decoded(exchanged)).reshape(*filled.shape, -1).any(axis=-1)
        if not (differs & untouched(filled)).any():
            return exchanged
    return encoded


def untouched(filled: np.ndarray) -> np.ndarray:
    """The pixels that `with_blocks_of` leaves exactly as they were, for any subsampling; bool [H, W].

    Colours are stored at half the resolution and interpolated: a filled pixel changes those in its own block
    of 16x16 pixels and one pixel around it.
    """
    side = 2 * _SIDE
    height, width = filled.shape
    touched = _touched(filled, (side, side), (-(-height // side), -(-width // side)))
    pixels = np.repeat(np.repeat(touched, side, 0), side, 1)[:height, :width]
    near = cv2.dilate(pixels.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(near) == 0


def _exchanged(original: bytes, encoded: bytes, filled: np.ndarray, folder: Path) -> bytes:
    import jpegio

    before, after = (folder / "before.jpg", folder / "after.jpg")
    before.write_bytes(original)
    after.write_bytes(encoded)
    old, new = jpegio.read(str(before)), jpegio.read(str(after))
    _require_alike(old, new)
    across, down = (
        max(getattr(c, name) for c in new.comp_info) for name in ("h_samp_factor", "v_samp_factor")
    )
    for component, source, target in zip(new.comp_info, old.coef_arrays, new.coef_arrays, strict=True):
        sides = (_SIDE * down // component.v_samp_factor, _SIDE * across // component.h_samp_factor)
        rows, columns = (length // _SIDE for length in target.shape)
        touched = _touched(filled, sides, (rows, columns))
        blocks = np.repeat(np.repeat(touched, _SIDE, 0), _SIDE, 1)
        np.copyto(target, source, where=~blocks)
    new.optimize_coding, new.progressive_mode = 1, old.progressive_mode
    jpegio.write(new, str(after))
    return after.read_bytes()


def _decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)


def _require_alike(old: Any, new: Any) -> None:
    """Raises ValueError where the blocks of two files do not mean the same."""
    for first, second in zip(old.comp_info, new.comp_info, strict=True):
        tables = (file.quant_tables[part.quant_tbl_no] for file, part in ((old, first), (new, second)))
        same = (first.h_samp_factor, first.v_samp_factor) == (second.h_samp_factor, second.v_samp_factor)
        if not (same and np.array_equal(*tables) and old.jpeg_color_space == new.jpeg_color_space):
            raise ValueError("other tables, subsampling or colours")


def _touched(filled: np.ndarray, sides: tuple[int, int], blocks: tuple[int, int]) -> np.ndarray:
    """Which blocks, of so many pixels down and across, hold a filled pixel."""
    padded = np.zeros((blocks[0] * sides[0], blocks[1] * sides[1]), bool)
    part = filled[: padded.shape[0], : padded.shape[1]]
    padded[: part.shape[0], : part.shape[1]] = part
    return np.asarray(padded.reshape(blocks[0], sides[0], blocks[1], sides[1]).max(axis=(1, 3)))
