"""What a file says about its picture: colour profile, EXIF, XMP, IPTC, resolution, comments.

Only what describes the picture is kept. What describes the file (size, compression, offsets, orientation) is
the business of the new one; and whatever holds another picture, such as a thumbnail or the preview in a
camera's maker note, would show what was removed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
import struct
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from inpainting_tf.data import pictures

# Tags of a first directory that describe a picture; the others describe its file.
_DESCRIPTIVE = {
    *(ExifTags.Base.DocumentName, ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model),
    *(ExifTags.Base.PageName, ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist),
    *(ExifTags.Base.HostComputer, ExifTags.Base.Copyright, ExifTags.Base.Rating),
    *(ExifTags.Base.RatingPercent, ExifTags.Base.XPTitle, ExifTags.Base.XPComment, ExifTags.Base.XPAuthor),
    *(ExifTags.Base.XPKeywords, ExifTags.Base.XPSubject),
}
_RESOLUTION = {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}
_SIZES = {ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight}
_XMP, _IPTC = 700, 33723  # tags of TIFF
_IPTC_RESOURCE = 0x0404  # in Photoshop's segment of a JPEG
_JPEG = b"\xff\xd8\xff"
_SEGMENT = 65_000  # bytes that a segment of a JPEG holds, and some to spare
# Elements of XMP that hold thumbnails, list further pictures in the file, or turn it.
_ELEMENTS = (b"xmp:Thumbnails", b"Container:Directory", b"tiff:Orientation")
_ATTRIBUTES = re.compile(
    rb"\b(?:tiff:Orientation|hdrgm:\w+|GCamera:(?:MicroVideo|MotionPhoto)\w*)=(?:\"[^\"]*\"|'[^']*')"
)


@dataclasses.dataclass(frozen=True)
class About:
    """What a file says about its picture.

    Attributes:
        icc_profile: the colour profile; the pixels are not converted.
        exif: descriptive tags, as Pillow stores them, without the orientation; the GPS position is kept.
        xmp: an XML packet, without thumbnails.
        iptc: records of the news industry's captions and keywords.
        dpi: pixels per inch, to the right and down.
        comment: of a JPEG or GIF.
        text: of a PNG, by keyword.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None
    text: Mapping[str, str] = dataclasses.field(default_factory=dict)


def read(image: Image.Image) -> About:
    """What an opened and loaded picture says; a part that is damaged is left out."""
    return About(
        icc_profile=image.info.get("icc_profile") or None,
        exif=_read(_exif, image),
        xmp=_read(_xmp, image),
        iptc=_read(_iptc, image),
        dpi=_read(_dpi, image),
        comment=_read(_comment, image),
        text=_read(_text, image) or {},
    )


def options(about: About, name: str, orientation: int = 1) -> dict[str, Any]:
    """The arguments with which Pillow's `save` writes it; for TIFF see `tags`.

    Args:
        about: what to write; a container keeps what it has a place for.
        name: the container's, as Pillow calls it.
        orientation: of pixels that are not upright, as EXIF counts.
    """
    exif = _oriented(about.exif, orientation)
    found: dict[str, Any] = {"icc_profile": about.icc_profile, "dpi": about.dpi}
    if name == "JPEG":
        found |= {"exif": _short(exif), "xmp": _short(_trimmed(about.xmp)), "comment": _short(about.comment)}
        found["extra"] = _photoshop(about.iptc)
    elif name == "PNG":
        found |= {"exif": exif, "pnginfo": _chunks(about)}
    elif name in ("WEBP", "AVIF", "HEIF"):
        found |= {"exif": exif, "xmp": about.xmp}
        found.pop("dpi")
    elif name == "BMP":
        found.pop("icc_profile")
    return {key: value for key, value in found.items() if value}


def tags(about: About) -> dict[int, Any]:
    """The same as tags of a TIFF's directory; a value that is a dict is a directory of its own."""
    exif = Image.Exif()
    exif.load(about.exif or b"")
    found: dict[int, Any] = dict(exif)
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if directory in found:
            found[directory] = dict(exif.get_ifd(directory))
    if about.dpi:
        resolution = (ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit)
        found |= dict(zip(resolution, (*about.dpi, 2), strict=True))
    known = {ExifTags.Base.InterColorProfile: about.icc_profile, _XMP: about.xmp, _IPTC: about.iptc}
    return found | {tag: value for tag, value in known.items() if value}


