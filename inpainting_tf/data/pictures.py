"""Picture files -> uint8 RGB arrays of one size: robust reading, resizing, and decoding a whole source.

Pillow only, no TensorFlow.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from absl import logging
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from inpainting_tf import files
from inpainting_tf.data.crops import CENTRE, Part
from inpainting_tf.data.source import Source
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
_BLOCK = 512  # pictures submitted to the threads at a time: bounds the memory and the delay of Ctrl-C
_CACHE_VERSION = 1  # part of the cache's key: raise it when reading or resizing changes the pixels
_STALE_AFTER = 3600  # seconds without a write after which an incomplete cache file is stale


class UnreadablePicture(Exception):
    """A file that holds no readable picture; the message is a short reason without the file's name."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pictures of one size, and those that could not be read.

    Attributes:
        images: uint8 [N, H, W, 3] RGB, an array in memory, a read-only ``np.memmap``, or an `OnDemand`.
        names: the names of the N pictures, in the order of ``images``.
        skipped: (name, reason) of every picture that could not be read.
    """

    images: np.ndarray
    names: list[str]
    skipped: list[tuple[str, str]]


# One picture


def read(
    file: str | os.PathLike | BinaryIO, image_size: tuple[int, int] | None = None, part: Part = CENTRE
) -> np.ndarray:
    """One picture as upright 8-bit RGB, from a file of any of the formats.

    The EXIF orientation is applied. Greyscale, palette and CMYK become RGB, 16-bit greyscale is scaled
    (65535 -> 255), transparent parts are composited over white, and an animation's first frame is read.

    Args:
        file: a path, or an open binary file that holds JPEG, PNG, WebP, BMP, TIFF or GIF.
        image_size: (height, width) to crop and resize to, as `resize` does; None keeps the picture's own.
        part: which part of the picture is taken for it.
            Large JPEGs are then decoded at a fraction of their size (never under twice the target), which is
            many times faster and may differ by a few grey levels from ``resize(read(file), image_size)``.

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


# A whole source


def decode(
    source: Source,
    indices: Iterable[int],
    image_size: tuple[int, int],
    *,
    cache_dir: str | os.PathLike | None = None,
    memory_limit: int = 2 * 2**30,
) -> Decoded:
    """Reads the pictures of `source` at `indices`, in that order, cropped and resized to `image_size`.

    Several threads decode; the result does not depend on their timing. Unreadable pictures are left out, with
    one warning that counts and names them. A progress bar appears on a terminal after a second.

    Args:
        source: see `inpainting_tf.data.sources`.
        indices: positions in ``source.names``.
        image_size: (height, width) in px.
        cache_dir: the folder for pixels beyond `memory_limit`; None is
            ``$XDG_CACHE_HOME/inpainting_tf`` or ``~/.cache/inpainting_tf``. The same pictures at the same
            size are read from there the next time.
        memory_limit: bytes of pixels up to which they are kept in memory.

    Raises:
        InputError: no picture could be read, or the cache cannot be written.
    """
    indices = [int(index) for index in indices]
    if len(indices) * _bytes_each(image_size) <= memory_limit:
        decoded = _into_memory(source, indices, image_size)
    else:
        decoded = _through_disk(source, indices, image_size, Path(cache_dir or _default_cache()).expanduser())
    _report(source, decoded)
    return decoded


def _bytes_each(image_size: tuple[int, int]) -> int:
    return 3 * image_size[0] * image_size[1]


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "inpainting_tf"


def _rows(source: Source, indices: Sequence[int], image_size: tuple[int, int]) -> Iterator[np.ndarray | str]:
    """In the order of `indices`: the picture, or the reason why it is unreadable."""

    def one(index: int) -> np.ndarray | str:
        try:
            return source.read(index, image_size)
        except UnreadablePicture as error:
            return str(error)

    progress = tqdm(total=len(indices), desc=f"Reading {source.name}", unit="picture", delay=1, disable=None)
    with progress, ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(indices), _BLOCK):
            for row in threads.map(one, indices[start : start + _BLOCK]):
                progress.update()
                yield row


