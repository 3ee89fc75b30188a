"""Picture files for `fuzz_files.py`: valid ones of every format, mode and metadata, and damaged ones.

Everything is a function of a NumPy random generator. Damage knows the structure of the files: lengths, sizes,
types and counts are changed where they stand, and the checksums of a PNG are made right again.
"""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from inpainting_tf.photographs import formats

formats.readable()  # registers HEIC
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SPECIAL = (0, 1, 2, 3, 8, 16, 127, 255, 256, 1000, 9000, 32767, 65535, 2**24, 2**31 - 1, 2**32 - 1)
MODES = {
    "JPEG": ("L", "RGB", "RGB", "CMYK"),
    "MPO": ("RGB",),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "LAB", "YCbCr", "16"),
    "GIF": ("P", "L"),
    "AVIF": ("RGB", "RGBA"),
    "HEIF": ("RGB", "RGBA"),
}
UNREAD = {"CMYK", "I", "F", "LAB", "YCbCr"}  # modes that are refused, in words
COMPRESSIONS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")


@dataclasses.dataclass(frozen=True)
class PictureFile:
    """A file's bytes.

    Attributes:
        data: the file.
        name: of the format.
        sound: whether it ought to be read.
        about: what it is, for a report.
    """

    data: bytes
    name: str
    sound: bool
    about: str


def picture(random: np.random.Generator) -> PictureFile:
    """A picture of some format, undamaged."""
    name = str(random.choice(list(MODES)))
    mode = str(random.choice(MODES[name]))
    size = tuple(int(side) for side in random.integers(1, 65, 2))
    frames = int(random.integers(2, 4)) if name == "MPO" or random.random() < 0.06 else 1
    if mode == "16":
        data, sound = _deep(random, name, size)
    else:
        data = _shallow(random, name, mode, size, frames)
        alone = frames == 1 or name in ("MPO", "JPEG", "BMP", "AVIF", "HEIF", "PNG", "WEBP")
        sound = mode not in UNREAD and (alone and (frames == 1 or name == "MPO"))
    return PictureFile(data, name, sound, f"{name} {mode} {size[0]}x{size[1]} frames={frames}")


def pixels(random: np.random.Generator, size: tuple[int, int], channels: int) -> np.ndarray:
    """uint8 [H, W, C]: noise, or soft shapes."""
    if random.random() < 0.3:
        return random.integers(0, 256, (*size, channels)).astype(np.uint8)
    coarse = random.integers(0, 256, (5, 4, channels)).astype(np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, channels)


def _shallow(random: np.random.Generator, name: str, mode: str, size: tuple[int, int], frames: int) -> bytes:
    images = [_image(random, mode, size) for _ in range(frames)]
    options = _options(random, name, mode)
    if frames > 1 and name in ("MPO", "TIFF", "GIF"):
        options |= {"save_all": True, "append_images": images[1:]}
    file = io.BytesIO()
    try:
        images[0].save(file, name, **options)
    except Exception:  # metadata that the format cannot hold
        file = io.BytesIO()
        images[0].save(file, name)
    return file.getvalue()


def _image(random: np.random.Generator, mode: str, size: tuple[int, int]) -> Image.Image:
    if mode == "LAB":
        return Image.new("LAB", size[::-1], 40)
    if mode in ("LA", "RGBA"):
        image = Image.fromarray(pixels(random, size, 3)).convert(mode[:-1])
        image.putalpha(Image.fromarray(_alpha(random, size)))
        return image
    image = Image.fromarray(pixels(random, size, 3))
    return image.quantize(int(random.integers(2, 200))) if mode == "P" else image.convert(mode)


