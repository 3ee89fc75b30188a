"""Pictures of 16 bits: read, filled and written at 16 bits."""

from __future__ import annotations

import functools
import io
import os

import cv2
import numpy as np
import pytest
import tifffile
from drawing import SIZE, encoded, save, scene
from PIL import Image, ImageCms, PngImagePlugin

from inpainting_tf import inference, photographs
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Facts, Runtime
from inpainting_tf.photographs import deep

BLANK = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(64, 24)))
inpaint = functools.partial(inference.inpaint, BLANK)  # what Poisson blending alone fills in
KINDS = {"grey": 1, "grey, transparent": 2, "colour": 3, "colour, transparent": 4}


def noise(channels: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 2**16, (*size, channels)).astype(np.uint16)


def hole(size: tuple[int, int] = SIZE) -> np.ndarray:
    missing = np.zeros(size, np.float32)
    missing[size[0] // 4 : size[0] // 2, size[1] // 3 : size[1] // 2] = 1
    return missing


def stored(path, pixels: np.ndarray, **options):
    """A file written by other programs' libraries."""
    if path.suffix == ".png":
        swapped = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]] if pixels.shape[2] > 2 else pixels
        path.write_bytes(cv2.imencode(".png", swapped)[1].tobytes())
        return path
    photometric = "minisblack" if pixels.shape[2] < 3 else "rgb"
    extra = {"extrasamples": ["unassalpha"]} if pixels.shape[2] in (2, 4) else {}
    tifffile.imwrite(path, pixels.squeeze(), photometric=photometric, **(extra | options))
    return path


def repaired(name, target, missing):
    photograph = photographs.read(name)
    done = photographs.repair(photograph, missing, inpaint, grow=0)
    photographs.write(target, photograph, done.rgb, done.mask)
    return photographs.read(target)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "grey, transparent"])
@pytest.mark.parametrize("first", ["png", "tif"])
@pytest.mark.parametrize("second", ["png", "tif"])
def test_known_pixels_are_the_same_at_16_bits(tmp_path, kind, first, second):
    pixels = noise(KINDS[kind])
    again = repaired(stored(tmp_path / f"a.{first}", pixels), tmp_path / f"b.{second}", hole())
    known = hole() == 0
    assert again.deep.dtype == np.uint16 and again.deep.shape == pixels.shape
    np.testing.assert_array_equal(again.deep[known], pixels[known])
    assert (again.deep != pixels)[~known].any()
    if "transparent" in kind:
        assert (again.deep[~known][:, -1] == 65535).all()


def test_other_libraries_read_what_is_written(tmp_path):
    pixels = noise(3)
    repaired(stored(tmp_path / "a.png", pixels), tmp_path / "b.tif", hole())
    known = hole() == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif")[known], pixels[known])


@pytest.mark.parametrize("channels", [2, 4])
def test_grey_with_transparency(tmp_path, channels):
    grey = noise(2)
    grey[:8, :8, 1] = 0
    pixels = grey if channels == 2 else grey[..., [0, 0, 0, 1]]
    (tmp_path / "a.png").write_bytes(deep.png(pixels))
    again = repaired(tmp_path / "a.png", tmp_path / "b.png", hole())
    np.testing.assert_array_equal(again.colours[hole() == 0][:, 0], grey[hole() == 0][:, 0])
    np.testing.assert_array_equal(again.deep[hole() == 0][:, -1], grey[hole() == 0][:, -1])


def test_a_transparent_level_of_grey(tmp_path):
    pixels = noise(1)
    level = int(pixels[3, 4, 0])
    data = encoded(pixels[..., 0], "PNG").getvalue()
    chunk = PngImagePlugin.putchunk
    extra = io.BytesIO()
    chunk(extra, b"tRNS", level.to_bytes(2, "big"))
    (tmp_path / "a.png").write_bytes(data[:33] + extra.getvalue() + data[33:])
    found = photographs.read(tmp_path / "a.png")
    assert found.grey and (found.deep[..., 1] == np.where(pixels[..., 0] == level, 0, 65535)).all()


def smooth(low: float, high: float, size=(96, 128)) -> np.ndarray:
    """uint16 [H, W, 3], a sky between two levels."""
    rows, columns = np.mgrid[: size[0], : size[1]] / np.reshape(size, (2, 1, 1))
    ramp = low + (high - low) * (0.7 * rows + 0.3 * columns)
    return np.rint(np.stack([ramp, 0.9 * ramp, 0.8 * ramp], -1)).astype(np.uint16)


@pytest.mark.parametrize(("low", "high"), [(20_000, 24_000), (300, 900), (0, 65_535), (100, 60_000)])
def test_a_sky_is_filled_without_bands(tmp_path, low, high):
    pixels = smooth(low, high)
    again = repaired(stored(tmp_path / "a.tif", pixels), tmp_path / "b.tif", hole((96, 128)))
    missing = hole((96, 128)) > 0
    error = np.abs(again.deep.astype(int) - pixels)[missing]
    assert error.max() < 0.004 * (high - low) + 2, "the ramp goes on"
    assert len(np.unique(again.deep[missing])) > 3 * 256 * (high - low) / 65536 + 100


