"""Parts of pictures: the centre, a random one as a function of (seed, step), or the whole squeezed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, tiny_flags

from inpainting_tf import data, recipes
from inpainting_tf.data import Data, crops, pictures, pipeline, sources
from inpainting_tf.data.crops import CENTRE, WHOLE, Part
from inpainting_tf.data.decoding import OnDemand
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation.comparison import TestSet
from inpainting_tf.ops.masks import Mask

SIZE = (16, 24)


def coordinates(height: int, width: int) -> np.ndarray:
    """uint8 [H, W, 3]: a pixel's row and column, as 0 to 255 over the picture."""
    rows, columns = np.mgrid[0:height, 0:width]
    both = np.stack([rows * 255 / (height - 1), columns * 255 / (width - 1), 0 * rows], -1)
    return np.rint(both).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Thirty pictures, each of another size; the last channel has the picture's number."""
    place = tmp_path_factory.mktemp("crops") / "mine"
    place.mkdir()
    for number in range(30):
        picture = coordinates(80 + number, 70)
        picture[..., 2] = number
        Image.fromarray(picture).save(place / f"{number:02d}.png")
    return place


@pytest.mark.parametrize(
    ("part", "box"),
    [
        (CENTRE, (0.0, 20.0, 60.0, 60.0)),
        (WHOLE, (0.0, 0.0, 60.0, 80.0)),
        (Part(0.5, 0.0, 0.0), (0.0, 0.0, 30.0, 20.0)),
        (Part(0.5, 1.0, 1.0), (30.0, 60.0, 60.0, 80.0)),
        (Part(1.0, 0.25, 0.9), (0.0, 10.0, 60.0, 50.0)),
        (Part(zoom=0.0, row=1.0, column=0.0), (0.0, 64.0, 24.0, 80.0)),
        (Part(zoom=1.0), (0.0, 20.0, 60.0, 60.0)),
    ],
)
def test_a_part_by_hand(part, box):
    assert part.box((80, 60), SIZE) == box


def test_a_random_part_is_two_thirds_to_all_and_anywhere_inside():
    parts = crops.drawn("random", np.random.default_rng(0).random((500, crops.NUMBERS), np.float32))
    for size in ((80, 60), (60, 80), (33, 47)):
        boxes = np.array([part.box(size, SIZE) for part in parts])
        heights, widths = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
        np.testing.assert_allclose(heights / widths, 16 / 24, atol=1e-6)
        largest = min(size[0] / 16, size[1] / 24) * 16
        assert 0.66 < heights.min() / largest < 0.68 and 0.98 < heights.max() / largest <= 1
        assert boxes.min() >= 0 and boxes[:, 3].max() <= size[0] and boxes[:, 2].max() <= size[1]
        rooms = boxes[:, :2] / (np.array(size[::-1]) - np.stack([widths, heights], -1))
        assert rooms.min() < 0.02 and rooms.max() > 0.98
        assert np.abs(np.corrcoef(np.column_stack([heights, rooms]).T) - np.eye(3)).max() < 0.2


def test_a_part_of_any_scale_is_as_often_as_not_pixel_by_pixel():
    parts = crops.drawn("zoom", np.random.default_rng(0).random((500, crops.NUMBERS), np.float32))
    boxes = np.array([part.box((320, 240), SIZE) for part in parts])
    scales = (boxes[:, 2] - boxes[:, 0]) / SIZE[1]
    assert 0.45 < np.mean(scales == 1) < 0.55 and 9.5 < scales.max() <= 10
    assert 0.2 < np.mean(scales > 10**0.5) < 0.3, "equal factors"
    assert boxes.min() >= 0 and boxes[:, 3].max() <= 320 and boxes[:, 2].max() <= 240
    assert parts[0].box((12, 12), SIZE)[2] == 12, "a small picture is enlarged"


def test_parts_at_their_own_scale_have_the_pictures_own_pixels(folder):
    source = sources.folder(folder)
    whole, corner = source.read(3), source.read(3, SIZE, Part(zoom=0.0, row=0.33, column=0.5))
    top, left = int(0.33 * (83 - 16)), int(0.5 * (70 - 24))
    np.testing.assert_array_equal(corner, whole[top : top + 16, left : left + 24])


def test_a_picture_is_cut_or_squeezed(folder):
    source = dataclasses.replace(sources.folder(folder), part=WHOLE)
    squeezed, centre = source.read(7, SIZE), sources.folder(folder).read(7, SIZE)
    for axis, channel in ((0, 0), (1, 1)):
        line = squeezed[..., channel].mean(1 - axis)
        assert line[0] < 16 and line[-1] > 239, "from edge to edge"
    assert centre[..., 0].min() > 50 and centre[..., 0].max() < 205, "the middle rows"
    whole = pictures.read(folder / "07.png")
    np.testing.assert_array_equal(squeezed, pictures.resize(whole, SIZE, WHOLE))
    corner = source.read(7, SIZE, Part(0.5, 0.0, 1.0))
    assert corner[..., 0].max() < 80 and corner[..., 1].min() > 120


# Training


def wanted(**changes) -> Data:
    return Data("folder", SIZE, **{"train": None, "validation": 2, "test": 3, **changes})


