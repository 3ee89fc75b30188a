"""DCGAN's networks against the paper's layers; weights, search and blend of semantic inpainting."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import environment, python

import inpainting_tf
from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.networks import dcgan
from inpainting_tf.ops import blending, images, metrics
from inpainting_tf.training import precision

SIZE = (16, 32)
SMALL = {"width": 4, "latent": 8, "iterations": 20, "learning_rate": 0.1}

# Kind, kernel, stride, output shape at width 64, what follows: Radford et al. 2015, section 3 and figure 1.
NORMALIZED = "BatchNormalization"
GENERATOR = [
    ("deconv", 5, 2, (8, 8, 256), (NORMALIZED, "ReLU")),
    ("deconv", 5, 2, (16, 16, 128), (NORMALIZED, "ReLU")),
    ("deconv", 5, 2, (32, 32, 64), (NORMALIZED, "ReLU")),
    ("deconv", 5, 2, (64, 64, 3), ("tanh",)),
]
DISCRIMINATOR = [
    ("conv", 5, 2, (32, 32, 64), ("LeakyReLU",)),
    ("conv", 5, 2, (16, 16, 128), (NORMALIZED, "LeakyReLU")),
    ("conv", 5, 2, (8, 8, 256), (NORMALIZED, "LeakyReLU")),
    ("conv", 5, 2, (4, 4, 512), (NORMALIZED, "LeakyReLU")),
]


def rows_of(network: keras.Model) -> list[tuple]:
    """Its convolutions as rows of a table, each with what follows before the next layer of the paper."""
    rows = []
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            kind = "deconv" if isinstance(layer, keras.layers.Conv2DTranspose) else "conv"
            assert layer.padding == "same" and layer.kernel_size[0] == layer.kernel_size[1]
            rows.append([kind, layer.kernel_size[0], layer.strides[0], layer.output.shape[1:], ()])
        elif rows and isinstance(layer, keras.layers.Activation):
            rows[-1][-1] += (layer.activation.__name__,)
        elif rows and isinstance(layer, (keras.layers.BatchNormalization, keras.layers.ReLU)):
            rows[-1][-1] += (type(layer).__name__,)
        elif rows and isinstance(layer, keras.layers.LeakyReLU):
            assert layer.negative_slope == pytest.approx(0.2)
            rows[-1][-1] += ("LeakyReLU",)
    return [tuple(row) for row in rows]


def varied(network: keras.Model) -> keras.Model:
    """The network with weights that make every layer's part in the result visible."""
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if len(variable.shape) > 1:
            spread = 2.0 / np.sqrt(np.prod(variable.shape[:-1]))
            variable.assign(random.normal(size=variable.shape, scale=spread))
    return network


def small(size: tuple[int, int] = SIZE, **changes) -> keras.Model:
    model = dcgan.semantic_inpainting(size, **(SMALL | changes))
    search = model.search
    varied(search.generator), varied(search.discriminator)
    return model


