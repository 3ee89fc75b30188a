"""The networks of multiscale_context_encoder: layers, what is pasted where, what each judge looks at."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf.errors import InputError
from inpainting_tf.networks import glcic as face_gan
from inpainting_tf.networks.multiscale import (
    glcic_encoder_classifier,
    improved_encoder_classifier,
    multiscale_context_encoder,
    multiscale_discriminator,
)
from inpainting_tf.training import precision

SIZE = (32, 64)
# Kind, kernel, stride, padding, output shape, activation, at 128 px. From the text: five convolutions, two
# poolings after the first two, the 1x1 kernel, 1x1x4000, five transposed convolutions, 64x64, activations.
ENCODER = [
    ("Conv2D", (4, 4), 2, "same", (64, 64, 64), "leaky_relu"),
    ("MaxPooling2D", (2, 2), 2, "valid", (32, 32, 64), None),
    ("Conv2D", (4, 4), 2, "same", (16, 16, 128), "leaky_relu"),
    ("MaxPooling2D", (2, 2), 2, "valid", (8, 8, 128), None),
    ("Conv2D", (1, 1), 1, "same", (8, 8, 256), "leaky_relu"),
    ("Conv2D", (4, 4), 2, "same", (4, 4, 512), "leaky_relu"),
    ("Conv2D", (4, 4), 1, "valid", (1, 1, 4000), "leaky_relu"),
]
DECODER = [
    ("Conv2DTranspose", (4, 4), 1, "valid", (4, 4, 512), "relu"),
    ("Conv2DTranspose", (4, 4), 2, "same", (8, 8, 256), "relu"),
    ("Conv2DTranspose", (4, 4), 2, "same", (16, 16, 128), "relu"),
    ("Conv2DTranspose", (4, 4), 2, "same", (32, 32, 64), "relu"),
    ("Conv2DTranspose", (4, 4), 2, "same", (64, 64, 3), "tanh"),
]
LOCAL = [(32, 32, 64), (16, 16, 128), (8, 8, 256), (4, 4, 512)]
GLOBAL = [(64, 64, 64), (32, 32, 128), (16, 16, 256), (8, 8, 512), (4, 4, 512)]


def rows_of(network: keras.Model) -> list[tuple]:
    rows = []
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.MaxPooling2D)):
            pool = isinstance(layer, keras.layers.MaxPooling2D)
            kernel = layer.pool_size if pool else layer.kernel_size
            assert layer.strides == (layer.strides[0],) * 2
            shape = tuple(layer.output.shape[1:])
            activation = None if pool else activation_after(network, layer)
            rows.append((type(layer).__name__, kernel, layer.strides[0], layer.padding, shape, activation))
    return rows


def activation_after(network: keras.Model, layer: keras.Layer) -> str:
    """The activation of a convolution: behind a batch normalization, but for the tanh."""
    normalization = follower(network, layer)
    if isinstance(normalization, keras.layers.Activation):
        return normalization.activation.__name__
    assert isinstance(normalization, keras.layers.BatchNormalization) and not layer.use_bias
    activation = follower(network, normalization)
    if isinstance(activation, keras.layers.LeakyReLU):
        assert activation.negative_slope == pytest.approx(0.2)
        return "leaky_relu"
    assert isinstance(activation, keras.layers.ReLU)
    return "relu"


def follower(network: keras.Model, layer: keras.Layer) -> keras.Layer:
    (found,) = (each for each in network.layers if layer.output is getattr(each, "input", None))
    return found


def narrowed(rows: list[tuple]) -> list[tuple]:
    """The rows at width 4 instead of 64: the code and the picture keep their channels."""
    kept = (3, 4000)
    return [
        (*row[:4], (*row[4][:2], row[4][2] if row[4][2] in kept else row[4][2] // 16), row[5]) for row in rows
    ]


def encoder(**arguments) -> keras.Model:
    return multiscale_context_encoder(**{"image_size": SIZE, "width": 4, "code": 24, **arguments})


def judge(**arguments) -> keras.Model:
    return multiscale_discriminator(**{"image_size": SIZE, "width": 4, **arguments})


SMALL = {
    "multiscale_context_encoder": encoder,
    "multiscale_discriminator": judge,
    "improved_encoder_classifier": lambda **k: improved_encoder_classifier(
        **{"image_size": SIZE, "width": 4, "code": 24, **k}
    ),
    "glcic_encoder_classifier": lambda **k: glcic_encoder_classifier(**{"image_size": SIZE, "width": 4, **k}),
}
CLASSIFIERS = ["improved_encoder_classifier", "glcic_encoder_classifier"]


def trained(name: str, **arguments) -> keras.Model:
    """With weights that make every layer's part in the result visible."""
    network = SMALL[name](**arguments)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if "gamma" not in variable.path:
            variable.assign(random.normal(size=variable.shape, scale=0.2))
    return network


