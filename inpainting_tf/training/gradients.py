"""The gradient steps on the TensorFlow backend: differentiate and apply, nothing else.

Each takes a trainer and a batch, updates the networks of its phase and returns that phase's losses.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def complete(trainer: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Updates the completion network on the reconstruction loss."""
    with tf.GradientTape() as tape:
        losses = trainer.completion_loss(batch, trainer(batch, training=True))
        loss = trainer.optimizer.scale_loss(losses["loss"])
    _apply(trainer.optimizer, tape, loss, trainer.completion)
    return losses


def discriminate(trainer: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Updates the discriminator alone; the completion network's normalization statistics stay as they are."""
    completed = trainer.complete(batch, trainer(batch, training=False))
    return _update_discriminator(trainer, batch, completed)


def complete_and_discriminate(trainer: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Updates the discriminator, then the completion network on the joint loss, in one forward pass of it."""
    with tf.GradientTape() as tape:
        prediction = trainer(batch, training=True)
        completed = trainer.complete(batch, prediction)
        with tape.stop_recording():
            judged = _update_discriminator(trainer, batch, completed)
        losses = trainer.joint_loss(batch, prediction, completed)
        loss = trainer.optimizer.scale_loss(losses["loss"])
    _apply(trainer.optimizer, tape, loss, trainer.completion)
    return losses | judged


def _update_discriminator(trainer: Any, batch: dict[str, Any], completed: Any) -> dict[str, Any]:
    with tf.GradientTape() as tape:
        losses = trainer.discriminator_loss(batch, tf.stop_gradient(completed))
        loss = trainer.discriminator_optimizer.scale_loss(losses["discriminator"])
    _apply(trainer.discriminator_optimizer, tape, loss, trainer.discriminator)
    return losses


def _apply(optimizer: Any, tape: tf.GradientTape, loss: Any, network: Any) -> None:
    variables = network.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)


def make_deterministic() -> None:
    """Has every operation give the same bits each time, for this whole process; slower."""
    tf.config.experimental.enable_op_determinism()
