"""The networks against the tables of cifar_cars, row by row."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf import networks
from inpainting_tf.errors import InputError
from inpainting_tf.networks import cifar_cars
from inpainting_tf.training import precision

# Kind, kernel, stride, padding, output shape, what follows: tables 3.1 to 3.8 as they are printed.
RELU, NORMALIZED, SIGMOID = ("ReLU",), ("ReLU", "BatchNormalization"), ("sigmoid",)
TABLE_3_1 = [
    ("conv", 5, 1, "same", (32, 32, 64), RELU),
    ("conv", 5, 1, "same", (32, 32, 64), RELU),
    ("conv", 5, 1, "same", (32, 32, 64), RELU),
    ("conv", 5, 1, "same", (32, 32, 64), RELU),
    ("conv", 5, 1, "same", (32, 32, 3), SIGMOID),
]
TABLE_3_2 = [
    ("conv", 3, 1, "same", (32, 32, 32), NORMALIZED),
    ("conv", 3, 2, "same", (16, 16, 64), NORMALIZED),
    ("conv", 3, 2, "same", (8, 8, 128), NORMALIZED),
    ("conv", 3, 2, "same", (4, 4, 256), RELU),
]
TABLE_3_3 = [
    ("deconv", 3, 2, "same", (8, 8, 256), RELU),
    ("deconv", 3, 2, "same", (16, 16, 128), RELU),
    ("deconv", 3, 2, "same", (32, 32, 64), RELU),
    ("conv", 3, 1, "same", (32, 32, 3), SIGMOID),
]
TABLE_3_4 = [
    ("conv", 3, 2, "same", (16, 16, 32), NORMALIZED),
    ("conv", 3, 2, "same", (8, 8, 64), NORMALIZED),
    ("conv", 3, 2, "same", (4, 4, 128), NORMALIZED),
    ("conv", 3, 2, "same", (2, 2, 256), RELU),
]
TABLE_3_6 = [
    ("deconv", 3, 2, "same", (4, 4, 256), RELU),
    ("deconv", 3, 2, "same", (8, 8, 128), RELU),
    ("deconv", 3, 2, "same", (16, 16, 64), RELU),
    ("deconv", 3, 2, "same", (32, 32, 32), RELU),
    ("conv", 3, 1, "same", (32, 32, 3), SIGMOID),
]
TABLE_3_7 = [
    *[("conv", 5, 1, "same", (32, 32, 64), RELU)] * 6,
    ("conv", 5, 1, "same", (32, 32, 3), ("tanh",)),
]
TABLE_3_8 = [
    ("conv", 3, 1, "valid", (30, 30, 64), RELU),
    ("conv", 3, 2, "same", (15, 15, 64), RELU),
    ("conv", 3, 2, "same", (8, 8, 64), RELU),
    ("conv", 3, 2, "same", (4, 4, 64), RELU),
    ("conv", 3, 2, "same", (2, 2, 64), RELU),
]
PATCH = [  # ours: the text has no table
    ("deconv", 3, 3, "same", (12, 12, 64), RELU),
    ("conv", 3, 1, "same", (12, 12, 32), RELU),
    ("conv", 3, 1, "same", (12, 12, 3), SIGMOID),
]
SECTION_3_4_1 = [  # kernels, strides, padding and activations are the text's, channels ours
    ("conv", 5, 2, "same", (16, 16, 32), RELU),
    ("conv", 5, 2, "same", (8, 8, 64), RELU),
    ("conv", 5, 2, "same", (4, 4, 128), RELU),
    ("conv", 5, 2, "same", (2, 2, 256), RELU),
    ("deconv", 5, 2, "same", (4, 4, 128), RELU),
    ("deconv", 5, 2, "same", (8, 8, 64), RELU),
    ("deconv", 5, 2, "same", (16, 16, 32), RELU),
    ("deconv", 5, 2, "same", (32, 32, 32), RELU),
    ("conv", 5, 1, "same", (32, 32, 3), ("tanh",)),
]
TABLES = {
    "direct_conv": TABLE_3_1,
    "autoencoder": [*TABLE_3_2, *TABLE_3_3],
    "patch_autoencoder": [*TABLE_3_2, *PATCH],
    "cvae": [*TABLE_3_4, *TABLE_3_6],
    "gan_autoencoder": SECTION_3_4_1,
    "gan_direct_conv": TABLE_3_7,
    "cars_discriminator": TABLE_3_8,
}
COMPLETION = [name for name in TABLES if name != "cars_discriminator"]
ANY_SIZE = {"direct_conv": 1, "autoencoder": 8, "gan_autoencoder": 16, "gan_direct_conv": 1}
DIVISORS = ANY_SIZE | {"patch_autoencoder": 8, "cvae": 16}
TANH = ("gan_autoencoder", "gan_direct_conv")
SIZE = (32, 48)
SMALL = {"width": 4}


def small(name: str, **arguments) -> keras.Model:
    """A narrow network for 32x48 pictures; a code must be a multiple of their 2x3 positions."""
    given = {"image_size": SIZE, **SMALL, **({"latent": 24} if name == "cvae" else {}), **arguments}
    return networks.get(name)(**given)


def trained(name: str, **arguments) -> keras.Model:
    """`small` with weights that make every layer's part in the result visible."""
    network = small(name, **arguments)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(random.normal(size=variable.shape, scale=0.3))
    return network