def pictures(height: int = SIZE[0], width: int = SIZE[1], top: int = 4, left: int = 20) -> dict:
    """A hole of 12x24: a window of 16x32 around it starts 2 rows above and 4 columns before it."""
    mask = np.zeros((2, height, width, 1), "float32")
    mask[:, top : top + 12, left : left + 24] = 1
    return {"image": np.random.default_rng(0).random((2, height, width, 3), "float32"), "mask": mask}


def given_to(name: str) -> dict | np.ndarray:
    return pictures()["image"] if name in CLASSIFIERS else pictures()


def predict(network: keras.Model, given: dict | np.ndarray, layer: str | None = None) -> np.ndarray:
    if layer:
        network = keras.Model(network.input, network.get_layer(layer).output)
    return np.array(network.predict_on_batch(given))


# The completion network


def test_the_context_encoder_has_the_layers_of_the_paper():
    network = multiscale_context_encoder(width=4)
    assert rows_of(network) == narrowed(ENCODER + DECODER)
    assert network.output.shape == (None, 128, 128, 3)
    assert network.get_layer("patch").output.shape == (None, 64, 64, 3)
    assert network.get_layer("conv1").input.shape[-1] == 3  # the mask is not fed


@pytest.mark.parametrize(("side", "kernel"), [(32, 8), (64, 8), (128, 8)])
def test_a_variant_keeps_8x8_positions_before_its_last_convolution(side, kernel):
    """Beside the strides that the paper lost, which leave one position of 32 pixels."""
    kept = multiscale_context_encoder(side, width=2, code=4, positions=8)
    assert kept.get_layer("conv5").kernel.shape[:2] == (kernel, kernel)
    assert kept.get_layer("conv5").output.shape[1:3] == (1, 1)
    usual = multiscale_context_encoder(side, width=2, code=4)
    assert usual.get_layer("conv5").kernel.shape[:2] == (side // 32, side // 32)
    assert kept.output.shape == usual.output.shape == (None, side, side, 3)


def test_its_default_width_is_64():
    rows = rows_of(multiscale_context_encoder(32, code=8))
    assert [row[4][2] for row in rows] == [64, 64, 128, 128, 256, 512, 8, 512, 256, 128, 64, 3]


def test_other_sizes_change_what_lies_around_the_code_alone():
    network = multiscale_context_encoder((64, 96), width=4, code=24)
    rows = rows_of(network)
    assert rows[6][1:5] == ((2, 3), 1, "valid", (1, 1, 24))
    assert rows[7][1:5] == ((2, 3), 1, "valid", (2, 3, 32))
    assert network.get_layer("patch").output.shape == (None, 32, 48, 3)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("hole", "window"),
    [
        ((4, 20), (2, 16)),
        ((0, 0), (0, 0)),  # moved inside the picture at each corner
        ((0, 40), (0, 32)),
        ((20, 0), (16, 0)),
        ((20, 40), (16, 32)),
    ],
)
def test_the_patch_is_pasted_around_the_hole(hole, window, policy):
    with precision.policy(policy):
        network = trained("multiscale_context_encoder")
    given = pictures(top=hole[0], left=hole[1])
    patch = predict(network, given, "patch")
    assert patch.shape == (2, 16, 32, 3) and patch.dtype == np.float32
    expected = np.where(given["mask"] > 0, np.float32(0.5), given["image"])
    expected[:, window[0] : window[0] + 16, window[1] : window[1] + 32] = patch
    np.testing.assert_array_equal(predict(network, given), expected)


def test_of_a_hole_that_is_larger_than_the_patch_the_rest_stays_blanked():
    network, given = trained("multiscale_context_encoder"), pictures()
    given["mask"][:, 2:26, 10:60] = 1  # the window around it: rows 6 to 21, columns 19 to 50
    given["image"][given["mask"][..., 0] > 0] = np.nan
    rest = predict(network, given)
    assert np.isfinite(rest[:, 6:22, 19:51]).all() and rest[:, 6:22, 19:51].std() > 0.01
    rest[:, 6:22, 19:51] = 0.5
    np.testing.assert_array_equal(rest, np.where(given["mask"] > 0, np.float32(0.5), given["image"]))


