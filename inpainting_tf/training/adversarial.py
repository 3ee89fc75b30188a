"""Training under the joint loss of a reconstruction and an adversarial term, in the phases of Algorithm 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import keras
from keras import ops

from inpainting_tf import backends
from inpainting_tf.networks import joined
from inpainting_tf.ops import losses
from inpainting_tf.ops.images import composite
from inpainting_tf.training.reconstruction import Reconstruction
from inpainting_tf.training.serialization import restored_adversarial, saved_adversarial


class Weight(NamedTuple):
    """The weight of a judge's adversarial term: 0 before step `begin`, then rising linearly to `full`.

    Attributes:
        full: the weight after the rise.
        begin: the first step of the rise.
        ramp: steps of the rise; with 0 and 1 the weight is `full` at once.
    """

    full: float
    begin: int = 0
    ramp: int = 0

    def at(self, step: Any) -> Any:
        """The weight at a step, an int or a scalar tensor."""
        risen = (ops.cast(step, "float32") - self.begin + 1.0) / max(1, self.ramp)
        return self.full * ops.clip(risen, 0.0, 1.0)


class WithDiscriminator(Reconstruction):
    """Base class of trainings against a `discriminator`: an optimizer for each network, and D's update.

    D takes {"image", "mask"}; `adversarial` is the pair of losses, of D and of the network.
    """

    discriminator: keras.Model
    adversarial: losses.AdversarialLoss

    def compile(  # type: ignore[override]  # one optimizer more
        self, optimizer: keras.Optimizer, discriminator_optimizer: keras.Optimizer, **settings: Any
    ) -> None:
        """Takes both optimizers, already wrapped for loss scaling where that is needed.

        `settings` are those of `Reconstruction.compile`.
        """
        super().compile(optimizer, **settings)
        self.discriminator_optimizer = discriminator_optimizer
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        # Keras saves one optimizer; as variables of the model, the other one's state is saved too.
        self.discriminator_optimizer_variables = discriminator_optimizer.variables

    def discriminate(self, real: dict[str, Any], fake: dict[str, Any]) -> dict[str, Any]:
        """Updates D alone on real and fake; the fake's gradient is stopped."""
        fake = {name: ops.stop_gradient(value) for name, value in fake.items()}

        def terms() -> tuple[Any, dict[str, Any]]:
            parts = self.discriminator_loss(real, fake)
            return parts["discriminator"], parts

        return backends.minimise(self, terms, self.discriminator_optimizer, self.discriminator)

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        if config:
            optimizer = self.discriminator_optimizer
            config["discriminator_optimizer"] = keras.saving.serialize_keras_object(optimizer)
        return config

    def discriminator_loss(
        self, real: dict[str, Any], fake: dict[str, Any], training: bool = True
    ) -> dict[str, Any]:
        """Losses of D; "discriminator" is the one to minimise. Scores are means of the batch, 1 for real."""
        real_judged, fake_judged = joined.judged(self.discriminator, real, fake, training)
        return {
            "discriminator": self.adversarial.discriminator(real_judged, fake_judged),
            "real_score": ops.mean(self.adversarial.score(real_judged)),
            "fake_score": ops.mean(self.adversarial.score(fake_judged)),
        }