def pictures(
    height: int = SIZE[0], width: int = SIZE[1], count: int = 2, seed: int = 0
) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    mask = np.zeros((count, height, width, 1), "float32")
    mask[:, 4:16, 30:42] = 1
    return {"image": random.random((count, height, width, 3), "float32"), "mask": mask}


def predict(network: keras.Model, given: dict[str, np.ndarray], layer: str | None = None) -> np.ndarray:
    """What the network, or the layer of that name, makes of the pictures."""
    if layer:
        network = keras.Model(network.input, network.get_layer(layer).output)
    return np.array(network.predict_on_batch(given))


def rows_of(network: keras.Model) -> list[tuple]:
    """Its convolutions as rows of a table, each with the activation and normalization that follow it."""
    rows = []
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            kind = "deconv" if isinstance(layer, keras.layers.Conv2DTranspose) else "conv"
            (kernel, _), (stride, _) = layer.kernel_size, layer.strides
            assert layer.kernel_size == (kernel, kernel) and layer.strides == (stride, stride)
            assert layer.use_bias and layer.activation is keras.activations.linear
            shape = tuple(layer.output.shape[1:])
            rows.append((kind, kernel, stride, layer.padding, shape, followers(network, layer)))
    return rows


def followers(network: keras.Model, layer: keras.Layer) -> tuple[str, ...]:
    """The activation and normalization that take the layer's output, one after the other."""
    found = []
    kinds = (keras.layers.ReLU, keras.layers.Activation, keras.layers.BatchNormalization)
    while layer := next(
        (n for n in network.layers if isinstance(n, kinds) and n.input is layer.output), None
    ):
        activation = getattr(layer, "activation", None)
        found.append(activation.__name__ if activation else type(layer).__name__)
    return tuple(found)


@pytest.mark.parametrize("name", TABLES)
def test_networks_are_those_of_the_tables(name):
    network = networks.get(name)()  # the defaults are the thesis's
    assert rows_of(network) == TABLES[name]
    channels = 3 if name == "cars_discriminator" else 4
    assert network.get_layer("conv1").input.shape == (None, 32, 32, channels)
    if name in COMPLETION:
        assert network.layers[-1].name == "prediction" and network.output.shape == (None, 32, 32, 3)


def test_the_cvae_between_its_encoder_and_decoder_is_table_3_5():
    network = cifar_cars.cvae()
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    expected = {
        "flatten": (1024,),
        "latent_mean": (1024,),
        "latent_log_variance": (1024,),
        "latent": (1024,),
        "flat_location_map": (1024,),
        "located_code": (2048,),
        "reshape": (2, 2, 512),
    }
    assert {name: shapes[name] for name in expected} == expected
    for name in ("latent_mean", "latent_log_variance"):
        layer = network.get_layer(name)
        assert layer.input is network.get_layer("flatten").output
        assert layer.activation is keras.activations.linear


