"""Training under a reconstruction loss alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras

from inpainting_tf import backends


class Reconstruction(backends.Trainer):
    """Trains a completion network on `reconstruction(image, prediction, mask)`.

    Batches are dictionaries with "image" and "mask", and "prefilled" where the network is to see the hole
    filled (see `inpainting_tf.data.pipeline`). A step returns its own losses, not running means.

    Args:
        completion: the network to train.
        reconstruction: a function of `inpainting_tf.ops.losses`.

    Attributes:
        columns: what a step reports, by phase; the last phase reports all there is. A number that a phase
            does not compute is NaN in the step's logs.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {"completion": ("loss", "reconstruction")}

    def __init__(self, completion: keras.Model, reconstruction: Callable[..., Any]) -> None:
        super().__init__(name="trainer")
        self.completion = completion
        self.reconstruction = reconstruction
        self.steps = self.add_weight((), "zeros", dtype="int32", trainable=False, name="steps")
        self.built = True

    def compile(self, optimizer: keras.Optimizer, **kwargs: Any) -> None:
        """Takes the optimizer of `trained`, already wrapped for loss scaling where that is needed."""
        super().compile(optimizer=optimizer, auto_scale_loss=False, **kwargs)
        optimizer.build(self.trained.trainable_variables)

    @property
    def trained(self) -> keras.Model:
        """The network that the optimizer updates."""
        return self.completion

    def call(self, batch: dict[str, Any], training: bool = False) -> Any:
        """The completion network's prediction."""
        return self.completion(self.inputs_of(batch), training=training)

    @staticmethod
    def inputs_of(batch: dict[str, Any]) -> dict[str, Any]:
        """What the completion network sees of a batch."""
        return {"image": batch.get("prefilled", batch["image"]), "mask": batch["mask"]}

    def phase(self, step: int) -> str:
        """The phase that global step `step` belongs to."""
        return "completion"

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One step of the training on the variables as they are; returns its losses."""
        logs = self.update_completion(batch)
        self.steps.assign_add(1)
        return logs

    def update_completion(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates the completion network on the reconstruction loss."""

        def losses() -> tuple[Any, dict[str, Any]]:
            parts = self.completion_loss(batch, self(batch, training=True))
            return parts["loss"], parts

        return backends.minimise(self, losses, self.optimizer, self.completion)

    def completion_loss(self, batch: dict[str, Any], prediction: Any) -> dict[str, Any]:
        """Losses of the completion phase; "loss" is the one to minimise."""
        reconstruction = self.reconstruction(batch["image"], prediction, batch["mask"])
        return {"loss": reconstruction, "reconstruction": reconstruction}
