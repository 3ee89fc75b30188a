"""Two batches through a discriminator in one call: as in two."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from inpainting_tf import backends, recipes
from inpainting_tf.networks import joined, layers
from inpainting_tf.networks.glcic import iizuka_discriminator
from inpainting_tf.recipes import assembly

SIZE = (32, 24)


@pytest.fixture
def one_device_of_tensorflow(monkeypatch):
    """The rule is for TensorFlow; what it does is right on every backend."""
    monkeypatch.setattr(backends, "name", "tensorflow")


@pytest.fixture
def discriminators():
    """Two with the same weights, none of them its initial one."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    found = [iizuka_discriminator(SIZE, width=4) for _ in range(2)]
    weights = [value + 0.1 * random.random(value.shape) for value in found[0].get_weights()]
    for each in found:
        each.set_weights(weights)
    return found


def batches():
    random = np.random.default_rng(1)
    masks = np.zeros((2, 3, *SIZE, 1), "float32")
    for i in range(3):
        masks[0, i, 3 * i : 3 * i + 6, 2:9] = 1
        masks[1, i, 20:28, 5 * i : 5 * i + 7] = 1
    images = (
        random.random((2, 3, *SIZE, 3), "float32") ** np.array([1, 3], "float32")[:, None, None, None, None]
    )
    return [{"image": image, "mask": mask} for image, mask in zip(images, masks, strict=True)]


def test_outputs_and_moving_statistics_are_those_of_two_calls(discriminators, one_device_of_tensorflow):
    together, apart = discriminators
    before = together.get_weights()
    assert joined.joinable(together)
    found = joined.judged(together, *batches(), training=True)
    expected = [apart(each, training=True) for each in batches()]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(ops.convert_to_numpy(found[0]) - ops.convert_to_numpy(found[1])).max() > 1e-2
    moved = 0
    for one, other, old in zip(together.get_weights(), apart.get_weights(), before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        moved += not np.array_equal(one, old)
    assert moved == 2 * sum(isinstance(each, layers.BatchNormalization) for each in together.layers)


def test_outside_training_the_moving_statistics_rest(discriminators, one_device_of_tensorflow):
    together, apart = discriminators
    found = joined.judged(together, *batches(), training=False)
    for one, each in zip(found, batches(), strict=True):
        np.testing.assert_allclose(one, apart(each, training=False), atol=1e-6)
    for one, other in zip(together.get_weights(), apart.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_context_ends(discriminators):
    together, apart = discriminators
    one = batches()[0]
    with layers.normalized_apart(3):  # of each picture
        alone = together(one, training=True)
    whole, again = apart(one, training=True), apart(one, training=True)
    np.testing.assert_allclose(whole, again, atol=1e-6)
    assert np.abs(ops.convert_to_numpy(whole) - ops.convert_to_numpy(alone)).max() > 1e-2


class Unknown(keras.Model):
    def call(self, inputs, training=False):
        return inputs - ops.mean(inputs, axis=0)


def test_random_and_unknown_layers_take_two_calls(one_device_of_tensorflow, monkeypatch):
    inputs = keras.Input((8, 8, 3))
    for layer in (
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.GaussianNoise(1.0),
    ):
        assert not joined.joinable(keras.Sequential([inputs, layer]))
        assert not joined.joinable(keras.Sequential([inputs, keras.Sequential([layer])]))
    assert joined.joinable(keras.Sequential([inputs, keras.Sequential([keras.layers.Dense(2)])]))
    assert not joined.joinable(keras.Model(inputs, inputs - ops.mean(inputs, axis=0)))
    assert not joined.joinable(Unknown())
    monkeypatch.setattr(backends, "replicas", lambda: 2)
    assert not joined.joinable(keras.Sequential([inputs, keras.layers.Dense(2)]))


def test_the_recipes_discriminators_are_known(one_device_of_tensorflow):
    for name in ("glcic_gentle", "cgan", "context_encoder", "ce_model0", "multiscale_context_encoder"):
        network = assembly.portable_discriminator(recipes.get(name, "smoke"))
        assert joined.joinable(network), name
    assert not joined.joinable(assembly.portable_discriminator(recipes.get("gan_autoencoder", "smoke")))
