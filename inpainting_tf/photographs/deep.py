"""Pictures of 16 bits: read and written whole, and seen in a brightness in which a network can fill them.

Pillow reads 16 bits of grey alone, and writes no others; OpenCV decodes and encodes them all.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
from PIL import ExifTags, Image

from inpainting_tf.data import pictures
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.photographs import containers

WHITE = 65535
_SWAPPED = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}  # OpenCV's order of channels
_SAMPLED = 100_000  # pixels from which the brightness is judged
_DARK, _USUAL = 0.1, 0.35  # medians of a picture that is too dark to be seen, and of one that is not
_Base = ExifTags.Base


@dataclasses.dataclass(frozen=True)
class Tone:
    """The curve from a 16-bit picture to its view: `((level / white) ** gamma)`, of the full range.

    Attributes:
        white: the level that is white in the view.
        gamma: the exponent; below 1 brightens.
    """

    white: float = float(WHITE)
    gamma: float = 1.0

    def applied(self, pixels: np.ndarray) -> np.ndarray:
        """The view of uint16 pixels of any shape, uint16."""
        if self == Tone():
            return pixels
        levels = np.minimum(np.arange(WHITE + 1, dtype=np.float64) / self.white, 1.0)
        table: np.ndarray = np.rint(WHITE * levels**self.gamma).astype(np.uint16)
        return table[pixels]

    def undone(self, view: np.ndarray) -> np.ndarray:
        """The pixels of a view."""
        if self == Tone():
            return view
        levels = np.arange(WHITE + 1, dtype=np.float64) / WHITE
        table: np.ndarray = np.rint(self.white * levels ** (1 / self.gamma)).astype(np.uint16)
        return table[view]


def tone(pixels: np.ndarray) -> Tone:
    """The curve for a picture, uint16 [H, W, C]: the identity unless it uses little of its range."""
    step = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // _SAMPLED))
    levels = pixels[::step, ::step].max(axis=-1) / WHITE
    highest, middle = (float(each) for each in np.percentile(levels, (99.9, 50)))
    white = 1.0 if highest > 0.5 else max(1.05 * highest, 1 / WHITE)
    dark = 0 < middle / white < _DARK
    gamma = math.log(_USUAL) / math.log(middle / white) if dark else 1.0
    return Tone(white * WHITE, gamma)


def eight_bit(pixels: np.ndarray) -> np.ndarray:
    """uint16 of any shape rounded to uint8: 65535 becomes 255."""
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def is_deep(image: Image.Image) -> bool:
    """Whether an opened picture has more than 8 bits."""
    if image.format == "TIFF":
        return max(_tag(image, _Base.BitsPerSample, (1,))) > 8
    # A 16-bit RGB PNG opens as 8-bit "RGB": the decoder's raw mode has the depth.
    return image.mode.startswith("I;16") or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def read(image: Image.Image, data: bytes) -> np.ndarray:
    """The upright pixels of an opened PNG or TIFF of 16 bits.

    Args:
        image: at the page that is meant.
        data: its file.

    Returns:
        uint16 [H, W, C]: grey or colours, and transparency as a last channel if there is any.

    Raises:
        UnreadablePicture: another depth or arrangement.
    """
    _check(image)
    transparent, grey = image.info.get("transparency"), image.mode.startswith("I")
    rawmode = str(getattr(image, "tile", ""))
    image.load()  # tells of damage what OpenCV does not
    found = _decoded(image, data)
    if found is None or found.dtype != np.uint16:
        raise UnreadablePicture("its 16-bit pixels cannot be decoded")
    pixels = found.reshape(*found.shape[:2], -1)
    if image.format == "PNG":  # a TIFF is turned by OpenCV
        pixels = turned(pixels, pictures.orientation(image))
    pixels = pixels[..., _SWAPPED[pixels.shape[2]]]
    if grey and isinstance(transparent, int):  # the level that is transparent
        return np.concatenate([pixels, np.where(pixels == transparent, 0, WHITE).astype(np.uint16)], axis=-1)
    return pixels[..., [0, 3]] if "LA" in rawmode and pixels.shape[2] == 4 else pixels


def png(pixels: np.ndarray) -> bytes:
    """A PNG of uint16 [H, W, C], without metadata. Grey with transparency becomes colours."""
    if pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    _, encoded = cv2.imencode(
        ".png", pixels[..., _SWAPPED[pixels.shape[2]]], [cv2.IMWRITE_PNG_COMPRESSION, 4]
    )
    return encoded.tobytes()


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """An array [H, W, C] turned upright by an EXIF orientation."""
    flipped = pixels[:, ::-1] if orientation in (2, 4, 5, 7) else pixels
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    return np.ascontiguousarray(np.rot90(flipped, turns))


def _check(image: Image.Image) -> None:
    if image.format not in ("PNG", "TIFF"):
        raise UnreadablePicture(f"its 16 bits cannot be read from {image.format}; convert it to PNG")
    if image.format == "PNG":
        return
    reasons = {
        "its pixels have other than 16 bits": set(_tag(image, _Base.BitsPerSample, (1,))) != {16},
        "its pixels are not unsigned integers": set(_tag(image, _Base.SampleFormat, (1,))) != {1},
        "its colours are stored in planes": _tag(image, _Base.PlanarConfiguration, (1,)) == (2,),
        "it is neither grey (black is 0) nor RGB": _tag(image, _Base.PhotometricInterpretation, (2,))[0]
        not in (1, 2),
        "its transparency is multiplied into its colours": 1 in _tag(image, _Base.ExtraSamples, (2,)),
        "it has more than four channels": _tag(image, _Base.SamplesPerPixel, (1,))[0] not in (1, 3, 4),
    }
    for reason, found in reasons.items():
        if found:
            raise UnreadablePicture(f"{reason}; convert it to a 16-bit PNG, or to 8 bits")


def _tag(image: Image.Image, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    found = image.tag_v2.get(tag, default)  # type: ignore[attr-defined]
    return found if isinstance(found, tuple) else (found,)


def _decoded(image: Image.Image, data: bytes) -> np.ndarray | None:
    if image.format == "PNG":  # of all its other chunks OpenCV reads some, and hangs on damaged ones
        return cv2.imdecode(np.frombuffer(containers.bare(data), np.uint8), cv2.IMREAD_UNCHANGED)
    encoded, page = np.frombuffer(data, np.uint8), image.tell()
    if page == 0:
        return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    _, pages = cv2.imdecodemulti(encoded, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
    return pages[0] if pages else None