def batches(images, start=0, stop=12, **changes) -> list[dict]:
    settings = {"batch_size": 4, "seed": 3, "flip": False, "crop": "random"} | changes
    found = pipeline.training_batches(images, Mask(), start=start, stop=stop, **settings)
    return [{key: np.asarray(value) for key, value in batch.items()} for batch in found]


def test_random_parts_are_a_function_of_seed_and_step(folder):
    images = data.load(wanted(crop="random"), folder).train.images
    whole = batches(images)
    for start in (1, 7):
        for mine, theirs in zip(batches(images, start), whole[start:], strict=True):
            for key in theirs:
                np.testing.assert_array_equal(mine[key], theirs[key])
    alike = OnDemand(sources.folder(folder), [0] * 4, SIZE)  # so that their order says nothing
    one, other = (batches(alike, seed=seed, stop=1)[0]["image"] for seed in (3, 4))
    assert (one != other).any((1, 2, 3)).all() and (one[0] != one[1]).any()
    plain = data.load(wanted(), folder).train.images
    for mine, theirs in zip(whole, batches(plain, crop="centre"), strict=True):
        np.testing.assert_array_equal(mine["mask"], theirs["mask"])
        numbers = [np.rint(255 * batch["image"][:, 8, 12, 2]) for batch in (mine, theirs)]
        np.testing.assert_array_equal(*numbers), "the same pictures"


def test_a_picture_comes_in_another_part_each_time(folder):
    images = data.load(wanted(crop="random"), folder).train.images
    assert images.shape == (25, *SIZE, 3) and images.dtype == np.uint8
    seen: dict[int, set[bytes]] = {}
    tops, heights = [], []
    for batch in batches(images, stop=60):
        for picture in batch["image"]:
            seen.setdefault(round(255 * picture[0, 0, 2]), set()).add(picture.tobytes())
            tops.append(picture[0, 12, 0])
            heights.append(picture[-1, 12, 0] - picture[0, 12, 0])
    assert min(len(parts) for parts in seen.values()) > 5
    assert min(tops) < 0.1 and max(tops) > 0.5, "also what the centre leaves out"
    assert max(heights) / min(heights) > 1.35


def test_evaluation_takes_the_centre_of_random_parts_and_the_whole_of_resized_ones(folder):
    centre = data.load(wanted(), folder)
    drawn, squeezed = (data.load(wanted(crop=crop), folder) for crop in ("random", "resize"))
    for which in ("validation", "test"):
        np.testing.assert_array_equal(getattr(drawn, which).images, getattr(centre, which).images)
    np.testing.assert_array_equal(drawn.train.images[[3, 5]], centre.train.images[[3, 5]])
    name, images = squeezed.test.names[1], squeezed.test.images
    np.testing.assert_array_equal(images[1], pictures.resize(pictures.read(folder / name), SIZE, WHOLE))


def test_a_mask_of_a_squeezed_picture_is_squeezed_too(tmp_path):
    missing = np.zeros((40, 24), np.uint8)
    missing[0:5] = 255
    Image.fromarray(missing).save(tmp_path / "a.png")
    mask = Mask("folder", folder=str(tmp_path))
    images = np.zeros((1, *SIZE, 3), np.uint8)
    (batch,) = pipeline.test_batches(images, mask, batch_size=1, names=["a.jpg"], crop="resize")
    assert (batch["mask"][0, :, :, 0] == (np.arange(16) < 2)[:, None]).all()


# Commands


def test_a_training_on_random_parts_is_continued_and_measured(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--dataset=folder", f"--data_dir={folder}", "--crop=random", "--workdir=run"]
    call = [*tiny_flags("autoencoder", schedule__epochs=1, data__image_size="16x24"), *options]
    done = command("train.py", *call)
    assert done.status == 0, done.err
    assert "already trained" in command("train.py", *call).err
    assert command("train.py", *call, "--crop=centre").refuses("data.crop is 'random' there and 'centre'")
    assert command("eval.py", "--workdir=run").status == 0
    assert command("eval.py", "--workdir=run", "--crop=resize", "--output=squeezed").status == 0
    assert (tmp_path / "run" / "metrics.json").exists() and (tmp_path / "squeezed" / "metrics.json").exists()


def test_prepared_pictures_know_their_crop(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--dataset=folder", f"--data_dir={folder}", "--image_size=16x24", "--train=none")
    done = command("inpainting-tf prepare", *options, "--crop=resize", "--output=ready")
    assert done.status == 0 and "--set=data.crop=resize" in done.out, done.err
    stored = data.load(wanted(crop="resize", validation=250, test=250), "ready")
    np.testing.assert_array_equal(
        stored.test.images, data.load(wanted(crop="resize", validation=250, test=250), folder).test.images
    )
    with pytest.raises(InputError, match=r"crop is 'resize' there and 'centre' here.*--crop=centre"):
        data.load(wanted(validation=250, test=250), "ready")
    with pytest.raises(InputError, match=r"`crop` must not be 'random' for prepared pictures.*'ready'"):
        data.load(wanted(crop="random", validation=250, test=250), "ready")


def test_an_unknown_crop_is_refused():
    with pytest.raises(InputError, match=r"`data\.crop` must be one of centre, .*Did you mean 'centre'"):
        recipes.get("glcic").override({"data.crop": "center"}).check()
    with pytest.raises(InputError, match="`crop` must be one of"):
        data.load(wanted(crop="center"))
    assert TestSet(Data(), Mask()).changed(crop="resize").data.crop == "resize"