# Reading


def _read(part: Any, image: Image.Image) -> Any:
    try:
        return part(image)
    except Exception:  # damaged metadata of an intact picture
        return None


def _exif(image: Image.Image) -> bytes | None:
    """With the orientation, the sizes and whatever holds a picture left out."""
    old, new = image.getexif(), Image.Exif()
    for tag in old.keys() & (_DESCRIPTIVE | _RESOLUTION):
        new[tag] = old[tag]
    shot = {tag: value for tag, value in old.get_ifd(ExifTags.IFD.Exif).items() if _is_kept(tag, value)}
    for directory, values in ((ExifTags.IFD.Exif, shot), (ExifTags.IFD.GPSInfo, old.get_ifd(0x8825))):
        if values:
            new[directory] = dict(values)
    return new.tobytes() if len(new) else None


def _is_kept(tag: int, value: Any) -> bool:
    if isinstance(value, dict) or tag in _SIZES or tag == ExifTags.IFD.Interop:
        return False
    return not (isinstance(value, bytes) and _JPEG in value)


def _xmp(image: Image.Image) -> bytes | None:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if not found:
        return None
    packet = found.encode() if isinstance(found, str) else bytes(found)
    for element in _ELEMENTS:
        packet = _without(packet, element)
    return _ATTRIBUTES.sub(b"", packet)


def _without(packet: bytes, element: bytes) -> bytes:
    """An XML packet without the elements of a name."""
    kept, start, end = [], b"<" + element, b"</" + element + b">"
    while (first := packet.find(start)) >= 0 and (last := packet.find(end, first)) >= 0:
        kept.append(packet[:first])
        packet = packet[last + len(end) :]
    return b"".join([*kept, packet])


def _iptc(image: Image.Image) -> bytes | None:
    resources = image.info.get("photoshop") or {}
    found = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    if found is None and (directory := getattr(image, "tag_v2", None)) is not None:
        found = directory.get(_IPTC)
    if isinstance(found, tuple):  # numbers of 32 bits, as some programs store it
        found = struct.pack(f"<{len(found)}I", *found)
    return found if isinstance(found, bytes) and found else None


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    across, down = (float(each) for each in image.info["dpi"])
    sound = all(math.isfinite(each) and 1 <= each <= 65_000 for each in (across, down))
    return (across, down) if sound else None


def _comment(image: Image.Image) -> bytes | None:
    found = image.info.get("comment") or getattr(image, "text", {}).get("Comment")
    return found.encode("utf-8", "replace") if isinstance(found, str) else found or None


def _text(image: Image.Image) -> dict[str, str]:
    """Without the keywords under which other programs hide EXIF and XMP, thumbnails included."""
    hidden = ("XML:com.adobe.xmp", "Raw profile type ")
    return {key: value for key, value in getattr(image, "text", {}).items() if not key.startswith(hidden)}


# Writing


def _oriented(exif: bytes | None, orientation: int) -> bytes | None:
    if orientation == 1:
        return exif
    about = Image.Exif()
    about.load(exif or b"")
    about[pictures.ORIENTATION] = orientation
    return about.tobytes()


def _short(data: bytes | None) -> bytes | None:
    return data if data and len(data) <= _SEGMENT else None


def _trimmed(xmp: bytes | None) -> bytes | None:
    """Without the padding that programs leave in a packet for later changes."""
    return re.sub(rb"\s{64,}", b"\n", xmp) if xmp else None


def _photoshop(iptc: bytes | None) -> bytes | None:
    """The JPEG segment in which IPTC records lie."""
    if not iptc or len(iptc) > _SEGMENT:
        return None
    padded = iptc + b"\0" * (len(iptc) % 2)
    resource = b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(iptc)) + padded
    segment = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment


def _chunks(about: About) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    text = dict(about.text)
    if about.comment:
        text.setdefault("Comment", about.comment.decode("utf-8", "replace"))
    for key, value in text.items():
        with contextlib.suppress(ValueError, UnicodeError):  # a keyword that PNG does not allow
            chunks.add_text(key, value)
    if about.xmp:
        chunks.add_itxt("XML:com.adobe.xmp", about.xmp.decode("utf-8", "replace"))
    return chunks
