"""The package's layers: the fast ones against Keras's own, the others against NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_tf.errors import InputError
from inpainting_tf.networks import layers
from inpainting_tf.training import precision

SIZE = (12, 20)


def pictures(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def values_and_gradients(layer: keras.Layer, x: np.ndarray, **arguments) -> list[np.ndarray]:
    """The output, and the gradients of a weighted sum of it for the input and every weight."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(layer(x, **arguments), "float32")
        weights = tf.constant(pictures(*y.shape, seed=7))
        loss = tf.reduce_sum(y * weights)
    return [np.array(v) for v in (y, *tape.gradient(loss, [x, *layer.trainable_variables]))]


# Conv2D


def require_as_in_keras(arguments, x, atol):
    """The two convolutions, with the same weights: their values and gradients for `x`."""
    stock, ours = keras.layers.Conv2D(**arguments), layers.Conv2D(**arguments)
    stock(x), ours(x)
    ours.set_weights(stock.get_weights())
    for mine, theirs in zip(values_and_gradients(ours, x), values_and_gradients(stock, x), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=atol)


@pytest.mark.parametrize("dilation", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_dilated_convolution_is_that_of_keras(dilation, padding):
    if padding == "valid":
        dilation = min(dilation, 5)  # what the picture has room for
    arguments = {"filters": 5, "kernel_size": 3, "padding": padding, "dilation_rate": dilation}
    require_as_in_keras(arguments, pictures(2, *SIZE, 4), atol=2e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1), (2, 3)])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel", [(5, 5), (3, 5), (4, 5)])
def test_a_convolution_of_a_picture_one_pixel_wide_is_that_of_keras(size, strides, kernel):
    arguments = {"filters": 3, "kernel_size": kernel, "strides": strides, "padding": "same"}
    require_as_in_keras(arguments, pictures(4, *size, 2), atol=1e-4)


def test_taps_that_only_meet_padding_get_no_gradient_in_bfloat16():
    # The kernel of TensorFlow 2.21 on a CPU with bfloat16 leaves these entries uninitialised.
    arguments = {"filters": 16, "kernel_size": 5, "strides": 2, "padding": "same", "use_bias": False}
    x = pictures(8, 1, 1, 16)
    exact = keras.layers.Conv2D(**arguments)
    exact(x)
    with precision.policy("mixed_bfloat16"):
        ours = layers.Conv2D(**arguments)
    ours(x)
    ours.set_weights(exact.get_weights())
    expected = values_and_gradients(exact, x)[2]
    middle = np.zeros((5, 5), bool)
    middle[2, 2] = True
    for round_ in range(20):
        tf.random.normal((5, 5, 16, 16 + round_)) * np.float32(np.nan)  # leaves NaN in freed memory
        gradient = values_and_gradients(ours, x)[2]
        assert (gradient[~middle] == 0).all()
        np.testing.assert_allclose(gradient[middle], expected[middle], atol=0.02 * np.abs(expected).max())


# BatchNormalization


def both_normalizations(x: np.ndarray) -> tuple[keras.Layer, keras.Layer]:
    stock, fast = keras.layers.BatchNormalization(), layers.BatchNormalization()
    stock(x), fast(x)
    weights = [value + 0.1 * np.abs(pictures(*value.shape, seed=3)) for value in stock.get_weights()]
    stock.set_weights(weights)
    fast.set_weights(weights)
    return fast, stock


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalization_is_that_of_keras(training):
    x = 3 * pictures(2, *SIZE, 4) + 1
    fast, stock = both_normalizations(x)
    mine, theirs = (values_and_gradients(layer, x, training=training) for layer in (fast, stock))
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-4)


