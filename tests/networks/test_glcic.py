"""The networks against the tables of face_gan and of Iizuka et al. 2017, row by row."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from inpainting_tf import networks
from inpainting_tf.errors import InputError
from inpainting_tf.networks import glcic as face_gan
from inpainting_tf.training import precision

# face_gan table 3.1, at 128 px: kind, kernel, stride, dilation, filters, output side.
TABLE_3_1 = [
    ("conv", 5, 1, 1, 64, 128),
    ("conv", 3, 1, 1, 64, 128),
    ("conv", 3, 2, 1, 128, 64),
    ("conv", 3, 1, 1, 128, 64),
    ("conv", 3, 2, 1, 256, 32),
    ("conv", 3, 1, 1, 256, 32),
    ("conv", 3, 1, 1, 256, 32),
    ("conv", 3, 1, 2, 256, 32),
    ("conv", 3, 1, 4, 256, 32),
    ("conv", 3, 1, 8, 256, 32),
    ("conv", 3, 1, 16, 256, 32),
    ("conv", 3, 1, 1, 256, 32),
    ("conv", 3, 1, 1, 256, 32),
    ("deconv", 4, 2, 1, 128, 64),
    ("conv", 3, 1, 1, 128, 64),
    ("deconv", 4, 2, 1, 64, 128),
    ("conv", 3, 1, 1, 32, 128),
    ("conv", 3, 1, 1, 3, 128),
]
IIZUKA_TABLE_1 = [TABLE_3_1[0], *TABLE_3_1[2:]]
# Filters of the 5x5 convolutions with stride 2.
TABLE_3_2, TABLE_3_3 = [64, 128, 256, 512], [64, 128, 256, 512, 512]  # local, global
IIZUKA_LOCAL, IIZUKA_GLOBAL = [64, 128, 256, 512, 512], [64, 128, 256, 512, 512, 512]

COMPLETION = {"glcic": face_gan.glcic, "one_autoencoder": face_gan.one_autoencoder,
              "double_autoencoder": face_gan.double_autoencoder}  # fmt: skip
DISCRIMINATORS = {
    "iizuka_discriminator": (IIZUKA_LOCAL, IIZUKA_GLOBAL),
    "joint_discriminator": (TABLE_3_2, TABLE_3_3),
    "local_discriminator": (TABLE_3_2, None),
    "global_discriminator": (None, TABLE_3_3),
}


def convolutions(network: keras.Model) -> list[keras.layers.Layer]:
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def rows_of(network: keras.Model) -> list[tuple]:
    """Its convolutions as rows of a table."""
    rows = []
    for layer in convolutions(network):
        kind = "deconv" if isinstance(layer, keras.layers.Conv2DTranspose) else "conv"
        kernel, stride, dilation = layer.kernel_size, layer.strides, layer.dilation_rate
        assert kernel[0] == kernel[1] and stride[0] == stride[1] and dilation[0] == dilation[1]
        height, width = layer.output.shape[1:3]
        assert height == width
        rows.append((kind, kernel[0], stride[0], dilation[0], layer.filters, height))
    return rows


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("glcic", IIZUKA_TABLE_1),
        ("one_autoencoder", TABLE_3_1),
        ("double_autoencoder", [*TABLE_3_1, *TABLE_3_1]),
    ],
)
def test_completion_networks_are_those_of_the_tables(name, table):
    network = COMPLETION[name](128)
    assert rows_of(network) == table
    firsts = [layer for layer in network.layers if layer.name in ("conv1", "first_conv1", "second_conv1")]
    assert [layer.input.shape[-1] for layer in firsts] == [4] * (len(table) // 17)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_are_those_of_the_tables(name):
    local, whole = DISCRIMINATORS[name]
    network = networks.get(name)(128)
    expected = {}
    for prefix, filters, side in (("local", local, 64), ("global", whole, 128)):
        for number, count in enumerate(filters or [], start=1):
            expected[f"{prefix}_conv{number}"] = ("conv", 5, 2, 1, count, side // 2**number)
    found = [layer.name for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert dict(zip(found, rows_of(network), strict=True)) == expected
    dense = {layer.name: layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)}
    features = {f"{prefix}_features": 1024 for prefix in ("local", "global") if prefix in str(expected)}
    assert dense == features | {"logit": 1}
    assert network.output.shape == (None, 1) and network.output.dtype == "float32"


@pytest.mark.parametrize("name", COMPLETION)
def test_every_layer_but_the_last_is_normalized_and_rectified(name):
    network = COMPLETION[name](32, width=8)
    last = [layer.name for layer in convolutions(network) if layer.use_bias]
    assert last == [name for name in ("conv12", "first_conv12", "second_conv12") if name in last]
    assert len(last) == (2 if name == "double_autoencoder" else 1)
    for layer in convolutions(network):
        kinds = [type(layer).__name__ for layer in chain(network, layer.name, 2)]
        assert kinds[0] == ("Activation" if layer.use_bias else "BatchNormalization")
        assert layer.use_bias or kinds[1] == "ReLU"


def chain(network: keras.Model, name: str, count: int) -> list[keras.layers.Layer]:
    """The layers that follow the one called `name` in the order of building."""
    names = [layer.name for layer in network.layers]
    return network.layers[names.index(name) + 1 :][:count]


def pictures(height: int, width: int, count: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    mask = np.zeros((count, height, width, 1), "float32")
    mask[:, 4:12, 8:28] = 1
    return {"image": random.random((count, height, width, 3), "float32"), "mask": mask}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", COMPLETION)
def test_predictions_are_float32_pictures(name, policy):
    with precision.policy(policy):
        network = COMPLETION[name]((32, 48), width=4)
    out = network(pictures(32, 48))
    assert out.shape == (2, 32, 48, 3) and keras.backend.standardize_dtype(out.dtype) == "float32"
    values = ops.convert_to_numpy(out)
    assert values.min() >= 0 and values.max() <= 1 and values.std() > 0


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize("fill", ["black", "white", "mean"])
def test_what_lies_under_the_hole_does_not_matter(name, fill):
    network = COMPLETION[name]((32, 48), width=4, fill=fill)
    clean = pictures(32, 48)
    dirty = dict(clean, image=np.where(clean["mask"] > 0, np.float32(np.nan), clean["image"]))
    # In training the batch's own statistics scale every layer, so that no leak drowns in small numbers.
    np.testing.assert_array_equal(network(clean, training=True), network(dirty, training=True))


@pytest.mark.parametrize("name", COMPLETION)
def test_the_mask_and_the_known_pixels_do_matter(name):
    network = COMPLETION[name]((32, 48), width=4)
    one = pictures(32, 48)
    moved = dict(one, mask=np.roll(one["mask"], 8, axis=2))
    other = dict(one, image=np.where(one["mask"] > 0, one["image"], 1 - one["image"]))
    first, second, third = (np.array(network(each, training=True)) for each in (one, moved, other))
    assert np.abs(first - second).max() > 0.01
    assert np.abs(first - third).max() > 0.01


@pytest.mark.parametrize("name", COMPLETION)
def test_a_network_without_a_size_takes_every_size(name):
    free, fixed = COMPLETION[name](None, width=4), COMPLETION[name]((32, 48), width=4)
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(free(pictures(32, 48)), fixed(pictures(32, 48)), atol=1e-5)
    assert free(pictures(48, 32)).shape == (2, 48, 32, 3)
    with pytest.raises(InputError, match=r"divisible by 4.*30 x 48"):
        free(pictures(30, 48))


@pytest.mark.parametrize("name", COMPLETION)
def test_width_scales_every_layer_but_the_last(name):
    wide, narrow = rows_of(COMPLETION[name](32, width=16)), rows_of(COMPLETION[name](32, width=8))
    assert [row[4] for row in wide] == [row[4] if row[4] == 3 else 2 * row[4] for row in narrow]


@pytest.mark.parametrize("name", [*COMPLETION, *DISCRIMINATORS])
def test_every_weight_gets_a_gradient(name):
    import tensorflow as tf

    network = networks.get(name)((32, 48), width=4)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(pictures(32, 48), training=True)))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
    assert sum(float(tf.reduce_max(tf.abs(g))) > 0 for g in gradients) > 0.9 * len(gradients)


def test_the_second_autoencoder_sees_the_first_ones_fill_and_the_known_pixels():
    network = face_gan.double_autoencoder((32, 48), width=4)
    taps = {name: network.get_layer(name).output for name in ("first_prediction", "second_picture")}
    given = pictures(32, 48)
    values = keras.Model(network.inputs, taps)([given["image"], given["mask"]])
    seen, first = np.array(values["second_picture"]), np.array(values["first_prediction"])
    hole = given["mask"][..., 0] > 0
    np.testing.assert_array_equal(seen[..., 3:], given["mask"])
    np.testing.assert_array_equal(seen[..., :3][hole], first[hole])
    np.testing.assert_array_equal(seen[..., :3][~hole], given["image"][~hole])


def test_discriminators_know_the_mask_only_by_their_window():
    given = pictures(32, 48)
    moved = dict(given, mask=np.roll(given["mask"], (12, 16), axis=(1, 2)))
    whole = face_gan.global_discriminator((32, 48), width=4)
    np.testing.assert_array_equal(whole(given), whole(moved))
    local = face_gan.local_discriminator((32, 48), width=4)
    assert not np.allclose(local(given), local(moved))
    outside = given["image"].copy()
    outside[:, -8:] = 0  # below the window: the hole is at the top
    np.testing.assert_array_equal(local(given), local(dict(given, image=outside)))


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 30}, "divisible by 4.*30 x 30"),
        ({"image_size": (32, 50)}, "divisible by 4.*32 x 50"),
        ({"image_size": 0}, "image_size.*0"),
        ({"width": 7}, "`width`.*7"),
        ({"width": 0}, "`width`.*0"),
        ({"fill": "blakc"}, "`fill`.*blakc"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(InputError, match=message):
        COMPLETION[name](**{"image_size": 32, "width": 4, **arguments})


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": None}, "must be given.*None"),
        ({"image_size": 31}, "divisible by 2"),
        ({"width": 3}, "width"),
    ],
)
def test_bad_arguments_of_discriminators_are_named(name, arguments, message):
    with pytest.raises(InputError, match=message):
        networks.get(name)(**{"image_size": 32, "width": 4, **arguments})


def test_an_unknown_network_gets_the_nearest_name():
    with pytest.raises(InputError, match="double_autoencoder"):
        networks.get("double_autoencodr")


@pytest.mark.parametrize(
    "name",
    ["joint_discriminator", "local_discriminator", "patch_map_discriminator", "multiscale_discriminator"],
)
def test_the_local_window_has_half_of_each_side(name):
    network = networks.get(name)((64, 96), width=2)
    assert network.get_layer("window").output.shape[1:3] == (32, 48)
