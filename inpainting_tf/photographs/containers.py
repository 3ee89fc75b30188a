"""Files of TIFF and PNG as Pillow alone cannot write them: 16 bits, and with all their metadata."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import ExifTags, TiffImagePlugin, TiffTags

_Base = ExifTags.Base
_HEADER = 8  # bytes of a TIFF before its directory
_STRIP = 1 << 18  # bytes of pixels that are compressed together
_SIGNATURE = 8  # bytes of a PNG before its first chunk
# Chunks that describe the picture. The order matters: colours before the palette, all before the pixels.
_CHUNKS = {b"iCCP", b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt"}


def tiff(pixels: np.ndarray, tags: Mapping[int, Any]) -> bytes:
    """A TIFF of one page, deflated.

    Pillow's own encoder has no 16-bit colours, and no EXIF in a compressed file.

    Args:
        pixels: uint8 or uint16 [H, W, C]: 1 channel of grey or 3 of colour, and one more of transparency.
        tags: the values of further tags; a dict is a directory of its own.
    """
    height, width, channels = pixels.shape
    rows = max(1, _STRIP // max(1, pixels[0].nbytes))
    parts = (pixels[row : row + rows] for row in range(0, height, rows))
    strips = [zlib.compress(_differences(part).tobytes(), 6) for part in parts]
    lengths = [len(strip) for strip in strips]
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0" + struct.pack("<I", _HEADER))
    grey = channels < 3
    structure: dict[int, Any] = {
        _Base.ImageWidth: width,
        _Base.ImageLength: height,
        _Base.BitsPerSample: (8 * pixels.itemsize,) * channels,
        _Base.Compression: 8,  # deflate
        _Base.PhotometricInterpretation: 1 if grey else 2,
        _Base.SamplesPerPixel: channels,
        _Base.RowsPerStrip: rows,
        _Base.StripByteCounts: tuple(lengths),
        _Base.StripOffsets: tuple(itertools.accumulate(lengths[:-1], initial=0)),  # from the directory's end
        _Base.PlanarConfiguration: 1,
        _Base.Predictor: 2,
    }
    if channels in (2, 4):
        structure[_Base.ExtraSamples] = 2  # transparency, not multiplied into the colours
    for tag, value in {**tags, **structure}.items():
        directory[tag] = value
    directory.tagtype[_Base.StripOffsets] = directory.tagtype[_Base.StripByteCounts] = TiffTags.LONG
    file = io.BytesIO()
    directory.save(file)
    return b"".join([file.getvalue(), *strips])


def _differences(rows: np.ndarray) -> np.ndarray:
    """Each pixel less the one on its left, modulo its range: TIFF's predictor 2, little-endian."""
    found = rows.copy()
    found[:, 1:] -= rows[:, :-1]
    return found.astype(found.dtype.newbyteorder("<"))


def with_chunks(png: bytes, donor: bytes) -> bytes:
    """A PNG with the metadata of another one."""
    given = b"".join(data for kind, data in _chunks(donor) if kind in _CHUNKS)
    (_, header), *others = _chunks(png)
    return png[:_SIGNATURE] + header + given + b"".join(data for _, data in others)


def bare(png: bytes) -> bytes:
    """A PNG with nothing but its header, its transparency, its pixels and its end."""
    kept = {b"IHDR", b"tRNS", b"IDAT", b"IEND"}
    return png[:_SIGNATURE] + b"".join(data for kind, data in _chunks(png) if kind in kept)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds of a PNG's chunks, and the whole chunks."""
    start = _SIGNATURE
    while start + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        yield kind, png[start : start + length + 12]
        start += length + 12