def test_the_hole_is_zero_in_the_range_that_the_network_works_in():
    given = pictures()
    seen = predict(encoder(), given, "to_tanh_range")
    assert (seen[given["mask"][..., 0] > 0] == 0).all()
    np.testing.assert_allclose(seen, np.where(given["mask"] > 0, 0, 2 * given["image"] - 1), atol=1e-6)
    black = predict(encoder(fill="black"), given, "to_tanh_range")
    assert (black[given["mask"][..., 0] > 0] == -1).all()


def test_the_tanh_is_scaled_to_the_whole_range_of_a_picture():
    network, given = trained("multiscale_context_encoder"), pictures()
    tanh = np.tanh(predict(network, given, "deconv5"))
    assert tanh.min() < -0.1
    np.testing.assert_allclose(predict(network, given, "patch"), (tanh + 1) / 2, atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_predictions_are_float32_pictures(policy):
    with precision.policy(policy):
        network = trained("multiscale_context_encoder")
    assert network.get_layer("conv1").compute_dtype == policy.removeprefix("mixed_")
    out = predict(network, pictures())
    assert out.shape == (2, *SIZE, 3) and out.dtype == np.float32
    assert out.min() >= 0 and out.max() <= 1 and out.std() > 0.01


@pytest.mark.parametrize("fill", ["grey", "black", "mean"])
def test_what_lies_under_the_hole_does_not_matter(fill):
    network, clean = trained("multiscale_context_encoder", fill=fill), pictures()
    for poison in (np.float32(np.nan), 1 - clean["image"]):
        dirty = dict(clean, image=np.where(clean["mask"] > 0, poison, clean["image"]))
        np.testing.assert_array_equal(predict(network, clean), predict(network, dirty))


def test_the_known_pixels_and_the_place_of_the_hole_do_matter():
    network, one = trained("multiscale_context_encoder"), pictures()
    before = predict(network, one, "patch")
    for changed in (dict(one, image=1 - one["image"]), pictures(top=12)):
        assert np.abs(before - predict(network, changed, "patch")).max() > 0.01


# The discriminator


def test_the_judges_have_the_layers_of_the_paper():
    network = multiscale_discriminator()
    rows = rows_of(network)
    assert all((*row[:4], row[5]) == ("Conv2D", (4, 4), 2, "same", "relu") for row in rows)
    assert len(rows) == len(LOCAL) + len(GLOBAL)
    for prefix, shapes in (("local", LOCAL), ("global", GLOBAL)):
        found = [layer for layer in network.layers if layer.name.startswith(f"{prefix}_conv")]
        found = [layer.output.shape[1:] for layer in found if isinstance(layer, keras.layers.Conv2D)]
        assert found == shapes
        logit = network.get_layer(f"{prefix}_logit")
        assert logit.units == 1 and logit.activation is keras.activations.linear
        assert logit.input is network.get_layer(f"{prefix}_flatten").output


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("judges", "columns"), [("both", 2), ("local", 1)])
def test_a_column_for_each_judge(judges, columns, policy):
    with precision.policy(policy):
        network = trained("multiscale_discriminator", judges=judges)
    logits = predict(network, pictures())
    assert logits.shape == (2, columns) and logits.dtype == np.float32
    assert any(layer.name.startswith("global") for layer in network.layers) == (judges == "both")


def test_the_local_judge_sees_the_window_and_the_global_one_everything():
    network, given = trained("multiscale_discriminator"), pictures()
    before = predict(network, given)
    window = np.zeros((1, *SIZE, 1), bool)
    window[:, 2:18, 16:48] = True
    outside = predict(network, dict(given, image=np.where(window, given["image"], 1 - given["image"])))
    np.testing.assert_array_equal(outside[:, 0], before[:, 0])
    assert np.abs(outside[:, 1] - before[:, 1]).min() > 1e-3
    inside = predict(network, dict(given, image=np.where(window, 1 - given["image"], given["image"])))
    assert np.abs(inside - before).min() > 1e-3


def test_the_mask_only_moves_the_window():
    network, given = trained("multiscale_discriminator"), pictures()
    before, after = predict(network, given), predict(network, dict(given, mask=pictures(top=14)["mask"]))
    assert np.abs(after[:, 0] - before[:, 0]).min() > 1e-3
    np.testing.assert_array_equal(after[:, 1], before[:, 1])


