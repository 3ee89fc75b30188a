"""Dilated layers learn everywhere; weights' gradients are products of matrices where those are faster."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from running import environment

if keras.backend.backend() != "tensorflow":
    pytest.skip("of TensorFlow alone", allow_module_level=True)

import tensorflow as tf

from inpainting_tf import backends
from inpainting_tf.backends import tensorflow_convolution as convolution
from inpainting_tf.backends.tensorflow_convolution import Geometry
from inpainting_tf.environment import cpuinfo
from inpainting_tf.networks import layers


def pair(count, height, width, kernel, geometry, dtype="float32"):
    """Inputs, and a gradient for the outputs."""
    random = np.random.default_rng(0)
    size = [-(-side // stride) for side, stride in zip((height, width), geometry.strides, strict=True)]
    shapes = (count, height, width, kernel[2]), (count, *size, kernel[3])
    return [tf.cast(random.standard_normal(shape, np.float32), dtype) for shape in shapes]


def usual(inputs, outputs, kernel, geometry):
    """The gradient of TensorFlow's own convolution."""
    weights = tf.zeros(kernel, inputs.dtype)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        y = tf.nn.conv2d(inputs, weights, geometry.strides, "SAME", dilations=geometry.dilation)
    return tape.gradient(y, weights, output_gradients=outputs)


@pytest.mark.parametrize(
    "dilation", [(1, 1), (2, 2), (1, 4), (8, 16)]
)  # the last ones reach out of the picture
@pytest.mark.parametrize("taps", [(3, 5), (2, 3)])
def test_a_product_for_each_tap(dilation, taps):
    kernel, geometry = (*taps, 4, 6), Geometry((1, 1), dilation)
    inputs, outputs = pair(2, 6, 9, kernel, geometry)
    found = convolution.by_taps(inputs, outputs, kernel, geometry)
    np.testing.assert_allclose(found, usual(inputs, outputs, kernel, geometry), atol=1e-4)


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize("size", [(5, 8), (1, 3), (4, 4)])
def test_a_product_of_all_patches(strides, size):
    kernel, geometry = (4, 5, 3, 6), Geometry(strides, (1, 1))
    inputs, outputs = pair(2, *size, kernel, geometry)
    found = convolution.by_patches(inputs, outputs, kernel, geometry)
    np.testing.assert_allclose(found, usual(inputs, outputs, kernel, geometry), atol=1e-4)


@pytest.mark.skipif(
    not convolution.replaced_on(cpuinfo()),
    reason="they are not used on this processor, whose bfloat16 is less exact",
)
@pytest.mark.parametrize("way", [convolution.by_taps, convolution.by_patches])
def test_in_bfloat16_the_products_are_exact_but_for_their_result(way):
    kernel, geometry = (3, 3, 4, 6), Geometry((1, 1), (2, 2))
    inputs, outputs = pair(8, 12, 10, kernel, geometry, "bfloat16")
    exact = usual(tf.cast(inputs, "float32"), tf.cast(outputs, "float32"), kernel, geometry)
    found = way(inputs, outputs, kernel, geometry)
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(found, "float32"), exact, rtol=2**-8, atol=1e-3)


def chosen(size, kernel, strides=1, dilation=1, padding="same", count=8):
    geometry = Geometry((strides, strides), (dilation, dilation))
    inputs = tf.TensorShape((count, *size, kernel[2]))
    return convolution.weights_gradient(inputs, tf.TensorShape(kernel), geometry, padding)


def test_only_where_the_products_are_faster():
    wide, deep = (3, 3, 256, 256), (5, 5, 512, 512)
    assert chosen((32, 24), wide, dilation=2) is convolution.by_taps
    assert chosen((32, 24), (3, 3, 128, 256), dilation=2) is None
    assert chosen((32, 24), wide, dilation=2, padding="valid") is None
    assert chosen((32, 24), wide) is None
    assert chosen((16, 15), deep, strides=2) is convolution.by_patches
    assert chosen((17, 16), deep, strides=2) is None  # 9 x 8 outputs
    assert chosen((16, 16), (5, 5, 128, 128), strides=2) is None
    assert chosen((16, 16), deep, strides=2, count=64) is convolution.by_patches
    assert chosen((16, 16), deep, strides=2, count=65) is None
    assert chosen((16, 16), deep, strides=2, count=None) is None


def test_only_on_processors_that_were_measured():
    assert convolution.replaced_on("flags : fpu avx2 avx512f avx512_bf16")
    assert not convolution.replaced_on("flags : fpu avx2 avx512f avx512_bf16 amx_bf16")
    assert not convolution.replaced_on("flags : fpu avx2")
    assert not convolution.replaced_on("")


@pytest.fixture
def everywhere(monkeypatch):
    """All layers, and this machine, count as those where the products are faster."""
    monkeypatch.setattr(convolution, "CHANNELS", 1)
    monkeypatch.setattr(convolution, "WEIGHTS", 1)
    monkeypatch.setattr(convolution, "_replaceable", lambda: True)


