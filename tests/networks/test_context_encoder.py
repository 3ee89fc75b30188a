"""The Context Encoder's family: Pathak et al. 2016, models 0 to 3 of skip_connection, discriminators."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from running import environment, python

from inpainting_tf.errors import InputError
from inpainting_tf.networks import context_encoder as family
from inpainting_tf.networks.layers import BatchNormalization, ChannelwiseDense
from inpainting_tf.training import precision

# Kind, kernel, stride, output shape, what follows.
RELU, LEAKY = ("BatchNormalization", "ReLU"), ("BatchNormalization", "LeakyReLU")
INSTANCE, TANH = ("GroupNormalization", "LeakyReLU"), ("tanh",)


def encoder(follow: tuple[str, ...]) -> list[tuple]:
    return [
        ("conv", 4, 2, (64, 64, 64), follow),
        ("conv", 4, 2, (32, 32, 64), follow),
        ("conv", 4, 2, (16, 16, 128), follow),
        ("conv", 4, 2, (8, 8, 256), follow),
        ("conv", 4, 2, (4, 4, 512), follow),
        ("conv", 1, 1, (4, 4, 512), follow),  # mixes the channels
    ]


def decoder(follow: tuple[str, ...]) -> list[tuple]:
    return [
        ("deconv", 4, 2, (8, 8, 256), follow),
        ("deconv", 4, 2, (16, 16, 128), follow),
        ("deconv", 4, 2, (32, 32, 64), follow),
    ]


def judge(side: int, follow: tuple[str, ...]) -> list[tuple]:
    return [
        ("conv", 4, 2, (side // 2, side // 2, 64), ("LeakyReLU",)),
        ("conv", 4, 2, (side // 4, side // 4, 128), follow),
        ("conv", 4, 2, (side // 8, side // 8, 256), follow),
        ("conv", 4, 2, (side // 16, side // 16, 512), follow),
    ]


HOLE_ONLY = [*encoder(RELU), *decoder(LEAKY), ("deconv", 4, 2, (64, 64, 3), TANH)]
TABLES = {
    "context_encoder": [*encoder(LEAKY), *decoder(RELU), ("deconv", 4, 2, (64, 64, 3), TANH)],
    "ce_model0": HOLE_ONLY,
    "ce_model1": HOLE_ONLY,
    "ce_model2": [
        *encoder(RELU),
        *decoder(LEAKY),
        ("deconv", 4, 2, (64, 64, 64), LEAKY),
        ("deconv", 4, 2, (128, 128, 3), TANH),
    ],
    "ce_model3": [
        *encoder(RELU),
        ("deconv", 4, 2, (8, 8, 256), LEAKY),
        ("conv", 3, 1, (8, 8, 256), LEAKY),
        ("deconv", 4, 2, (16, 16, 128), LEAKY),
        ("conv", 3, 1, (16, 16, 128), LEAKY),
        ("deconv", 4, 2, (32, 32, 64), LEAKY),
        ("conv", 3, 1, (32, 32, 64), LEAKY),
        ("deconv", 4, 2, (64, 64, 64), LEAKY),
        ("conv", 3, 1, (64, 64, 64), LEAKY),
        ("deconv", 4, 2, (128, 128, 64), LEAKY),
        ("conv", 3, 1, (128, 128, 3), TANH),
    ],
    "map_discriminator": [*judge(128, INSTANCE), ("conv", 4, 1, (8, 8, 1), ())],
    "patch_map_discriminator": [*judge(64, INSTANCE), ("conv", 4, 1, (4, 4, 1), ())],
    "patch_discriminator": judge(64, LEAKY),
}
PATCH = ["context_encoder", "ce_model0", "ce_model1"]
WHOLE = ["ce_model2", "ce_model3"]
COMPLETION = [*PATCH, *WHOLE]
DISCRIMINATORS = [name for name in TABLES if name not in COMPLETION]
WINDOWED = ["patch_map_discriminator", "patch_discriminator"]
SIZE = (32, 64)


def small(name: str, **arguments) -> keras.Model:
    return getattr(family, name)(**{"image_size": SIZE, "width": 4, **arguments})


def trained(name: str, **arguments) -> keras.Model:
    """`small` with weights as training leaves them: statistics fit the pictures, no offset is 0."""
    keras.utils.set_random_seed(0)
    network = small(name, **arguments)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if len(variable.shape) == 1:
            variable.assign(variable + random.normal(size=variable.shape, scale=0.2))
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            layer.momentum = 0.0
    network(pictures(arguments.get("image_size") or SIZE), training=True)
    return network


def pictures(size: tuple[int, int] = SIZE, top: int = 5, left: int = 20, count: int = 2) -> dict:
    """Pictures with a hole of half their size."""
    mask = np.zeros((count, *size, 1), "float32")
    mask[:, top : top + size[0] // 2, left : left + size[1] // 2] = 1
    return {"image": np.random.default_rng(0).random((count, *size, 3), "float32"), "mask": mask}


def predict(network: keras.Model, given: dict[str, np.ndarray], layer: str | None = None) -> np.ndarray:
    """What the network, or the layer of that name, makes of the pictures."""
    if layer:
        network = keras.Model(network.input, network.get_layer(layer).output)
    return np.array(keras.ops.convert_to_numpy(keras.ops.cast(network(given, training=False), "float32")))


def rows_of(network: keras.Model) -> list[tuple]:
    """Its convolutions as rows of a table, each with the normalization and activation that follow it."""
    rows = []
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            kind = "deconv" if isinstance(layer, keras.layers.Conv2DTranspose) else "conv"
            (kernel, _), (stride, _) = layer.kernel_size, layer.strides
            assert layer.kernel_size == (kernel, kernel) and layer.strides == (stride, stride)
            assert layer.padding == "same" and layer.activation is keras.activations.linear
            follow = followers(network, layer)
            assert layer.use_bias == (not follow or "Normalization" not in follow[0])
            rows.append((kind, kernel, stride, tuple(layer.output.shape[1:]), follow))
    return rows


def followers(network: keras.Model, layer: keras.Layer) -> tuple[str, ...]:
    """The normalization and activation that take the layer's output, one after the other."""
    found = []
    kinds = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.Activation)
    kinds += (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    while layer := next(
        (n for n in network.layers if isinstance(n, kinds) and n.input is layer.output), None
    ):
        activation = getattr(layer, "activation", None)
        found.append(activation.__name__ if activation else type(layer).__name__)
    return tuple(found)


@pytest.mark.parametrize("name", TABLES)
def test_networks_are_those_of_the_tables(name):
    network = getattr(family, name)()  # the defaults are the paper's
    assert network.name == name
    assert rows_of(network) == TABLES[name]
    channels = 4 if name in COMPLETION else 3
    side = 64 if name in WINDOWED else 128
    assert network.get_layer("conv1").input.shape == (None, side, side, channels)
    for layer in network.layers:
        if isinstance(layer, keras.layers.LeakyReLU):
            assert layer.negative_slope == pytest.approx(0.2)
    if name in COMPLETION:
        assert network.layers[-1].name == "prediction" and network.output.shape == (None, 128, 128, 3)


@pytest.mark.parametrize("name", TABLES)
def test_width_scales_every_layer_but_the_last(name):
    wide, narrow = rows_of(small(name, width=8)), rows_of(small(name))
    for one, other in zip(wide, narrow, strict=True):
        assert one[3][2] == (other[3][2] if other[3][2] in (1, 3) else 2 * other[3][2])


@pytest.mark.parametrize("name", ["context_encoder", "ce_model0"])
def test_the_code_is_connected_within_each_channel_and_then_mixed(name):
    network = getattr(family, name)()
    dense = network.get_layer("channelwise_dense")
    assert isinstance(dense, ChannelwiseDense)
    activation = "leaky_relu" if name == "context_encoder" else "relu"
    assert dense.input is network.get_layer(f"conv5_{activation}").output
    assert dense.output is network.get_layer("mix").input
    assert dense.count_params() == 512 * 16 * 16 + 4 * 4 * 512


def test_model_1_lacks_the_channelwise_layer_and_no_other():
    with_it, without = ({layer.name for layer in small(f"ce_model{i}").layers} for i in (0, 1))
    assert with_it - without == {"channelwise_dense"} and without < with_it


# Completion networks


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", COMPLETION)
def test_predictions_are_float32_pictures(name, policy):
    with precision.policy(policy):
        network = trained(name)
    assert network.get_layer("conv1").compute_dtype == policy.removeprefix("mixed_")
    out = network(pictures())
    assert keras.backend.standardize_dtype(out.dtype) == "float32" and out.shape == (2, *SIZE, 3)
    values = np.array(out)
    assert values.min() >= 0 and values.max() <= 1 and values.std() > 0.01
    tanh = predict(network, pictures(), "patch_tanh" if name in PATCH else "prediction_tanh")
    assert tanh.min() < -0.1  # it is scaled to [0, 1]
    scaled = predict(network, pictures(), "patch") if name in PATCH else values
    np.testing.assert_allclose(scaled, (tanh + 1) / 2, atol=1e-6)


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize(("fill", "value"), [("black", -1.0), ("grey", 0.0), ("white", 1.0)])
def test_networks_see_the_known_pixels_and_where_the_hole_is(name, fill, value):
    given = pictures()
    seen = predict(small(name, fill=fill), given, "masked_picture")
    expected = np.where(given["mask"] > 0, np.float32(value), 2 * given["image"] - 1)
    np.testing.assert_allclose(seen[..., :3], expected, atol=1e-6)
    np.testing.assert_array_equal(seen[..., 3:], given["mask"])


@pytest.mark.parametrize("name", COMPLETION)
def test_the_hole_has_the_mean_colour_unless_told(name):
    assert small(name).get_layer("blank_hole").fill == "mean"


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize("fill", ["black", "mean"])
def test_what_lies_under_the_hole_does_not_matter(name, fill):
    network, clean = trained(name, fill=fill), pictures()
    for poison in (np.float32(np.nan), 1 - clean["image"]):
        dirty = dict(clean, image=np.where(clean["mask"] > 0, poison, clean["image"]))
        np.testing.assert_array_equal(predict(network, clean), predict(network, dirty))


@pytest.mark.parametrize("name", COMPLETION)
def test_the_mask_and_the_known_pixels_do_matter(name):
    network, one = trained(name), pictures()
    moved = dict(one, mask=pictures(top=9)["mask"])
    other = dict(one, image=1 - one["image"])
    hole = (one["mask"] * moved["mask"])[..., 0] > 0
    for changed in (moved, other):
        assert np.abs(predict(network, one) - predict(network, changed))[hole].max() > 0.01


@pytest.mark.parametrize("name", WHOLE)
def test_a_network_for_the_whole_picture_takes_every_size(name):
    free, fixed = small(name, image_size=None), trained(name)
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(predict(free, pictures()), predict(fixed, pictures()), atol=1e-5)
    assert predict(free, pictures((64, 32))).shape == (2, 64, 32, 3)
    with pytest.raises(InputError, match=r"divisible by 32.*32 x 48"):
        free(pictures((32, 48)))


@pytest.mark.parametrize("name", PATCH)
def test_the_patch_is_pasted_where_the_hole_is(name):
    network = trained(name)
    for top, left in [(0, 0), (0, 32), (16, 0), (16, 32), (7, 11)]:
        given = pictures(top=top, left=left)
        patch = predict(network, given, "patch")
        assert patch.shape == (2, 16, 32, 3)
        expected = given["image"].copy()
        expected[:, top : top + 16, left : left + 32] = patch
        np.testing.assert_array_equal(predict(network, given), expected)


def test_missing_pixels_that_the_patch_does_not_reach_stay_blanked():
    network, given = trained("ce_model1", fill="white"), pictures()
    given["mask"][:, 4:24, 10:60] = 1  # the window around it: rows 6 to 21, columns 19 to 50
    expected = np.where(given["mask"] > 0, np.float32(1), given["image"])
    expected[:, 6:22, 19:51] = predict(network, given, "patch")
    np.testing.assert_array_equal(predict(network, given), expected)


def test_known_pixels_keep_float32_around_a_patch_in_bfloat16():
    with precision.policy("mixed_bfloat16"):
        network = trained("ce_model0")
    given = pictures()
    known = given["mask"][..., 0] == 0
    np.testing.assert_array_equal(predict(network, given)[known], given["image"][known])


# Skip connections


def test_each_skip_joins_the_encoder_at_its_own_resolution():
    network = small("ce_model3")
    sources = ["conv4_relu", "conv3_relu", "conv2_relu", "conv1_relu", "masked_picture"]
    for i, source in enumerate(sources, start=1):
        upsampled, skipped = network.get_layer(f"skip{i}").input
        assert upsampled is network.get_layer(f"deconv{i}_leaky_relu").output
        assert skipped is network.get_layer(source).output
        assert network.get_layer(f"skip{i}").output is network.get_layer(f"join{i}").input


@pytest.mark.parametrize("i", range(1, 6))
def test_each_skip_carries(i):
    network, given = trained("ce_model3"), pictures()
    before = predict(network, given)
    join = network.get_layer(f"join{i}")
    kernel = np.array(join.kernel)
    upsampled = network.get_layer(f"deconv{i}").filters
    kernel[:, :, upsampled:] = 0  # as if the skip carried zeros
    join.kernel.assign(kernel)
    assert np.abs(predict(network, given) - before).max() > 0.05


def test_model_2_has_no_skips_and_model_3_nothing_else_besides():
    plain, skipping = ({layer.name for layer in small(f"ce_model{i}").layers} for i in (2, 3))
    joins = [f"join{i}{suffix}" for i in range(1, 5) for suffix in ("", "_bn", "_leaky_relu")]
    last = {"join5", "deconv5_bn", "deconv5_leaky_relu"}
    assert skipping - plain == {f"skip{i}" for i in range(1, 6)} | {*joins} | last
    assert plain < skipping


# Discriminators


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("map_discriminator", (64, 96), (4, 6, 1)),
        ("map_discriminator", (40, 64), (3, 4, 1)),
        ("patch_map_discriminator", (64, 96), (2, 3, 1)),
        ("patch_discriminator", (64, 96), (1,)),
    ],
)
def test_discriminators_return_float32_logits(name, size, shape, policy):
    with precision.policy(policy):
        network = trained(name, image_size=size)
    out = network(pictures(size))
    assert out.shape == (2, *shape) and network.output.shape == (None, *shape)
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    assert network.get_layer("conv2").compute_dtype == policy.removeprefix("mixed_")
    assert np.array(out).std() > 0.01


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_instance_normalization_is_that_by_hand(policy):
    size = (64, 96)
    with precision.policy(policy):
        network = trained("map_discriminator", image_size=size)
    given = pictures(size)
    for i in (2, 3, 4):
        x = predict(network, given, f"conv{i}").astype("float64")
        gamma, beta = network.get_layer(f"conv{i}_norm").get_weights()
        centred = x - x.mean(axis=(1, 2), keepdims=True)
        expected = gamma * centred / np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True) + 1e-5) + beta
        out = predict(network, given, f"conv{i}_norm")
        tolerance = {"atol": 1e-5} if policy == "float32" else {"rtol": 2**-8, "atol": 2**-9}
        np.testing.assert_allclose(out, expected, **tolerance)


