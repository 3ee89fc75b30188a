"""Training of a variational completion network: reconstruction and the divergence of its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras

from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.ops import losses
from inpainting_tf.training.reconstruction import Reconstruction


class Variational(Reconstruction):
    """Minimises `reconstruction + kl_weight * KL(q(z | picture, mask) | N(0, 1))` (cifar_cars, 2.2.1).

    The text weighs the two terms alike under a likelihood it does not name. With a mean squared error per
    pixel and a sum over the code, a weight of 1 would leave the code empty: it is the recipe's to choose.

    Args:
        completion: a network with a `code`, which it samples
            in training.
        reconstruction: a function of `inpainting_tf.ops.losses`.
        kl_weight: of the divergence, which is summed over the code and averaged over the batch.

    Raises:
        InputError: the network has no code.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {"completion": ("loss", "reconstruction", "kl")}

    def __init__(self, completion: Inpainter, reconstruction: Callable[..., Any], kl_weight: float) -> None:
        super().__init__(completion, reconstruction)
        code = completion.code
        if code is None:
            raise InputError(
                "`objective.kl_weight` must be none for a network without a latent code. "
                f"Received {kl_weight!r} for {completion.name!r}."
            )
        self.with_latent = keras.Model(completion.inputs, [completion.output, *code[:2]])
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
