"""The containers of people's pictures: their endings, what they hold, how they are written without loss."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path, PurePath
from typing import Any

from PIL import Image, features

from inpainting_tf.errors import InputError, unknown


@dataclasses.dataclass(frozen=True)
class Format:
    """A container.

    Attributes:
        name: Pillow's.
        endings: of its files; the first is the usual one.
        alpha: whether it holds transparency.
        deep: whether it holds 16 bits.
        exact: whether its pixels are written without loss.
        options: how Pillow writes it.
    """

    name: str
    endings: tuple[str, ...]
    alpha: bool = True
    deep: bool = False
    exact: bool = True
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


LOSSY: dict[str, Any] = {"quality": 90}  # of pictures that were lossy before
FORMATS = {
    each.name: each
    for each in (
        Format(
            "JPEG",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            alpha=False,
            exact=False,
            options={"quality": 95, "subsampling": 0},
        ),
        # Level 4 is 2.4 times as fast as 6, for 4 % larger files.
        Format("PNG", (".png",), deep=True, options={"compress_level": 4}),
        Format("WEBP", (".webp",), options={"lossless": True, "exact": True}),
        Format("BMP", (".bmp", ".dib"), alpha=False),
        Format("TIFF", (".tif", ".tiff"), deep=True),
        Format("AVIF", (".avif",), exact=False, options=LOSSY),
        Format("HEIF", (".heic", ".heif", ".hif"), exact=False, options=LOSSY),
    )
}
ENDINGS = tuple(ending for each in FORMATS.values() for ending in each.endings)  # read and written
_READ = (".gif", *ENDINGS)
_ISO_MEDIA = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}  # brands of HEIC files


def readable() -> tuple[str, ...]:
    """Pillow's names of the formats that this installation reads.

    HEIC needs the plug-in pillow-heif, AVIF a Pillow with its codec.
    """
    names = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]
    return (*names, *(name for name in ("AVIF", "HEIF") if _available(name)))


def of_path(path: str | os.PathLike) -> Format:
    """The format in which a file is written, by its ending.

    Raises:
        InputError: an ending that is not in `ENDINGS`, or whose codec is not installed.
    """
    ending = Path(path).suffix.lower()
    found = next((each for each in FORMATS.values() if ending in each.endings), None)
    if found is None:
        raise unknown("ending of --output", ending, ENDINGS)
    if not _available(found.name):
        raise InputError(f"`output` must not end in {ending}: {missing_codec(found.name)}.")
    return found


def is_picture(path: Path) -> bool:
    """Whether a file has a picture's ending or, whatever its ending, a picture's content."""
    if is_called_picture(path):
        return True
    with contextlib.suppress(Exception), Image.open(path, formats=readable()):
        return True
    return _is_heic(path)


def is_called_picture(path: PurePath) -> bool:
    """Whether a file has a picture's ending."""
    return path.suffix.lower() in _READ


def usual_ending(path: Path) -> str:
    """That of a file's format by its content; of one that is not written, and of no picture, PNG's."""
    with contextlib.suppress(Exception), Image.open(path, formats=readable()) as image:
        name = "JPEG" if image.format == "MPO" else str(image.format)
        return FORMATS[name].endings[0]
    return ".png"


def missing_codec(name: str) -> str:
    """What to install to read and write a format."""
    if name == "HEIF":
        return "HEIC needs pillow-heif (pip install 'inpainting_tf[heif]')"
    return f"this Pillow has no codec for {name} (pip install --upgrade pillow)"


def heic(data: bytes) -> bool:
    """Whether a file begins as HEIC files do."""
    return data[4:8] == b"ftyp" and data[8:12] in _ISO_MEDIA


def _is_heic(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return heic(file.read(12))
    return False


def _available(name: str) -> bool:
    if name == "HEIF":
        return _heif_plugin()
    return bool(features.check(name.lower())) if name in ("AVIF", "WEBP") else True


def _heif_plugin() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener()
    return True