@pytest.mark.parametrize("name", ["map_discriminator", "patch_map_discriminator"])
def test_a_picture_is_judged_by_itself(name):
    network, given = trained(name, image_size=(64, 96)), pictures((64, 96))
    alone = {key: value[1:] for key, value in given.items()}
    np.testing.assert_allclose(predict(network, alone), predict(network, given)[1:], atol=1e-5)


def test_a_single_position_is_not_normalized_away():
    network, given = trained("patch_map_discriminator", image_size=(32, 32)), pictures((32, 32))
    assert network.output.shape == (None, 1, 1, 1)
    assert {f"conv{i}_norm" for i in range(5)} & {layer.name for layer in network.layers} == {
        "conv2_norm",
        "conv3_norm",
    }
    first, second = predict(network, given)[:, 0, 0, 0]
    assert abs(first - second) > 1e-3


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_see_pictures_from_minus_one_to_one(name):
    given = pictures()
    seen = predict(small(name), given, "to_tanh_range")
    expected = 2 * given["image"] - 1
    np.testing.assert_allclose(seen, expected[:, 5:21, 20:52] if name in WINDOWED else expected, atol=1e-6)


def test_the_map_discriminator_does_not_look_at_the_mask():
    network, given = trained("map_discriminator"), pictures()
    moved = dict(given, mask=1 - given["mask"])
    np.testing.assert_array_equal(predict(network, given), predict(network, moved))


