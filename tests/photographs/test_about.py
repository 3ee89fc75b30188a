"""What a file says about its picture: what stays beside the repaired pixels, and what must go."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from drawing import SIZE, colours, encoded, hole, repaired, save, scene
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from inpainting_tf import photographs

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:title>A boat</dc:title></x:xmpmeta>'
IPTC = b"\x1c\x02\x78\x00\x06A boat"  # caption
IPTC_SEGMENT = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0"


def camera() -> Image.Exif:
    about = Image.Exif()
    about[ExifTags.Base.Make], about[ExifTags.Base.Copyright] = "a camera", "somebody"
    about[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2020:02:03 04:05:06"}
    about[ExifTags.IFD.GPSInfo] = {1: "N", 2: (47.0, 30.0, 0.0)}
    return about


SAVING = {
    "jpg": {
        "quality": 90,
        "extra": b"\xff\xed" + struct.pack(">H", len(IPTC_SEGMENT) + 2) + IPTC_SEGMENT,
        "comment": b"by hand",
    },
    "png": {},
    "webp": {"lossless": True},
    "tif": {},
}


def source(folder, ending):
    """A file with everything that its format has a place for."""
    options = {"exif": camera(), "icc_profile": PROFILE, "xmp": XMP, "dpi": (300, 150), **SAVING[ending]}
    if ending == "png":
        options["pnginfo"] = chunks = PngImagePlugin.PngInfo()
        chunks.add_text("Title", "A boat")
        chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
    if ending == "tif":
        tags = options.pop("exif")
        tags[700], tags[33723] = options.pop("xmp"), IPTC
        options["exif"] = tags.tobytes()
    return save(folder / f"a.{ending}", colours(), **options)


def opened(path):
    image = Image.open(path)
    image.load()
    return image


HOLDS = {
    "jpg": "exif icc dpi xmp iptc comment",
    "png": "exif icc dpi xmp",
    "webp": "exif icc xmp",
    "tif": "exif icc dpi xmp iptc",
    "avif": "exif icc xmp",
    "heic": "exif icc xmp",
    "bmp": "dpi",
}


@pytest.mark.parametrize("ending", SAVING)
@pytest.mark.parametrize("target", HOLDS)
def test_what_both_formats_have_a_place_for_stays(tmp_path, ending, target):
    first = photographs.read(source(tmp_path, ending)).about
    second = repaired(tmp_path / f"a.{ending}", tmp_path / f"b.{target}", hole()).about
    both = set(HOLDS[ending].split()) & set(HOLDS[target].split())
    if "icc" in both:
        assert second.icc_profile == PROFILE
    if "dpi" in both:
        assert second.dpi == pytest.approx((300, 150), abs=0.1)
    if "xmp" in both:
        assert b"<dc:title>A boat</dc:title>" in second.xmp
    if "iptc" in both:
        assert second.iptc == first.iptc == IPTC
    if "comment" in both:
        assert second.comment == b"by hand"
    if "exif" in both:
        exif = opened(tmp_path / f"b.{target}").getexif()
        assert exif[ExifTags.Base.Make] == "a camera" and exif[ExifTags.Base.Copyright] == "somebody"
        shot = exif.get_ifd(ExifTags.IFD.Exif)
        assert shot[ExifTags.Base.DateTimeOriginal] == "2020:02:03 04:05:06"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[2] == (47.0, 30.0, 0.0)


def test_the_text_of_a_png_stays_and_a_comment_moves_there(tmp_path):
    again = repaired(source(tmp_path, "png"), tmp_path / "b.png", hole()).about
    assert again.text["Title"] == "A boat"
    assert repaired(source(tmp_path, "jpg"), tmp_path / "c.png", hole()).about.comment == b"by hand"


# What would show what was removed


def thumbnailed(about: Image.Exif) -> bytes:
    """EXIF with a thumbnail, as cameras write it: a second directory, and the JPEG that it points to."""
    small = encoded(scene((24, 32)), "JPEG").getvalue()
    head = about.tobytes()[6:]
    count = struct.unpack_from("<H", head, 8)[0]
    entries = 8 + 2 + 12 * count
    second = len(head)
    data = second + 2 + 2 * 12 + 4
    directory = struct.pack("<HHHIIHHII", 2, 0x0201, 4, 1, data, 0x0202, 4, 1, len(small)) + b"\0" * 4
    return b"Exif\0\0" + head[:entries] + struct.pack("<I", second) + head[entries + 4 :] + directory + small


@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
def test_no_smaller_picture_shows_what_was_removed(tmp_path, target):
    about = camera()
    about[ExifTags.IFD.Exif][ExifTags.Base.MakerNote] = b"preview\xff\xd8\xff\xe0 and so on"
    xmp = XMP.replace(b"</x:x", b"<xmp:Thumbnails><rdf:Alt>/9j/4AAQ</rdf:Alt></xmp:Thumbnails></x:x")
    name = tmp_path / "a.jpg"
    save(name, colours(), exif=thumbnailed(about), xmp=xmp, quality=90)
    assert name.read_bytes().count(b"\xff\xd8\xff") == 3
    repaired(name, tmp_path / f"b.{target}", hole())
    written = (tmp_path / f"b.{target}").read_bytes()
    assert written.count(b"\xff\xd8\xff") == (target == "jpg")
    assert b"/9j/4AAQ" not in written and b"A boat" in written


def test_a_maker_note_without_a_picture_stays(tmp_path):
    about = camera()
    about[ExifTags.IFD.Exif] = {ExifTags.Base.MakerNote: b"serial 7"}
    repaired(save(tmp_path / "a.jpg", colours(), exif=about), tmp_path / "b.jpg", hole())
    shot = opened(tmp_path / "b.jpg").getexif().get_ifd(ExifTags.IFD.Exif)
    assert shot[ExifTags.Base.MakerNote] == b"serial 7"


def test_further_pictures_in_a_file_are_not_announced(tmp_path):
    xmp = b'<x hdrgm:Version="1.0" a:b="c"><Container:Directory><rdf:Seq/></Container:Directory></x>'
    again = repaired(save(tmp_path / "a.jpg", colours(), xmp=xmp), tmp_path / "b.jpg", hole())
    assert b"Container" not in again.about.xmp and b"hdrgm" not in again.about.xmp
    assert b'a:b="c"' in again.about.xmp


# What belongs to the old file


def test_the_tags_of_a_palette_are_not_taken_for_the_pictures(tmp_path):
    image = Image.fromarray(scene()).quantize(64)
    image.save(tmp_path / "p.tif")
    missing = hole(scene().shape[:2])
    again = repaired(tmp_path / "p.tif", tmp_path / "q.tif", missing)
    np.testing.assert_array_equal(again.rgb[~missing], np.asarray(image.convert("RGB"))[~missing])
    assert (again.rgb[missing] == 90).all()


STRUCTURE = {
    "as it is": {},
    "bits and colours": {258: 1, 262: 0, 277: 1},
    "size and strips": {256: 7, 257: 9, 278: 1},
    "tiles": {322: 16, 323: 16},
    "predictor, planes and order": {317: 2, 284: 2, 266: 2},
}


@pytest.mark.parametrize("kind", STRUCTURE)
@pytest.mark.parametrize("target", ["tif", "jpg", "png", "webp"])
def test_exif_with_tags_of_structure(tmp_path, kind, target):
    about = camera()
    for tag, value in STRUCTURE[kind].items():
        about[tag] = value
    name = save(tmp_path / "a.png", colours(), exif=about)
    again = repaired(name, tmp_path / f"b.{target}", hole())
    assert again.rgb.shape == (*SIZE, 3)
    written = opened(tmp_path / f"b.{target}").getexif()
    assert written[ExifTags.Base.Make] == "a camera"
    if target != "tif":
        assert not set(STRUCTURE[kind]) & set(written)


@pytest.mark.parametrize("target", ["jpg", "tif", "png", "webp", "avif"])
def test_metadata_too_long_for_a_format_do_not_keep_the_picture_from_being_repaired(tmp_path, target):
    Image.fromarray(colours()).save(tmp_path / "x.tif", tiffinfo={700: b" " * 70_000, 270: "d" * 70_000})
    assert repaired(tmp_path / "x.tif", tmp_path / f"y.{target}", hole()).rgb.shape == (*SIZE, 3)


def test_the_padding_of_an_xmp_packet_does_not_count(tmp_path):
    name = save(tmp_path / "a.webp", colours(), xmp=XMP + b" " * 70_000 + b"<?xpacket end='w'?>")
    assert b"A boat" in repaired(name, tmp_path / "b.jpg", hole()).about.xmp


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 1), (1e9, 1e9)])
def test_a_senseless_resolution_is_left_out(tmp_path, dpi):
    file = io.BytesIO()
    image = Image.fromarray(colours())
    image.save(file, "TIFF")
    found = Image.open(file)
    found.info["dpi"] = dpi
    assert photographs.about.read(found).dpi is None


def test_damaged_exif_does_not_matter(tmp_path):
    name = save(tmp_path / "a.jpg", colours(), exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x55" * 40)
    assert repaired(name, tmp_path / "b.jpg", hole()).rgb.shape == (*SIZE, 3)