def _alpha(random: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    kind = random.integers(4)
    if kind == 0:
        return np.full(size, 255, np.uint8)
    if kind == 1:
        return pixels(random, size, 1)[..., 0]
    alpha = np.full(size, 255, np.uint8)
    alpha[: size[0] // 2, : size[1] // 3] = 0 if kind == 2 else 128
    return alpha


def _deep(random: np.random.Generator, name: str, size: tuple[int, int]) -> tuple[bytes, bool]:
    """16 bits, in the arrangements that other programs write."""
    channels = int(random.choice([1, 3, 4]))
    levels = random.integers(0, 65536, (*size, channels)).astype(np.uint16)
    if name == "PNG":
        order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
        return cv2.imencode(".png", levels[..., order])[1].tobytes(), True
    kind = str(random.choice(["plain", "zlib", "planes", "signed", "white", "big-endian"]))
    options: dict = {"photometric": "rgb" if channels > 2 else "minisblack"}
    options |= {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    options |= {"zlib": {"compression": "zlib"}, "big-endian": {"byteorder": ">"}}.get(kind, {})
    if kind == "planes" and channels > 1:
        levels, options = np.moveaxis(levels, -1, 0), options | {"planarconfig": "separate"}
    if kind == "white":
        levels, options = levels[..., 0], {"photometric": "miniswhite"}
    if kind == "signed":
        levels = levels.astype(np.int16)
    file = io.BytesIO()
    tifffile.imwrite(file, levels if levels.ndim == 2 or channels > 1 else levels[..., 0], **options)
    return file.getvalue(), kind in ("plain", "zlib", "big-endian") or (kind == "planes" and channels == 1)


# Metadata


def _options(random: np.random.Generator, name: str, mode: str) -> dict:
    options: dict = {}

    def sometimes(share: float, key: str, value: Callable[[], object]) -> None:
        if random.random() < share:
            options[key] = value()

    sometimes(0.4, "exif", lambda: _exif(random, name))
    sometimes(0.3, "icc_profile", lambda: PROFILE if random.random() < 0.7 else _bytes(random, 400))
    sometimes(0.3, "dpi", lambda: tuple(float(x) for x in random.choice([0, 1, 72, 300.5, 1e6], 2)))
    sometimes(0.3, "xmp", lambda: b"<x:xmpmeta>" + _bytes(random, 300) * int(random.choice([1, 300])))
    if name in ("JPEG", "MPO"):
        sometimes(0.9, "quality", lambda: int(random.integers(1, 101)))
        sometimes(0.7, "subsampling", lambda: int(random.integers(0, 3)))
        sometimes(0.3, "progressive", lambda: True)
        sometimes(0.2, "restart_marker_blocks", lambda: int(random.integers(1, 4)))
        sometimes(0.3, "comment", lambda: _bytes(random, 50))
        sometimes(0.1, "qtables", lambda: [[int(q) for q in random.integers(1, 256, 64)] for _ in range(2)])
    if name == "PNG":
        sometimes(0.4, "pnginfo", lambda: _text(random))
        sometimes(0.1 if mode in ("P", "L") else 0, "transparency", lambda: int(random.integers(0, 2)))
    if name == "WEBP":
        sometimes(0.5, "lossless", lambda: True)
    if name == "TIFF":
        possible = COMPRESSIONS if mode in ("L", "RGB") else COMPRESSIONS[:-1]
        compression = random.choice(np.array(possible, object))
        options.pop("exif" if compression or random.random() < 0.5 else "", None)  # Pillow cannot write both
        options |= {"compression": compression} if compression else {}
        sometimes(0.3, "tiffinfo", lambda: {700: _bytes(random, 99), 270: "text", 33723: _bytes(random, 33)})
    return options


def _bytes(random: np.random.Generator, most: int) -> bytes:
    return random.bytes(int(random.integers(1, most)))


def _exif(random: np.random.Generator, name: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(0, 10))
    exif[0x010F], exif[0x0132] = "maker", "2020:01:01 00:00:00"
    exif[0x011A] = float(random.choice([72, 300, 0.5]))
    for tag in random.choice(
        [271] if name == "TIFF" else [254, 256, 257, 258, 259, 262, 277, 278, 317, 338, 339, 37500], 2
    ):
        exif[int(tag)] = "maker" if tag == 271 else int(random.integers(0, 65536))
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 0x927C: _bytes(random, 60), 0xA002: 7}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, float(random.integers(0, 60)))}
    return exif.tobytes()


def _text(random: np.random.Generator) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a title " * int(random.integers(1, 50)), zip=bool(random.integers(2)))
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    info.add_text("Raw profile type exif", "\nexif\n 3\n414243")
    return info


# Damage


def damaged(random: np.random.Generator, file: PictureFile) -> PictureFile:
    """The file with one to three mistakes in it."""
    data, told = file.data, []
    for _ in range(int(random.integers(1, 4))):
        change = random.choice(np.array([_field, _field, _field, _noise, _cut, _part], object))
        data = change(random, data, file.name) or data
        told.append(change.__name__)
    return PictureFile(data, file.name, False, f"{file.about} {' '.join(told)}")


