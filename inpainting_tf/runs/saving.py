"""Writes what a training has reached: its models, the best one, the discriminator, and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from inpainting_tf import files
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import checkpoints
from inpainting_tf.runs.run import Run
from inpainting_tf.training import Reconstruction
from inpainting_tf.training.best import Best


class Saver:
    """Writes a training's files.

    Args:
        run: whose folder is written.
        trainer: whose networks are saved.
        best: the best epoch until now.
        keeps: whether the model of an epoch is kept.

    Raises:
        Diverged: in every method, when a weight is not finite; nothing is written then.
        InputError: in every method, when something cannot be written.
    """

    def __init__(self, run: Run, trainer: Reconstruction, best: Best, keeps: Callable[[int], bool]) -> None:
        self._run, self._trainer, self._keeps = run, trainer, keeps
        self._network = assembly.portable_network(run.recipe)
        self._discriminator = assembly.portable_discriminator(run.recipe)
        self.best = best
        self._best_weights: list[np.ndarray] | None = None  # until the next checkpoint

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Writes the models and the checkpoint of a step; `state` is what else continues from it."""
        # The models first: a kill between the two must not leave a finished training without its model.
        self.model(self._run.model_file, step)
        if self._discriminator is not None:
            self._write(self._run.discriminator_file, step, self._discriminator, self._of("discriminator"))
        if self._best_weights is not None:
            # With the checkpoint, not when it was reached: whatever is lost by a kill is done again.
            self._write(self._run.best_file, step, self._network, self._best_weights)
            self._best_weights = None
        state = state | {"best": self.best.state()}
        checkpoints.save(self._run.checkpoints, step, self._trainer, state)

    def model(self, file: Path, step: int) -> None:
        """Writes the completion network as it is now."""
        self._write(file, step, self._network, self._of("completion"))

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """Remembers the network if its row of the history is the best, and keeps it if its turn has come."""
        if self.best.update(row):
            self._best_weights = self._of("completion")
        self.keep(row["epoch"], row["step"])

    def keep(self, epoch: int, step: int) -> None:
        """Keeps the model of an epoch, 0 before the training, if its turn has come."""
        if self._keeps(epoch):
            self.model(self._run.kept_file(epoch), step)

    def _of(self, part: str) -> list[np.ndarray]:
        self._trainer.sync()
        return getattr(self._trainer, part).get_weights()

    @staticmethod
    def _write(file: Path, step: int, portable: keras.Model, weights: list[np.ndarray]) -> None:
        portable.set_weights(weights)
        checkpoints.require_finite(portable.variables, step)
        with files.replacing(file) as temporary:
            portable.save(temporary)
