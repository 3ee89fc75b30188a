"""What the tests of the exchange formats share: networks that behave like trained ones, and pictures."""

from __future__ import annotations

import functools

import keras
import numpy as np

from inpainting_tf import InputError, networks
from inpainting_tf.ops.images import composite

# Of any size; with skip connections and a smooth fill; of one size, whose dense layer and pasted patch are
# rarer operations.
SIZES = {"glcic": (32, 48), "best": (32, 48), "context_encoder": (32, 64)}


@functools.cache
def network(name: str) -> keras.Model:
    """With seeded weights; its normalizations know their data, so that every layer has something to say."""
    size = SIZES[name] if not networks.get(name).any_size else None
    keras.utils.set_random_seed(0)
    model = networks.get(name)(image_size=size, width=4)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            layer.gamma.assign(random.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(random.normal(0, 0.5, layer.beta.shape))
    images, masks = pictures(name, 8)
    model({"image": images, "mask": masks}, training=True)
    return model


def pictures(name: str, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images with colours that no eight bits hold, and a rectangle in each, never in the same place."""
    random, (height, width) = np.random.default_rng(seed), SIZES.get(name, (32, 48))
    coarse = random.random((count, height // 8, width // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    images = np.clip(coarse + random.normal(0, 0.05, coarse.shape), 0, 1).astype(np.float32)
    masks = np.zeros((count, height, width, 1), np.float32)
    for mask in masks:
        top, left = random.integers(0, (height - 12, width - 16))
        mask[top : top + 12, left : left + 16] = 1
    return images, masks


def expected(model: keras.Model, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What Keras makes of them, completed."""
    return composite(images, model.fill(images, masks), masks)


def assert_completed(
    result: np.ndarray, name: str, seed: int, atol: float, mean: float | None = None
) -> None:
    """That the known pixels of `pictures(name, len(result), seed)` are the same bits, and the holes Keras's.

    Args:
        result: float32 [N, H, W, 3].
        name, seed: which network and pictures.
        atol: the largest difference inside the holes.
        mean: the largest mean difference there.
    """
    images, masks = pictures(name, len(result), seed)
    hole = np.broadcast_to(masks > 0, images.shape)
    reference = np.asarray(expected(network(name), images, masks))
    assert result.dtype == np.float32 and result.shape == images.shape
    assert np.array_equal(result[~hole], images[~hole])
    assert reference[hole].std() > 0.05, "a flat fill would hide a hole in the wrong place"
    difference = np.abs(result - reference)[hole]
    assert difference.max() <= atol
    assert mean is None or difference.mean() <= mean


def refusal(call, *args, **kwargs) -> str:
    """The message of the InputError that the call raises; it is one line."""
    try:
        call(*args, **kwargs)
    except InputError as error:
        assert "\n" not in str(error)
        return str(error)
    raise AssertionError("nothing was refused")
