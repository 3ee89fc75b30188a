"""A user's picture files, read with their metadata.

`data.pictures` reads training pictures and discards what a network does not need; here transparency, colour
profile, EXIF, greyscale and 16 bits are kept, and files that could not be written again are refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from inpainting_tf.data import pictures
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import about, deep, formats
from inpainting_tf.photographs.about import About

MEGAPIXELS = 178.9  # the largest picture unless asked for: beyond it Pillow suspects an attack on the memory
_COLOURS = {"RGB", "RGBA", "RGBX", "P", "PA", "L", "LA", "1"}
_UNREADABLE = {
    "CMYK": "its colours are inks for printing (CMYK); convert it to RGB first",
    "LAB": "its colours are CIE Lab; convert it to RGB first",
    "I": "its pixels have 32 bits; convert it to 16 or 8 bits first",
    "F": "its pixels are floating point numbers; convert it to 16 or 8 bits first",
}
_PICTURES = {"JPEG", "MPO", "HEIF"}  # further frames are previews, depth maps and the like
_REDUCED = 254  # the tag of TIFF that marks thumbnails (1), and masks (4)
File = str | os.PathLike | BinaryIO


class Named(io.BytesIO):
    """A file's bytes, which messages call by its name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


@dataclasses.dataclass(frozen=True, eq=False)
class Encoded:
    """How a file stores its picture, so that the repaired one can be stored likewise.

    Attributes:
        name: of the format, as Pillow calls it.
        data: of a JPEG, the file.
        orientation: of the stored pixels, as EXIF counts: 1 = upright.
        exact: whether its pixels were stored without loss.
    """

    name: str
    data: bytes | None = None
    orientation: int = 1
    exact: bool = True


@dataclasses.dataclass(frozen=True, eq=False)
class Photograph:
    """A picture and its file's metadata.

    Attributes:
        rgb: uint8 [H, W, 3], upright. Of 16 bits a view, brightened if it is very dark.
        alpha: uint8 [H, W], 255 = opaque; None where the file has no transparency.
        grey: whether the file is greyscale.
        about: what the file says about it.
        encoded: how the file stores it; None for a picture from elsewhere.
        deep: its pixels if they have 16 bits, uint16 [H, W, C]: grey or colours, and maybe transparency.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    grey: bool = False
    about: About = dataclasses.field(default_factory=About)
    encoded: Encoded | None = None
    deep: np.ndarray | None = None

    @property
    def colours(self) -> np.ndarray:
        """[H, W, 3] in the file's own depth: uint8, or uint16 for 16 bits."""
        if self.deep is None:
            return self.rgb
        return np.repeat(self.deep[..., :1], 3, axis=-1) if self.grey else self.deep[..., :3]

    @property
    def ending(self) -> str:
        """That of files in the format in which it came; of one that is not written, PNG's."""
        name = self.encoded.name if self.encoded else "PNG"
        return formats.FORMATS.get(name, formats.FORMATS["PNG"]).endings[0]


def read(file: File, *, page: int | None = None, max_megapixels: float = MEGAPIXELS) -> Photograph:
    """A picture file as a photograph.

    Args:
        file: a path or an open binary file: JPEG, PNG, WebP, BMP, TIFF, GIF; AVIF and HEIC where this
            installation has their codecs. The content decides, not the name.
        page: of a file with several pictures, from 1. By default the only one that is not a smaller copy of
            another or a camera's addition, such as a depth map.
        max_megapixels: the most that is read, in millions of pixels.

    Raises:
        InputError: no picture, a damaged one, several, one whose colours (CMYK, ...) could not be kept, or a
            larger one.
    """
    try:
        with opened(file, page, max_megapixels) as (image, data):
            photograph = _deep(image, data) if deep.is_deep(image) else _shallow(image)
            return dataclasses.replace(photograph, about=about.read(image), encoded=_encoded(image, data))
    except pictures.UnreadablePicture as error:
        raise InputError(f"`image` {named(file)} cannot be read: {error}.") from error


def of_pixels(pixels: np.ndarray) -> Photograph:
    """Pixels as a photograph: uint8 or uint16 [H, W, C], grey or colours, and maybe transparency."""
    grey, transparent = pixels.shape[2] < 3, pixels.shape[2] in (2, 4)
    alpha = pixels[..., -1] if transparent else None
    colours = np.repeat(pixels[..., :1], 3, axis=-1) if grey else pixels[..., :3]
    if pixels.dtype == np.uint8:
        return Photograph(colours, alpha, grey)
    view = deep.eight_bit(deep.tone(colours).applied(colours))
    return Photograph(view, None if alpha is None else deep.eight_bit(alpha), grey, deep=pixels)


