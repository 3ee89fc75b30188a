"""Who is updated when, on which loss: the three phases of Algorithm 1 on tiny networks."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_tf import recipes
from inpainting_tf.errors import InputError
from inpainting_tf.ops import losses
from inpainting_tf.recipes import assembly
from inpainting_tf.training import Adversarial, Reconstruction, Weight, precision

COLUMNS = Adversarial.columns
PHASES = tuple(COLUMNS)
TINY = {"network.width": 4, "discriminator.width": 4, "data.image_size": 32, "batch_size": 4}
STEPS = 10  # 5 of completion, 2 of the discriminator, 3 of both
SHARES = {"schedule.completion_share": 0.5, "schedule.discriminator_share": 0.2}
FIRST = {"completion": 0, "discriminator": 5, "joint": 7}


def trainer(name: str = "glcic", policy: str = "float32", **changes) -> Reconstruction:
    fields = {key.replace("__", "."): value for key, value in changes.items()}
    with precision.policy(policy):
        keras.utils.set_random_seed(0)
        return assembly.trainer(recipes.get(name).override(TINY | SHARES | fields), STEPS)


def batch(seed: int = 0) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    masks = np.zeros((2, 4, 32, 32, 1), "float32")
    masks[0, :, 4:16, 6:24] = masks[1, :, 16:28, 2:12] = 1
    image = random.random((4, 32, 32, 3), "float32")
    return {"image": tf.constant(image), "mask": tf.constant(masks[0]), "real_mask": tf.constant(masks[1])}


def at(model: Reconstruction, phase: str) -> Reconstruction:
    model.steps.assign(FIRST[phase])
    return model


def snapshot(model: Reconstruction) -> dict[str, list[np.ndarray]]:
    parts = {
        "completion": model.completion.trainable_variables,
        "completion statistics": model.completion.non_trainable_variables,
        "completion optimizer": model.optimizer.variables,
    }
    if isinstance(model, Adversarial):
        parts["discriminator"] = model.discriminator.trainable_variables
        parts["discriminator statistics"] = model.discriminator.non_trainable_variables
        parts["discriminator optimizer"] = model.discriminator_optimizer.variables
    return {name: [np.array(variable.value) for variable in part] for name, part in parts.items()}


def changed(before: dict, after: dict) -> set[str]:
    """The parts of which anything moved."""
    pairs = {name: zip(before[name], after[name], strict=True) for name in before}
    return {name for name, pair in pairs.items() if any((old != new).any() for old, new in pair)}


COMPLETION = {"completion", "completion statistics", "completion optimizer"}
DISCRIMINATOR = {"discriminator", "discriminator statistics", "discriminator optimizer"}


@pytest.mark.parametrize(
    ("phase", "moved"),
    [("completion", COMPLETION), ("discriminator", DISCRIMINATOR), ("joint", COMPLETION | DISCRIMINATOR)],
)
@pytest.mark.parametrize("name", [name for name, r in recipes.RECIPES.items() if r.discriminator])
def test_each_phase_updates_its_own_networks_alone(name, phase, moved):
    model = at(trainer(name), phase)
    before = snapshot(model)
    logs = model.train_step(batch())
    assert changed(before, snapshot(model)) == {part for part in moved if before[part]}
    for column, value in logs.items():
        assert np.isfinite(value) == (column in COLUMNS[phase]), column
    assert int(model.steps.value) == FIRST[phase] + 1


def test_nearly_every_weight_moves_in_the_joint_phase():
    model = at(trainer(), "joint")
    before = snapshot(model)
    model.train_step(batch())
    after = snapshot(model)
    for part in ("completion", "discriminator"):
        moved = [(old != new).any() for old, new in zip(before[part], after[part], strict=True)]
        assert np.mean(moved) > 0.9, part


def test_phases_begin_where_the_shares_say_and_the_step_is_traced_once():
    traces = []

    class Counting(Adversarial):
        def train_step(self, data):
            traces.append(None)  # runs in Python: once per trace
            return super().train_step(data)

    model = trainer()
    model.__class__ = Counting
    step = tf.function(model.train_step)
    seen = []
    for index in range(STEPS):
        before = snapshot(model)
        logs = step(batch(index))
        moved = changed(before, snapshot(model))
        seen.append({5: "completion", 2: "discriminator"}.get(index))
        expected = model.phase(index)
        seen[-1] = expected
        assert ("completion" in moved) == (expected != "discriminator")
        assert ("discriminator" in moved) == (expected != "completion")
        assert {name for name, value in logs.items() if np.isfinite(value)} == set(COLUMNS[expected])
    assert seen == ["completion"] * 5 + ["discriminator"] * 2 + ["joint"] * 3
    assert len(traces) == 1


class Counted(keras.layers.Layer):
    """Passes its input on and counts how often it is called."""

    calls = 0

    def call(self, inputs):
        type(self).calls += 1
        return inputs


def test_the_joint_step_runs_the_completion_network_once():
    model = at(trainer(), "joint")
    inputs = {"image": keras.Input((32, 32, 3), name="image"), "mask": keras.Input((32, 32, 1), name="mask")}
    model.completion = keras.Model(inputs, Counted()(model.completion(inputs)))
    model.optimizer = keras.optimizers.SGD()
    Counted.calls = 0
    model.update_both(batch())
    assert Counted.calls == 1


def logits(model: Adversarial, image, mask) -> np.ndarray:
    given = {"image": tf.convert_to_tensor(image), "mask": tf.convert_to_tensor(mask)}
    return np.array(model.discriminator(given, training=True))


def test_the_joint_loss_is_that_of_the_equations_after_the_discriminators_update():
    model, data = at(trainer(objective__alpha=0.25), "joint"), batch()
    # In training the prediction depends on the weights alone, so it can be made before the step.
    prediction = np.array(model(data, training=True))
    image, mask = data["image"].numpy(), data["mask"].numpy()
    completed = np.where(mask > 0, prediction, image)
    real, fake = logits(model, image, data["real_mask"]), logits(model, completed, mask)
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["discriminator"] == pytest.approx(float(losses.discriminator_loss(real, fake)), rel=1e-3)
    assert logs["real_score"] == pytest.approx(float(np.mean(1 / (1 + np.exp(-real)))), rel=1e-3)
    reconstruction = float(losses.masked_mse(image, prediction, mask))
    assert logs["reconstruction"] == pytest.approx(reconstruction, rel=1e-3)
    # Scored by the discriminator as it is now, and not as it was.
    now = float(losses.non_saturating(logits(model, completed, mask)))
    before = float(losses.non_saturating(fake))
    assert abs(now - before) > 0.01
    assert logs["adversarial"] == pytest.approx(now, rel=1e-2)
    assert logs["loss"] == pytest.approx(reconstruction + 0.25 * logs["adversarial"], rel=1e-3)


def test_the_discriminator_sees_the_known_pixels_of_the_original():
    model, data = trainer(), batch()
    prediction = tf.zeros_like(data["image"])
    completed = np.array(model.complete(data, prediction))
    hole = data["mask"].numpy()[..., 0] > 0
    np.testing.assert_array_equal(completed[~hole], data["image"].numpy()[~hole])
    assert (completed[hole] == 0).all()


def completion_gradients(model: Reconstruction, data: dict, loss) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        value = loss(model(data, training=True))
    return tape.gradient(value, model.completion.trainable_variables)


def test_the_adversarial_term_alone_reaches_every_part_of_the_completion_network():
    model, data = trainer(), batch()
    found = completion_gradients(
        model, data, lambda p: model.joint_loss(data, p, model.complete(data, p))["adversarial"]
    )
    assert all(gradient is not None for gradient in found)
    assert np.mean([np.abs(gradient).max() > 0 for gradient in found]) > 0.9


class Watching(keras.layers.Layer):
    """Passes its input on and keeps what it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def call(self, inputs):
        if not isinstance(inputs, keras.KerasTensor) and hasattr(inputs, "numpy"):
            self.seen.append(inputs.numpy())
        return inputs


