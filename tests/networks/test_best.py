"""`best`: its layers, what it corrects, and that all of it matters."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from portability import assert_any_size_and_half_precision

from inpainting_tf.errors import InputError
from inpainting_tf.networks.best import best
from inpainting_tf.networks.layers import Refine
from inpainting_tf.ops import filling

SIZE = (32, 48)


def batch(count: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    mask = np.zeros((count, *SIZE, 1), "float32")
    mask[:, 8:20, 12:36] = 1.0
    return {"image": rng.random((count, *SIZE, 3), "float32"), "mask": mask}


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return best(SIZE, width=8)


def test_its_layers(network):
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
    assert shapes["conv1"] == shapes["conv8"] == (32, 48, 8)
    assert shapes["conv3"] == shapes["deconv1"] == shapes["conv7"] == (16, 24, 16)
    assert shapes["conv5"] == shapes["residual4_relu"] == shapes["conv6"] == (8, 12, 32)
    dilations = [network.get_layer(f"residual{i}_conv1").dilation_rate for i in (1, 2, 3, 4)]
    assert dilations == [(1, 1), (2, 2), (4, 4), (8, 8)]
    assert best(64, width=64).count_params() == 7_272_131


def test_without_changes_it_is_the_smooth_fill(network):
    silent = keras.models.clone_model(network)
    silent.get_layer("change").set_weights(
        [np.zeros_like(w) for w in silent.get_layer("change").get_weights()]
    )
    inputs = batch()
    inputs["image"] = 0.1 + 0.8 * inputs["image"]
    filled = np.asarray(filling.smooth_fill(inputs["image"], inputs["mask"] > 0))
    np.testing.assert_allclose(silent.predict_on_batch(inputs), filled, atol=1e-5)


@pytest.mark.parametrize("skip", ["skip1", "skip2", "skip3"])
def test_every_skip_carries(network, skip):
    """A picture that went past the layers below counts: without it the result is another one."""
    inputs = batch()
    joined = network.get_layer(skip)
    below, past = joined.input

    def cut(layer: keras.layers.Layer):
        return CutSkip(name=layer.name) if layer.name == skip else layer

    without = keras.models.clone_model(network, clone_function=cut)
    for layer in network.layers:
        if layer.name != skip:
            without.get_layer(layer.name).set_weights(layer.get_weights())
    assert below.shape == past.shape
    assert np.abs(without.predict_on_batch(inputs) - network.predict_on_batch(inputs)).max() > 1e-3


class CutSkip(keras.layers.Layer):
    """The first of two inputs."""

    def call(self, inputs):
        return inputs[0]


def test_its_parts_can_be_left_out(network):
    def names_of(model: keras.Model) -> set[str]:
        return {layer.name for layer in model.layers}

    without = best(SIZE, width=8, skips=False)
    assert names_of(network) - names_of(without) == {"skip1", "skip2", "skip3"}
    undilated = best(SIZE, width=8, dilations=(1, 1, 1, 1))
    assert undilated.count_params() == without.count_params() == network.count_params()
    assert undilated.get_layer("residual4_conv1").dilation_rate == (1, 1)
    assert "residual3_relu" not in names_of(best(SIZE, width=8, dilations=(1, 2)))
    grey = best(SIZE, width=8, fill="grey")
    assert grey.get_layer("blank_hole").fill == "grey"


def test_any_size_and_half_precision(network):
    assert_any_size_and_half_precision(lambda size: best(size, width=8), network, batch(), "conv1")


def test_refine_by_hand():
    picture = np.array([0.5, 0.5, 0.2, 0.0], "float32")
    change = np.array([0.0, np.log(3.0), -np.log(4.0), 0.0], "float32")
    np.testing.assert_allclose(Refine()([picture, change]), [0.5, 0.75, 1 / 17, 0.02], rtol=1e-5)


def test_bad_arguments_are_refused():
    for arguments, words in (
        ({"image_size": 34}, "divisible by 4"),
        ({"width": 5}, "`width` must be positive and even"),
        ({"fill": "pink"}, "`fill` must be one of"),
    ):
        with pytest.raises(InputError, match=words):
            best(**{"image_size": 32, "width": 8, **arguments})
