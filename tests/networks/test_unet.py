"""The U-Nets of unet_vs_cgan: their layers, their skips, what they see."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from inpainting_tf.errors import InputError
from inpainting_tf.networks.unet import cgan_generator, unet
from inpainting_tf.training import precision

SIZE = (32, 48)
ACTIVATION = {"relu": "ReLU", "swish": "silu"}
NETWORKS = {"unet": (unet, 5), "cgan_generator": (cgan_generator, 4)}


def table(side: int, width: int, levels: int) -> list[tuple]:
    """Kind, kernel, stride, output shape: what the module's docstring says, spelt out."""
    shapes = [(side // 2**level, side // 2**level, width * 2**level) for level in range(levels + 1)]
    rows = []
    for level in range(levels):
        rows += [("Conv2D", 3, 1, shapes[level])] * 2
        rows += [("MaxPooling2D", 2, 2, (*shapes[level + 1][:2], shapes[level][2]))]
    rows += [("Conv2D", 3, 1, shapes[levels])] * 2
    for level in reversed(range(levels)):
        rows += [("Conv2DTranspose", 2, 2, shapes[level])]
        rows += [("Conv2D", 3, 1, shapes[level])] * 2
    return [*rows, ("Conv2D", 1, 1, (side, side, 3))]


def rows_of(network: keras.Model) -> list[tuple]:
    rows = []
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.MaxPooling2D)):
            kernel = layer.pool_size if isinstance(layer, keras.layers.MaxPooling2D) else layer.kernel_size
            assert kernel == (kernel[0],) * 2 and layer.strides == (layer.strides[0],) * 2
            rows.append((type(layer).__name__, kernel[0], layer.strides[0], tuple(layer.output.shape[1:])))
    return rows


def small(**arguments) -> keras.Model:
    return unet(**{"image_size": SIZE, "width": 4, "levels": 3, **arguments})


def trained(**arguments) -> keras.Model:
    """`small` with weights that make every layer's part in the result visible."""
    network = small(**arguments)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if "gamma" not in variable.path:
            variable.assign(random.normal(size=variable.shape, scale=0.2))
    return network


def pictures(height: int = SIZE[0], width: int = SIZE[1]) -> dict[str, np.ndarray]:
    mask = np.zeros((2, height, width, 1), "float32")
    mask[:, 4:16, 26:38] = 1
    return {"image": np.random.default_rng(0).random((2, height, width, 3), "float32"), "mask": mask}


def predict(network: keras.Model, given: dict[str, np.ndarray]) -> np.ndarray:
    return np.array(network.predict_on_batch(given))


def test_the_layers_of_a_small_one_by_hand():
    assert rows_of(unet(64, width=8, levels=2)) == [
        ("Conv2D", 3, 1, (64, 64, 8)),
        ("Conv2D", 3, 1, (64, 64, 8)),
        ("MaxPooling2D", 2, 2, (32, 32, 8)),
        ("Conv2D", 3, 1, (32, 32, 16)),
        ("Conv2D", 3, 1, (32, 32, 16)),
        ("MaxPooling2D", 2, 2, (16, 16, 16)),
        ("Conv2D", 3, 1, (16, 16, 32)),
        ("Conv2D", 3, 1, (16, 16, 32)),
        ("Conv2DTranspose", 2, 2, (32, 32, 16)),
        ("Conv2D", 3, 1, (32, 32, 16)),
        ("Conv2D", 3, 1, (32, 32, 16)),
        ("Conv2DTranspose", 2, 2, (64, 64, 8)),
        ("Conv2D", 3, 1, (64, 64, 8)),
        ("Conv2D", 3, 1, (64, 64, 8)),
        ("Conv2D", 1, 1, (64, 64, 3)),
    ]


@pytest.mark.parametrize(("name", "side"), [("unet", 128), ("cgan_generator", 64)])
def test_defaults_are_those_of_the_report(name, side):
    build, levels = NETWORKS[name]
    network = build()
    assert network.name == name and network.output.shape == (None, side, side, 3)
    assert rows_of(network) == table(side, 32, levels)
    assert network.get_layer("blank_hole").fill == "white"
    assert network.get_layer("middle_conv1").input.shape[1:3] == (4, 4)
    assert network.get_layer("down1_conv1").input.shape[-1] == 3  # the mask is not fed


@pytest.mark.parametrize("activation", ACTIVATION)
def test_3x3_convolutions_are_normalized_and_activated(activation):
    network = small(activation=activation)
    layers = network.layers
    for place, layer in enumerate(layers):
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        followers = layers[place + 1 : place + 3]
        if layer.name == "conv_last":
            assert followers[0].activation is keras.activations.sigmoid
            continue
        assert not layer.use_bias and isinstance(followers[0], keras.layers.BatchNormalization)
        known = getattr(followers[1], "activation", None)
        assert (known.__name__ if known else type(followers[1]).__name__) == ACTIVATION[activation]


def test_swish_is_x_times_sigmoid_of_x():
    network = small(activation="swish")
    x = np.linspace(-6, 6, 25, dtype="float32")
    found = ops.convert_to_numpy(network.get_layer("down1_conv1_swish")(x))
    np.testing.assert_allclose(found, x / (1 + np.exp(-x)), atol=1e-6)
    relu, swish = trained(), trained(activation="swish")
    assert np.abs(predict(relu, pictures()) - predict(swish, pictures())).max() > 0.01