@pytest.mark.parametrize("phase", ["discriminator", "joint"])
def test_the_discriminator_is_shown_the_original_outside_the_hole(phase):
    model, data = at(trainer(), phase), batch()
    watching = Watching()
    inputs = {"image": keras.Input((32, 32, 3), name="image"), "mask": keras.Input((32, 32, 1), name="mask")}
    seen = watching(inputs["image"])
    model.discriminator = keras.Model(inputs, model.discriminator({"image": seen, "mask": inputs["mask"]}))
    model.discriminator_optimizer = keras.optimizers.SGD()
    {"discriminator": model.update_discriminator, "joint": model.update_both}[phase](data)
    image, hole = data["image"].numpy(), data["mask"].numpy()[..., 0] > 0
    real, *filled = watching.seen
    np.testing.assert_array_equal(real, image)
    assert len(filled) == (1 if phase == "discriminator" else 2)  # for D's loss, and again for C's
    for pictures in filled:
        np.testing.assert_array_equal(pictures[~hole], image[~hole])
        assert np.abs(pictures[hole] - image[hole]).min(-1).mean() > 0.01


def test_in_the_joint_step_the_adversarial_term_moves_the_completion_network():
    found = []
    for alpha in (0.0, 10.0):
        model = at(trainer(objective__alpha=alpha, optimizer__learning_rate=0.01), "joint")
        model.train_step(batch())
        found.append(
            np.concatenate([np.ravel(variable) for variable in model.completion.trainable_variables])
        )
    assert np.mean(found[0] != found[1]) > 0.5


