"""The trainer of a DCGAN: who is updated on what, its codes, resuming, and the search that it shortens."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.networks import dcgan, glcic
from inpainting_tf.ops import losses
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import precision
from inpainting_tf.training.generative import PREVIEW, Generative

SIZE = (16, 32)
LATENT = 8


def trainer(policy: str = "float32", *, seed: int = 0, rate: float = 2e-3, sgd: bool = False) -> Generative:
    def optimizer() -> keras.Optimizer:
        plain = keras.optimizers.SGD(rate) if sgd else keras.optimizers.Adam(rate, beta_1=0.5)
        return keras.optimizers.LossScaleOptimizer(plain) if policy == "mixed_float16" else plain

    with precision.policy(policy):
        keras.utils.set_random_seed(seed)
        model = Generative(dcgan.semantic_inpainting(SIZE, width=4, latent=LATENT, iterations=1000))
        model.compile(optimizer(), optimizer())
    return model


def batch(seed: int = 0) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    mask = np.zeros((4, *SIZE, 1), "float32")
    mask[:, 2:8, 3:12] = 1
    return {"image": tf.constant(random.random((4, *SIZE, 3), "float32")), "mask": tf.constant(mask)}


def snapshot(model: Generative) -> dict[str, list[np.ndarray]]:
    parts = {
        "generator": model.generator.trainable_variables,
        "generator statistics": model.generator.non_trainable_variables,
        "generator optimizer": model.optimizer.variables,
        "discriminator": model.discriminator.trainable_variables,
        "discriminator statistics": model.discriminator.non_trainable_variables,
        "discriminator optimizer": model.discriminator_optimizer.variables,
    }
    return {name: [np.array(variable.value) for variable in part] for name, part in parts.items()}


def changed(before: dict, after: dict) -> set[str]:
    """The parts of which anything moved."""
    pairs = {name: zip(before[name], after[name], strict=True) for name in before}
    return {name for name, pair in pairs.items() if any((old != new).any() for old, new in pair)}


def test_a_step_updates_both_networks_and_reports_its_columns():
    model = trainer()
    before = snapshot(model)
    logs = model.train_step(batch())
    after = snapshot(model)
    assert changed(before, after) == set(before)
    for part in ("generator", "discriminator"):
        moved = [(old != new).any() for old, new in zip(before[part], after[part], strict=True)]
        assert all(moved), part
    assert model.phase(0) == model.phase(10**6) == "joint" and list(model.columns) == ["joint"]
    assert set(logs) == set(model.columns["joint"])
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert float(logs["loss"]) == float(logs["adversarial"])
    assert 0 < float(logs["real_score"]) < 1 and 0 < float(logs["fake_score"]) < 1
    assert int(model.steps) == 1


def discriminate(model, data, generated):
    """D's update on a batch's pictures and generated ones."""
    masks = {"mask": data["mask"]}
    return model.discriminate({"image": data["image"], **masks}, {"image": generated, **masks})


def test_the_discriminators_update_moves_nothing_else():
    model, data = trainer(), batch()
    generated = model.generator(model.draw(4), training=False)
    before = snapshot(model)
    logs = discriminate(model, data, generated)
    moved = changed(before, snapshot(model))
    assert moved == {"discriminator", "discriminator statistics", "discriminator optimizer"}
    assert set(logs) == {"discriminator", "real_score", "fake_score"}


def test_the_generators_update_leaves_the_discriminator_to_its_own():
    """After a whole step D is where its own update alone takes it; G follows the D that has been updated."""
    model, data = trainer(sgd=True), batch()
    twin = trainer(sgd=True)
    code = model.draw(4)
    model.draw = lambda count: code
    first = snapshot(twin)
    with tf.GradientTape() as tape:
        generated = twin.generator(code, training=True)
        judged = discriminate(twin, data, generated)
        given = {"image": generated, "mask": data["mask"]}
        loss = losses.non_saturating(twin.discriminator(given, training=True))
    gradients = tape.gradient(loss, twin.generator.trainable_variables)
    logs = model.train_step(data)
    found, expected = snapshot(model), snapshot(twin)
    for mine, theirs in zip(found["discriminator"], expected["discriminator"], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-7)
    for mine, old, gradient in zip(found["generator"], first["generator"], gradients, strict=True):
        np.testing.assert_allclose(mine, old - 2e-3 * np.array(gradient), atol=1e-7)
    assert float(logs["loss"]) == pytest.approx(float(loss), rel=1e-5)
    assert float(logs["discriminator"]) == pytest.approx(float(judged["discriminator"]), rel=1e-5)


def test_the_discriminators_loss_is_that_of_real_and_generated_pictures():
    model, data = trainer(), batch()
    generated = model.generator(model.draw(4), training=False)
    real, fake = (
        1 / (1 + np.exp(-np.array(model.discriminator({"image": x, "mask": data["mask"]}, training=True))))
        for x in (data["image"], generated)
    )
    logs = discriminate(model, data, generated)
    expected = -np.log(real).mean() - np.log(1 - fake).mean()
    assert float(logs["discriminator"]) == pytest.approx(expected, rel=1e-4)
    assert float(logs["real_score"]) == pytest.approx(real.mean(), rel=1e-4)
    assert float(logs["fake_score"]) == pytest.approx(fake.mean(), rel=1e-4)


class Counted(keras.layers.Layer):
    """Passes its input on and counts how often it is called."""

    calls = 0

    def call(self, inputs):
        type(self).calls += 1
        return inputs


def test_a_step_runs_the_generator_once():
    model = trainer(sgd=True)
    model.generator = keras.Model(model.generator.input, Counted()(model.generator.output))
    Counted.calls = 0
    model.update(batch())
    assert Counted.calls == 1


# The codes


def test_codes_are_uniform_and_new_at_each_step():
    model = trainer()
    codes = np.array([model.draw(64) for _ in range(8)])
    assert codes.shape == (8, 64, LATENT) and codes.dtype == np.float32
    assert -1 <= codes.min() < -0.99 and 0.99 < codes.max() <= 1
    assert abs(codes.mean()) < 0.05 and codes.var() == pytest.approx(1 / 3, abs=0.02)
    assert len({each.tobytes() for each in codes}) == 8


def test_the_seed_decides_on_the_codes():
    completion = trainer().completion
    first, again, other = (np.array(Generative(completion, seed=seed).draw(2)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_training_continues_to_the_same_bits(tmp_path):
    model = trainer()
    for index in range(4):
        if index == 2:
            checkpoints.save(tmp_path, 2, model, {})
        model.train_step(batch(index))
    other = trainer(seed=7)  # other weights, other codes
    assert checkpoints.restore(tmp_path, other)["step"] == 2 and int(other.steps) == 2
    for index in (2, 3):
        other.train_step(batch(index))
    pairs = zip(
        [*model.variables, *model.optimizer.variables],
        [*other.variables, *other.optimizer.variables],
        strict=True,
    )
    assert all(np.array(mine).tobytes() == np.array(theirs).tobytes() for mine, theirs in pairs)


# What is looked at, and what is saved


def test_the_trainer_holds_a_short_search_and_the_saved_network_the_whole_one():
    model = trainer()
    assert model.completion.search.iterations == PREVIEW < 1000
    portable = dcgan.semantic_inpainting(SIZE, width=4, latent=LATENT, iterations=1000)
    model.train_step(batch())
    portable.set_weights(model.completion.get_weights())
    search = portable.search
    assert search.iterations == 1000
    code = model.draw(2)
    np.testing.assert_array_equal(search.generator(code), model.generator(code))
    given = {"image": model.generator(code), "mask": batch()["mask"][:2]}
    np.testing.assert_array_equal(search.discriminator(given), model.discriminator(given))


def test_other_networks_are_refused():
    with pytest.raises(InputError, match=r"`completion` must be a network that searches .* 'glcic'"):
        Generative(glcic.glcic(16, width=4))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(policy):
    model = trainer(policy)
    step = backends.compiled_step(model)
    logs = [step(batch(index)) for index in range(3)]
    assert all(np.isfinite(float(value)) for row in logs for value in row.values())
    assert model.generator.get_layer("deconv2").compute_dtype == policy.removeprefix("mixed_")
    assert all(variable.dtype == "float32" for variable in model.generator.trainable_variables)
    checkpoints.require_finite(model.variables, 3)


def test_it_learns_what_the_pictures_are_like():
    model = trainer(rate=5e-3)
    step, data = backends.compiled_step(model), batch()
    colour = np.array([0.9, 0.5, 0.1], "float32")

    def distance() -> float:
        generated = model.generator(model.draw(64), training=True)
        return float(np.abs(np.mean(generated, axis=(0, 1, 2)) - colour).mean())

    first = distance()
    for index in range(150):
        noise = np.random.default_rng(index).normal(size=(4, *SIZE, 3), scale=0.05)
        step({"image": tf.constant(np.clip(colour + noise, 0, 1), "float32"), "mask": data["mask"]})
    assert distance() < 0.5 * first
