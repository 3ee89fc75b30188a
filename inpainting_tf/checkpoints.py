"""Checkpoints of a training: written whole or not at all, the last two kept, damaged ones passed over.

A checkpoint is a folder `step-00001234` with `trainer.weights.h5` (networks, optimizers, step counter) and
`state.json` (what lives outside the model). It is written under another name and renamed when complete.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from inpainting_tf import files

KEEP = 2
_WEIGHTS, _STATE = "trainer.weights.h5", "state.json"


def save(folder: Path, step: int, model: keras.Model, state: dict[str, Any]) -> None:
    """Writes the checkpoint of `step` and removes the oldest beyond `KEEP`.

    Raises:
        ArithmeticError: a weight is not finite: such a checkpoint must not replace a good one.
        InputError: the disk is full, read-only, ...; the checkpoints already there stay.
    """
    for variable in model.variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable.value)).all():
            raise ArithmeticError(f"Weight {variable.path} is not finite at step {step}.")
    target = folder / f"step-{step:08d}"
    with files.replacing_folder(target) as temporary:
        model.save_weights(temporary / _WEIGHTS)
        (temporary / _STATE).write_text(json.dumps({"step": step, **state}))
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def restore(folder: Path, model: keras.Model) -> dict[str, Any] | None:
    """Puts the newest sound checkpoint into `model`; its state, with its "step", or None if there is none."""
    for path in reversed(_all(folder)):
        try:
            state = json.loads((path / _STATE).read_text())
            model.load_weights(path / _WEIGHTS)
            return state
        except (OSError, ValueError, KeyError) as error:
            logging.warning(
                "Passed over the damaged checkpoint %s (%s).", path, str(error).partition("\n")[0]
            )
    return None


def latest_step(folder: Path) -> int:
    """The step of the newest checkpoint, 0 if there is none."""
    return max((int(path.name.removeprefix("step-")) for path in _all(folder)), default=0)


def _all(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.name[5:].isdigit() and os.path.isdir(path))
