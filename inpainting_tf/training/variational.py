"""Training of a variational completion network: reconstruction and the divergence of its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras

from inpainting_tf import backends, losses
from inpainting_tf.errors import InputError
from inpainting_tf.training.reconstruction import Reconstruction

LATENT = ("latent_mean", "latent_log_variance")


class Variational(Reconstruction):
    """Minimises `reconstruction + kl_weight * KL(q(z | picture, mask) | N(0, 1))` (cifar_cars, 2.2.1).

    The text weighs the two terms alike under a likelihood it does not name. With a mean squared error per
    pixel and a sum over the code, a weight of 1 would leave the code empty: it is the recipe's to choose.

    Args:
        completion: a network with the layers "latent_mean" and "latent_log_variance", which samples its code
            in training.
        reconstruction: a function of `inpainting_tf.losses`.
        kl_weight: of the divergence, which is summed over the code and averaged over the batch.

    Raises:
        InputError: the network has no such layers.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {"completion": ("loss", "reconstruction", "kl")}

    def __init__(self, completion: keras.Model, reconstruction: Callable[..., Any], kl_weight: float) -> None:
        super().__init__(completion, reconstruction)
        names = {layer.name for layer in completion.layers}
        if not names.issuperset(LATENT):
            raise InputError(
                "`objective.kl_weight` must be none for a network without a latent code. "
                f"Received {kl_weight!r} for {completion.name!r}."
            )
        latent = [completion.get_layer(name).output for name in LATENT]
        self.with_latent = keras.Model(completion.inputs, [completion.output, *latent])
        self.kl_weight = kl_weight

    def update_completion(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates the network on both terms."""

        def terms() -> tuple[Any, dict[str, Any]]:
            prediction, mean, log_variance = self.with_latent(self.inputs_of(batch), training=True)
            parts = self.completion_loss(batch, prediction)
            kl = losses.kl_divergence(mean, log_variance)
            loss = parts["reconstruction"] + self.kl_weight * kl
            return loss, {"loss": loss, "reconstruction": parts["reconstruction"], "kl": kl}

        return backends.minimise(self, terms, self.optimizer, self.completion)
