"""Picture files of one's own: what comes back, what is kept beside the pixels, what is refused in words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from drawing import SIZE, animated, colours, hole, save
from PIL import Image, ImageCms

from inpainting_tf import photographs
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import Photograph

# Pictures


@pytest.mark.parametrize("ending", ["png", "webp", "bmp", "tif"])
def test_what_is_read_and_written_again_is_the_same(tmp_path, ending):
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    save(first, colours(), **({"lossless": True} if ending == "webp" else {}))
    photograph = photographs.read(first)
    np.testing.assert_array_equal(photograph.rgb, colours())
    photographs.write(second, photograph, photograph.rgb)
    np.testing.assert_array_equal(np.asarray(Image.open(second)), colours())


def test_a_jpeg_is_written_nearly_as_it_was(tmp_path):
    photograph = photographs.read(save(tmp_path / "a.jpg", colours(), quality=95))
    photographs.write(tmp_path / "b.JPG", photograph, photograph.rgb)
    with Image.open(tmp_path / "b.JPG") as written:
        assert written.format == "JPEG"
        assert np.abs(np.asarray(written).astype(int) - photograph.rgb).mean() < 1


def test_an_open_file_will_do(tmp_path):
    file = io.BytesIO(save(tmp_path / "a.png", colours()).read_bytes())
    np.testing.assert_array_equal(photographs.read(file).rgb, colours())


def test_the_orientation_is_applied_once_and_the_rest_of_the_exif_stays(tmp_path):
    about = Image.Exif()
    about[0x0112], about[0x010F] = 6, "a camera"  # turned by 270 degrees; make
    photograph = photographs.read(save(tmp_path / "a.png", colours(), exif=about))
    np.testing.assert_array_equal(photograph.rgb, np.rot90(colours(), -1))
    photographs.write(tmp_path / "b.png", photograph, photograph.rgb)
    with Image.open(tmp_path / "b.png") as written:
        assert written.getexif().get(0x010F) == "a camera" and written.getexif().get(0x0112) is None
        assert written.size == (32, 48)


def test_the_colour_profile_stays(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photograph = photographs.read(save(tmp_path / "a.png", colours(), icc_profile=profile))
    photographs.write(tmp_path / "b.jpg", photograph, photograph.rgb)
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.info["icc_profile"] == profile


def test_grey_stays_grey_and_exact(tmp_path):
    levels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE)
    photograph = photographs.read(save(tmp_path / "a.png", levels))
    assert photograph.grey and photograph.rgb.shape == (*SIZE, 3)
    photographs.write(tmp_path / "b.png", photograph, photograph.rgb)
    with Image.open(tmp_path / "b.png") as written:
        assert written.mode == "L"
        np.testing.assert_array_equal(np.asarray(written), levels)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_stays_but_for_what_is_filled(tmp_path, mode):
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[hole()], alpha[20:, :10] = 0, 128
    image = Image.fromarray(colours()).convert(mode[:-1])
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "a.png")
    photograph = photographs.read(tmp_path / "a.png")
    np.testing.assert_array_equal(photograph.alpha, alpha)
    photographs.write(tmp_path / "b.png", photograph, photograph.rgb, hole())
    with Image.open(tmp_path / "b.png") as written:
        assert written.mode == mode
        np.testing.assert_array_equal(np.asarray(written)[..., -1], np.where(hole(), 255, alpha))
    with pytest.raises(InputError, match=r"must end in \.png.*transparent in parts.*b\.jpg"):
        photographs.write(tmp_path / "b.jpg", photograph, photograph.rgb, hole())


def test_a_picture_that_is_opaque_after_all_needs_no_transparency(tmp_path):
    photograph = Photograph(colours(), alpha=np.where(hole(), 0, 255).astype(np.uint8))
    photographs.write(tmp_path / "b.jpg", photograph, colours(), hole())
    assert Image.open(tmp_path / "b.jpg").mode == "RGB"


def test_a_palette_becomes_colours(tmp_path):
    image = Image.fromarray(colours()).quantize(16)
    image.save(tmp_path / "a.png")
    photograph = photographs.read(tmp_path / "a.png")
    np.testing.assert_array_equal(photograph.rgb, np.asarray(image.convert("RGB")))


def deep(channels):
    return np.random.default_rng(0).integers(0, 2**16, (*SIZE, channels)).astype(np.uint16).squeeze()


BAD = {
    "CMYK": ("a.jpg", lambda path: save(path, colours(), "CMYK"), "inks for printing"),
    "an animated GIF": ("a.gif", animated, "an animation of 3 frames"),
    "an animated WebP": ("a.webp", animated, "an animation of 3 frames"),
    "nothing": ("a.png", lambda path: None, "No such file"),
    "an empty file": ("a.png", lambda path: path.write_bytes(b""), "empty file"),
    "text": ("a.png", lambda path: path.write_text("a picture", encoding="utf-8"), "not a picture"),
    "a truncated file": (
        "a.png",
        lambda path: path.write_bytes(save(path, deep(3).astype(np.uint8)).read_bytes()[:2000]),
        "cannot be read",
    ),
    "a bomb": ("a.png", lambda path: Image.new("1", (20_000, 20_000)).save(path), "decompression bomb"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_sound_picture_is_told_in_a_line(tmp_path, kind):
    name, make, message = BAD[kind]
    make(tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        photographs.read(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize("name", ["b.gif", "b", "b.jpgg"])
def test_an_ending_that_cannot_be_written(tmp_path, name):
    with pytest.raises(InputError, match="ending of --output"):
        photographs.write(tmp_path / name, Photograph(colours()), colours())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, file_size_limit):
    save(tmp_path / "b.bmp", colours())
    before = (tmp_path / "b.bmp").read_bytes()
    with file_size_limit(1000), pytest.raises(InputError, match="could not be written"):
        photographs.write(tmp_path / "b.bmp", Photograph(colours()), 255 - colours())
    assert (tmp_path / "b.bmp").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
