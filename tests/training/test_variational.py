"""The variational trainer: both terms, and what they do to the code."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_tf import recipes
from inpainting_tf.errors import InputError
from inpainting_tf.networks import cifar_cars
from inpainting_tf.ops import losses
from inpainting_tf.recipes import assembly
from inpainting_tf.training import Variational

TINY = {"network.width": 4, "network.arguments.latent": 16, "data.image_size": 16, "batch_size": 4}


def trainer(**changes) -> Variational:
    fields = {key.replace("__", "."): value for key, value in changes.items()}
    keras.utils.set_random_seed(0)
    return assembly.trainer(recipes.get("cvae").override(TINY | fields), 100)


def batch() -> dict[str, tf.Tensor]:
    random = np.random.default_rng(0)
    mask = np.zeros((4, 16, 16, 1), "float32")
    mask[:, 2:8, 3:12] = 1
    return {"image": tf.constant(random.random((4, 16, 16, 3), "float32")), "mask": tf.constant(mask)}


def code(model: Variational, data: dict) -> tuple[np.ndarray, np.ndarray]:
    _, mean, log_variance = model.with_latent(model.inputs_of(data), training=True)
    return np.array(mean), np.array(log_variance)


def test_the_loss_is_both_terms():
    model, data = trainer(objective__kl_weight=0.5), batch()
    mean, log_variance = code(model, data)  # in training they depend on the weights alone
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert set(logs) == {"loss", "reconstruction", "kl"} == set(model.columns["completion"])
    assert logs["kl"] == pytest.approx(float(losses.kl_divergence(mean, log_variance)), rel=1e-4)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + 0.5 * logs["kl"], rel=1e-5)
    assert logs["kl"] > 0 and int(model.steps) == 1


def test_the_divergence_alone_empties_the_code():
    model, data = trainer(objective__kl_weight=1.0, optimizer__learning_rate=0.01), batch()
    step = tf.function(model.train_step)
    first = float(step(data)["kl"])
    for _ in range(60):
        last = float(step(data)["kl"])
    assert last < 0.2 * first
    mean, log_variance = code(model, data)
    assert np.abs(mean).mean() < 0.2 and np.abs(log_variance).mean() < 0.2


def test_without_it_the_reconstruction_is_learnt():
    model, data = trainer(objective__kl_weight=0.0, optimizer__learning_rate=0.003), batch()
    data["image"] = tf.zeros((4, 16, 16, 3)) + tf.reshape([0.05, 0.3, 0.6, 0.95], (4, 1, 1, 1))
    step = tf.function(model.train_step)
    values = [float(step(data)["reconstruction"]) for _ in range(60)]
    assert np.mean(values[-5:]) < 0.3 * np.mean(values[:5])


def test_every_weight_gets_a_gradient():
    model, data = trainer(), batch()
    before = [np.array(v) for v in model.completion.trainable_variables]
    model.train_step(data)
    moved = [
        (np.array(v) != old).any()
        for v, old in zip(model.completion.trainable_variables, before, strict=True)
    ]
    assert all(moved)


def test_a_network_without_a_code_is_refused():
    with pytest.raises(InputError, match=r"kl_weight` must be none .* 0\.1 for 'autoencoder'"):
        Variational(cifar_cars.autoencoder(16, width=4), losses.mse, 0.1)
