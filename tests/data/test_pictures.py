from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from inpainting_tf.data import pictures
from inpainting_tf.data.pictures import UnreadablePicture


def gradient(height: int = 32, width: int = 48) -> np.ndarray:
    """uint8 [H, W, 3]: red grows downwards, green to the right; no two corners are alike."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 200 // height, columns * 200 // width, 0 * rows + 50], -1).astype(np.uint8)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def constant(path, color, mode="RGB", size=(48, 32), **options):
    Image.new(mode, size, color).save(path, **options)
    return path


# Kinds of files


def test_png_is_read_exactly_from_a_path_a_string_and_an_open_file(tmp_path):
    path = save(tmp_path / "a.png", gradient())
    for file in (path, str(path), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(pictures.read(file), gradient())


def test_result_is_uint8_and_writable(tmp_path):
    picture = pictures.read(save(tmp_path / "a.png", gradient()))
    assert picture.dtype == np.uint8 and picture.flags.writeable


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp", "tif"])
def test_other_formats(tmp_path, suffix):
    picture = pictures.read(save(tmp_path / f"a.{suffix}", gradient()))
    assert picture.shape == (32, 48, 3)
    assert np.abs(picture.astype(int) - gradient()).mean() < 4


def test_greyscale_fills_three_channels(tmp_path):
    picture = pictures.read(save(tmp_path / "a.png", gradient()[..., 0]))
    np.testing.assert_array_equal(picture, np.repeat(gradient()[..., :1], 3, -1))


def test_black_and_white(tmp_path):
    assert (pictures.read(constant(tmp_path / "a.png", 1, mode="1")) == 255).all()


def test_palette(tmp_path):
    Image.fromarray(gradient()).quantize(256).save(tmp_path / "a.png")
    assert np.abs(pictures.read(tmp_path / "a.png").astype(int) - gradient()).max() < 16


def test_palette_with_a_transparent_color_lies_over_white(tmp_path):
    image = Image.new("P", (48, 32), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 24, 32))
    image.save(tmp_path / "a.png", transparency=0)
    picture = pictures.read(tmp_path / "a.png")
    assert (picture[:, :24] == 255).all()
    assert (picture[:, 24:] == [0, 0, 255]).all()


def test_cmyk_jpeg(tmp_path):
    picture = pictures.read(constant(tmp_path / "a.jpg", (0, 255, 255, 0), mode="CMYK"))
    assert np.abs(picture.astype(int) - [255, 0, 0]).max() <= 3


def test_alpha_is_composited_over_white(tmp_path):
    picture = pictures.read(constant(tmp_path / "a.png", (255, 0, 0, 51), mode="RGBA"))
    assert (picture == [255, 204, 204]).all()  # 255 - 51 of white


def test_grey_alpha_is_composited_over_white(tmp_path):
    picture = pictures.read(constant(tmp_path / "a.png", (0, 51), mode="LA"))
    assert (picture == 204).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled_and_rounded(tmp_path, suffix):
    values = np.zeros((8, 9), np.uint16)
    values[0] = [0, 128, 129, 255, 257, 32768, 65278, 65407, 65535]
    save(tmp_path / f"a.{suffix}", values)
    expected = [0, 0, 1, 1, 1, 128, 254, 255, 255]  # value / 257 rounded; 128/257 = 0.498, 129/257 = 0.502
    np.testing.assert_array_equal(pictures.read(tmp_path / f"a.{suffix}")[0, :, 2], expected)


def test_big_endian_16_bit_tiff(tmp_path):
    save(tmp_path / "a.tif", np.full((8, 8), 0x8000, ">u2"))
    assert Image.open(tmp_path / "a.tif").mode == "I;16B"
    assert (pictures.read(tmp_path / "a.tif") == 128).all()


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bit_pixels_are_refused_because_their_white_is_unknown(tmp_path, dtype):
    save(tmp_path / "a.tif", np.ones((8, 8), dtype))
    with pytest.raises(UnreadablePicture, match="no fixed range"):
        pictures.read(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animation_gives_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (48, 32), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert (pictures.read(tmp_path / f"a.{suffix}")[0, 0] > 200).tolist() == [True, False, False]


def test_multi_picture_jpeg_of_a_phone(tmp_path):
    frames = [Image.new("RGB", (48, 32), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    assert (pictures.read(tmp_path / "a.mpo", (16, 24))[0, 0] > 200).tolist() == [True, False, False]


# EXIF


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),  # "right top": turn the stored picture clockwise
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("suffix", ["png", "tif"])  # Pillow turns TIFFs by itself: not twice
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(tmp_path, orientation, suffix):
    path = save(tmp_path / f"a.{suffix}", gradient(), exif=exif(orientation))
    np.testing.assert_array_equal(pictures.read(path), UPRIGHT[orientation](gradient()))


def test_exif_orientation_of_a_large_jpeg_resized(tmp_path):
    path = save(tmp_path / "a.jpg", gradient(512, 768), exif=exif(6), quality=95)
    picture = pictures.read(path, (48, 32))
    assert picture.shape == (48, 32, 3)
    expected = np.rot90(gradient(32, 48), -1)
    assert np.abs(picture.astype(int) - expected).max() <= 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("tags", [b"XX", b"II*\0", b"II*\0\xff\xff\xff\xffgarbage"])
def test_damaged_exif_does_not_cost_the_picture(tmp_path, suffix, tags):
    path = save(tmp_path / f"a.{suffix}", gradient(), exif=b"Exif\0\0" + tags)
    assert pictures.read(path).shape == (32, 48, 3)


# What is refused


def refused(file) -> str:
    with pytest.raises(UnreadablePicture) as caught:
        pictures.read(file)
    return str(caught.value)


def test_empty_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert refused(tmp_path / "a.jpg") == "empty file"


def test_text_named_jpg(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>404 not found</html>", encoding="utf-8")
    assert "not a picture" in refused(tmp_path / "a.jpg")


def test_missing_file_and_folder(tmp_path):
    assert refused(tmp_path / "none.jpg") == "No such file or directory"
    assert refused(tmp_path) == "Is a directory"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
def test_truncated(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    path = save(tmp_path / f"a.{suffix}", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(path)


def test_corrupt_png(tmp_path):
    path = save(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8))
    data = bytearray(path.read_bytes())
    data[1000:1400] = bytes(400)
    path.write_bytes(data)
    assert refused(path)


def test_one_pixel_and_the_smallest_side(tmp_path):
    assert refused(constant(tmp_path / "a.png", 0, size=(1, 1))) == "1x1 px is smaller than 8 px"
    assert refused(constant(tmp_path / "b.png", 0, size=(48, 7))) == "7x48 px is smaller than 8 px"
    assert pictures.read(constant(tmp_path / "c.png", 0, size=(48, 8))).shape == (8, 48, 3)


def test_decompression_bomb(tmp_path):
    constant(tmp_path / "a.png", 0, mode="1", size=(16000, 12000))
    assert (tmp_path / "a.png").stat().st_size < 100_000
    assert "bomb" in refused(tmp_path / "a.png")


def test_postscript_is_not_run_through_an_interpreter(tmp_path):
    constant(tmp_path / "a.eps", "red")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    assert "not a picture" in refused(tmp_path / "a.jpg")


def test_reasons_are_one_line_without_the_path(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"broken" * 20)
    reason = refused(tmp_path / "a.png")
    assert "\n" not in reason and str(tmp_path) not in reason and "BytesIO" not in reason


# Size


def test_resize_crops_the_centre_of_a_wide_picture():
    picture = np.zeros((32, 96, 3), np.uint8)
    picture[:, 32:64] = 255  # the centre square
    assert (pictures.resize(picture, (32, 32)) == 255).all()
    whole = pictures.resize(picture, (16, 48))  # cropping before or after resizing comes to the same
    np.testing.assert_array_equal(pictures.resize(picture, (16, 16)), whole[:, 16:32])


def test_resize_crops_the_centre_of_a_tall_picture():
    picture = np.zeros((96, 32, 3), np.uint8)
    picture[32:64] = 255
    assert (pictures.resize(picture, (32, 32)) == 255).all()


def test_resize_keeps_the_whole_picture_of_the_same_aspect_ratio_and_does_not_distort():
    picture = pictures.resize(gradient(64, 96), (32, 48))
    assert picture.shape == (32, 48, 3)
    assert np.abs(picture.astype(int) - gradient(32, 48)).max() <= 6


def test_a_square_stays_a_square():
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[79:139, 59:119] = 255  # 60 x 60 px in the middle
    small = pictures.resize(picture, (64, 64))[..., 0] > 127
    rows, columns = small.any(1).nonzero()[0], small.any(0).nonzero()[0]
    assert len(rows) == len(columns) == round(60 * 64 / 178)
    assert abs(rows[0] + rows[-1] - 63) <= 1 and abs(columns[0] + columns[-1] - 63) <= 1


def test_resize_does_not_alias():
    stripes = np.zeros((64, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    grey = pictures.resize(stripes, (16, 24))[2:-2, 2:-2].astype(int)
    assert np.abs(grey - 127).max() <= 3


def test_resize_to_the_own_size_changes_nothing():
    np.testing.assert_array_equal(pictures.resize(gradient(), (32, 48)), gradient())


def test_small_pictures_are_enlarged():
    assert pictures.resize(gradient(8, 10), (32, 48)).shape == (32, 48, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_reading_at_a_size_is_reading_then_resizing(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", gradient(320, 300), quality=95)
    whole = pictures.resize(pictures.read(path), (32, 48)).astype(int)
    np.testing.assert_allclose(pictures.read(path, (32, 48)).astype(int), whole, atol=4)


def test_a_jpeg_under_four_times_the_size_is_decoded_in_full(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (218, 178, 3), np.uint8)
    path = save(tmp_path / "a.jpg", noise)
    for size in ((64, 64), (64, 48), (48, 64)):
        np.testing.assert_array_equal(pictures.read(path, size), pictures.resize(pictures.read(path), size))