def pictures(count: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    mask = np.zeros((count, *SIZE, 1), "float32")
    mask[:, 4:13, 9:23] = 1
    return {"image": random.random((count, *SIZE, 3), "float32"), "mask": mask}


# The networks


def test_the_generator_is_that_of_the_paper():
    network = dcgan.dcgan_generator()
    assert rows_of(network) == GENERATOR
    names = [layer.name for layer in network.layers[:5]]
    assert names == ["code", "project", "reshape", "project_bn", "project_relu"]
    assert network.get_layer("reshape").output.shape == (None, 4, 4, 512)
    assert network.input.shape == (None, 100) and network.output.shape == (None, 64, 64, 3)


def test_the_generators_statistics_keep_up_with_its_learning():
    network = dcgan.dcgan_generator(SIZE, width=4, latent=8)
    found = [each.momentum for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]
    assert found == [dcgan.MOMENTUM] * 4 and dcgan.MOMENTUM < 0.95


def test_the_discriminator_is_that_of_the_paper():
    network = dcgan.dcgan_discriminator()
    assert rows_of(network) == DISCRIMINATOR
    assert network.output.shape == (None, 1)
    assert network.get_layer("flatten").output.shape == (None, 4 * 4 * 512)
    assert network.get_layer("logit").activation is keras.activations.linear


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_networks_share_the_packages_ranges(policy):
    with precision.policy(policy):
        generator = varied(dcgan.dcgan_generator(SIZE, latent=8, width=4))
        discriminator = varied(dcgan.dcgan_discriminator(SIZE, width=4))
    picture = np.array(generator(np.random.default_rng(0).uniform(-1, 1, (3, 8)).astype("float32")))
    assert picture.shape == (3, *SIZE, 3) and picture.dtype == np.float32
    assert 0 <= picture.min() < 0.4 and 0.6 < picture.max() <= 1
    mask = pictures(3)["mask"]
    logit = discriminator({"image": picture, "mask": mask})
    assert logit.shape == (3, 1) and logit.dtype == tf.float32
    np.testing.assert_array_equal(discriminator({"image": picture, "mask": 1 - mask}), logit)
    assert (np.array(discriminator({"image": 1 - picture, "mask": mask})) != np.array(logit)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 40}, "divisible by 16"),
        ({"image_size": None}, "`image_size` of dcgan_generator must be given"),
        ({"width": 0}, "`width` must be positive"),
        ({"latent": 0}, "`latent` must be positive"),
        ({"iterations": 0}, "`iterations` must be positive"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"prior": -0.1}, "`prior` must be 0 or more"),
        ({"window": 4}, "`window` must be an odd number"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        dcgan.semantic_inpainting(**({"image_size": 16} | SMALL | arguments))
    if message.startswith("`image_size`"):
        with pytest.raises(InputError, match="`image_size` of dcgan_discriminator must be given"):
            dcgan.dcgan_discriminator(None)


# What the search minimises


def test_context_weights_are_the_share_of_missing_pixels_around():
    mask = np.zeros((2, 4, 5, 1), "float32")
    mask[0, 1, 1] = mask[0, 1, 2] = 1
    mask[1, 0, 0] = 1
    found = np.array(dcgan.context_weights(tf.constant(mask), 3))[..., 0]
    expected = np.zeros((2, 4, 5))
    expected[0, 0] = [1 / 4, 2 / 6, 2 / 6, 1 / 6, 0]  # windows at the border have 4 or 6 pixels
    expected[0, 1] = [1 / 6, 0, 0, 1 / 9, 0]  # the hole itself has no weight
    expected[0, 2] = [1 / 6, 2 / 9, 2 / 9, 1 / 9, 0]
    expected[1, 0, 1] = expected[1, 1, 0] = 1 / 6
    expected[1, 1, 1] = 1 / 9
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_the_objective_is_the_weighted_difference_and_the_prior():
    search = small(prior=0.25, window=5).search
    given, code = pictures(), np.random.default_rng(1).uniform(-1, 1, (2, 8)).astype("float32")
    generated = np.array(search.generator(code, training=False), "float64")
    weights = np.array(dcgan.context_weights(given["mask"], 5), "float64")
    context = (weights * np.abs(2 * generated - 2 * given["image"])).sum(axis=(1, 2, 3))
    judged = {"image": generated.astype("float32"), "mask": given["mask"]}
    real = 1 / (1 + np.exp(-np.array(search.discriminator(judged, training=False), "float64")[:, 0]))
    objective = np.array(search.objective(*map(tf.constant, (code, given["image"], given["mask"]))))
    np.testing.assert_allclose(objective, context + 0.25 * np.log(1 - real), rtol=1e-4)
    assert np.ptp(real) > 1e-3, "the prior has a part in it"


def test_the_gradient_is_that_of_calculus_also_in_a_compiled_loop():
    x = tf.constant([[1.0, -2.0], [0.5, 3.0]])

    def cubes(x):
        return keras.ops.sum(x**3)

    np.testing.assert_allclose(backends.gradient(cubes, x), 3 * np.array(x) ** 2, rtol=1e-6)

    def descend(x):
        return keras.ops.fori_loop(0, 3, lambda _, x: x - 0.01 * backends.gradient(cubes, x), x)

    expected = np.array(x)
    for _ in range(3):
        expected = expected - 0.03 * expected**2
    np.testing.assert_allclose(tf.function(descend)(x), expected, rtol=1e-6)


# The search


@pytest.fixture(scope="module")
def planted() -> dict:
    """Pictures that a generator made, with a hole, and what is found for them."""
    model = small(blend=False, iterations=80)
    search, mask = model.search, pictures(4)["mask"]
    code = np.random.default_rng(5).uniform(-1, 1, (4, 8)).astype("float32")
    image = np.array(search.generator(code, training=False))
    found = np.array(tf.function(search.search)(*map(tf.constant, (image, mask))))
    return {"model": model, "search": search, "image": image, "mask": mask, "found": found}


def test_a_planted_code_fills_the_hole(planted):
    image, mask, search = planted["image"], planted["mask"], planted["search"]
    start = np.array(search.start(4))
    before = np.array(metrics.hole_psnr(image, np.array(search.generator(start, training=False)), mask))
    filled = planted["model"].predict_on_batch({"image": image * (1 - mask), "mask": mask})
    after = np.array(metrics.hole_psnr(image, filled, mask))
    assert (after > before + 5).sum() >= 3 and after.mean() > before.mean() + 8
    assert np.abs(planted["found"]).max() <= 1
    np.testing.assert_allclose(filled, search.generator(planted["found"], training=False), atol=0.05)


def test_the_search_lowers_its_objective(planted):
    search, given = planted["search"], [tf.constant(planted[name]) for name in ("image", "mask")]
    first = np.array(search.objective(search.start(4), *given))
    last = np.array(search.objective(tf.constant(planted["found"]), *given))
    assert (last < 0.5 * first).all()


def test_the_codes_stay_where_the_generator_was_trained():
    model = small(learning_rate=5.0, iterations=3)
    given = pictures()
    code = np.array(model.search.search(*map(tf.constant, (given["image"], given["mask"]))))
    assert np.abs(code).max() == 1


def test_the_first_step_is_as_long_as_the_learning_rate():
    """Adam's, whose moments begin at 0 and are corrected for it."""
    search, given = small(learning_rate=0.01, iterations=1).search, pictures()
    moved = np.array(search.search(*map(tf.constant, (given["image"], given["mask"])))) - search.start(2)
    np.testing.assert_allclose(np.median(np.abs(moved)), 0.01, rtol=1e-3)


def test_every_search_begins_at_the_same_code():
    search = small().search
    start = np.array(search.start(3))
    assert (start == start[0]).all() and np.abs(start).max() <= 1 and np.std(start[0]) > 0.3
    other = dcgan.LatentSearch(search.generator, search.discriminator, seed=1)
    assert (np.array(other.start(1)) != start[:1]).all()


# The completion network


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return small()


def test_a_fill_does_not_depend_on_the_rest_of_the_batch(model):
    given = pictures(3)
    filled = model.predict_on_batch(given)
    other = {name: value.copy() for name, value in given.items()}
    other["image"][1:] = 1 - other["image"][1:]
    other["mask"][1:, :4] = 1
    np.testing.assert_array_equal(model.predict_on_batch(other)[0], filled[0])
    alone = model.predict_on_batch({name: value[:1] for name, value in given.items()})
    np.testing.assert_allclose(alone[0], filled[0], atol=0.02)  # another kernel, twenty steps later


def test_nothing_under_the_hole_is_looked_at(model):
    given = pictures()
    filled = model.predict_on_batch(given)
    hidden = {"image": np.where(given["mask"] > 0, np.nan, given["image"]), "mask": given["mask"]}
    np.testing.assert_array_equal(model.predict_on_batch(hidden), filled)
    assert filled.dtype == np.float32 and filled.min() >= 0 and filled.max() <= 1


def test_the_blend_keeps_the_known_pixels_and_the_generated_gradients(model):
    given = pictures()
    known = np.broadcast_to(given["mask"] == 0, given["image"].shape)
    raw = small(blend=False).predict_on_batch(given)
    blended = model.predict_on_batch(given)
    expected = blending.poisson_blend(given["image"], raw, given["mask"])
    np.testing.assert_allclose(blended, expected, atol=1e-5)
    np.testing.assert_array_equal(blended[known], given["image"][known])
    assert np.abs(raw[known] - given["image"][known]).mean() > 0.05
    inside = np.s_[:, 7:10, 13:19]  # far from the hole's edge the offset is smooth
    change = (blended - raw)[inside]
    assert np.abs(np.diff(change, axis=1)).mean() < 0.3 * np.abs(np.diff(raw[inside], axis=1)).mean()
    assert np.abs(change).max() > 1e-3


def test_pictures_without_a_hole_and_without_a_known_pixel_are_taken(model):
    given = pictures()
    given["mask"][0], given["mask"][1] = 0, 1
    filled = model.predict_on_batch(given)
    np.testing.assert_array_equal(filled[0], given["image"][0])
    assert np.isfinite(filled[1]).all()


def test_the_search_is_compiled_once():
    model, given = small(), pictures()
    search, calls = model.search, []
    objective = search.objective
    search.objective = lambda *arguments: calls.append(None) or objective(*arguments)
    model.predict_on_batch(given)
    traced = len(calls)
    model.predict_on_batch(given)
    assert len(calls) == traced < search.iterations


def test_mixed_precision_searches_and_answers_in_float32():
    with precision.policy("mixed_bfloat16"):
        model = small(iterations=5)
    search = model.search
    assert (
        search.compute_dtype == "float32"
        and search.generator.get_layer("deconv1").compute_dtype == "bfloat16"
    )
    filled = model.predict_on_batch(pictures())
    assert filled.dtype == np.float32 and np.isfinite(filled).all()


def test_a_shorter_search_shares_the_networks():
    model = small(window=5, blend=False)
    shorter, longer = dcgan.shortened(model, 7), dcgan.shortened(model, 1000)
    mine, theirs = model.search, shorter.search
    assert theirs.settings() == mine.settings() | {"iterations": 7}
    assert theirs.generator is mine.generator and theirs.discriminator is mine.discriminator
    assert longer.search.iterations == 20
    assert [layer.name for layer in shorter.layers] == [layer.name for layer in model.layers]
    assert [w.path for w in shorter.weights] == [w.path for w in model.weights]


# What is saved

SETTINGS = {"prior": 0.01, "window": 5, "iterations": 9}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model file, its pictures, and what the model in this process fills in."""
    folder = tmp_path_factory.mktemp("saved")
    model = small(**SETTINGS)
    model.save(folder / "model.keras")
    np.savez(folder / "pictures.npz", **pictures())
    return folder, model.predict_on_batch(pictures())


def test_a_saved_model_fills_the_same(saved):
    folder, filled = saved
    loaded = inpainting_tf.load(folder / "model.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(pictures()), filled)
    settings = loaded.search.settings()
    assert settings == {**SETTINGS, "learning_rate": 0.1, "seed": 0}
    assert loaded.count_params() == small(**SETTINGS).count_params() > 0
    picture, hole = images.to_uint8(pictures()["image"]), pictures()["mask"] > 0
    shown, known = (
        inpainting_tf.inpaint(loaded, picture, hole, blend="none"),
        np.broadcast_to(~hole, picture.shape),
    )
    np.testing.assert_array_equal(shown[known], picture[known])
    assert (shown[~known] != picture[~known]).mean() > 0.5


JAX = """
import json, sys
from pathlib import Path
import jax, jax.numpy as jnp, keras, numpy as np
import inpainting_tf
from inpainting_tf import backends
from inpainting_tf.ops import blending
from inpainting_tf.networks import dcgan
folder = Path(sys.argv[1])
given = dict(np.load(folder / "pictures.npz"))
model = inpainting_tf.load(folder / "model.keras")
filled = model.predict_on_batch(given)
x = jnp.array([[1.0, -2.0], [0.5, 3.0]])
gradient = jax.jit(lambda x: backends.gradient(lambda x: keras.ops.sum(x**3), x))(x)
prediction = np.flip(given["image"], axis=2)
blended = jax.jit(blending.poisson_blend)(given["image"], prediction, given["mask"])
weights = dcgan.context_weights(given["mask"], 7)
np.savez(folder / "jax.npz", filled=filled, gradient=gradient, blended=blended, weights=weights)
print(json.dumps(keras.backend.backend()))
"""


@pytest.mark.slow
def test_jax_does_the_same(saved):
    pytest.importorskip("jax", reason="takes pip install jax")
    folder, filled = saved
    assert json.loads(python(JAX, folder, env=environment(KERAS_BACKEND="jax"))) == "jax"
    given = pictures()
    with np.load(folder / "jax.npz") as found:
        np.testing.assert_allclose(found["gradient"], [[3.0, 12.0], [0.75, 27.0]], rtol=1e-6)
        np.testing.assert_allclose(found["weights"], dcgan.context_weights(given["mask"], 7), atol=1e-6)
        blended = blending.poisson_blend(given["image"], np.flip(given["image"], axis=2), given["mask"])
        np.testing.assert_allclose(found["blended"], blended, atol=5e-6)
        np.testing.assert_allclose(found["filled"], filled, atol=5e-3)  # nine steps later


def test_other_backends_are_refused_in_one_line():
    code = """
from inpainting_tf import backends
from inpainting_tf.errors import InputError
try:
    backends.gradient(None, None)
except InputError as error:
    print(error)
"""
    said = python(code, env=environment(KERAS_BACKEND="numpy"))
    assert said == "The search for a latent code takes KERAS_BACKEND=tensorflow or jax. Received 'numpy'.\n"
