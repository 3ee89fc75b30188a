"""Where a training computes: on one device, on several of a machine, or on those of several machines.

Training on several devices is data parallel, on both backends: a batch is that of one device, each device
computes with its part of it, and all make the same update. So the results are those of one device, up to
rounding, and a checkpoint has no trace of how many there were.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from inpainting_tf import backends
from inpainting_tf.errors import HostLost, InputError, unknown
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.training.callbacks import StepCallback
from inpainting_tf.training.reconstruction import Reconstruction

STRATEGIES = ("none", "mirrored", "multi_worker")
_EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def devices(strategy: str, count: int | None = None) -> backends.Devices:
    """The devices of a strategy. Called before anything is computed in the process.

    Args:
        strategy: "none", one device; "mirrored", the devices of this machine; "multi_worker", those of all
            processes of the environment variable `TF_CONFIG`, on JAX too; waits for all of them.
        count: for "mirrored": how many of them; None is all accelerators. Without an accelerator these are
            virtual devices, parts of the CPU.

    Raises:
        InputError: unknown strategy, fewer devices, or no valid `TF_CONFIG`.
    """
    if strategy not in STRATEGIES:
        raise unknown("strategy", strategy, STRATEGIES)
    if count is not None and (strategy != "mirrored" or count < 1):
        rule = "none but with `strategy` mirrored" if strategy != "mirrored" else "none or at least 1"
        raise InputError(f"`devices` must be {rule}. Received {count!r}.")
    if strategy == "multi_worker":
        return backends.multi_worker(*cluster(os.environ.get("TF_CONFIG", "")))
    return backends.mirrored(count) if strategy == "mirrored" else backends.Devices()


def cluster(text: str) -> tuple[list[str], int]:
    """The addresses of all processes of a `TF_CONFIG`, and the number of this one; the first writes the run.

    Raises:
        InputError: it is none of workers alone, with a "chief" or without.
    """
    try:
        config = json.loads(text)
        jobs, task = config["cluster"], config["task"]
        addresses = [*jobs.get("chief", []), *jobs["worker"]]
        before = {"chief": 0, "worker": len(jobs.get("chief", []))}
        index = before[task["type"]] + int(task["index"])
        if not set(jobs) <= set(before) or not 0 <= index < len(addresses):
            raise ValueError("other jobs, or an index beyond the addresses")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"The environment variable TF_CONFIG must name all workers and this one, e.g. {_EXAMPLE}. "
            f"Received {text!r}."
        ) from error
    return addresses, index


def rows(used: backends.Devices, batch_size: int) -> slice:
    """The rows of each batch that this host reads.

    Raises:
        InputError: the devices cannot share such a batch equally.
    """
    if batch_size % used.replicas:
        raise InputError(
            f"`batch_size` must be a multiple of the number of devices, {used.replicas}. "
            f"Received {batch_size}."
        )
    size = batch_size // used.hosts
    return slice(used.host * size, (used.host + 1) * size)


def require_same(used: backends.Devices, step: int, folder: str | os.PathLike) -> None:
    """Checks that all hosts begin at the same step of a run.

    Raises:
        InputError: they do not, as they see different folders.
    """
    steps = used.gathered(np.array([step], np.float64))[:, 0]
    if (steps != step).any():
        raise InputError(
            "`workdir` must be the same folder for all processes, on a file system that they share. "
            f"Received {os.fspath(folder)!r}, where they found the steps {steps.astype(int).tolist()}."
        )


@contextlib.contextmanager
def first_host_first(used: backends.Devices) -> Iterator[None]:
    """A block that the first host leaves, well or not, before the others enter it."""
    if used.host:
        used.gathered(np.zeros(1))
    try:
        yield
    finally:
        if not used.host:
            used.gathered(np.zeros(1))


def of_first_host(used: backends.Devices, row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A row with the first host's values of these names, each a number or None, on all hosts."""
    if used.hosts == 1:
        return row
    mine = [math.nan if row.get(name) is None else row[name] for name in names]
    values = used.gathered(np.array(mine, np.float64))[0].tolist()
    return row | {n: None if math.isnan(v) else v for n, v in zip(names, values, strict=True)}


@contextlib.contextmanager
def losses_told(used: backends.Devices, advice: str) -> Iterator[None]:
    """Turns the error of a host that does not answer into a `HostLost` of one line."""
    try:
        yield
    except Exception as error:
        if not used.lost(error):
            raise
        raise HostLost(f"Another of the {used.hosts} processes does not answer any more. {advice}") from error


class Apart:
    """A trainer's completion network for one process alone, between the steps of `fit`.

    Args:
        trainer: whose network it is.
        used: its devices. On one of them it is the trainer's own network, on several a copy.
    """

    def __init__(self, trainer: Reconstruction, used: backends.Devices) -> None:
        self._trainer, self._used = trainer, used
        network = trainer.completion
        self._network = network if used.replicas == 1 else type(network).from_config(network.get_config())

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """As `Inpainter.fill`, by the network as it was when `update` was called."""
        with self._used.apart():
            return self._network.fill(images, masks)

    def update(self) -> Inpainter:
        """Takes over the weights of the training."""
        self._trainer.sync()
        if self._network is not self._trainer.completion:
            self._network.set_weights(self._trainer.completion.get_weights())
        return self._network


class Together(StepCallback):
    """Lets all hosts stop after the same step as soon as one of them is to stop.

    Args:
        start: as `StepCallback`.
        used: the devices of all hosts.
        stop: set where this host was asked to stop, and set here where another one was.
    """

    def __init__(self, start: int, used: backends.Devices, stop: threading.Event) -> None:
        super().__init__(start)
        self.used, self.stop = used, stop

    def on_step(self, step: int, phase: str, logs: dict[str, Any]) -> None:
        if self.used.hosts == 1:
            return
        mine = np.array([self.stop.is_set(), bool(self.model.stop_training)], np.float64)
        asked, ended = self.used.gathered(mine).max(axis=0).tolist()
        if asked:
            self.stop.set()
        self.model.stop_training = bool(ended)