def test_a_dark_picture_is_seen_bright(tmp_path):
    found = photographs.read(stored(tmp_path / "a.png", smooth(300, 900)))
    assert found.rgb.dtype == np.uint8 and found.rgb.max() > 200 and len(np.unique(found.rgb)) > 80
    linear = smooth(100, 2_000)
    linear[:2] = 60_000  # a lamp
    assert np.median(photographs.read(stored(tmp_path / "c.png", linear)).rgb) > 60
    usual = photographs.read(stored(tmp_path / "b.png", smooth(9_000, 60_000)))
    np.testing.assert_array_equal(usual.rgb, deep.eight_bit(usual.deep))


@pytest.mark.parametrize("tone", [deep.Tone(), deep.Tone(3000.0, 0.5), deep.Tone(65535.0, 0.4)])
def test_a_tone_is_undone(tone):
    levels = np.arange(0, min(int(tone.white), 65535) + 1).astype(np.uint16)
    assert np.abs(tone.undone(tone.applied(levels)).astype(int) - levels).max() <= 2


def test_in_eight_bits_the_levels_are_rounded(tmp_path):
    pixels = smooth(300, 900)
    again = repaired(stored(tmp_path / "a.png", pixels), tmp_path / "b.webp", hole((96, 128)))
    known = hole((96, 128)) == 0
    np.testing.assert_array_equal(again.rgb[known], np.rint(pixels / 257).astype(np.uint8)[known])


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_turned_tiff(tmp_path, orientation):
    pixels = noise(3)
    name = stored(tmp_path / "a.tif", pixels, extratags=[(0x0112, "H", 1, orientation, True)])
    found = photographs.read(name)
    np.testing.assert_array_equal(found.deep, deep.turned(pixels, orientation))
    again = repaired(name, tmp_path / "b.tif", hole(found.rgb.shape[:2]))
    known = hole(found.rgb.shape[:2]) == 0
    np.testing.assert_array_equal(again.deep[known], found.deep[known])


def test_damage_is_not_overlooked_because_its_exif_was_asked_for(tmp_path):
    """The length of the pixels' chunk made OpenCV hang; Pillow told of the damage only once."""
    data = bytearray(stored(tmp_path / "a.png", noise(3)).read_bytes())
    data[33:37] = b"\xff\xff\xff\xff"
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        photographs.read(tmp_path / "a.png")


def test_what_the_file_says_stays(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    donor = encoded(scene((2, 2)), "PNG", icc_profile=profile, exif=exif, dpi=(300, 300)).getvalue()
    plain = stored(tmp_path / "a.png", noise(3)).read_bytes()
    (tmp_path / "a.png").write_bytes(photographs.writing.containers.with_chunks(plain, donor))
    for target in ("b.png", "b.tif"):
        again = repaired(tmp_path / "a.png", tmp_path / target, hole(SIZE[::-1]))
        np.testing.assert_array_equal(again.deep[0, 0], noise(3)[-1, 0])  # turned upright
        assert again.about.icc_profile == profile and again.about.dpi == pytest.approx((300, 300), abs=0.1)
        with Image.open(tmp_path / target) as written:
            assert written.getexif().get(0x010F) == "a camera" and written.getexif().get(0x0112) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_arrays_are_turned_as_pictures_are(orientation):
    pixels = scene((5, 7))
    image, turned = Image.fromarray(pixels), Image.Exif()
    turned[0x0112] = orientation
    expected = photographs.reading.pictures.upright(image, Image.open(encoded(pixels, "PNG", exif=turned)))
    np.testing.assert_array_equal(deep.turned(pixels, orientation), np.asarray(expected))


def test_a_page_of_16_bits(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for channels in (3, 1):
            file.write(noise(channels).squeeze(), photometric="rgb" if channels == 3 else "minisblack")
    np.testing.assert_array_equal(photographs.read(tmp_path / "a.tif", page=2).deep, noise(1))


REFUSED = {
    "planes": ({"planarconfig": "separate"}, lambda x: np.moveaxis(x, -1, 0), "stored in planes"),
    "premultiplied": (
        {"extrasamples": ["assocalpha"]},
        lambda x: np.dstack([x, x[..., 0]]),
        "multiplied into",
    ),
    "signed": ({}, lambda x: x.astype(np.int16), "cannot be read"),
    "32 bits": ({}, lambda x: x.astype(np.uint32), "cannot be read"),
    "inverted": ({"photometric": "miniswhite"}, lambda x: x[..., 0], "neither grey"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_be_read_wrongly_is_refused(tmp_path, kind):
    options, change, reason = REFUSED[kind]
    tifffile.imwrite(tmp_path / "a.tif", change(noise(3)), **({"photometric": "rgb"} | options))
    with pytest.raises(InputError, match=reason):
        photographs.read(tmp_path / "a.tif")


def test_a_truncated_file_is_refused(tmp_path):
    name = stored(tmp_path / "a.png", noise(3))
    os.truncate(name, 4000)
    with pytest.raises(InputError, match="cannot be read"):
        photographs.read(name)


def test_python_fills_16_bits_too():
    pixels = noise(3)
    filled = inpaint(pixels, hole())
    assert filled.dtype == np.uint16 and (filled == pixels)[hole() == 0].all()
    assert (filled != pixels)[hole() > 0].any()


def test_an_eight_bit_picture_is_written_with_eight(tmp_path):
    name = save(tmp_path / "a.png", scene())
    assert repaired(name, tmp_path / "b.png", hole(scene().shape[:2])).deep is None