def _into_memory(source: Source, indices: Sequence[int], image_size: tuple[int, int]) -> Decoded:
    images = np.empty((len(indices), *image_size, 3), np.uint8)
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    for index, row in zip(indices, _rows(source, indices, image_size), strict=True):
        if isinstance(row, str):
            skipped.append((source.names[index], row))
        else:
            images[len(names)] = row
            names.append(source.names[index])
    return Decoded(images[: len(names)], names, skipped)


def _report(source: Source, decoded: Decoded) -> None:
    if not decoded.skipped:
        return
    total = len(decoded.names) + len(decoded.skipped)
    if not decoded.names:
        name, reason = decoded.skipped[0]
        raise InputError(
            f"None of the {total} pictures of {source.origin} can be read. The first, {name}: {reason}."
        )
    some = ", ".join(f"{name} ({reason})" for name, reason in decoded.skipped[:3])
    more = ", ..." if len(decoded.skipped) > 3 else ""
    logging.warning(
        "Skipped %d of %d pictures of %s: %s%s", len(decoded.skipped), total, source.origin, some, more
    )


# The cache on disk: KEY.npy holds the pixels, KEY.json names and reasons. The second is written last, each
# atomically, so that a pair of files with these names is always complete.


def _through_disk(source: Source, indices: list[int], image_size: tuple[int, int], folder: Path) -> Decoded:
    pixels = folder / f"{_key(source, indices, image_size)}.npy"
    decoded = _find(pixels)
    if decoded is not None:
        return decoded
    with files.replacing(pixels) as temporary:
        _clear_stale(folder)
        _check_space(folder, len(indices) * _bytes_each(image_size))
        notes = _write(temporary, source, indices, image_size)
    files.write_json(pixels.with_suffix(".json"), notes)
    found = _find(pixels)
    if found is None:
        raise InputError(f"The cache of decoded pictures {pixels} changed while it was written. Start again.")
    return found


def _key(source: Source, indices: Sequence[int], image_size: tuple[int, int]) -> str:
    """Changes with the pictures chosen, their size, and the size or date of any file behind them."""
    stats = [(str(file), (stat := os.stat(file)).st_size, stat.st_mtime_ns) for file in source.files]
    names = [source.names[index] for index in indices]
    what = [_CACHE_VERSION, source.origin, names, stats]
    if source.part != CENTRE:
        what.append(astuple(source.part))
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]
    return f"{source.name}-{image_size[0]}x{image_size[1]}-{digest}"


def _find(pixels: Path) -> Decoded | None:
    try:
        notes = json.loads(pixels.with_suffix(".json").read_bytes())
        images = np.load(pixels, mmap_mode="r")
    except (OSError, ValueError, EOFError):  # absent or damaged: written anew
        return None
    skipped = [tuple(pair) for pair in notes["skipped"]]
    return Decoded(images[: len(notes["names"])], notes["names"], skipped)


def _write(path: Path, source: Source, indices: Sequence[int], image_size: tuple[int, int]) -> dict:
    """Writes pixels row by row: a full disk is then an OSError, where with a memmap the process is killed."""
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(indices), *image_size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for index, row in zip(indices, _rows(source, indices, image_size), strict=True):
            if isinstance(row, str):
                skipped.append((source.names[index], row))
            else:
                file.write(row.tobytes())
                names.append(source.names[index])
        for _ in skipped:  # the header was written before their number was known
            file.write(bytes(_bytes_each(image_size)))
    return {"names": names, "skipped": skipped}


def _clear_stale(folder: Path) -> None:
    """Removes incomplete files of killed runs; a live run has written to its file within the hour."""
    for part in folder.glob(".*.npy"):
        if time.time() - part.lstat().st_mtime > _STALE_AFTER:
            part.unlink(missing_ok=True)


def _check_space(folder: Path, needed: int) -> None:
    """Raises `InputError` before an hour's decoding rather than after it."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"The cache of decoded pictures in {folder} takes {needed / 2**30:.2g} GiB, but has "
            f"{free / 2**30:.2g} GiB free. Make room there, or set XDG_CACHE_HOME to another folder."
        )