@pytest.mark.parametrize("level", [1, 2, 3])
def test_each_skip_joins_the_encoder_at_its_own_size(level):
    network = trained()
    skip = network.get_layer(f"up{level}_skip")
    encoder, decoder = skip.input
    assert encoder is network.get_layer(f"down{level}_conv2_relu").output
    assert decoder is network.get_layer(f"up{level}_deconv").output
    assert (
        encoder.shape == decoder.shape == (None, SIZE[0] >> level - 1, SIZE[1] >> level - 1, 4 << level - 1)
    )


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_cut_skip_changes_the_picture(level):
    network, given = trained(), pictures()
    before = predict(network, given)
    kernel = network.get_layer(f"up{level}_conv1").kernel
    cut = ops.convert_to_numpy(kernel).copy()
    cut[:, :, : cut.shape[2] // 2] = 0  # what comes from the encoder stands first
    kernel.assign(cut)
    assert np.abs(before - predict(network, given)).max() > 0.01


def test_fine_detail_passes_by_the_skips_alone():
    """With nothing coming up from the deeper levels, a pixel still reaches its place and its surroundings."""
    network, given = trained(activation="swish"), pictures()  # a ReLU may be dead at the pixel
    for name in ("up1_deconv", "up2_deconv", "up3_deconv"):
        layer = network.get_layer(name)
        layer.kernel.assign(np.zeros(layer.kernel.shape, "float32"))
    moved = dict(given, image=given["image"].copy())
    moved["image"][0, 20, 10] = 1 - moved["image"][0, 20, 10]
    changed = np.abs(predict(network, given) - predict(network, moved)).max(axis=-1)
    assert changed[0, 20, 10] > 1e-4 and changed[1].max() == 0
    rows, columns = np.nonzero(changed[0])  # four 3x3 convolutions reach 4 pixels
    assert rows.min() >= 16 and rows.max() <= 24 and columns.min() >= 6 and columns.max() <= 14


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("activation", ACTIVATION)
def test_predictions_are_float32_pictures(activation, policy):
    with precision.policy(policy):
        network = trained(activation=activation)
    assert network.get_layer("down1_conv1").compute_dtype == policy.removeprefix("mixed_")
    out = predict(network, pictures())
    assert out.shape == (2, *SIZE, 3) and out.dtype == np.float32
    assert out.min() >= 0 and out.max() <= 1 and out.std() > 0.01


@pytest.mark.parametrize(("fill", "value"), [("white", 1.0), ("grey", 0.5), ("black", 0.0)])
def test_the_network_sees_the_painted_picture(fill, value):
    network, given = small(fill=fill), pictures()
    seen = predict(keras.Model(network.input, network.get_layer("blank_hole").output), given)
    np.testing.assert_array_equal(seen, np.where(given["mask"] > 0, np.float32(value), given["image"]))
    assert network.get_layer("down1_conv1").input is network.get_layer("blank_hole").output


@pytest.mark.parametrize("fill", ["white", "mean"])
def test_what_lies_under_the_hole_does_not_matter(fill):
    network, clean = trained(fill=fill), pictures()
    for poison in (np.float32(np.nan), 1 - clean["image"]):
        dirty = dict(clean, image=np.where(clean["mask"] > 0, poison, clean["image"]))
        np.testing.assert_array_equal(predict(network, clean), predict(network, dirty))


def test_the_mask_and_the_known_pixels_do_matter():
    network, one = trained(), pictures()
    moved = dict(one, mask=np.roll(one["mask"], 8, axis=1))
    other = dict(one, image=1 - one["image"])
    for changed in (moved, other):
        assert np.abs(predict(network, one) - predict(network, changed)).max() > 0.01


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_without_a_size_takes_every_size(name):
    build, levels = NETWORKS[name]
    free, fixed = build(None, width=2), build((32, 64), width=2)
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(predict(free, pictures(32, 64)), predict(fixed, pictures(32, 64)), atol=1e-5)
    assert predict(free, pictures(64, 32)).shape == (2, 64, 32, 3)
    with pytest.raises(InputError, match=rf"divisible by {2**levels}.*40 x 48"):
        free(pictures(40, 48))


def test_width_scales_every_layer_but_the_last():
    wide, narrow = rows_of(small(width=8)), rows_of(small())
    assert [row[3][2] for row in wide[:-1]] == [2 * row[3][2] for row in narrow[:-1]]
    assert wide[-1] == narrow[-1]


def test_a_saved_network_keeps_its_results(tmp_path):
    network, given = trained(activation="swish"), pictures()
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert set(again.input) == {"image", "mask"}
    np.testing.assert_array_equal(predict(again, given), predict(network, given))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_every_weight_gets_a_gradient(policy):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients with TensorFlow's tape")
    import tensorflow as tf

    with precision.policy(policy):
        network = small()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(pictures(), training=True)))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert float(tf.reduce_max(tf.abs(gradient))) > 0, variable.path


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 40}, "divisible by {stride}.*40 x 40"),
        ({"image_size": (32, 72)}, "divisible by {stride}.*32 x 72"),
        ({"image_size": 0}, "image_size.*0"),
        ({"width": 0}, "`width`.*0"),
        ({"fill": "blakc"}, "`fill`.*blakc"),
        ({"activation": "swihs"}, "`activation`.*swihs.*Did you mean 'swish'"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    build, levels = NETWORKS[name]
    with pytest.raises(InputError, match=message.format(stride=2**levels)):
        build(**{"image_size": 32, "width": 4, **arguments})


def test_levels_must_be_positive():
    with pytest.raises(InputError, match=r"`levels` must be positive\. Received 0"):
        unet(32, levels=0)
