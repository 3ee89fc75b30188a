"""TensorFlow: the default backend and the reference."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from inpainting_tf import environment
from inpainting_tf.backends import tensorflow_convolution
from inpainting_tf.backends.tensorflow_devices import batchwide, mirrored, multi_worker, replicas

__all__ = ["batchwide", "mirrored", "multi_worker", "replicas"]

# Keras makes a function for each model, which TensorFlow reports as retracings of one function.
logging.getLogger("tensorflow").addFilter(lambda record: "function retracing" not in record.getMessage())

ERRORS = (tf.errors.OpError,)  # what the framework raises
_WORKERS, _AHEAD = min(8, os.cpu_count() or 1), 8


class Trainer(keras.Model):
    """A model with a `train_step(data)` and a `test_step(data)` of its own: Keras calls them as they are.

    Attributes:
        branch: of `switch`, while a step on several devices is traced; None where the step itself chooses.
    """

    branch: int | None = None

    def make_train_function(self, force: bool = False) -> None:
        if self.distribute_strategy.num_replicas_in_sync == 1:
            super().make_train_function(force)
        elif force or vars(self).get("train_function") is None:
            self.train_function = _on_all_devices(self)

    def _maybe_symbolic_build(self, **data: Any) -> None:
        """Nothing: a trainer is built, and Keras's way to build fails with several processes."""

    def sync(self) -> None:
        """Makes the variables readable between the steps of `fit`: they always are."""


@keras.saving.register_keras_serializable("inpainting_tf")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` with one kernel for each variable, where Keras has about twenty.

    Same variables, same numbers but for rounding. A step reads and writes each moment once, and there is less
    to trace. `amsgrad`, which the kernel lacks, goes Keras's way.
    """

    _powers: tuple[Any, Any] | None = None  # of both betas, while they serve all variables of a step

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        step = tf.cast(self.iterations.value + 1, tf.float32)
        self._powers = (tf.pow(self.beta_1, step), tf.pow(self.beta_2, step))
        try:
            return super().apply(grads, trainable_variables)
        finally:
            self._powers = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if self._powers is None or self.amsgrad or variable.dtype != tf.float32:
            return super().update_step(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


def minimise(
    trainer: Trainer,
    losses: Callable[[], tuple[Any, dict[str, Any]]],
    optimizer: keras.Optimizer,
    network: keras.Model,
) -> dict[str, Any]:
    """One update of a network.

    Args:
        trainer: the model that owns every variable that `losses` reads or assigns.
        losses: returns the scalar to minimise and the logs. It may call `minimise` for another network.
        optimizer: already built, and wrapped for loss scaling where that is needed.
        network: its trainable variables are differentiated and updated.

    Returns:
        The logs.
    """
    variables = network.trainable_variables
    with tf.GradientTape() as tape, tensorflow_convolution.in_training():
        loss, logs = losses()
        loss = optimizer.scale_loss(loss)
        if replicas() > 1:  # the optimizer sums their gradients
            loss = loss / replicas()
    optimizer.apply(tape.gradient(loss, variables), variables)
    return logs


def gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of a scalar function of one tensor; it may be taken inside a network's forward pass.

    Args:
        function: reads variables and assigns none.
        x: a float tensor.

    Returns:
        Shape and type of `x`.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


def switch(trainer: Trainer, index: Any, branches: Sequence[Callable[[], Any]]) -> Any:
    """The result of branch number `index` (an int32 scalar); only that branch runs."""
    if trainer.branch is not None:
        return branches[trainer.branch]()
    return tf.switch_case(index, branches)


def _on_all_devices(trainer: Trainer) -> Callable[[Any], dict[str, Any]]:
    """A training step as `fit` calls it, on all devices of the trainer's strategy.

    The phase is chosen here, and each has a trace of its own: an optimizer cannot be applied on several
    devices in one of the branches of a graph.
    """
    strategy, phases = trainer.distribute_strategy, list(trainer.columns)

    def step(iterator: Any, branch: int) -> dict[str, Any]:
        trainer.branch = branch
        try:
            logs = strategy.run(trainer.train_step, args=(next(iterator),))
        finally:
            trainer.branch = None
        return {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}

    compiled = tf.function(step, autograph=False)
    return lambda iterator: compiled(iterator, phases.index(trainer.phase(int(trainer.steps.numpy()))))


def compiled_step(trainer: Trainer) -> Callable[..., dict[str, Any]]:
    """The trainer's step as `step(batch, times=1)`, compiled at its first call; returns the last logs."""
    compiled = tf.function(trainer.train_step, jit_compile=bool(trainer.jit_compile))

    def step(batch: dict[str, Any], times: int = 1) -> dict[str, Any]:
        for _ in range(times):
            logs = compiled(batch)
        return logs

    return step


def feed(
    raw: Callable[[int], tuple[np.ndarray, ...]],
    finish: Callable[..., dict[str, Any]],
    start: int,
    stop: int,
) -> tf.data.Dataset:
    """The batches `finish(*raw(step))` of steps `start` to `stop`, in order, a few ahead.

    Args:
        raw: NumPy arrays, of the same shapes and types at every step.
        finish: builds the batch from them with operators; runs in TensorFlow's graph.
        start, stop: global steps.
    """
    specimen = raw(start)

    def batch(step: Any) -> dict[str, Any]:
        arrays = tf.numpy_function(raw, [step], [array.dtype for array in specimen], stateful=False)
        shaped = [tf.ensure_shape(a, known.shape) for a, known in zip(arrays, specimen, strict=True)]
        return finish(*shaped)

    steps = tf.data.Dataset.range(start, stop)
    batches = steps.map(batch, _WORKERS, deterministic=True).prefetch(_AHEAD)
    # There is nothing to tune, and who drops an iterator may wait a minute for the tuner's next turn.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def strategy() -> str:
    """The name of the `tf.distribute` strategy whose scope is open; "" outside of one."""
    return type(tf.distribute.get_strategy()).__name__ if tf.distribute.has_strategy() else ""


def make_deterministic() -> None:
    """Makes every operation bit-reproducible, for this whole process; slower."""
    tf.config.experimental.enable_op_determinism()


def fastest_precision() -> str:
    """ "float16" on a GPU, "bfloat16" on a TPU and on CPUs that compute in it, "off" elsewhere."""
    if tf.config.list_physical_devices("GPU"):
        return "float16"
    if tf.config.list_physical_devices("TPU") or _cpu_computes_bfloat16():
        return "bfloat16"
    return "off"


def _cpu_computes_bfloat16() -> bool:
    flags = environment.cpuinfo()
    return "amx_bf16" in flags or "avx512_bf16" in flags
