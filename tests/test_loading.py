"""Which engine runs a network, and that a shipped one needs neither Keras nor TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import inpainting_tf
from inpainting_tf import Inpainter, InputError, loading, models
from inpainting_tf.export import onnx

SIDES = {"photos": (128, 192), "faces": (128, 192), "cifar10": (32, 48)}
# None in `sys.modules` makes a package appear not to be installed.
WITHOUT = ["keras", "tensorflow", "tensorflow_datasets", "jax", "matplotlib", "skimage", "tensorboardX"]


def pictures(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Three pictures with structure of all scales, and holes, thin and large."""
    random, (height, width) = np.random.default_rng(0), SIDES[name]
    images = np.zeros((3, height, width, 3))
    for side in (4, 8, 16):
        coarse = random.random((3, side, side, 3)).astype(np.float32)
        for image, each in zip(images, coarse, strict=True):
            levels = Image.fromarray((255 * each).astype(np.uint8)).resize((width, height))
            image += np.asarray(levels) / 255 / 3
    masks = np.zeros((3, height, width, 1), np.float32)
    masks[0, height // 2 : height // 2 + 2, 3:-3] = 1
    masks[1, height // 4 : height // 2, width // 4 : width // 2] = 1
    masks[2, -height // 8 :, -width // 8 :] = 1
    return images.astype(np.float32), masks


@pytest.mark.parametrize("name", models.NAMES)
def test_the_stored_network_fills_as_the_keras_model_does(name):
    """Of a network trained anew, the file must be exported anew."""
    (images, masks), network = pictures(name), Inpainter.from_preset(name)
    light = inpainting_tf.load(name)
    assert not isinstance(light, Inpainter) and light.facts == network.facts
    difference = np.abs(light.fill(images, masks) - network.fill(images, masks))
    assert difference.max() <= 1 / 255
    hole = np.broadcast_to(masks > 0, images.shape)
    assert np.abs(network.fill(images, masks) - images)[hole].max() > 4 / 255, "there is something to fill"


def test_the_engine_can_be_chosen(trained):
    assert isinstance(inpainting_tf.load("photos", engine="keras"), Inpainter)
    assert not isinstance(inpainting_tf.load("photos", engine="onnx"), Inpainter)
    assert isinstance(inpainting_tf.load(trained), Inpainter)
    with pytest.raises(InputError, match=r"`engine` 'onnx' takes photos, faces, cifar10, or an \.onnx file"):
        inpainting_tf.load(trained, engine="onnx")


def test_a_run_goes_before_the_stored_network_of_its_name(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").symlink_to(trained)
    assert inpainting_tf.load("photos").name == "gan_direct_conv"


def test_a_process_of_its_own_sets_the_defaults_of_keras_that_a_program_must_have(trained):
    usual = keras.config.epsilon()
    keras.config.set_epsilon(1e-3)
    try:
        with pytest.raises(InputError, match="Keras's `epsilon` must be"):
            loading.load(trained)
        assert loading.load_for_command(trained).facts == loading.load(trained).facts
        assert keras.config.epsilon() == usual
    finally:
        keras.config.set_epsilon(usual)


def test_a_blended_fill_of_an_exported_network_is_that_of_keras(trained, tmp_path):
    """Where a prediction's error at the rim is known, blending takes it away."""
    network = inpainting_tf.load(trained)
    file = onnx.write(network, tmp_path / "a.onnx")
    random = np.random.default_rng(1)
    image = np.asarray(Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).resize((64, 48)))
    mask = np.zeros((48, 64), np.uint8)
    mask[12:24, 20:40] = 255
    expected = inpainting_tf.inpaint(network, image, mask)
    found = inpainting_tf.inpaint(inpainting_tf.load(file), image, mask)
    assert np.abs(found.astype(int) - expected).max() <= 1
    unblended = inpainting_tf.inpaint(network, image, mask, blend="none")
    assert np.abs(unblended.astype(int) - expected).max() > 8, "there is a seam to take away"


@pytest.fixture
def damaged(tmp_path):
    """A folder with photo.png, and mask.png of a scratch and a block."""
    random = np.random.default_rng(2)
    coarse = Image.fromarray(random.integers(0, 256, (8, 10, 3), np.uint8))
    coarse.resize((200, 150)).save(tmp_path / "photo.png")
    mask = np.zeros((150, 200), np.uint8)
    mask[20:22, 10:190] = mask[60:110, 80:140] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


def test_a_picture_is_repaired_where_neither_keras_nor_tensorflow_is_installed(damaged):
    code = f"""
import sys
from inpainting_tf.commands import main
sys.modules.update(dict.fromkeys({WITHOUT!r}))
main.inpaint()
"""
    call = (sys.executable, "-c", code, "--image=photo.png", "--mask=mask.png", "--output=out.png")
    done = subprocess.run(call, cwd=damaged, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "Repaired 1 of 1 pictures: out.png\n"), done.stderr
    before, after, mask = (
        np.asarray(Image.open(damaged / name)) for name in ("photo.png", "out.png", "mask.png")
    )
    assert np.array_equal(before[mask == 0], after[mask == 0])
    assert (before != after)[mask > 0].any(axis=-1).mean() > 0.5