def _noise(random: np.random.Generator, data: bytes, name: str) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 20))):
        changed[int(random.integers(len(changed)))] = int(random.integers(256))
    return bytes(changed)


def _cut(random: np.random.Generator, data: bytes, name: str) -> bytes:
    return data[: int(random.integers(1, len(data) + 1))]


def _part(random: np.random.Generator, data: bytes, name: str) -> bytes:
    """A chunk or segment is missing, or there twice."""
    spans = [(start, stop) for start, stop, _ in _parts(data, name)]
    if not spans:
        return _cut(random, data, name)
    start, stop = spans[int(random.integers(len(spans)))]
    return data[:start] + data[start:stop] * int(random.choice([0, 2])) + data[stop:]


def _field(random: np.random.Generator, data: bytes, name: str) -> bytes:
    """A number in the file's structure has another value."""
    fields = [field for _, _, fields in _parts(data, name) for field in fields]
    if not fields:
        return _noise(random, data, name)
    offset, code = fields[int(random.integers(len(fields)))]
    size = struct.calcsize(code)
    if offset + size > len(data):
        return data
    (old,) = struct.unpack_from(code, data, offset)
    near = old + int(random.integers(-3, 4))
    value = (near if random.random() < 0.4 else int(random.choice(SPECIAL))) % 256**size
    changed = data[:offset] + struct.pack(code, value) + data[offset + size :]
    return _with_checksums(changed) if name == "PNG" and random.random() < 0.8 else changed


Part = tuple[int, int, list[tuple[int, str]]]  # from, to, and (place, struct code) of the numbers in it


def _parts(data: bytes, name: str) -> Iterator[Part]:
    parsers = {"PNG": _chunks, "JPEG": _segments, "MPO": _segments, "TIFF": _entries, "WEBP": _riff}
    yield from parsers.get(name, _head)(data)


def _chunks(data: bytes) -> Iterator[Part]:
    start = 8
    while start + 12 <= len(data):
        length = struct.unpack_from(">I", data, start)[0]
        stop = start + 12 + length
        body = [(start + 8 + place, ">I" if place < 8 else "B") for place in (0, 4, *range(8, 13))]
        yield start, min(stop, len(data)), [(start, ">I"), *body[: max(0, length // 2)]]
        start = stop


def _with_checksums(data: bytes) -> bytes:
    fixed = bytearray(data)
    for start, stop, _ in _chunks(data):
        if stop - start >= 12:
            struct.pack_into(">I", fixed, stop - 4, zlib.crc32(data[start + 4 : stop - 4]))
    return bytes(fixed)


def _segments(data: bytes) -> Iterator[Part]:
    start = 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        stop = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
        body = [(place, "B") for place in range(start + 4, min(stop, start + 24))]
        sizes = [(start + 5, ">H"), (start + 7, ">H")] if data[start + 1] in (0xC0, 0xC2) else []
        yield start, min(stop, len(data)), [(start + 1, "B"), (start + 2, ">H"), *body, *(3 * sizes)]
        if data[start + 1] == 0xDA:
            return
        start = stop


def _entries(data: bytes) -> Iterator[Part]:
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack_from(order + "I", data, 4)[0] if len(data) >= 8 else 0
    if not 8 <= start <= len(data) - 2:
        return
    count = struct.unpack_from(order + "H", data, start)[0]
    yield start, start + 2, [(4, order + "I"), (start, order + "H")]
    for place in range(start + 2, min(start + 2 + 12 * count, len(data) - 12), 12):
        fields = [(place, "H"), (place + 2, "H"), (place + 4, "I"), (place + 8, "I"), (place + 8, "H")]
        yield place, place + 12, [(offset, order + code) for offset, code in fields]


def _riff(data: bytes) -> Iterator[Part]:
    start = 12
    while start + 8 <= len(data):
        stop = start + 8 + struct.unpack_from("<I", data, start + 4)[0]
        body = [(place, "B") for place in range(start + 8, min(stop, start + 20))]
        yield start, min(stop, len(data)), [(4, "<I"), (start + 4, "<I"), *body]
        start = stop + stop % 2


def _head(data: bytes) -> Iterator[Part]:
    """BMP, GIF, AVIF, HEIC: numbers in the first bytes."""
    stop = min(len(data) - 4, 400)
    for start in range(0, stop, 4):
        yield start, start + 4, [(start, "<I"), (start, ">I"), (start + 1, "<H"), (start + 2, "B")]