@pytest.mark.parametrize("name", WINDOWED)
def test_the_others_look_at_the_window_alone(name):
    network, given = trained(name), pictures()
    outside = dict(given, image=np.where(given["mask"] > 0, given["image"], 0))
    inside = dict(given, image=np.where(given["mask"] > 0, 1 - given["image"], given["image"]))
    np.testing.assert_array_equal(predict(network, given), predict(network, outside))
    assert np.abs(predict(network, given) - predict(network, inside)).max() > 0.01


# All


@pytest.mark.parametrize("name", TABLES)
def test_a_saved_network_keeps_its_results(name, tmp_path):
    network, given = trained(name), pictures()
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert set(again.input) == {"image", "mask"}
    np.testing.assert_array_equal(predict(again, given), predict(network, given))


@pytest.mark.parametrize("name", TABLES)
def test_every_weight_gets_a_gradient(name):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients with TensorFlow's tape")
    import tensorflow as tf

    network = small(name, image_size=(64, 96))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(pictures((64, 96)), training=True)))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert float(tf.reduce_max(tf.abs(gradient))) > 0, variable.path


ON_JAX = """
import sys
import keras, numpy as np
import inpainting_tf.networks.layers
assert keras.backend.backend() == "jax"
given = dict(np.load(f"{sys.argv[1]}/given.npz"))
for name in sys.argv[2:]:
    network = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    np.save(f"{sys.argv[1]}/{name}.npy", network.predict_on_batch(given))
"""