@pytest.mark.parametrize(
    "arguments", [{"dilation_rate": 2}, {"strides": 2}, {"strides": 2, "kernel_size": 4}]
)
def test_the_layer_keeps_its_values_and_gradients(everywhere, arguments):
    settings = {"filters": 5, "kernel_size": 3, "padding": "same"} | arguments
    stock, ours = keras.layers.Conv2D(**settings), layers.Conv2D(**settings)
    x = tf.constant(np.random.default_rng(0).random((2, 7, 8, 3), np.float32))
    stock(x), ours(x)
    ours.set_weights(stock.get_weights())

    def found(layer):
        with tf.GradientTape() as tape, convolution.in_training():
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**2)
        return [y, *tape.gradient(loss, [x, *layer.trainable_variables])]

    for mine, theirs in zip(found(ours), found(stock), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_dilated_layer_learns_in_every_type(dtype):
    exact, layer = (layers.Conv2D(5, 3, padding="same", dilation_rate=2, dtype=d) for d in ("float32", dtype))
    x = np.random.default_rng(0).random((2, 7, 8, 3), np.float32)
    exact(x), layer(x)
    layer.set_weights(exact.get_weights())

    def gradient(layer):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(layer(x), tf.float32) ** 2)
        return tape.gradient(loss, layer.trainable_variables[0])

    scale = np.abs(gradient(exact)).max()
    np.testing.assert_allclose(
        gradient(layer), gradient(exact), atol=scale * (1e-6 if dtype == "float32" else 0.03)
    )


@pytest.mark.slow
def test_a_dilated_layer_learns_without_onednn():
    # As on a processor for which TensorFlow does not choose it, in a program that imported Keras first.
    code = (
        "import keras, numpy as np, tensorflow as tf\n"
        "from inpainting_tf.backends import tensorflow_convolution\n"
        "from inpainting_tf.networks import layers\n"
        "kinds = keras.layers.Conv2D, layers.Conv2D\n"
        "stock, ours = (kind(4, 3, padding='same', dilation_rate=2) for kind in kinds)\n"
        "x = np.random.default_rng(0).random((2, 7, 8, 3), np.float32)\n"
        "stock(x), ours(x)\n"
        "ours.set_weights(stock.get_weights())\n"
        "@tf.function\n"
        "def gradient(layer):\n"
        "    with tf.GradientTape() as tape:\n"
        "        loss = tf.reduce_sum(layer(x) ** 2)\n"
        "    return tape.gradient(loss, layer.trainable_variables[0])\n"
        "np.testing.assert_allclose(gradient(ours), gradient(stock), rtol=1e-4, atol=1e-4)\n"
        "print(tensorflow_convolution.dilates('float32'))\n"
    )
    env = environment(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8")
    assert ended.stdout == "False\n", ended.stderr


def test_a_gradient_can_be_differentiated_again(everywhere):
    # As in a network that searches for its code.
    x = tf.constant(np.random.default_rng(0).random((2, 7, 8, 3), np.float32))
    stock, ours = (kind(4, 3, 2, "same", activation="tanh") for kind in (keras.layers.Conv2D, layers.Conv2D))
    stock(x), ours(x)
    ours.set_weights(stock.get_weights())

    def found(layer):
        with tf.GradientTape() as outer, convolution.in_training():
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x) ** 2)
            steepness = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(steepness, layer.trainable_variables)

    for mine, theirs in zip(found(ours), found(stock), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3)


def operations(layer, shape):
    """The types of operation in a traced gradient of the layer's weights."""

    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x))
        return tape.gradient(loss, layer.trainable_variables)

    graph = tf.function(gradient).get_concrete_function(tf.TensorSpec(shape)).graph
    return {each.type for each in graph.get_operations()}


def test_a_graph_has_it_in_training_alone(everywhere):
    layer = layers.Conv2D(5, 3, strides=2, padding="same")
    layer.build((None, 8, 6, 3))
    replaced = {"ExtractImagePatches", "IdentityN"}
    assert not operations(layer, (2, 8, 6, 3)) & replaced  # what is exported
    with convolution.in_training():
        found = operations(layer, (2, 8, 6, 3))
    assert replaced <= found and "Conv2DBackpropFilter" not in found


def test_a_step_of_training_is_the_training_that_is_meant(everywhere):
    network = keras.Sequential([keras.Input((8, 6, 3)), layers.Conv2D(5, 3, strides=2, padding="same")])
    x, seen = np.random.default_rng(0).random((2, 8, 6, 3), np.float32), []

    def update():
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(network.trainable_variables)

        def losses():
            seen.append(convolution._in_training.get())
            return tf.reduce_mean(network(x) ** 2), {}

        backends.minimise(None, losses, optimizer, network)
        return network.get_weights()

    before = network.get_weights()
    replaced = update()
    assert seen == [True] and not convolution._in_training.get()
    network.set_weights(before)
    convolution.CHANNELS = convolution.WEIGHTS = 10**9
    for one, other in zip(replaced, update(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