def test_the_patch_autoencoder_between_its_encoder_and_decoder():
    network = cifar_cars.patch_autoencoder()
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    expected = {"flatten": (4096,), "dense1": (1024,), "dense2": (2048,), "reshape": (4, 4, 128)}
    assert {name: shapes[name] for name in expected} == expected
    assert network.get_layer("dense1").activation is keras.activations.relu
    assert network.get_layer("dense2").activation is keras.activations.linear


def test_the_discriminator_ends_as_table_3_8_does():
    network = cifar_cars.cars_discriminator(dropout=0.25)
    flat, dropout, logit = (network.get_layer(name) for name in ("flatten", "dropout", "logit"))
    assert dropout.input is flat.output and logit.input is dropout.output
    assert flat.output.shape == (None, 256) and network.output.shape == (None, 1)
    assert isinstance(dropout, keras.layers.Dropout) and dropout.rate == 0.25
    assert isinstance(logit, keras.layers.Dense) and logit.activation is keras.activations.linear


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("direct_conv", 6_464 + 3 * 102_464 + 4_803),
        (
            "autoencoder",
            1_184 + 18_496 + 73_856 + 295_168  # table 3.2
            + 4 * (32 + 64 + 128)  # its normalizations: scale, offset, mean, variance
            + 590_080 + 295_040 + 73_792 + 1_731,  # table 3.3
        ),
        ("cars_discriminator", 1_792 + 4 * 36_928 + 257),
    ],
)  # fmt: skip
def test_numbers_of_parameters_are_those_by_hand(name, count):
    assert networks.get(name)().count_params() == count


@pytest.mark.parametrize("name", TABLES)
def test_width_scales_every_layer_but_the_last(name):
    wide, narrow = rows_of(small(name, width=8)), rows_of(small(name))
    for one, other in zip(wide, narrow, strict=True):
        assert one[4][2] == (3 if other[4][2] == 3 else 2 * other[4][2])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", COMPLETION)
def test_predictions_are_float32_pictures(name, policy):
    with precision.policy(policy):
        network = trained(name)
    assert network.get_layer("conv1").compute_dtype == policy.removeprefix("mixed_")
    assert {layer.name: layer.dtype_policy.name for layer in network.layers}["prediction"] == "float32"
    out = predict(network, pictures())
    assert out.shape == (2, *SIZE, 3) and out.dtype == np.float32
    assert out.min() >= 0 and out.max() <= 1 and out.std() > 0.01


@pytest.mark.parametrize("name", TANH)
def test_a_tanh_is_scaled_to_the_whole_range_of_a_picture(name):
    network = trained(name)
    last = {"gan_autoencoder": "conv5", "gan_direct_conv": "conv7"}[name]
    given = pictures()
    tanh = np.tanh(predict(network, given, last))
    assert tanh.min() < -0.3  # a range of [0, 1] would need no scaling
    np.testing.assert_allclose(predict(network, given), (tanh + 1) / 2, atol=1e-6)


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize(("fill", "value"), [("black", 0.0), ("white", 1.0)])
def test_networks_see_the_known_pixels_and_where_they_are(name, fill, value):
    given = pictures()
    seen = predict(small(name, fill=fill), given, "located_picture")
    picture = np.where(given["mask"] > 0, np.float32(value), given["image"])
    expected = 2 * picture - 1 if name in TANH else picture
    np.testing.assert_allclose(seen[..., :3], expected, atol=1e-6)
    np.testing.assert_array_equal(seen[..., 3:], 1 - given["mask"])  # 1 = known


@pytest.mark.parametrize("name", COMPLETION)
def test_the_hole_is_black_unless_told(name):
    assert small(name).get_layer("blank_hole").fill == "black"


@pytest.mark.parametrize("name", COMPLETION)
@pytest.mark.parametrize("fill", ["black", "white", "mean"])
def test_what_lies_under_the_hole_does_not_matter(name, fill):
    network, clean = trained(name, fill=fill), pictures()
    for poison in (np.float32(np.nan), 1 - clean["image"]):
        dirty = dict(clean, image=np.where(clean["mask"] > 0, poison, clean["image"]))
        np.testing.assert_array_equal(predict(network, clean), predict(network, dirty))