@contextlib.contextmanager
def opened(
    file: File, page: int | None = None, max_megapixels: float = MEGAPIXELS
) -> Iterator[tuple[Image.Image, bytes]]:
    """A picture file, at the picture that is meant but not decoded, and the file's bytes.

    Raises:
        UnreadablePicture: on any error, in the block too; with a reason, without the file's name.
    """
    data = pictures.contents(file)
    if formats.heic(data) and "HEIF" not in formats.readable():
        raise pictures.UnreadablePicture(formats.missing_codec("HEIF"))
    with pictures.opened(io.BytesIO(data), formats.readable(), any_size=True) as image:
        _turn_to(image, page)
        if image.width * image.height > max_megapixels * 1e6:
            raise pictures.UnreadablePicture(
                f"its {image.width} x {image.height} pixels are more than {max_megapixels:g} million (a "
                "decompression bomb?); raise --max_megapixels if it is sound"
            )
        yield image, data


def named(file: File) -> str:
    """The file's name in messages."""
    name = os.fspath(file) if isinstance(file, str | os.PathLike) else getattr(file, "name", None)
    return repr(name) if isinstance(name, str) else "(the uploaded file)"


def _turn_to(image: Image.Image, page: int | None) -> None:
    frames = getattr(image, "n_frames", 1)
    if page is not None:
        if not 1 <= page <= frames:
            raise pictures.UnreadablePicture(f"it has no page {page}, but 1 to {frames}")
        image.seek(page - 1)
    elif frames > 1 and image.format == "TIFF":
        image.seek(_only_page(image, frames))
    elif frames > 1 and image.format not in _PICTURES:
        raise pictures.UnreadablePicture(
            f"it is an animation of {frames} frames; choose one of them with --page"
        )


def _only_page(image: Image.Image, frames: int) -> int:
    """The page of a TIFF of which the others are reduced copies, or marked as such."""
    sizes = {}
    for frame in range(frames):
        image.seek(frame)
        if not image.tag_v2.get(_REDUCED, 0):  # type: ignore[attr-defined]
            sizes[frame] = image.size
    largest = max(sizes, key=lambda frame: np.prod(sizes[frame]), default=0)
    width, height = sizes.pop(largest, (0, 0))
    if any(2 * size[0] > width or 2 * size[1] > height for size in sizes.values()):
        raise pictures.UnreadablePicture(f"it has {frames} pages; choose one of them with --page")
    return largest


def _deep(image: Image.Image, data: bytes) -> Photograph:
    """A picture of 16 bits."""
    if reason := _UNREADABLE.get(image.mode):
        raise pictures.UnreadablePicture(reason)
    return of_pixels(deep.read(image, data))


def _shallow(image: Image.Image) -> Photograph:
    """A picture of 8 bits."""
    if image.mode not in _COLOURS:
        reason = f"its pixels ({image.mode}) are neither grey nor RGB; convert it, for example to PNG"
        raise pictures.UnreadablePicture(_UNREADABLE.get(image.mode, reason))
    image.load()
    turned = pictures.upright(_eight_bit(image), image)
    alpha = np.array(turned.getchannel("A")) if turned.mode in ("LA", "RGBA") else None
    return Photograph(np.array(turned.convert("RGB")), alpha, grey=turned.mode in ("L", "LA"))


def _eight_bit(image: Image.Image) -> Image.Image:
    """In mode L, LA, RGB or RGBA."""
    transparent = image.has_transparency_data
    if image.mode in ("1", "L", "LA"):
        return image.convert("LA" if transparent else "L")
    return image.convert("RGBA" if transparent else "RGB")


def _encoded(image: Image.Image, data: bytes) -> Encoded:
    name = "JPEG" if image.format == "MPO" else str(image.format)
    if name == "JPEG" and image.tell() == 0:
        return Encoded(name, data, pictures.orientation(image), exact=False)
    return Encoded(
        name, exact=name not in ("AVIF", "HEIF", "JPEG") and not (name == "WEBP" and b"VP8 " in data[:64])
    )
