"""Training of a variational completion network: reconstruction and the divergence of its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras

from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.ops import losses
from inpainting_tf.training.reconstruction import Reconstruction


@keras.saving.register_keras_serializable("inpainting_tf")
class Variational(Reconstruction):
    """Minimises `reconstruction + kl_weight * KL(q(z | picture, mask) | N(0, 1))` (cifar_cars, 2.2.1).

    The text weights the two terms equally under a likelihood it does not name. With a mean squared error per
    pixel and a sum over the code, a weight of 1 would collapse the posterior: the recipe sets it.

    Args:
        completion: a network with a `code`, sampled in training, its mean in inference.
        reconstruction: a function of `inpainting_tf.ops.losses`, or one of `inpainting_tf.training`'s losses.
        kl_weight: of the divergence, which is summed over the code and averaged over the batch.
        dtype: Keras dtype policy of the trainer, None for the current one.

    Raises:
        InputError: the network has no code.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {"completion": ("loss", "reconstruction", "kl")}

    def __init__(
        self,
        completion: Inpainter,
        reconstruction: Callable[..., Any],
        kl_weight: float,
        dtype: Any = None,
    ) -> None:
        super().__init__(completion, reconstruction, dtype)
        code = completion.code
        if code is None:
            raise InputError(
                "`objective.kl_weight` must be none for a network without a latent code. "
                f"Received {kl_weight!r} for {completion.name!r}."
            )
        self.with_latent = keras.Model(completion.inputs, [completion.output, *code[:2]])
        self.kl_weight = kl_weight

    def completion_losses(self, batch: dict[str, Any], training: bool) -> dict[str, Any]:
        """Both terms, and their weighted sum as "loss"."""
        prediction, mean, log_variance = self.with_latent(self.inputs_of(batch), training=training)
        reconstruction = self.completion_loss(batch, prediction)["reconstruction"]
        kl = losses.kl_divergence(mean, log_variance)
        return {"loss": reconstruction + self.kl_weight * kl, "reconstruction": reconstruction, "kl": kl}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kl_weight": self.kl_weight}
