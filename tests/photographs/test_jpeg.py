"""JPEGs repaired as they were stored: size, tables, subsampling, and the blocks that no hole touches."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from drawing import encoded, hole, repaired, save, scene
from PIL import Image, JpegImagePlugin

from inpainting_tf import photographs
from inpainting_tf.data import pictures
from inpainting_tf.photographs import jpeg

PICTURE = scene()
HOLE = hole(PICTURE.shape[:2])
BESIDE = {  # what may differ beside the hole, by subsampling: the blocks that it touches, and a pixel around
    0: (slice(8, 48), slice(16, 48)),
    1: (slice(8, 48), slice(15, 49)),
    2: (slice(0, 49), slice(15, 49)),
}


def outside(subsampling: int) -> np.ndarray:
    known = np.ones(HOLE.shape, bool)
    known[BESIDE[subsampling]] = False
    return known


def opened(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("quality", [30, 75, 92, 100])
@pytest.mark.parametrize("subsampling", BESIDE)
@pytest.mark.parametrize("progressive", [False, True])
def test_blocks_that_no_hole_touches_are_the_same(tmp_path, quality, subsampling, progressive):
    options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    name = save(tmp_path / "a.jpg", PICTURE, **options)
    again = repaired(name, tmp_path / "b.jpg", HOLE)
    before = opened(name)
    np.testing.assert_array_equal(again.rgb[outside(subsampling)], before[outside(subsampling)])
    assert np.abs(again.rgb[HOLE].astype(int) - 90).mean() < 12, "the hole is filled"
    assert os.path.getsize(tmp_path / "b.jpg") < 1.05 * os.path.getsize(name)
    with Image.open(name) as old, Image.open(tmp_path / "b.jpg") as new:
        assert new.quantization == old.quantization
        assert JpegImagePlugin.get_sampling(new) == JpegImagePlugin.get_sampling(old) == subsampling
        assert new.info.get("progressive") == old.info.get("progressive")


def test_grey(tmp_path):
    name = save(tmp_path / "a.jpg", PICTURE[..., 0], quality=60)
    again = repaired(name, tmp_path / "b.jpg", HOLE)
    assert again.grey
    np.testing.assert_array_equal(again.rgb[outside(0)][:, 0], opened(name)[outside(0)])


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_picture_stays_turned_and_its_blocks_the_same(tmp_path, orientation):
    about = Image.Exif()
    about[pictures.ORIENTATION] = orientation
    name = save(tmp_path / "a.jpg", PICTURE, quality=75, exif=about)
    upright = photographs.read(name)
    missing = np.zeros(upright.rgb.shape[:2], bool)
    missing[30:50, 60:80] = True
    again = repaired(name, tmp_path / "b.jpg", missing)
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.getexif()[pictures.ORIENTATION] == orientation and written.size == (168, 120)
    far = np.ones(missing.shape, bool)
    far[30 - 18 : 50 + 18, 60 - 18 : 80 + 18] = False
    np.testing.assert_array_equal(again.rgb[far], upright.rgb[far])
    assert np.abs(again.rgb[missing].astype(int) - 90).mean() < 12


def test_the_size_and_the_pixels_without_jpegio(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jpegio", None)
    name = save(tmp_path / "a.jpg", PICTURE, quality=75, subsampling=2)
    again = repaired(name, tmp_path / "b.jpg", HOLE)
    before, known = opened(name), outside(2)
    save(tmp_path / "95.jpg", before, quality=95, subsampling=0)
    shares = [(rgb != before)[known].any(-1).mean() for rgb in (again.rgb, opened(tmp_path / "95.jpg"))]
    assert shares[0] < 0.8 * shares[1]
    assert os.path.getsize(tmp_path / "b.jpg") < 1.1 * os.path.getsize(name)


def test_what_is_called_untouched_is(tmp_path):
    assert not jpeg.untouched(HOLE)[HOLE].any()
    for subsampling in BESIDE:
        file = encoded(PICTURE, "JPEG", quality=75, subsampling=subsampling).getvalue()
        other = encoded(
            np.where(HOLE[..., None], 90, PICTURE).astype(np.uint8), "JPEG", **jpeg.likewise(file)
        )
        exchanged = jpeg.with_blocks_of(file, other.getvalue(), HOLE)
        assert exchanged != other.getvalue()


def test_from_another_format_with_little_loss(tmp_path):
    name = save(tmp_path / "a.png", PICTURE)
    again = repaired(name, tmp_path / "b.jpg", HOLE)
    assert np.abs(again.rgb.astype(int) - PICTURE)[~HOLE].mean() < 2


def test_the_first_picture_of_a_portrait(tmp_path):
    """A phone's MPO has a depth map as its second picture."""
    Image.fromarray(PICTURE).save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))], quality=80
    )
    before = opened(tmp_path / "a.jpg")
    again = repaired(tmp_path / "a.jpg", tmp_path / "b.jpg", HOLE)
    np.testing.assert_array_equal(again.rgb[outside(2)], before[outside(2)])
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.format == "JPEG" and getattr(written, "n_frames", 1) == 1


def test_another_picture_of_a_portrait_is_not_taken_for_the_first(tmp_path):
    images = [Image.fromarray(each) for each in (PICTURE, 255 - PICTURE)]
    images[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=images[1:], quality=95)
    photograph = photographs.read(tmp_path / "a.jpg", page=2)
    photographs.write(tmp_path / "b.jpg", photograph, photograph.rgb, HOLE)
    assert np.abs(photographs.read(tmp_path / "b.jpg").rgb.astype(int) - (255 - PICTURE)).mean() < 4
