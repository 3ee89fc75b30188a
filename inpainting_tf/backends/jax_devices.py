"""Several devices on JAX: Keras's `DataParallel`."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from inpainting_tf.backends import relay
from inpainting_tf.backends.devices import Devices
from inpainting_tf.errors import InputError

_LOST = ("Connection closed by peer", "Connection reset", "UNAVAILABLE", "DEADLINE_EXCEEDED", "heartbeat")


class Parallel(Devices):
    """Devices with a copy of every variable each.

    Args:
        names: as `keras.distribution.list_devices` has them.
    """

    def __init__(self, names: list[str]) -> None:
        self.distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
        self.hosts, self.host, self.replicas = jax.process_count(), jax.process_index(), len(names)

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        return self.distribution.scope()

    def fitting(self) -> contextlib.AbstractContextManager[Any]:
        return self.distribution.scope()

    @contextlib.contextmanager
    def apart(self) -> Any:
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(self.distribution)

    def gathered(self, values: np.ndarray) -> np.ndarray:
        told = multihost_utils.process_allgather(values.view(np.uint8))  # JAX has no float64
        return np.asarray(told).reshape(self.hosts, -1).view(np.float64)

    def lost(self, error: BaseException) -> bool:
        raised = isinstance(error, (jax.errors.JaxRuntimeError, ValueError))  # Gloo's are the latter
        found = self.hosts > 1 and raised and any(words in str(error) for words in _LOST)
        if found:
            atexit.register(_end)
        return found


def _end() -> None:
    """Ends the process, before JAX waits for minutes to take leave of the one that is lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def mirrored(count: int | None) -> Devices:
    """All devices of this machine or the first `count`; without an accelerator, virtual ones of the CPU.

    Raises:
        InputError: there are not so many.
    """
    if count is not None:
        with contextlib.suppress(RuntimeError):  # JAX has been used
            jax.config.update("jax_num_cpu_devices", count)
    found = keras.distribution.list_devices()
    if count is not None and count > len(found):
        raise InputError(f"`devices` must be at most the number of devices, {len(found)}. Received {count}.")
    return Parallel(found[:count]) if len(found[:count]) > 1 else Devices()


def multi_worker(addresses: list[str], host: int) -> Devices:
    """The devices of all processes; waits for all of them.

    Args:
        addresses: "host:port" of each process; the first one's is used.
        host: the number of this process.
    """
    # Else a process that dies takes the others with it, before they could say why.
    jax.config.update("jax_enable_recoverability", True)
    first = relay.relayed(addresses[0]) if host else addresses[0]
    keras.distribution.initialize(first, len(addresses), host)
    found = keras.distribution.list_devices()
    return Parallel(found) if len(found) > 1 else Devices()