@pytest.mark.parametrize("name", COMPLETION)
def test_the_mask_and_the_known_pixels_do_matter(name):
    network, one = trained(name), pictures()
    moved = dict(one, mask=np.roll(one["mask"], 8, axis=1))
    other = dict(one, image=1 - one["image"])
    hole = one["mask"][..., 0] > 0
    for changed in (moved, other):
        assert np.abs(predict(network, one) - predict(network, changed))[hole].max() > 0.01


@pytest.mark.parametrize(("name", "divisor"), ANY_SIZE.items())
def test_a_network_without_a_size_takes_every_size(name, divisor):
    free, fixed = small(name, image_size=None), trained(name)
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(predict(free, pictures()), predict(fixed, pictures()), atol=1e-5)
    assert predict(free, pictures(48, 64)).shape == (2, 48, 64, 3)
    if divisor > 1:
        with pytest.raises(InputError, match=rf"divisible by {divisor}.*40 x 44"):
            free(pictures(40, 44))


@pytest.mark.parametrize("name", TABLES)
def test_a_saved_network_keeps_its_results(name, tmp_path):
    network, given = trained(name), pictures()
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert set(again.input) == {"image", "mask"}
    np.testing.assert_array_equal(predict(again, given), predict(network, given))
    if name == "cvae":
        drawn = fills_of(again, given, 2)
        np.testing.assert_array_equal(drawn, fills_of(network, given, 2))


@pytest.mark.parametrize("name", TABLES)
def test_every_weight_gets_a_gradient(name):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients with TensorFlow's tape")
    import tensorflow as tf

    network = small(name)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(pictures(), training=True)))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert float(tf.reduce_max(tf.abs(gradient))) > 0, variable.path


# The patch


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("patch", [4, 8, 12, 16])
def test_the_patch_is_pasted_where_the_hole_is(patch, policy):
    with precision.policy(policy):
        network = trained("patch_autoencoder", patch=patch)
    given = pictures()  # its hole: rows 4 to 15, columns 30 to 41
    pasted = predict(network, given, "patch")
    assert pasted.shape == (2, patch, patch, 3) and pasted.dtype == np.float32
    expected = np.where(given["mask"] > 0, np.float32(0), given["image"])
    top, left = {4: (8, 34), 8: (6, 32), 12: (4, 30), 16: (2, 28)}[patch]
    expected[:, top : top + patch, left : left + patch] = pasted
    np.testing.assert_array_equal(predict(network, given), expected)


# The discriminator


def test_the_discriminator_does_not_look_at_the_mask():
    network, given = trained("cars_discriminator"), pictures()
    moved = dict(given, mask=1 - given["mask"])
    np.testing.assert_array_equal(predict(network, given), predict(network, moved))
    assert not np.allclose(predict(network, given), predict(network, dict(given, image=1 - given["image"])))


def test_the_discriminator_sees_pictures_from_minus_one_to_one():
    given = pictures()
    seen = predict(small("cars_discriminator"), given, "to_tanh_range")
    np.testing.assert_allclose(seen, 2 * given["image"] - 1, atol=1e-6)


# The CVAE


