"""Several devices on TensorFlow: the strategies of `tf.distribute` that copy every variable."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from inpainting_tf.backends.devices import Devices
from inpainting_tf.errors import InputError

_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)


class Strategy(Devices):
    """The devices of a `tf.distribute` strategy.

    Args:
        strategy: one that copies every variable.
        hosts, host: how many processes there are, and which one this is.
    """

    def __init__(self, strategy: tf.distribute.Strategy, hosts: int = 1, host: int = 0) -> None:
        self.strategy, self.hosts, self.host = strategy, hosts, host
        self.replicas = strategy.num_replicas_in_sync

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        return self.strategy.scope()

    def spread(self, batches: tf.data.Dataset) -> Any:
        local = self.replicas // self.hosts
        size = next(iter(batches.element_spec.values())).shape[0] // local
        parts = batches.rebatch(size, drop_remainder=True)
        return self.strategy.distribute_datasets_from_function(lambda context: parts)

    def gathered(self, values: np.ndarray) -> np.ndarray:
        return self._gather(tf.constant(values)).numpy()[:: self.replicas // self.hosts]

    @functools.cached_property
    def _gather(self) -> Callable[[tf.Tensor], tf.Tensor]:
        def gather(values: tf.Tensor) -> tf.Tensor:
            return self.strategy.gather(self.strategy.run(lambda: values[None]), axis=0)

        return tf.function(gather, autograph=False)

    def lost(self, error: BaseException) -> bool:
        return self.hosts > 1 and isinstance(error, _LOST)


def mirrored(count: int | None) -> Devices:
    """All GPUs of this machine or the first `count`; without a GPU, `count` virtual devices of the CPU.

    Raises:
        InputError: there are not so many.
    """
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU" and count is not None:
        _divide_cpu(count)
    found = [device.name for device in tf.config.list_logical_devices(kind)]
    if count is not None and count > len(found):
        raise InputError(
            f"`devices` must be at most the number of {kind}s, {len(found)}. Received {count}"
            f"{'' if kind == 'GPU' else ': TensorFlow had already been used in this process'}."
        )
    return Strategy(tf.distribute.MirroredStrategy(found[:count])) if len(found[:count]) > 1 else Devices()


def _divide_cpu(count: int) -> None:
    """Makes virtual devices of the CPU, as long as TensorFlow has used none."""
    with contextlib.suppress(RuntimeError, ValueError):
        parts = [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)


def multi_worker(addresses: list[str], host: int) -> Devices:
    """The devices of all processes of ``TF_CONFIG``, which TensorFlow reads itself; waits for all of them.

    Raises:
        InputError: TensorFlow was already used in this process.
    """
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise InputError(
            "`strategy` multi_worker must be chosen before TensorFlow computes anything in a process. "
            f"Received: {str(error).partition(chr(10))[0]}"
        ) from error
    return Strategy(strategy, len(addresses), host) if strategy.num_replicas_in_sync > 1 else Devices()


def replicas() -> int:
    """How many devices share a batch, in the open scope or in the step that is traced; each sees its part."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def batchwide(draw: Callable[[Any], Any], count: Any) -> Any:
    """Rows that are drawn for a whole batch, of which this device has its own.

    Args:
        draw: takes a number of rows.
        count: of this device's rows.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return draw(count)
    first = context.replica_id_in_sync_group * count
    return draw(count * context.num_replicas_in_sync)[first : first + count]