@pytest.mark.slow
def test_jax_gives_the_same_predictions(tmp_path):
    pytest.importorskip("jax", reason="takes pip install jax")
    names = ["ce_model0", "ce_model3", "map_discriminator"]
    given = pictures()
    np.savez(tmp_path / "given.npz", **given)
    networks = {name: trained(name) for name in names}
    for name, network in networks.items():
        network.save(tmp_path / f"{name}.keras")
    python(ON_JAX, tmp_path, *names, env=environment(KERAS_BACKEND="jax"))
    for name, network in networks.items():
        # Another order of sums, amplified by the small variances of so few positions.
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), predict(network, given), atol=1e-4)


BAD = [
    *[(name, {"image_size": 0}, "image_size.*0") for name in TABLES],
    *[(name, {"width": 0}, "`width`.*0") for name in TABLES],
    *[(name, {"fill": "blakc"}, "`fill`.*blakc") for name in COMPLETION],
    *[(name, {"image_size": (32, 48)}, "divisible by 32.*32 x 48") for name in COMPLETION],
    *[(name, {"image_size": None}, f"{name} must be given.*None") for name in TABLES if name not in WHOLE],
    *[(name, {"image_size": (31, 32)}, "divisible by 2.*31 x 32") for name in DISCRIMINATORS],
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD)
def test_bad_arguments_are_named_in_one_line(name, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        small(name, **arguments)
    assert "\n" not in str(caught.value)
