"""Training under a reconstruction loss alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
from keras import ops

from inpainting_tf import backends
from inpainting_tf.training.serialization import restored_loss, saved_loss


@keras.saving.register_keras_serializable("inpainting_tf")
class Reconstruction(backends.Trainer):
    """Trains a completion network on `reconstruction(image, prediction, mask)`.

    Batches are dictionaries with "image" and "mask", and "prefilled" where the network has a prefill (see
    `inpainting_tf.data.pipeline`); of `(x, y, sample_weight)` only x, such a dictionary, is used.

    `train_step` returns its own losses, and `fit` reports those of an epoch's last batch. `evaluate`, and
    `fit` with `validation_data`, report the means over all pictures of the losses in inference mode.
    `keras.Model.make_train_function` compiles the step (on TensorFlow by `tf.function`).

    Args:
        completion: the network to train.
        reconstruction: a function of `inpainting_tf.ops.losses`, or one of `inpainting_tf.training`'s losses.
        dtype: Keras dtype policy of the trainer, None for the current one.

    Attributes:
        columns: the logs of a step, by phase; the last phase has all. A number that a phase does not compute
            is NaN in the step's logs.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {"completion": ("loss", "reconstruction")}

    def __init__(
        self, completion: keras.Model, reconstruction: Callable[..., Any], dtype: Any = None
    ) -> None:
        super().__init__(name="trainer", dtype=dtype)
        self.completion = completion
        self.reconstruction = reconstruction
        self.steps = self.add_weight((), "zeros", dtype="int32", trainable=False, name="steps")
        self.means = {name: keras.metrics.Mean(name) for name in list(self.columns.values())[-1]}
        self.built = True

    def compile(
        self,
        optimizer: keras.Optimizer,
        *,
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
    ) -> None:
        """Takes the optimizer of `trained`, already wrapped for loss scaling where that is needed."""
        super().compile(
            optimizer=optimizer,
            auto_scale_loss=False,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
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
        """The completion network's inputs from a batch."""
        return {"image": batch.get("prefilled", batch["image"]), "mask": batch["mask"]}

    def phase(self, step: int) -> str:
        """The phase that global step `step` belongs to."""
        return "completion"

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the training on the variables as they are; returns its losses."""
        batch, *_ = keras.utils.unpack_x_y_sample_weight(data)
        logs = self.update(batch)
        self.steps.assign_add(1)
        return logs

    def test_step(self, data: Any) -> dict[str, Any]:
        """Updates the means over an evaluation's pictures and nothing else; returns them."""
        batch, *_ = keras.utils.unpack_x_y_sample_weight(data)
        pictures = ops.shape(batch["image"])[0]
        for name, value in self.test_losses(batch).items():
            self.means[name].update_state(value, sample_weight=pictures)
        return {name: mean.result() for name, mean in self.means.items()}

    def update(self, batch: dict[str, Any]) -> dict[str, Any]:
        """What a step updates; returns its losses."""
        return self.update_completion(batch)

    def update_completion(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Updates the completion network on the reconstruction loss."""

        def losses() -> tuple[Any, dict[str, Any]]:
            parts = self.completion_losses(batch, training=True)
            return parts["loss"], parts

        return backends.minimise(self, losses, self.optimizer, self.completion)

    def test_losses(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The losses of a batch in inference mode, each the mean over its pictures."""
        return self.completion_losses(batch, training=False)

    def completion_losses(self, batch: dict[str, Any], training: bool) -> dict[str, Any]:
        """Losses of the network's prediction for a batch; "loss" is the one to minimise."""
        return self.completion_loss(batch, self(batch, training=training))

    def completion_loss(self, batch: dict[str, Any], prediction: Any) -> dict[str, Any]:
        """Losses of the completion phase; "loss" is the one to minimise."""
        reconstruction = self.reconstruction(batch["image"], prediction, batch["mask"])
        return {"loss": reconstruction, "reconstruction": reconstruction}

    # Keras's conventions: what `evaluate` reports, and what `save` stores.

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.means.values())

    def get_metrics_result(self) -> dict[str, Any]:
        """The means of an evaluation; none after training steps, where Keras uses the last step's logs."""
        return {name: mean.result() for name, mean in self.means.items() if mean.count.numpy() > 0}

    def get_config(self) -> dict[str, Any]:
        return {
            "completion": keras.saving.serialize_keras_object(self.completion),
            "reconstruction": saved_loss(self.reconstruction),
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Reconstruction:
        return cls(**cls.arguments(config))

    @classmethod
    def arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The constructor's arguments from what `get_config` returned."""
        objects = {name: config[name] for name in ("completion", "dtype")}
        restored = {name: keras.saving.deserialize_keras_object(saved) for name, saved in objects.items()}
        if "reconstruction" in config:
            restored["reconstruction"] = restored_loss(config["reconstruction"])
        return {**config, **restored}

    def get_compile_config(self) -> dict[str, Any]:
        kept = ("optimizer", "jit_compile", "run_eagerly", "steps_per_execution")
        return {name: value for name, value in super().get_compile_config().items() if name in kept}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store: dict[str, Any]) -> None:
        for index, variable in enumerate(self._own_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        for index, variable in enumerate(self._own_variables()):
            variable.assign(store[str(index)])

    def _own_variables(self) -> list[Any]:
        """The step counter and what Keras does not save: the states of random layers in the networks."""
        weights = {id(variable) for variable in self.weights}
        return [self.steps, *(each for each in self.variables if id(each) not in weights)]
