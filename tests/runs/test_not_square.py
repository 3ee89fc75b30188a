"""Pictures that are higher than wide, or wider than high: from their files to a trained network's fill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, tiny_flags

import inpainting_tf
from inpainting_tf import data, recipes, runs
from inpainting_tf.data import Data, pictures, prepared, synthetic_faces
from inpainting_tf.evaluation.comparison import TestSet
from inpainting_tf.recipes import assembly

SHAPE = (16, 32)


def flags(*more: str) -> list[str]:
    chosen = tiny_flags("autoencoder", schedule__epochs=1, data__image_size="16x32")
    return [*chosen, "--dataset=folder", "--workdir=run", *more]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Pictures of several shapes, and a run that was trained on them."""
    folder = tmp_path_factory.mktemp("not_square")
    (folder / "mine").mkdir()
    for number in range(30):
        face = synthetic_faces.face(number, (30 + number, 50))
        Image.fromarray(face).save(folder / "mine" / f"{number:02d}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = command("train.py", *flags("--data_dir=mine"))
    assert done.status == 0 and "16x32 px" in done.err, done.err
    return folder


def test_pictures_are_centre_cropped_to_the_shape(place):
    loaded = data.load(Data("folder", SHAPE, train=None, test=3), place / "mine")
    assert loaded.train.images.shape[1:] == (*SHAPE, 3)
    name = loaded.test.names[0]
    whole = pictures.read(place / "mine" / name)
    top = (len(whole) - 25) / 2  # of 50 pixels of width half
    box = (0, top, 50, top + 25)
    centre = Image.fromarray(whole).resize((32, 16), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    np.testing.assert_array_equal(loaded.test.images[0], centre)


def test_the_run_knows_its_shape_and_is_continued(here):
    recipe = json.loads((here / "run" / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["data"]["image_size"] == [16, 32]
    assert runs.open_run("run").recipe.settings()["data.image_size"] == "16x32"
    assert "already trained" in command("train.py", *flags()).err
    turned = [flag.replace("16x32", "32x16") for flag in flags()]
    assert command("train.py", *turned).refuses("another run: data.image_size is", "(16, 32)", "(32, 16)")


def test_it_is_measured_at_its_shape_or_at_another(here):
    assert command("eval.py", "--workdir=run").status == 0
    assert json.loads((here / "run" / "metrics.json").read_text("utf-8"))["image_size"] == [16, 32]
    done = command("eval.py", "--workdir=run", "--image_size=32x24", "--output=other")
    assert done.status == 0, done.err
    assert json.loads((here / "other" / "metrics.json").read_text("utf-8"))["image_size"] == [32, 24]


def test_its_network_fills_any_picture(here):
    model = inpainting_tf.load("run")
    assert model.facts.trained_on == (16, 6), "the shorter side, and the holes of it"
    picture, missing = synthetic_faces.face(1, (40, 24)), np.zeros((40, 24), np.uint8)
    missing[10:20, 8:14] = 1
    filled = model.inpaint(picture, missing)
    assert (filled == picture)[missing == 0].all() and (filled != picture)[missing > 0].any()


def test_pictures_are_prepared_at_a_shape(here):
    options = ("--dataset=folder", "--data_dir=mine", "--image_size=24x16", "--train=none", "--output=ready")
    done = command("inpainting-tf prepare", *options)
    assert done.status == 0 and "24x16 px" in done.out and "--set=data.image_size=24x16" in done.out, done.err
    assert prepared.find("ready").images["train"].shape[1:] == (24, 16, 3)
    wanted = Data("folder", (24, 16), train=None)
    fresh, stored = data.load(wanted, "mine"), data.load(wanted, "ready")
    np.testing.assert_array_equal(stored.train.images, fresh.train.images)
    told = r"\(24, 16\) there and \(16, 24\) here.*--image_size=16x24"
    with pytest.raises(inpainting_tf.InputError, match=told):
        data.load(Data("folder", (16, 24), train=None), "ready")


@pytest.mark.parametrize(
    "program, options",
    [
        ("train.py", ["--model=glcic", "--preset=smoke", "--workdir=new"]),
        ("eval.py", ["--workdir=run", "--output=new"]),
        ("inpainting-tf prepare", ["--dataset=synthetic_faces", "--output=new"]),
    ],
)
def test_what_is_no_size_is_refused_in_one_line(program, options, here):
    mistakes = {"96x": "a side or HEIGHTxWIDTH", "1x2x3": "Received '1x2x3'", "12x64": "at least 16 pixels"}
    for size, rule in mistakes.items():
        assert command(program, *options, f"--image_size={size}").refuses("`image_size` must be", rule)
    assert not (here / "new").exists()


def test_a_test_set_of_another_shape():
    here = TestSet(Data(), None).changed(image_size="32x48")
    assert here.data.image_size == (32, 48) and here.changed(image_size=64).data.shape == (64, 64)


def _different(recipe: recipes.Recipe) -> str:
    return repr((recipe.network, recipe.discriminator, recipe.trainer))


DIFFERENT = {_different(recipe): name for name, recipe in recipes.RECIPES.items()}


@pytest.mark.parametrize("name", DIFFERENT.values())
def test_every_recipe_can(name):
    small = {"network.width": 8, "discriminator.width": 8} if recipes.RECIPES[name].discriminator else {}
    recipe = recipes.get(name, "smoke").override({"network.width": 8, **small, "data.image_size": "32x64"})
    trainer = assembly.trainer(recipe.check(), 3)
    assert trainer.completion.output_shape == (None, 32, 64, 3)
