"""A run's folder.

recipe.json     the resolved recipe             history.csv   losses, an epoch per row
data.json       the pictures of each split      checkpoints/  to continue from
environment.json   versions and device that it was started with
model.keras     the completion network alone    figures/      loss curves, samples while it trained
model_best.keras   the same, of the best epoch by validation of the phase that the run is in
kept/           the same, of some epochs, on request
completion_phase.keras   the same, at the end of the completion phase
discriminator.keras      the network that judged it, where there was one; see `--init`
tensorboard/    scalars and pictures            metrics.json, per_image.csv   from an evaluation
samples/        validation pictures as they were filled after some epochs, uint8 [N, H, W, 3]
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from inpainting_tf import models
from inpainting_tf.data import SPLITS, records
from inpainting_tf.errors import InputError
from inpainting_tf.recipes import Recipe


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's folder and its recipe."""

    folder: Path
    recipe: Recipe

    @property
    def model_file(self) -> Path:
        return self.folder / "model.keras"

    @property
    def best_file(self) -> Path:
        return self.folder / "model_best.keras"

    def kept_file(self, epoch: int) -> Path:
        """The model of an epoch, counted from 1, that was kept on request; 0: before the training."""
        return self.folder / models.KEPT / f"epoch_{epoch:04d}.keras"

    @property
    def completion_phase_file(self) -> Path:
        return self.folder / "completion_phase.keras"

    @property
    def discriminator_file(self) -> Path:
        return self.folder / "discriminator.keras"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def samples(self) -> Path:
        return self.folder / "samples"

    @property
    def board(self) -> Path:
        return self.folder / "tensorboard"

    @property
    def minutes(self) -> float:
        """Minutes of training up to the last row of `history.csv`, which must exist."""
        return float(self.history()[-1]["seconds"]) / 60

    def pictures(self) -> dict[str, Any]:
        """`data.json`: "data_dir", "origin" and the names of each split; empty before the first start."""
        file = self.folder / "data.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {name: records.restored(v) if name in SPLITS else v for name, v in found.items()}

    def history(self) -> list[dict[str, str]]:
        """The rows of `history.csv`, as text."""
        file = self.folder / "history.csv"
        if not file.exists():
            return []
        with open(file, newline="", encoding="utf-8") as rows:
            return list(csv.DictReader(rows))


def open_run(workdir: str | os.PathLike) -> Run:
    """The run in a folder, or the packed run of a shipped model.

    Raises:
        InputError: the folder holds no run, or one that this version cannot read.
    """
    folder = models.locate(workdir).absolute()
    file = folder / "recipe.json"
    if not file.is_file():
        raise InputError(
            f"`workdir` must be the folder of a run. Received {str(folder)!r}: no recipe.json in it."
        )
    try:
        return Run(folder, Recipe.from_json(json.loads(file.read_text(encoding="utf-8"))))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{file} cannot be read ({error}). Choose another --workdir.") from error
