"""Kinds of files: several pictures in one, content against name, lossy ones, sizes, and codecs."""

from __future__ import annotations

import io
import os
import sys
import warnings

import numpy as np
import pytest
from drawing import SIZE, animated, colours, encoded, hole, repaired, save, scene
from PIL import Image

from inpainting_tf import photographs
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import formats, writing

# Several pictures in a file


def pages(path, sizes, **options):
    images = [Image.fromarray(colours(size)) for size in sizes]
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


def test_the_page_of_a_tiff_of_which_others_are_reduced(tmp_path):
    name = pages(tmp_path / "a.tif", [(16, 24), SIZE, (8, 12)])
    np.testing.assert_array_equal(photographs.read(name).rgb, colours())


def test_pages_are_chosen_and_are_no_animation(tmp_path):
    name = pages(tmp_path / "a.tif", [SIZE, (30, 48)])
    with pytest.raises(InputError, match=r"it has 2 pages; choose one of them with --page"):
        photographs.read(name)
    np.testing.assert_array_equal(photographs.read(name, page=2).rgb, colours((30, 48)))
    with pytest.raises(InputError, match="it has no page 3, but 1 to 2"):
        photographs.read(name, page=3)


def test_a_page_marked_as_reduced_does_not_count(tmp_path):
    name = tmp_path / "a.tif"
    large, small = (Image.fromarray(colours(size)) for size in (SIZE, (30, 46)))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    large.save(name, save_all=True, append_images=[small])
    np.testing.assert_array_equal(photographs.read(name).rgb, colours())


def test_a_frame_of_an_animation_can_be_chosen(tmp_path):
    animated(tmp_path / "a.gif")
    assert (photographs.read(tmp_path / "a.gif", page=2).rgb[0, 0] == (0, 0, 255)).all()


# Content and name


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.dat", "a"])
def test_the_content_decides(tmp_path, name):
    (tmp_path / name).write_bytes(encoded(scene(), "JPEG").getvalue())
    assert photographs.read(tmp_path / name).rgb.shape == scene().shape
    assert formats.is_picture(tmp_path / name)


def test_what_is_no_picture_is_not_taken_for_one(tmp_path):
    (tmp_path / "a.txt").write_text("a picture", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    assert not formats.is_picture(tmp_path / "a.txt") and not formats.is_picture(tmp_path / "empty")


# Lossy and newer formats


def kind(path) -> str:
    return "lossy" if b"VP8 " in path.read_bytes()[:64] else "lossless"


@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_stays_as_lossy_as_it_was(tmp_path, lossless):
    name = save(tmp_path / "a.webp", scene(), quality=80, lossless=lossless)
    repaired(name, tmp_path / "b.webp", hole(scene().shape[:2]))
    assert kind(tmp_path / "b.webp") == kind(name) == ("lossless" if lossless else "lossy")
    assert os.path.getsize(tmp_path / "b.webp") < 2 * os.path.getsize(name)


@pytest.mark.parametrize("ending", ["avif", "heic", "heif", "hif"])
@pytest.mark.parametrize("transparent", [False, True])
def test_newer_formats_are_read_and_written(tmp_path, ending, transparent):
    picture = scene()
    if transparent:
        picture = np.dstack([picture, np.where(np.arange(168) < 30, 0, 255) + np.zeros((120, 1))])
    missing = hole(scene().shape[:2])
    name = save(tmp_path / "a.png", picture.astype(np.uint8))
    first = repaired(name, tmp_path / f"a.{ending}", missing)
    again = repaired(tmp_path / f"a.{ending}", tmp_path / f"b.{ending}", missing)
    opaque = ~missing & (np.arange(168) >= 40)
    for each in (first, again):
        assert np.abs(each.rgb.astype(int) - scene())[opaque].mean() < 4
        assert (each.alpha is not None and each.alpha[60, 4] == 0) == transparent


def test_heic_without_its_plug_in_says_what_to_install(tmp_path, monkeypatch):
    name = save(tmp_path / "a.png", scene())
    repaired(name, tmp_path / "a.heic", hole(scene().shape[:2]))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF")
    with pytest.raises(InputError, match=r"HEIC needs pillow-heif \(pip install"):
        photographs.read(tmp_path / "a.heic")
    with pytest.raises(InputError, match=r"must not end in \.heic: HEIC needs pillow-heif"):
        photographs.of_path(tmp_path / "b.heic")
    assert formats.is_picture(tmp_path / "a.heic")


@pytest.mark.parametrize(("mode", "named"), {"CMYK": "CMYK", "LAB": "CIE Lab", "F": "floating point"}.items())
def test_colours_that_cannot_be_kept_are_named(tmp_path, mode, named):
    Image.new(mode, SIZE[::-1]).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=f"{named}.*; convert it to"):
        photographs.read(tmp_path / "a.tif")


# Sizes


def test_a_large_picture_is_read_without_a_librarys_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns above it, and refuses twice as much
    name = save(tmp_path / "a.png", colours())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert photographs.read(name).rgb.shape == (*SIZE, 3)
    assert Image.MAX_IMAGE_PIXELS == 1000
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert photographs.read(name).rgb.shape == (*SIZE, 3)


def test_the_limit_is_the_users(tmp_path):
    name = save(tmp_path / "a.png", colours())
    with pytest.raises(
        InputError, match=r"48 x 32 pixels are more than 0\.001 million .*raise --max_megapixels"
    ):
        photographs.read(name, max_megapixels=0.001)
    assert photographs.read(name, max_megapixels=0.002).rgb.shape == (*SIZE, 3)


# What is written is looked at


def test_what_cannot_be_read_again_is_not_written(tmp_path, monkeypatch):
    name = save(tmp_path / "a.png", colours())
    monkeypatch.setattr(writing, "_saved", lambda *_: b"nothing that is a picture")
    with pytest.raises(photographs.NotWritten, match="could not be read again"):
        repaired(name, tmp_path / "b.png", hole())
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_file_that_holds_another_picture_is_not_written(tmp_path, monkeypatch, ending):
    name = save(tmp_path / "a.png", colours())
    other = encoded(255 - colours(), {"png": "PNG", "jpg": "JPEG"}[ending]).getvalue()
    monkeypatch.setattr(writing, "_saved", lambda *_: other)
    with pytest.raises(photographs.NotWritten, match="another picture"):
        repaired(name, tmp_path / f"b.{ending}", hole())


def test_colours_under_transparency_are_kept(tmp_path):
    picture = np.dstack([colours(), np.zeros(SIZE, np.uint8)])
    for ending in ("png", "webp", "tif"):
        again = repaired(save(tmp_path / "a.png", picture), tmp_path / f"b.{ending}", hole())
        np.testing.assert_array_equal(again.rgb[~hole()], colours()[~hole()])


def test_a_picture_too_large_for_a_format_is_told(tmp_path):
    name = save(tmp_path / "a.png", np.zeros((8, 17_000), np.uint8))
    with pytest.raises(InputError, match=r"does not fit into WEBP .* Choose another format"):
        repaired(name, tmp_path / "b.webp", np.zeros((8, 17_000), bool))


def test_an_open_file_is_enough():
    assert photographs.read(io.BytesIO(encoded(colours(), "PNG").getvalue())).rgb.shape == (*SIZE, 3)
