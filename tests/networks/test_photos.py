"""`photos`: its layers, what it corrects, and that it sees both the near and the far."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from portability import assert_any_size_and_half_precision

from inpainting_tf.errors import InputError
from inpainting_tf.networks.photos import photos
from inpainting_tf.ops import filling

SIZE = (32, 48)


def batch(count: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    mask = np.zeros((count, *SIZE, 1), "float32")
    mask[:, 8:20, 12:36] = 1.0
    return {"image": 0.1 + 0.8 * rng.random((count, *SIZE, 3), "float32"), "mask": mask}


def changed(network: keras.Model) -> keras.Model:
    """The network with random numbers in place of its zeros, which hide everything before them."""
    rng = np.random.default_rng(1)
    network.set_weights([w if w.any() else rng.normal(0, 0.05, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return changed(photos(SIZE, width=4))


def test_its_layers(network):
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
    assert shapes["down1"] == shapes["up2"] == shapes["half_up2_sum"] == (16, 24, 4)
    assert shapes["down2"] == shapes["up3"] == shapes["quarter_up1_sum"] == (8, 12, 8)
    assert shapes["down3"] == shapes["eighth4_sum"] == (4, 6, 16)
    assert shapes["change"] == (32, 48, 3)
    dilations = [network.get_layer(f"eighth{i}_conv1").dilation_rate for i in (1, 2, 3, 4)]
    assert dilations == [(1, 1), (2, 2), (4, 4), (8, 8)]
    assert photos(64, width=32).count_params() == 1_597_059
    assert "half_down2_sum" in {layer.name for layer in photos(64, width=4, blocks=2).layers}


def test_untrained_it_is_the_thin_plate_fill():
    inputs = batch()
    filled = np.asarray(filling.thin_plate_fill(inputs["image"], inputs["mask"] > 0))
    prediction = photos(SIZE, width=4).predict_on_batch(inputs)
    np.testing.assert_allclose(prediction, np.clip(filled, 0.02, 0.98), atol=1e-5)


def test_every_layer_counts(network):
    """Each is a step on the only way, or a residual block whose change arrives at the output."""
    inputs, weights = batch(), network.get_weights()
    before = network.predict_on_batch(inputs)
    for index, weight in enumerate(weights):
        others = [0 * w if i == index else w for i, w in enumerate(weights)]
        network.set_weights(others)
        assert np.abs(network.predict_on_batch(inputs) - before).max() > 1e-6, network.weights[index].path
        assert weight.any()
    network.set_weights(weights)


def test_a_pixel_in_the_corner_reaches_the_hole(network):
    inputs = batch(1)
    other = {name: value.copy() for name, value in inputs.items()}
    other["image"][0, -1, -1] = 1 - other["image"][0, -1, -1]
    difference = np.abs(network.predict_on_batch(inputs) - network.predict_on_batch(other))[0]
    assert difference[8:20, 12:36].max() > 1e-5


def test_any_size_and_half_precision(network):
    assert_any_size_and_half_precision(lambda size: photos(size, width=4), network, batch(), "down1")


def test_bad_arguments_are_refused():
    for arguments, words in (
        ({"image_size": 36}, "divisible by 8"),
        ({"width": 5}, "`width` must be positive and even"),
        ({"blocks": 0}, "`blocks` must be positive"),
        ({"fill": "pink"}, "`fill` must be one of"),
    ):
        with pytest.raises(InputError, match=words):
            photos(**{"image_size": 32, "width": 8, **arguments})