def test_a_prediction_of_the_cvae_is_that_of_its_mean_code():
    network, given = trained("cvae"), pictures()
    np.testing.assert_array_equal(predict(network, given), predict(network, given))
    np.testing.assert_array_equal(predict(network, given, "latent"), predict(network, given, "latent_mean"))
    first, second = (np.array(network(given, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 0.01


def test_the_decoder_of_the_cvae_gets_code_and_location_map():
    network, given = trained("cvae"), pictures()
    code, located = predict(network, given, "latent_mean"), predict(network, given, "reshape")
    flat = np.concatenate([code, 1 - given["mask"].reshape(2, -1)], axis=1)
    np.testing.assert_array_equal(located, flat.reshape(2, 2, 3, -1))


def fills_of(network, given, count, seed=0):
    return network.draw(given["image"], given["mask"], count, seed=seed)


def test_draws_differ_and_are_those_of_their_seed():
    network, given = trained("cvae"), pictures()
    fills = fills_of(network, given, 3)
    assert fills.shape == (3, 2, *SIZE, 3) and fills.dtype == np.float32
    assert fills.min() >= 0 and fills.max() <= 1
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(fills[one] - fills[other]).max() > 0.01
    np.testing.assert_array_equal(fills, fills_of(network, given, 3, seed=0))
    assert np.abs(fills - fills_of(network, given, 3, seed=1)).max() > 0.01


def test_a_draw_decodes_mean_plus_deviation_times_noise():
    network, given = trained("cvae"), pictures()
    mean = predict(network, given, "latent_mean")
    deviation = np.exp(predict(network, given, "latent_log_variance") / 2)
    fills = fills_of(network, given, 2, seed=5)
    noise = np.random.default_rng(5).standard_normal((2, 2, 24), "float32")
    layer = network.get_layer("latent_mean")
    for k, n in np.ndindex(2, 2):  # a network whose mean code is the drawn one
        layer.set_weights([np.zeros(layer.kernel.shape), mean[n] + deviation[n] * noise[k, n]])
        np.testing.assert_allclose(fills[k, n], predict(network, given)[n], atol=1e-5)


def test_a_code_without_variance_draws_the_prediction():
    network, given = trained("cvae"), pictures()
    layer = network.get_layer("latent_log_variance")
    layer.set_weights([np.zeros(layer.kernel.shape), np.full(24, -100.0)])
    fills = fills_of(network, given, 2)
    for fill in fills:
        np.testing.assert_allclose(fill, predict(network, given), atol=1e-6)


def test_draws_depend_on_the_known_pixels_alone():
    network, given = trained("cvae"), pictures()
    dirty = dict(given, image=np.where(given["mask"] > 0, np.float32(np.nan), given["image"]))
    other = dict(given, image=1 - given["image"])
    fills = fills_of(network, given, 2)
    np.testing.assert_array_equal(fills, fills_of(network, dirty, 2))
    assert np.abs(fills - fills_of(network, other, 2)).max() > 0.01


def test_only_a_cvae_is_drawn_from():
    with pytest.raises(InputError, match=r"`model` must have a latent code.*'autoencoder'"):
        fills_of(small("autoencoder"), pictures(), 2)
    with pytest.raises(InputError, match=r"`count`.*0"):
        fills_of(small("cvae"), pictures(), 0)


# Errors


BAD = [
    *[(name, {"image_size": 0}, "image_size.*0") for name in TABLES],
    *[(name, {"width": 0}, "`width`.*0") for name in TABLES],
    *[(name, {"fill": "blakc"}, "`fill`.*blakc") for name in COMPLETION],
    *[
        (name, {"image_size": (32, 36)}, f"divisible by {n}.*32 x 36")
        for name, n in DIVISORS.items()
        if n > 1
    ],
    *[(name, {"image_size": None}, f"{name} must be given.*None") for name in TABLES if name not in ANY_SIZE],
    ("cvae", {"image_size": (32, None)}, "cvae must be given.*32, None"),
    ("cars_discriminator", {"image_size": (2, 32)}, "at least 3.*2, 32"),
    ("cars_discriminator", {"dropout": 1.0}, "`dropout`.*1.0"),
    ("cars_discriminator", {"dropout": -0.1}, "`dropout`.*-0.1"),
    ("cvae", {"latent": 1024}, "`latent`.*multiple of 6.*2 x 3.*1024"),
    ("cvae", {"latent": 0}, "`latent`.*0"),
    ("patch_autoencoder", {"patch": 10}, "`patch`.*multiple of 4.*10"),
    ("patch_autoencoder", {"patch": 0}, "`patch`.*multiple of 4.*0"),
    ("patch_autoencoder", {"patch": 36}, "`patch`.*32 x 48.*36 x 36"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD)
def test_bad_arguments_are_named_in_one_line(name, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        small(name, **arguments)
    assert "\n" not in str(caught.value)


def test_the_builders_are_found_by_their_names():
    for name in TABLES:
        kind = networks.COMPLETION if name in COMPLETION else networks.DISCRIMINATORS
        assert kind[name] is networks.get(name) is getattr(cifar_cars, name)
    assert set(ANY_SIZE) == {name for name in COMPLETION if networks.get(name).any_size}