def test_the_local_judge_alone_is_the_one_of_both():
    both, alone = trained("multiscale_discriminator"), judge(judges="local")
    for layer in alone.layers:
        layer.set_weights(both.get_layer(layer.name).get_weights())
    np.testing.assert_allclose(predict(alone, pictures()), predict(both, pictures())[:, :1], atol=1e-5)


def test_judges_see_pictures_from_minus_one_to_one():
    given = pictures()
    seen = predict(judge(), given, "to_tanh_range")
    np.testing.assert_allclose(seen, 2 * given["image"] - 1, atol=1e-6)


# The classifiers of figure 13


def test_the_improved_classifier_has_the_encoder_of_the_paper():
    assert rows_of(improved_encoder_classifier(128, width=4)) == narrowed(ENCODER)


def test_the_glcic_classifier_has_the_encoder_of_glcic():
    classifier, completion = glcic_encoder_classifier(32, width=8), face_gan.glcic(32, width=8)
    mine, whole = (
        [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        for network in (classifier, completion)
    )
    assert mine[-1].name == "dilated4" and len(mine) == 10
    for one, other in zip(mine, whole, strict=False):
        assert (one.name, one.strides, one.dilation_rate) == (other.name, other.strides, other.dilation_rate)
        assert one.output.shape == other.output.shape
    assert mine[0].input.shape == (None, 32, 32, 3)
    assert classifier.get_layer("logits").input.shape == (None, 32)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_give_a_logit_for_each_class(name):
    network = trained(name, classes=7)
    assert network.input.name == "image"
    images = pictures()["image"]
    logits = predict(network, images)
    assert logits.shape == (2, 7) and logits.dtype == np.float32
    assert network.get_layer("logits").activation is keras.activations.linear
    assert np.abs(logits - predict(network, 1 - images)).max() > 0.01


# All of them


@pytest.mark.parametrize("name", SMALL)
def test_width_scales_every_layer_but_code_and_picture(name):
    wide, narrow = rows_of(SMALL[name](width=8)), rows_of(SMALL[name]())
    for one, other in zip(wide, narrow, strict=True):
        assert one[4][2] == (other[4][2] if other[4][2] in (3, 24) else 2 * other[4][2])


@pytest.mark.parametrize("name", SMALL)
def test_a_saved_network_keeps_its_results(name, tmp_path):
    network, given = trained(name), given_to(name)
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(again, given), predict(network, given))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", SMALL)
def test_every_weight_gets_a_gradient(name, policy):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients with TensorFlow's tape")
    import tensorflow as tf

    with precision.policy(policy):
        network = SMALL[name]()
    with tf.GradientTape() as tape:
        # No plain sum of squares: behind a normalization that hardly depends on the weights.
        out = network(given_to(name), training=True)
        loss = tf.reduce_sum(out * np.random.default_rng(1).normal(size=out.shape).astype("float32"))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert float(tf.reduce_max(tf.abs(gradient))) > 0, variable.path


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 30}, "divisible by {stride}.*30 x 30"),
        ({"image_size": (32, 50)}, "divisible by {stride}.*32 x 50"),
        ({"image_size": 0}, "image_size.*0"),
        ({"width": 0}, "`width`.*0"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    stride = 4 if name == "glcic_encoder_classifier" else 32
    with pytest.raises(InputError, match=message.format(stride=stride)):
        SMALL[name](**arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("multiscale_context_encoder", {"image_size": None}, "`image_size` of multiscale_context_encoder"),
        ("multiscale_context_encoder", {"fill": "blakc"}, "`fill`.*blakc"),
        ("multiscale_context_encoder", {"code": 0}, "`code` must be positive.*0"),
        ("multiscale_discriminator", {"image_size": None}, "`image_size` of multiscale_discriminator"),
        ("multiscale_discriminator", {"judges": "locl"}, "`judges`.*both, local.*'locl'.*mean 'local'"),
        ("improved_encoder_classifier", {"image_size": None}, "`image_size` of improved_encoder"),
        ("improved_encoder_classifier", {"code": 0}, "`code` must be positive.*0"),
        ("improved_encoder_classifier", {"classes": 0}, "`classes` must be positive.*0"),
        ("glcic_encoder_classifier", {"classes": 0}, "`classes` must be positive.*0"),
    ],
)
def test_bad_arguments_of_each_are_named(name, arguments, message):
    with pytest.raises(InputError, match=message):
        SMALL[name](**arguments)