def test_the_moving_statistics_are_those_of_keras():
    # Three values per channel: between the variance of a sample and of a population lies a factor of 1.5.
    x = 3 * pictures(1, 1, 3, 4) + 1
    fast, stock = both_normalizations(x)
    before = fast.get_weights()
    fast(x, training=True), stock(x, training=True)
    for mine, theirs, old in zip(fast.get_weights()[2:], stock.get_weights()[2:], before[2:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
        assert np.abs(mine - old).min() > 1e-4


@pytest.mark.parametrize("frozen", [True, False])
def test_the_moving_statistics_rest_outside_training(frozen):
    x = pictures(2, *SIZE, 4)
    fast, stock = both_normalizations(x)
    before = fast.get_weights()
    fast.trainable = stock.trainable = not frozen
    y = fast(x, training=frozen)
    np.testing.assert_allclose(y, stock(x, training=frozen), atol=2e-5)
    for old, new in zip(before, fast.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_normalization_in_bfloat16_keeps_float32_statistics():
    with precision.policy("mixed_bfloat16"):
        layer = layers.BatchNormalization()
    y = layer(pictures(2, *SIZE, 4), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert {keras.backend.standardize_dtype(v.dtype) for v in layer.variables} == {"float32"}


def test_fast_layers_travel_through_a_file(tmp_path):
    inputs = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, padding="same", dilation_rate=2)(inputs)
    model = keras.Model(inputs, layers.CropAroundHole((4, 6))([layers.BatchNormalization()(x), x[..., :1]]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    np.testing.assert_array_equal(again(pictures(1, *SIZE, 3)), model(pictures(1, *SIZE, 3)))


# ChannelwiseDense


def channelwise_dense(*shape: int) -> layers.ChannelwiseDense:
    layer = layers.ChannelwiseDense()
    layer.build((None, *shape))
    layer.bias.assign(pictures(*shape, seed=5))
    return layer


def test_a_channelwise_dense_layer_is_that_by_hand():
    height, width, channels = 2, 3, 4
    layer, x = channelwise_dense(height, width, channels), pictures(5, height, width, channels)
    kernel, bias = layer.get_weights()
    expected = np.zeros(x.shape)
    for n, row, column, c in np.ndindex(*x.shape):
        weights = kernel[c, :, row * width + column]
        expected[n, row, column, c] = x[n, :, :, c].flatten() @ weights + bias[row, column, c]
    out = layer(x)
    assert out.shape == layer.compute_output_shape(x.shape) == x.shape
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_channels_do_not_mix_but_all_positions_of_one_do():
    layer, x = channelwise_dense(3, 5, 4), pictures(2, 3, 5, 4)
    changed = x.copy()
    changed[0, 1, 2, 3] += 1
    difference = np.array(layer(changed)) - np.array(layer(x))
    assert (difference[0, ..., 3] != 0).all()
    difference[0, ..., 3] = 0
    assert (difference == 0).all()


def test_the_initial_matrix_of_each_channel_is_glorots():
    layer = layers.ChannelwiseDense()
    layer.build((None, 8, 8, 16))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (16, 64, 64) and bias.shape == (8, 8, 16)
    variance = 2 / (64 + 64)
    np.testing.assert_allclose(kernel.var(axis=(1, 2)), variance, rtol=0.1)
    assert (bias == 0).all()


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_channelwise_dense_layer_travels_through_a_file(policy, tmp_path):
    x = pictures(2, 3, 5, 4)
    with precision.policy(policy):
        inputs = keras.Input((3, 5, 4))
        model = keras.Model(inputs, layers.ChannelwiseDense(name="connected")(inputs))
    layer = model.get_layer("connected")
    layer.bias.assign(pictures(3, 5, 4))
    assert layer.kernel.dtype == "float32"
    out = model(x)
    assert keras.backend.standardize_dtype(out.dtype) == policy.removeprefix("mixed_")
    exact = channelwise_dense(3, 5, 4)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(tf.cast(out, "float32"), exact(x), atol=1e-6 if policy == "float32" else 0.05)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.get_layer("connected")) is layers.ChannelwiseDense
    np.testing.assert_array_equal(tf.cast(again(x), "float32"), tf.cast(out, "float32"))


def test_a_channelwise_dense_layer_needs_a_size():
    with pytest.raises(InputError, match=r"fixed height and width.*None, None, 4, 2"):
        layers.ChannelwiseDense()(keras.Input((None, 4, 2)))


# BlankHole, Composite


def hole(top: int, left: int, height: int, width: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    mask = np.zeros((1, *size, 1), "float32")
    mask[:, top : top + height, left : left + width] = 1
    return mask


@pytest.mark.parametrize(("fill", "value"), [("black", 0.0), ("grey", 0.5), ("white", 1.0)])
def test_the_hole_is_painted_over(fill, value):
    image, mask = np.random.default_rng(0).random((1, *SIZE, 3), "float32"), hole(2, 3, 4, 9)
    out = np.array(layers.BlankHole(fill)([image, mask]))
    np.testing.assert_array_equal(out, np.where(mask > 0, np.float32(value), image))


def test_mean_is_the_colour_of_each_pictures_own_known_pixels():
    image = np.random.default_rng(0).random((2, *SIZE, 3), "float32")
    mask = np.concatenate([hole(0, 0, 6, 10), hole(5, 1, 3, 15)])
    out = np.array(layers.BlankHole("mean")([image, mask]))
    for k in range(2):
        known = mask[k, ..., 0] == 0
        np.testing.assert_allclose(
            out[k][~known], np.tile(image[k][known].mean(0), ((~known).sum(), 1)), atol=1e-6
        )
        np.testing.assert_array_equal(out[k][known], image[k][known])


@pytest.mark.parametrize("fill", layers.FILLS)
@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e30])
def test_nothing_under_the_hole_gets_out(fill, poison):
    image, mask = np.random.default_rng(0).random((1, *SIZE, 3), "float32"), hole(2, 3, 4, 9)
    dirty = np.where(mask > 0, np.float32(poison), image)
    blank = layers.BlankHole(fill)
    np.testing.assert_array_equal(blank([dirty, mask]), blank([image, mask]))


@pytest.mark.parametrize("fill", layers.FILLS)
def test_a_picture_that_is_all_hole_is_finite(fill):
    out = layers.BlankHole(fill)(
        [np.full((1, *SIZE, 3), np.nan, "float32"), np.ones((1, *SIZE, 1), "float32")]
    )
    assert np.isfinite(out).all()


def test_blank_hole_names_bad_arguments():
    with pytest.raises(InputError, match=r"`fill`.*black, white, mean.*'pink'"):
        layers.BlankHole("pink")
    with pytest.raises(InputError, match=r"divisible by 4.*12 x 18"):
        layers.BlankHole("black", 4)([np.zeros((1, 12, 18, 3)), np.zeros((1, 12, 18, 1))])


def test_composite_keeps_the_known_pixels():
    image, prediction, mask = pictures(1, *SIZE, 3), pictures(1, *SIZE, 3, seed=1), hole(2, 3, 4, 9)
    out = layers.Composite()([image, prediction, mask])
    np.testing.assert_array_equal(out, np.where(mask > 0, prediction, image))


# CropAroundHole


def window(first: int, last: int, size: int, length: int) -> slice:
    start = min(max((first + last + 1 - size) // 2, 0), length - size)
    return slice(start, start + size)


@pytest.mark.parametrize(
    ("top", "left", "height", "width"),
    [
        *[(top, left, 2, 3) for top in (0, 10) for left in (0, 17)],
        *[(4, 7, 3, 5), (3, 6, 4, 7), (0, 0, 12, 20), (5, 2, 1, 1)],
    ],
)
@pytest.mark.parametrize("size", [(6, 10), (4, 4)])
def test_the_window_is_centred_on_the_hole_and_inside_the_picture(top, left, height, width, size):
    image = pictures(1, *SIZE, 3)
    out = layers.CropAroundHole(size)([image, hole(top, left, height, width)])
    rows = window(top, top + height - 1, size[0], SIZE[0])
    columns = window(left, left + width - 1, size[1], SIZE[1])
    np.testing.assert_array_equal(out, image[:, rows, columns])


def test_an_empty_mask_gives_the_centre():
    image = pictures(1, *SIZE, 3)
    out = layers.CropAroundHole((6, 10))([image, np.zeros((1, *SIZE, 1), "float32")])
    np.testing.assert_array_equal(out, image[:, 3:9, 5:15])


def test_each_picture_has_its_own_window_and_gradient():
    image = tf.constant(pictures(2, *SIZE, 3))
    masks = np.concatenate([hole(0, 0, 2, 2), hole(10, 18, 2, 2)])
    with tf.GradientTape() as tape:
        tape.watch(image)
        out = layers.CropAroundHole((6, 10))([image, masks])
        total = tf.reduce_sum(out)
    np.testing.assert_array_equal(out, np.stack([image[0, :6, :10], image[1, 6:, 10:]]))
    expected = np.zeros((2, *SIZE, 3))
    expected[0, :6, :10] = expected[1, 6:, 10:] = 1
    np.testing.assert_array_equal(tape.gradient(total, image), expected)


# PastePatch


# By hand: a hole (first and last row, first and last column) in a 32x48 picture, where a 12x12 patch goes.
PLACES = [
    *[((top, top + 11, left, left + 11), (top, left)) for top in (0, 9, 20) for left in (0, 17, 36)],
    ((0, 4, 0, 6), (0, 0)),  # a smaller hole in each corner: the window stays inside the picture
    ((0, 4, 43, 47), (0, 36)),
    ((29, 31, 0, 2), (20, 0)),
    ((31, 31, 47, 47), (20, 36)),
    ((0, 2, 20, 25), (0, 17)),  # and at an edge
    ((10, 14, 46, 47), (6, 36)),
    ((5, 24, 3, 32), (9, 12)),  # a larger one: the patch covers its middle
    (None, (10, 18)),  # none
]


@pytest.mark.parametrize(("rows_and_columns", "corner"), PLACES)
def test_a_patch_goes_over_the_window_around_the_hole(rows_and_columns, corner):
    image = np.full((1, 32, 48, 3), np.nan, "float32")  # a product with a known pixel would show
    patch = np.arange(12 * 12 * 3, dtype="float32").reshape(1, 12, 12, 3) / 7
    mask = np.zeros((1, 32, 48, 1), "float32")
    if rows_and_columns:
        top, bottom, left, right = rows_and_columns
        mask[:, top : bottom + 1, left : right + 1] = 1
    expected = image.copy()
    expected[:, corner[0] : corner[0] + 12, corner[1] : corner[1] + 12] = patch
    out = layers.PastePatch()([image, patch, mask])
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(layers.CropAroundHole((12, 12))([np.nan_to_num(out), mask]), patch)


def test_each_picture_gets_its_own_patch_even_one_that_is_not_square():
    image, patch = pictures(2, *SIZE, 3), pictures(2, 4, 6, 3, seed=1)
    expected = image.copy()
    expected[0, :4, :6], expected[1, 8:, 14:] = patch
    masks = np.concatenate([hole(0, 0, 2, 2), hole(10, 18, 2, 2)])
    np.testing.assert_array_equal(layers.PastePatch()([image, patch, masks]), expected)


def test_the_gradient_of_a_patch_is_that_of_its_window():
    image, patch, weights = (tf.constant(pictures(1, *size, 3)) for size in (SIZE, (4, 6), SIZE))
    with tf.GradientTape() as tape:
        tape.watch([image, patch])
        total = tf.reduce_sum(weights * layers.PastePatch()([image, patch, hole(3, 5, 4, 6)]))
    of_image, of_patch = tape.gradient(total, [image, patch])
    np.testing.assert_array_equal(of_patch, weights[:, 3:7, 5:11])
    outside = np.ones((1, *SIZE, 1), "float32") - hole(3, 5, 4, 6)
    np.testing.assert_array_equal(of_image, weights * outside)


def test_a_patch_larger_than_the_picture_is_refused():
    with pytest.raises(InputError, match=r"`patch`.*12 x 20.*4 x 24"):
        layers.PastePatch()([np.zeros((1, *SIZE, 3)), np.zeros((1, 4, 24, 3)), np.zeros((1, *SIZE, 1))])


# Sampling


def test_a_sample_has_the_mean_and_deviation_it_is_given():
    means, deviations = np.array([2.0, -1.0, 0.0], "float32"), np.array([0.5, 3.0, 1.0], "float32")
    count = 40_000
    given = [np.tile(v, (count, 1)) for v in (means, 2 * np.log(deviations))]
    sample = np.array(layers.Sampling(seed=0)(given, training=True), "float64")
    np.testing.assert_array_less(np.abs(sample.mean(0) - means), 4 * deviations / count**0.5)
    np.testing.assert_array_less(np.abs(sample.std(0) - deviations), 4 * deviations / (2 * count) ** 0.5)
    correlations = np.corrcoef(sample.T) - np.eye(3)
    assert np.abs(correlations).max() < 4 / count**0.5


def test_each_call_draws_anew_and_a_seed_repeats_them():
    given = [np.zeros((2, 5), "float32"), np.zeros((2, 5), "float32")]
    one, other = layers.Sampling(seed=3), layers.Sampling.from_config(layers.Sampling(seed=3).get_config())
    draws = [np.array(one(given, training=True)) for _ in range(2)]
    assert np.abs(draws[0] - draws[1]).min() > 0
    np.testing.assert_array_equal(draws, [np.array(other(given, training=True)) for _ in range(2)])


def test_in_inference_a_sample_is_the_mean():
    mean = pictures(2, 5)
    np.testing.assert_array_equal(layers.Sampling()([mean, np.ones((2, 5), "float32")]), mean)


def test_the_gradient_passes_through_a_sample():
    mean, log_variance = tf.constant(pictures(2, 5)), tf.constant(pictures(2, 5, seed=1))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        sample = layers.Sampling(seed=0)([mean, log_variance], training=True)
        total = tf.reduce_sum(sample)
    of_mean, of_log_variance = tape.gradient(total, [mean, log_variance])
    np.testing.assert_array_equal(of_mean, np.ones((2, 5)))
    np.testing.assert_allclose(of_log_variance, (sample - mean) / 2, atol=1e-6)