@keras.saving.register_keras_serializable("inpainting_tf")
class Adversarial(WithDiscriminator):
    """Trains a completion network C and a discriminator D (face_gan Algorithm 1, Iizuka et al. 2017).

        step <  T_C          update C on the reconstruction loss               (phase "completion")
        step <  T_C + T_D    update D on (real, M_d) and (completed, M_i)      (phase "discriminator")
        afterwards           update D as above, then C on the joint loss       (phase "joint")

    D receives real pictures with an independent hole M_d ("real_mask"; "mask" in batches without it) and
    completed ones with their own. In the joint phase C runs once: D is updated on its prediction without
    gradient, then evaluated on the same prediction for C's gradient.

    An evaluation reports the losses of the joint phase, their adversarial terms weighted as at this step.

    Args:
        completion: C.
        discriminator: D, which takes {"image", "mask"} and returns logits, or a map of them; its last axis
            has an entry per judge.
        reconstruction: a function of `inpainting_tf.ops.losses`, or one of `inpainting_tf.training`'s losses.
        adversarial: one of `inpainting_tf.ops.losses.ADVERSARIAL`.
        alpha: the weight of each judge's adversarial term. All judges are trained from the first step of D.
        boundaries: (T_C, T_C + T_D) in steps.
        convex: the reconstruction term's weight is 1 - alpha (all judges' in full), and not 1.
        composited: D receives the composite, and not the whole prediction.
        dtype: Keras dtype policy of the trainer, None for the current one.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {
        "completion": ("loss", "reconstruction"),
        "discriminator": ("discriminator", "real_score", "fake_score"),
        "joint": ("loss", "reconstruction", "adversarial", "discriminator", "real_score", "fake_score"),
    }

    def __init__(
        self,
        completion: keras.Model,
        discriminator: keras.Model,
        reconstruction: Callable[..., Any],
        adversarial: losses.AdversarialLoss,
        alpha: Sequence[Weight],
        boundaries: tuple[int, int],
        *,
        convex: bool = False,
        composited: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(completion, reconstruction, dtype)
        self.discriminator = discriminator
        self.adversarial = adversarial
        self.alpha = tuple(alpha)
        self.boundaries = boundaries
        self.convex = convex
        self.composited = composited

    def phase(self, step: int) -> str:
        return tuple(self.columns)[sum(step >= boundary for boundary in self.boundaries)]

    def update(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The update of the current phase; returns all columns, NaN where the phase computes none."""
        # The phase is derived from a variable: one trace serves all three, and a checkpoint restores it.
        phase = sum(ops.cast(self.steps >= boundary, "int32") for boundary in self.boundaries)
        updates = (self.update_completion, self.update_discriminator, self.update_both)
        branches = [lambda update=update: self._all_columns(update(batch)) for update in updates]
        return backends.switch(self, phase, branches)

    def update_discriminator(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates D alone; the completion network's normalization statistics stay as they are."""
        completed = self.complete(batch, self(batch, training=False))
        return self.discriminate(*self.pairs(batch, completed))

    def update_both(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates D, then C on the joint loss, in one forward pass of C."""

        def losses() -> tuple[Any, dict[str, Any]]:
            prediction = self(batch, training=True)
            completed = self.complete(batch, prediction)
            judged = self.discriminate(*self.pairs(batch, completed))
            parts = self.joint_loss(batch, prediction, completed)
            return parts["loss"], parts | judged

        return backends.minimise(self, losses, self.optimizer, self.completion)

    def test_losses(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The columns of the joint phase in inference mode, without an update of either network."""
        prediction = self(batch, training=False)
        completed = self.complete(batch, prediction)
        judged = self.discriminator_loss(*self.pairs(batch, completed), training=False)
        return self.joint_loss(batch, prediction, completed, training=False) | judged

    def pairs(self, batch: dict[str, Any], completed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The real and the completed pictures with their holes, as D takes them."""
        real = {"image": batch["image"], "mask": batch.get("real_mask", batch["mask"])}
        return real, {"image": completed, "mask": batch["mask"]}

    def joint_loss(
        self, batch: dict[str, Any], prediction: Any, completed: Any, training: bool = True
    ) -> dict[str, Any]:
        """Losses of C in the joint phase (face_gan eq. 3.14, cifar_cars L_G); "loss" is to be minimised.

        "adversarial" is the mean of the judges' terms, without their weights.
        """
        reconstruction = self.completion_loss(batch, prediction)["reconstruction"]
        judgement = self.discriminator({"image": completed, "mask": batch["mask"]}, training=training)
        terms = [self.adversarial.generator(judgement[..., i : i + 1]) for i in range(len(self.alpha))]
        weighted = sum(weight.at(self.steps) * term for weight, term in zip(self.alpha, terms, strict=True))
        share = 1.0 - self.convex * sum(weight.full for weight in self.alpha)
        return {
            "loss": share * reconstruction + weighted,
            "reconstruction": reconstruction,
            "adversarial": sum(terms) / len(terms),
        }

    def complete(self, batch: dict[str, Any], prediction: Any) -> Any:
        """What D receives as fake: the composite or the whole prediction."""
        return composite(batch["image"], prediction, batch["mask"]) if self.composited else prediction

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "adversarial": saved_adversarial(self.adversarial),
            "alpha": [list(weight) for weight in self.alpha],
            "boundaries": list(self.boundaries),
            "convex": self.convex,
            "composited": self.composited,
        }

    @classmethod
    def arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        return {
            **super().arguments(config),
            "discriminator": keras.saving.deserialize_keras_object(config["discriminator"]),
            "adversarial": restored_adversarial(config["adversarial"]),
            "alpha": [Weight(*numbers) for numbers in config["alpha"]],
            "boundaries": tuple(config["boundaries"]),
        }

    def _all_columns(self, logs: dict[str, Any]) -> dict[str, Any]:
        """The logs with every column, as all branches must return the same; NaN where `logs` has none."""
        nan = ops.convert_to_tensor(float("nan"), "float32")
        return {name: logs.get(name, nan) for name in self.columns["joint"]}
