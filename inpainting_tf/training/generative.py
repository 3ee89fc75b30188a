"""Training of a generative adversarial network, which fills holes by a search for its latent code."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

import keras
from keras import ops

from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.networks import dcgan
from inpainting_tf.ops import losses
from inpainting_tf.training.adversarial import WithDiscriminator

PREVIEW = 50  # iterations of the search for the monitored pictures
TEST_SEED = 0  # of the codes of an evaluation


@keras.saving.register_keras_serializable("inpainting_tf")
class Generative(WithDiscriminator):
    """Trains the generator G and discriminator D of a `semantic_inpainting` (Radford et al. 2015).

    A step draws a code z for each picture of the batch, uniform in [-1, 1], updates D on the pictures and on
    G(z), then G on the updated D's logits of the same G(z). The batch's holes are unused.

    An evaluation reports the same losses in inference mode, for the same codes each time, and fills no holes:
    a search takes too long.

    `completion` is a network on the same G and D with a shorter search, `PREVIEW`: the monitored pictures
    must not take longer than training. The recipe's own search is in the network that is saved.

    Args:
        completion: a network with a `search`.
        seed: of the codes; None derives one from Keras's global seed.
        dtype: Keras dtype policy of the trainer, None for the current one.

    Raises:
        InputError: another kind of network.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {
        "joint": ("loss", "adversarial", "discriminator", "real_score", "fake_score")
    }

    def __init__(self, completion: Inpainter, seed: int | None = None, dtype: Any = None) -> None:
        search = completion.search
        if search is None:
            raise InputError(
                f"`completion` must be a network that searches for a code. Received {completion.name!r}."
            )
        super().__init__(dcgan.shortened(completion, PREVIEW), _no_reconstruction, dtype)
        self.generator, self.discriminator = search.generator, search.discriminator
        self.adversarial = losses.ADVERSARIAL["non_saturating"]
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)  # its state is a variable of the checkpoints

    @property
    def trained(self) -> keras.Model:
        return self.generator

    def phase(self, step: int) -> str:
        return "joint"

    def update(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates D, then G, in one forward pass of G."""
        code = self.draw(ops.shape(batch["image"])[0])

        def terms() -> tuple[Any, dict[str, Any]]:
            fake = {"image": self.generator(code, training=True), "mask": batch["mask"]}
            judged = self.discriminate({name: batch[name] for name in fake}, fake)
            loss = self.adversarial.generator(self.discriminator(fake, training=True))
            return loss, {"loss": loss, "adversarial": loss, **judged}

        return backends.minimise(self, terms, self.optimizer, self.generator)

    def test_losses(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The columns in inference mode. The codes are fixed: an evaluation must not change a training's."""
        code = self._codes(ops.shape(batch["image"])[0], TEST_SEED)
        fake = {"image": self.generator(code, training=False), "mask": batch["mask"]}
        real = {name: batch[name] for name in fake}
        judged = self.discriminator_loss(real, fake, training=False)
        loss = self.adversarial.generator(self.discriminator(fake, training=False))
        return {"loss": loss, "adversarial": loss, **judged}

    def draw(self, count: Any) -> Any:
        """New codes, float32 [count, latent]."""
        return backends.batchwide(lambda rows: self._codes(rows, self.seed_generator), count)

    def _codes(self, count: Any, seed: Any) -> Any:
        shape = (count, self.generator.input.shape[-1])
        return keras.random.uniform(shape, -1.0, 1.0, dtype="float32", seed=seed)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["reconstruction"]  # there is none
        return {**config, "seed": self.seed}


def _no_reconstruction(*_: Any) -> NoReturn:
    raise TypeError("A generative network is trained without a reconstruction term.")
