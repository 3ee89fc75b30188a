"""The benchmark's PyTorch peer computes what the package's trainer computes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from inpainting_tf import recipes
from inpainting_tf.recipes import assembly

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
glcic_torch, steps = (importlib.import_module(name) for name in ("glcic_torch", "steps"))

SIZE, WIDTH, BATCH = 72, 4, 4  # 72: odd sides on the way down, and 2 x 2 where they are flattened


@pytest.fixture
def recipe():
    return recipes.get("glcic").override(
        {
            "data.image_size": SIZE,
            "network.width": WIDTH,
            "discriminator.width": WIDTH,
            "schedule.completion_share": 0.5,
            "schedule.discriminator_share": 0.0,
        }
    )


@pytest.fixture
def trainer(recipe):
    """The package's, at the beginning of the joint phase."""
    keras.utils.set_random_seed(0)
    trainer = assembly.trainer(recipe, total_steps=1000)
    trainer.steps.assign(trainer.boundaries[1])
    return trainer


@pytest.fixture
def peer(trainer):
    """PyTorch's networks with the same weights."""
    modules = glcic_torch.Completion(WIDTH), glcic_torch.Discriminator(SIZE, WIDTH)
    glcic_torch.load_keras_weights(modules, (trainer.completion, trainer.discriminator))
    return modules


def batch() -> dict[str, np.ndarray]:
    """Holes in a corner, at the borders and in the middle, so that windows are cut everywhere."""
    random = np.random.default_rng(0)
    masks = np.zeros((2, BATCH, SIZE, SIZE, 1), "float32")
    for i, (top, left) in enumerate([(0, 0), (50, 3), (9, 61), (31, 33)]):
        masks[0, i, top : top + 9, left : left + 8] = 1
        masks[1, i, left : left + 7, top : top + 10] = 1
    image = random.random((BATCH, SIZE, SIZE, 3), "float32")
    return {"image": image, "mask": masks[0], "real_mask": masks[1]}


def test_same_weights(trainer, peer):
    for ours, theirs in zip((trainer.completion, trainer.discriminator), peer, strict=True):
        assert sum(p.numel() for p in theirs.parameters()) == sum(
            int(np.prod(w.shape)) for w in ours.trainable_weights
        )
        assert sum(b.numel() for b in theirs.buffers()) == sum(
            int(np.prod(w.shape)) for w in ours.non_trainable_weights
        )


def test_same_first_steps(recipe, trainer, peer):
    """A completion step, then a joint one: networks, crops, losses, optimizers, the order of the updates."""
    data = batch()
    ours = {name: keras.ops.convert_to_tensor(value) for name, value in data.items()}
    theirs = glcic_torch.Training(*peer, **steps.settings(recipe), compile_mode=None)
    tensors = glcic_torch.to_torch(data, "cpu")
    for step, same in (
        (trainer.update_completion, theirs.completion_step),
        (trainer.update_both, theirs.joint_step),
    ):
        expected = {name: float(value) for name, value in step(ours).items()}
        got = {name: float(value) for name, value in same(tensors).items()}
        assert got == pytest.approx({name: expected[name] for name in got}, rel=1e-4)


def test_same_fills(trainer, peer):
    """C for use, with statistics that are not those of the beginning."""
    data = batch()
    trainer.update_completion({name: keras.ops.convert_to_tensor(value) for name, value in data.items()})
    glcic_torch.load_keras_weights(peer[:1], [trainer.completion])
    theirs = glcic_torch.Inference(peer[0], precision="float32", compiled=False)
    got = theirs.fill(data["image"], data["mask"])
    np.testing.assert_allclose(got, trainer.completion.fill(data["image"], data["mask"]), atol=1e-5)
