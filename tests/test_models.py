"""The models that come with the package: there, small, described, and better than the classical fills."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import ROOT, command, contents, tiny_flags

import inpainting_tf
from inpainting_tf import classical, data, models, runs
from inpainting_tf.data import synthetic_faces
from inpainting_tf.ops import masks
from inpainting_tf.ops.images import to_float
from inpainting_tf.ops.masks import Mask
from inpainting_tf.ops.metrics import hole_psnr


@pytest.mark.parametrize("name", models.NAMES)
def test_a_model_is_small_and_says_what_it_is(name):
    folder = models.locate(name)
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for heading in ("## Data", "## Training", "## Measured", "## Limits"):
        assert heading in card
    recipe = runs.open_run(folder).recipe
    assert f"--model={recipe.name}" in card and f"--mask={recipe.mask.train.kind}" in card
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8_000_000


def test_photos_is_what_inpaint_uses_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    face = synthetic_faces.face(3, (109, 89))
    hole = np.zeros((109, 89), np.uint8)
    hole[45:60, 30:50] = 255
    Image.fromarray(face).save("face.png")
    Image.fromarray(hole).save("hole.png")
    done = command("inpaint", "--image=face.png", "--mask=hole.png", "--output=out.png")
    assert done.status == 0, done.err
    filled = np.asarray(Image.open("out.png"))
    assert np.array_equal(filled, inpainting_tf.inpaint(inpainting_tf.load("photos"), face, hole))
    assert (filled == face)[hole == 0].all() and (filled != face)[hole > 0].any()


@pytest.mark.parametrize(
    ("name", "size", "hole"), [("photos", 128, 48), ("faces", 128, 48), ("cifar10", 32, 6)]
)
def test_a_model_knows_its_scale(name, size, hole):
    scale = inpainting_tf.load(name).facts.scale
    assert scale.size == (size, size) and scale.hole == hole


def test_a_run_goes_before_the_model_of_its_name(trained, tmp_path, monkeypatch):
    """`train.py --workdir=cifar10` and then `eval.py --workdir=cifar10` are about one thing."""
    monkeypatch.chdir(tmp_path)
    assert inpainting_tf.load("cifar10").facts.trained_on == (32, 6)
    (tmp_path / "cifar10").mkdir()
    assert inpainting_tf.load("cifar10").facts.trained_on == (32, 6), "a folder of something else"
    shutil.copytree(trained, tmp_path / "cifar10", dirs_exist_ok=True)
    assert inpainting_tf.load("cifar10").facts.trained_on == (16, 3)
    assert runs.open_run("cifar10").folder == tmp_path / "cifar10"
    done = command("eval.py", "--workdir=cifar10")
    assert done.status == 0 and (tmp_path / "cifar10" / "metrics.json").is_file()


def test_the_command_that_a_training_prints_measures_that_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = contents(models.locate("cifar10"))
    trained = command("train.py", *tiny_flags("direct_conv", schedule__epochs=1), "--workdir=cifar10")
    assert trained.status == 0, trained.err
    printed = re.search(r"Next: python (\S+eval\.py) (--workdir=cifar10)  ", trained.out)
    assert command(*printed.groups()).status == 0
    found = json.loads((tmp_path / "cifar10" / "metrics.json").read_text(encoding="utf-8"))
    assert found["recipe"]["name"] == "direct_conv" and found["images"] == 5
    assert not (tmp_path / "evaluations").exists()
    monkeypatch.undo()
    assert contents(models.locate("cifar10")) == package


def test_a_shipped_model_is_known_by_any_path(tmp_path):
    (tmp_path / "link").symlink_to(models.locate("faces").parent)
    assert models.is_shipped(tmp_path / "link" / "faces") and models.is_shipped(models.locate("faces"))
    assert not models.is_shipped(tmp_path / "faces")


def test_nothing_is_written_into_the_package(tmp_path, monkeypatch):
    home = tmp_path / "models"
    shutil.copytree(ROOT / "tests" / "written" / "packed_glcic", home / "faces")
    monkeypatch.setattr(models, "_HOME", home)
    monkeypatch.chdir(tmp_path)
    before = contents(home)
    done = command("eval.py", "--workdir=faces")
    assert done.status == 0, done.err
    assert contents(home) == before and (tmp_path / "evaluations" / "metrics.json").is_file()


def stated(name: str) -> dict[str, tuple[float, float]]:
    """Kind of hole -> (hole PSNR of the model, of the biharmonic fill), from the card's table."""
    card = (models.locate(name) / "MODEL_CARD.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", card, re.MULTILINE)
    return {kind: (float(ours), float(theirs)) for kind, ours, theirs in rows}


def measured(name: str, kind: str, data_dir: Path, count: int, details=("auto",)) -> tuple[float, ...]:
    """The same on the first `count` test pictures; of the model with each of the details."""
    run = runs.open_run(models.locate(name))
    found = data.load(run.recipe.data, data_dir, names=run.pictures(), splits=("test",))
    pictures = np.asarray(found.test.images[:count])
    holes, images = masks.fixed(Mask(kind), range(len(pictures)), pictures.shape[1:3]), to_float(pictures)
    model = inpainting_tf.load(name)
    fills = [to_float(inpainting_tf.inpaint(model, pictures, holes, detail=detail)) for detail in details]
    fills.append(classical.get("biharmonic")(images * (1 - holes), holes))
    return tuple(float(np.mean(hole_psnr(images, fill, holes))) for fill in fills)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["portrait", "strokes"])
def test_faces_it_never_saw_are_filled_as_the_card_says(kind, real_data_dir, tmp_path):
    pictures = runs.open_run(models.locate("faces")).pictures()
    assert len(pictures["test"]) == 250 and not set(pictures["test"]) & set(pictures["validation"])
    (tmp_path / "celeba").symlink_to(real_data_dir / "celeba" / "img_align_celeba")
    (tmp_path / "ffhq").symlink_to(real_data_dir / "ffhq128")
    ours, theirs = measured("faces", kind, tmp_path, 250)
    assert (ours, theirs) == pytest.approx(stated("faces")[kind], abs=0.03)
    assert ours > theirs + (0.5 if kind == "strokes" else 1.5)


@pytest.mark.slow
def test_pictures_of_cifar10_it_never_saw_are_filled_as_the_card_says(real_data_dir):
    assert all("test" in name for name in runs.open_run(models.locate("cifar10")).pictures()["test"])
    ours, theirs = measured("cifar10", "mixed", real_data_dir / "tfds", 1000)
    assert (ours, theirs) == pytest.approx(stated("cifar10")["mixed"], abs=0.03)
    assert ours > theirs + 0.5


@pytest.mark.slow
def test_photographs_it_never_saw_are_filled_as_the_card_says(real_data_dir):
    ours, smooth, theirs = measured("photos", "photograph", real_data_dir / "photos", 250, ("auto", "none"))
    assert (ours, theirs) == pytest.approx(stated("photos")["photograph"], abs=0.03)
    assert smooth > theirs + 1.25 and ours > theirs + 0.95, "texture costs a part of what was gained"
