"""Folding changes the number of operations and nothing else."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf import networks
from inpainting_tf.export.folding import fold
from inpainting_tf.networks import layers

SIZE = (32, 64)


def settled(model: keras.Model) -> keras.Model:
    """With normalizations that make a difference: random statistics, gains and offsets."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
        elif weight.path.endswith(("moving_mean", "beta", "bias")):
            weight.assign(random.normal(0.0, 0.5, weight.shape))
    return model


def normalizations(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def assert_same(model: keras.Model, folded: keras.Model, inputs: object) -> None:
    expected = np.asarray(model(inputs, training=False))
    assert expected.std() > 1e-3, "a constant would be easy to predict"
    np.testing.assert_allclose(np.asarray(folded(inputs, training=False)), expected, rtol=0, atol=3e-6)


def pictures() -> dict[str, np.ndarray]:
    random, mask = np.random.default_rng(1), np.zeros((2, *SIZE, 1), np.float32)
    mask[0, 5:17, 20:41] = mask[1, 20:, :9] = 1
    return {"image": random.random((2, *SIZE, 3), np.float32), "mask": mask}


# A builder, its arguments, and how many of its normalizations follow a ReLU and so have to stay.
BUILT = {
    "glcic": ({"width": 4}, 0),
    "double_autoencoder": ({"width": 2}, 0),
    "unet": ({"width": 4, "levels": 2}, 0),
    "ce_model3": ({"width": 2}, 0),
    "direct_conv": ({"width": 4}, 0),
    "autoencoder": ({"width": 4}, 3),
    "multiscale_context_encoder": ({"width": 2, "code": 8}, 0),
    "best": ({"width": 4}, 0),
    "photos": ({"width": 4}, 0),
}


@pytest.mark.parametrize("name", BUILT)
def test_the_papers_networks(name):
    arguments, staying = BUILT[name]
    size = SIZE if not networks.get(name).any_size else None
    model = settled(networks.get(name)(size, **arguments))
    before, config = [weight.copy() for weight in model.get_weights()], model.get_config()
    folded = fold(model)
    assert len(normalizations(folded)) == staying
    assert_same(model, folded, pictures())
    assert model.get_config() == config
    assert all(map(np.array_equal, model.get_weights(), before))
    assert set(folded.input) == {"image", "mask"} and folded.name == model.name
    assert folded.facts == model.facts


LINEAR = {
    "Conv2D": lambda: keras.layers.Conv2D(5, 3, 2, "same"),
    "ours, dilated": lambda: layers.Conv2D(5, 3, padding="same", dilation_rate=2, use_bias=False),
    "grouped": lambda: keras.layers.Conv2D(6, 3, groups=3),
    "transposed": lambda: keras.layers.Conv2DTranspose(5, 3, 2, "same", use_bias=False),
    "Dense": lambda: keras.layers.Dense(5),
}
NORMALIZED = {
    "stock": lambda: keras.layers.BatchNormalization(epsilon=0.1),
    "ours": lambda: layers.BatchNormalization(),
    "without scale": lambda: layers.BatchNormalization(scale=False),
    "without center": lambda: layers.BatchNormalization(center=False),
    "without either": lambda: layers.BatchNormalization(scale=False, center=False),
}


@pytest.mark.parametrize("normalization", NORMALIZED)
@pytest.mark.parametrize("linear", LINEAR)
def test_every_kind_of_pair(linear, normalization):
    x = keras.Input((7, 6, 3))
    model = settled(keras.Model(x, NORMALIZED[normalization]()(LINEAR[linear]()(x))))
    folded = fold(model)
    assert normalizations(folded) == []
    assert_same(model, folded, np.random.default_rng(2).random((2, 7, 6, 3), np.float32))


def activated(x):
    return keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="relu")(x))


def listened_to(x):
    y = keras.layers.Conv2D(4, 3)(x)
    return keras.layers.Add()([keras.layers.BatchNormalization()(y), y])


def returned(x):
    y = keras.layers.Conv2D(4, 3)(x)
    return keras.layers.Concatenate()([keras.layers.BatchNormalization()(y), keras.ops.tanh(y)])


def applied_twice(x):
    convolution = keras.layers.Conv2D(3, 3, padding="same")
    return convolution(keras.layers.BatchNormalization()(convolution(x)))


def across_rows(x):
    return keras.layers.BatchNormalization(axis=1)(keras.layers.Conv2D(4, 3)(x))


@pytest.mark.parametrize("build", [activated, listened_to, returned, applied_twice, across_rows])
def test_what_cannot_be_folded_stays(build):
    x = keras.Input((7, 6, 3))
    model = settled(keras.Model(x, build(x)))
    folded = fold(model)
    assert len(normalizations(folded)) == 1
    assert_same(model, folded, np.random.default_rng(2).random((2, 7, 6, 3), np.float32))


def test_an_output_of_the_model_stays_what_it_is():
    x = keras.Input((7, 6, 3))
    y = keras.layers.Conv2D(4, 3)(x)
    model = settled(keras.Model(x, [y, keras.layers.BatchNormalization()(y)]))
    picture = np.random.default_rng(2).random((2, 7, 6, 3), np.float32)
    for got, expected in zip(fold(model)(picture), model(picture), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=0, atol=3e-6)