def test_nothing_flows_back_from_the_discriminators_update():
    """On JAX, where an update is a function like any other, the completion network would learn from it."""
    model, data, seen = at(trainer(), "joint"), batch(), []
    loss = model.discriminator_loss
    model.discriminator_loss = lambda real, fake: seen.append(fake["image"]) or loss(real, fake)
    with tf.GradientTape() as tape:
        prediction = model(data, training=True)
        model.discriminate(*model.pairs(data, model.complete(data, prediction)))
    assert len(seen) == 1 and tape.gradient(seen[0], prediction) is None


def test_without_weight_the_adversarial_term_changes_nothing():
    """At alpha 0 the completion network learns as in the completion phase."""
    joint, alone = at(trainer(objective__alpha=0.0), "joint"), at(trainer(), "completion")
    alone.completion.set_weights(joint.completion.get_weights())
    joint.train_step(batch()), alone.train_step(batch())
    for mine, theirs in zip(joint.completion.get_weights(), alone.completion.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_the_completion_phase_does_not_see_the_known_pixels_as_a_target():
    model, data = trainer(), batch()
    prediction = model(data, training=True)
    hole = data["mask"]
    loss = float(model.completion_loss(data, prediction)["loss"])
    elsewhere = prediction + (1 - hole) * 3.0
    assert float(model.completion_loss(data, elsewhere)["loss"]) == pytest.approx(loss)


def test_the_generators_term_can_be_chosen():
    data = batch()
    for name, game in losses.ADVERSARIAL.items():
        model = trainer(objective__adversarial=name)
        completed = model.complete(data, tf.zeros_like(data["image"]))
        expected = float(game.generator(logits(model, completed, data["mask"])))
        found = model.joint_loss(data, tf.zeros_like(data["image"]), completed)["adversarial"]
        assert float(found) == pytest.approx(expected, rel=1e-4)


def test_a_recipe_without_a_discriminator_trains_on_reconstruction_alone():
    recipe = dataclasses.replace(
        recipes.get("glcic").override(TINY), discriminator=None, trainer="reconstruction"
    )
    model = assembly.trainer(recipe, STEPS)
    assert type(model) is Reconstruction and {model.phase(step) for step in range(STEPS)} == {"completion"}
    data = batch()
    first = [float(model.train_step(data)["loss"]) for _ in range(15)]
    assert first[-1] < first[0]


def test_a_network_sees_what_was_filled_beforehand_and_is_compared_with_the_original():
    inputs = {"image": keras.Input((32, 48, 3), name="image"), "mask": keras.Input((32, 48, 1), name="mask")}
    shown = keras.Model(inputs, keras.layers.Identity()(inputs["image"]))
    model = Reconstruction(shown, losses.mse)
    image, prefilled = np.random.default_rng(0).random((2, 3, 32, 48, 3), "float32")
    data = {"image": image, "mask": np.ones((3, 32, 48, 1), "float32")}
    assert float(model.test_losses(data)["loss"]) == 0
    found = float(model.test_losses(data | {"prefilled": prefilled})["loss"])
    assert found == pytest.approx(np.mean((image - prefilled) ** 2), rel=1e-5)


def test_training_lowers_the_loss():
    model, data = trainer(), batch()
    step = tf.function(model.update_completion)
    values = [float(step(data)["loss"]) for _ in range(30)]
    assert values[-1] < 0.7 * values[0]


def test_the_phase_names_follow_the_boundaries():
    model = trainer()
    assert model.boundaries == (5, 7)
    assert [model.phase(step) for step in (0, 4, 5, 6, 7, 100)] == [PHASES[i] for i in (0, 0, 1, 1, 2, 2)]


@pytest.mark.slow
def test_compiled_steps_give_the_same_losses():
    found = []
    for compiled in (False, True):
        model = at(trainer("one_autoencoder_local"), "joint")
        step = tf.function(model.update_both, jit_compile=compiled)
        found.append([float(step(batch(seed))["loss"]) for seed in range(2)])
    np.testing.assert_allclose(found[0], found[1], rtol=2e-3)


def test_the_reconstruction_term_can_count_one_minus_alpha():
    model, data = at(trainer(objective__alpha=0.25, objective__convex=True), "joint"), batch()
    prediction = model(data, training=True)
    parts = model.joint_loss(data, prediction, model.complete(data, prediction))
    expected = 0.75 * float(parts["reconstruction"]) + 0.25 * float(parts["adversarial"])
    assert float(parts["loss"]) == pytest.approx(expected, rel=1e-6)


def test_the_discriminator_may_judge_the_whole_prediction():
    model, data = trainer(objective__judged="prediction"), batch()
    prediction = tf.zeros_like(data["image"])
    assert (np.array(model.complete(data, prediction)) == 0).all()


def test_the_cars_gan_is_the_equation_of_its_paper():
    """L_G = alpha BCE(1, D(G)) + (1 - alpha) MSE(IM x I - G), D before it on BCE(real, 1) + BCE(G, 0).

    G is blanked as the picture is, and both are in [-1, 1], the range of its tanh.
    """
    model, data = at(trainer("gan_direct_conv", objective__alpha=0.3), "joint"), batch()
    prediction = np.array(model(data, training=True))
    known = 1 - data["mask"].numpy()
    image = 2 * data["image"].numpy() - 1
    expected = np.mean((known * image - known * (2 * prediction - 1)) ** 2)
    parts = model.joint_loss(data, tf.constant(prediction), tf.constant(prediction))
    assert float(parts["reconstruction"]) == pytest.approx(expected, rel=1e-5)
    total = 0.7 * expected + 0.3 * float(parts["adversarial"])
    assert float(parts["loss"]) == pytest.approx(total, rel=1e-5)
    assert float(parts["adversarial"]) > 0


def test_a_weight_begins_and_rises_as_it_says():
    found = [float(Weight(0.5, begin=3, ramp=4).at(step)) for step in range(9)]
    assert found == pytest.approx([0, 0, 0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
    assert [float(Weight(2.0, begin=1).at(step)) for step in range(3)] == [0, 2, 2]


@pytest.mark.parametrize(
    ("step", "local", "whole"), [(6, 0.0, 0.0), (7, 0.1, 0.0), (8, 0.2, 0.25), (9, 0.2, 0.5)]
)
def test_each_judge_counts_from_its_time_on(step, local, whole):
    """Curriculum: T_C at 7, the local judge rises over two steps, the global one begins a step later."""
    schedule = {"schedule__completion_share": 0.7, "schedule__discriminator_share": 0.0}
    schedule |= {"schedule__global_share": 0.1, "schedule__ramp_share": 0.2}
    model = trainer(
        "multiscale_context_encoder", objective__alpha=0.2, objective__alpha_global=0.5, **schedule
    )
    model.steps.assign(step)
    data = batch()
    prediction = model(data, training=True)
    completed = model.complete(data, prediction)
    parts = model.joint_loss(data, prediction, completed)
    judged = logits(model, completed, data["mask"])
    terms = [float(losses.non_saturating(judged[:, i : i + 1])) for i in (0, 1)]
    expected = float(parts["reconstruction"]) + local * terms[0] + whole * terms[1]
    assert float(parts["loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(parts["adversarial"]) == pytest.approx(np.mean(terms), rel=1e-4)
    assert model.phase(step) == ("joint" if step >= 7 else "completion")


def test_a_copy_from_the_configuration_has_its_schedule_and_objective():
    alpha = {"objective__alpha": 0.25, "objective__judged": "prediction", "objective__convex": True}
    for model in (trainer(**alpha), trainer()):
        copy = Adversarial.from_config(model.get_config())
        for name in ("alpha", "boundaries", "convex", "composited", "adversarial", "reconstruction"):
            assert getattr(copy, name) == getattr(model, name), name
        assert copy.boundaries == (5, 7) and copy.alpha[0].begin == 7


def test_two_judges_need_two_weights():
    with pytest.raises(InputError, match=r"alpha_global.*None for 'multiscale_discriminator', which has 2"):
        trainer("multiscale_context_encoder", objective__alpha_global=None)
    with pytest.raises(InputError, match=r"alpha_global.*0.1 for 'iizuka_discriminator', which has 1"):
        trainer("glcic", objective__alpha_global=0.1)


def test_maps_are_judged_by_their_distance():
    """skip_connection: L_2 = 0.5 |1 - D(real)| + 0.5 |D(fake)|, L_1 = 0.001 |1 - D(fake)| + 0.999 L2."""
    model, data = at(trainer("ce_model3"), "joint"), batch()
    prediction = model(data, training=True)
    completed = np.array(model.complete(data, prediction))
    np.testing.assert_array_equal(completed, np.array(prediction))  # the whole of it is judged
    real, fake = logits(model, data["image"], data["real_mask"]), logits(model, completed, data["mask"])
    assert real.shape[1:] == (2, 2, 1)
    found = model.discriminator_loss(*model.pairs(data, tf.constant(completed)))
    expected = 0.5 * np.abs(1 - real).mean() + 0.5 * np.abs(fake).mean()
    assert float(found["discriminator"]) == pytest.approx(expected, rel=1e-4)
    assert float(found["fake_score"]) == pytest.approx(fake.mean(), rel=1e-3, abs=1e-5)
    parts = model.joint_loss(data, prediction, tf.constant(completed))
    squared = np.mean(((2 * data["image"].numpy() - 1) - (2 * completed - 1)) ** 2)  # of a tanh's range
    assert float(parts["loss"]) == pytest.approx(0.999 * squared + 0.001 * np.abs(1 - fake).mean(), rel=1e-4)
