"""`Inpainter`: a Keras model in every respect, which brings what must be known of it along."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import tiny

import inpainting_tf
from inpainting_tf import Inpainter, InputError, networks, runs
from inpainting_tf.inference import Engine, Facts
from inpainting_tf.networks import COMPLETION

WRITTEN = Path(__file__).parent / "written"
SIZE = (32, 64)  # divisible by every network's stride
SMALL = {"width": 4}


def built(name: str = "glcic", image_size=None, **arguments) -> Inpainter:
    keras.utils.set_random_seed(3)
    return networks.get(name)(image_size, **(SMALL | arguments))


def pictures(count: int = 3, size: tuple[int, int] = (16, 24)) -> dict[str, np.ndarray]:
    """Random pictures, and a box that differs from one to the next."""
    image = np.random.default_rng(0).random((count, *size, 3), np.float32)
    mask = np.zeros((count, *size, 1), np.float32)
    for number in range(count):
        mask[number, 3 : 8 + number, 5:12] = 1
    return {"image": image, "mask": mask}


@pytest.mark.parametrize("name", COMPLETION)
def test_every_builder_makes_one_that_knows_itself(name, tmp_path):
    any_size = networks.get(name).any_size
    model = built(name, None if any_size else SIZE)
    assert isinstance(model, Inpainter) and isinstance(model, Engine)
    assert model.facts.size == ((None, None) if any_size else SIZE)
    assert model.facts.hole_fill == model.get_layer("blank_hole").fill
    assert model.facts.divisor == model.get_layer("blank_hole").divisor
    assert model.built_by.builder == name and model.built_by.arguments["width"] == 4
    assert set(model.built_by.arguments) == set(inspect.signature(networks.get(name)).parameters)
    if not any_size:
        with pytest.raises(InputError, match=r"`image_size`.*must be given"):
            built(name, None)


@pytest.mark.parametrize("name", ["patch_autoencoder", "context_encoder", "multiscale_context_encoder"])
def test_what_lies_under_a_hole_larger_than_the_patch_does_not_get_out(name):
    model, given = built(name, SIZE), pictures(2, SIZE)
    given["mask"][:, 2:30, 3:60] = 1
    other = given | {"image": np.where(given["mask"] > 0, 1 - given["image"], given["image"])}
    np.testing.assert_array_equal(model.fill(**renamed(given)), model.fill(**renamed(other)))


@pytest.mark.parametrize(
    ("name", "size", "arguments"),
    [
        ("glcic", None, {}),
        ("autoencoder", (16, 24), {"fill": "telea"}),
        ("cvae", (16, 32), {"latent": 8}),
        ("semantic_inpainting", (16, 32), {"latent": 4, "iterations": 2}),
    ],
)
def test_a_file_brings_all_of_it_back(name, size, arguments, tmp_path):
    model = built(name, size, **arguments)
    model.set_training((48, 9), aligned=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is Inpainter and again.facts == model.facts
    assert again.facts.trained_on == (48, 9)
    assert json.dumps(again.built_by.arguments) == json.dumps(model.built_by.arguments)
    assert (again.code is None, again.search is None) == (model.code is None, model.search is None)
    batch = pictures(2, size or (16, 24))
    np.testing.assert_array_equal(again.fill(**renamed(batch)), model.fill(**renamed(batch)))
    if model.code:
        drawn = [each.draw(**renamed(batch), count=2) for each in (model, again)]
        np.testing.assert_array_equal(*drawn)


def renamed(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"images": batch["image"], "masks": batch["mask"]}


@pytest.mark.parametrize("name", ["glcic", "cvae", "autoencoder", "semantic_inpainting"])
def test_files_of_version_0_1_are_read(name):
    """With the facts that it kept in a layer, and to the bit the same predictions."""
    facts = {
        "glcic": Facts((None, None), 4, "mean", (16, 3)),
        "cvae": Facts((16, 16), 16, "black", (16, 6)),
        "autoencoder": Facts((None, None), 8, "telea", (16, 6)),
        "semantic_inpainting": Facts((16, 16), 16, "black", (16, 5)),
    }
    model = inpainting_tf.load(WRITTEN / f"{name}.keras")
    assert type(model) is Inpainter and model.facts == facts[name]
    assert (model.code is not None) == (name == "cvae")
    assert (model.search is not None) == (name == "semantic_inpainting")
    with np.load(WRITTEN / "predictions.npz") as noted:
        image, mask = (noted[f"{name}_{which}"].astype("float32") for which in ("image", "mask"))
        np.testing.assert_allclose(
            model.fill(image * (1 - mask), mask), noted[f"{name}_prediction"], atol=1e-5
        )


def test_the_note_of_a_file_that_version_0_1_exported_is_read():
    old = {"size": [None, None], "divisor": 8, "scale": {"size": [64, 64], "hole": 24}, "prefill": "telea"}
    assert Facts.from_json(old) == Facts((None, None), 8, "telea", (64, 24))
    assert Facts.from_json(old | {"scale": None, "prefill": None}) == Facts((None, None), 8)
    facts = Facts((32, 48), 4, "mean", (32, 6))
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


# A trained one


def test_presets_are_the_models_that_come_along():
    assert set(Inpainter.presets) == {"photos", "faces", "cifar10"} and all(Inpainter.presets.values())
    faces = Inpainter.from_preset("faces")
    assert type(faces) is Inpainter and faces.facts.trained_on == (128, 48)
    with pytest.raises(InputError, match=r"`path` must be photos, faces, cifar10, a run's folder or"):
        Inpainter.from_preset("face")


def test_a_run_and_its_copy_are_presets(trained, tmp_path):
    copy = runs.pack(runs.open_run(trained), tmp_path / "packed").folder
    batch = renamed(pictures())
    run, packed = Inpainter.from_preset(trained), Inpainter.from_preset(copy)
    assert run.facts == packed.facts == Facts((None, None), 1, "black", (16, 3), aligned=True)
    np.testing.assert_allclose(run.fill(**batch), packed.fill(**batch), atol=5e-4)  # half precision
    assert np.abs(run.fill(**batch) - built("gan_direct_conv").fill(**batch)).max() > 3e-3, "trained weights"


def test_inpaint_is_the_function_of_that_name(trained):
    model = inpainting_tf.load(trained)
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 30:38] = 255
    for options in ({}, {"blend": "none"}, {"direct": True}):
        filled = model.inpaint(image, mask, **options)
        np.testing.assert_array_equal(filled, inpainting_tf.inpaint(model, image, mask, **options))
        assert (filled == image)[mask == 0].all() and (filled != image)[mask > 0].any()


def test_other_models_are_refused_in_words():
    model = keras.Model(*(lambda x: (x, x))(keras.Input((8, 8, 3))))
    with pytest.raises(InputError, match=r"`model` must be an inpainting_tf.Inpainter.*Received Functional"):
        inpainting_tf.inpaint(model, np.zeros((8, 8, 3), np.uint8), np.eye(8))
    with pytest.raises(InputError, match=r"`inputs`.*'image' and 'mask'"):
        Inpainter(keras.Input((8, 8, 3)), keras.Input((8, 8, 3)))


# Plain Keras


def batches(dataset: tf.data.Dataset) -> tf.data.Dataset:
    return dataset.batch(2)


def test_inputs_alone_are_a_batch():
    """Target and weight are the image and the mask of the inputs: the stock loss counts the hole alone."""
    given = pictures(4)
    model = built()
    model.compile(loss="mse")
    alone = batches(tf.data.Dataset.from_tensor_slices(given))
    full = batches(tf.data.Dataset.from_tensor_slices((given, given["image"], given["mask"])))
    error = np.square(model.predict(given, verbose=0) - given["image"]).mean(-1) * given["mask"][..., 0]
    for dataset in (alone, full):
        assert model.evaluate(dataset, verbose=0) == pytest.approx(error.mean(), rel=1e-5)
    other = batches(tf.data.Dataset.from_tensor_slices((given, 1 - given["image"], 1 - given["mask"])))
    error = np.square(model.predict(given, verbose=0) - 1 + given["image"]).mean(-1)
    error = error * (1 - given["mask"][..., 0])
    assert model.evaluate(other, verbose=0) == pytest.approx(error.mean(), rel=1e-5)


def test_fit_learns_and_calls_its_callbacks(tmp_path):
    given = pictures(4)
    dataset = batches(tf.data.Dataset.from_tensor_slices(given)).repeat(8)
    model = built("direct_conv")
    before = [weight.copy() for weight in model.get_weights()]
    file = tmp_path / "best.keras"
    model.compile(keras.optimizers.Adam(3e-3), loss="mse", metrics=["mae"])
    best = keras.callbacks.ModelCheckpoint(file, monitor="val_loss", save_best_only=True)
    history = model.fit(dataset, epochs=3, validation_data=dataset, callbacks=[best], verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0] and set(history) >= {"val_loss", "val_mae"}
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))
    assert type(inpainting_tf.load(file)) is Inpainter


@pytest.mark.parametrize("name", ["direct_conv", "cvae"])
def test_a_clone_has_the_layers_and_with_graph_the_facts(name):
    model = built(name, (16, 32), fill="white")
    model.set_training((48, 9), aligned=True)
    copy = model.with_graph(keras.models.clone_model(model))
    assert copy.facts == model.facts and copy.built_by == model.built_by
    assert copy.facts.trained_on == (48, 9) and (copy.code is None) == (model.code is None)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    batch = renamed(pictures(2, (16, 32)))
    assert np.abs(copy.fill(**batch) - model.fill(**batch)).max() > 1e-3, "new weights"
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.fill(**batch), model.fill(**batch))


def test_it_is_drawn_and_summed_up():
    lines: list[str] = []
    built().summary(print_fn=lines.append)
    assert "glcic" in "".join(lines) and "Total params" in "".join(lines)
    pytest.importorskip("pydot", reason="keras.utils.model_to_dot needs pydot")
    names = {node.get_label() for node in keras.utils.model_to_dot(built()).get_nodes()}
    assert any("dilated4" in str(name) for name in names)


def test_a_trainer_saves_it_with_what_it_was_trained_on(tmp_path):
    run = runs.train(tiny("direct_conv", schedule__epochs=1, mask__train__low=0.25), tmp_path / "run")
    model = keras.models.load_model(run.model_file)
    assert type(model) is Inpainter and model.facts.trained_on == (16, 4) and model.facts.aligned
