"""Checkpoints of a training: written whole or not at all, the last two kept, damaged ones passed over.

A checkpoint is a folder `step-00001234` with `variables.npz` (networks, optimizers, step counter) and
`state.json` (what lives outside the model). It is written under another name and renamed when complete.

NumPy's archive and not Keras's HDF5 file: HDF5 brings the process down when the disk is full, and has no
checksum by which a damaged file would be known.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from inpainting_tf import files
from inpainting_tf.errors import Diverged, InputError

KEEP = 2
_VARIABLES, _STATE = "variables.npz", "state.json"


def save(folder: Path, step: int, model: keras.Model, state: dict[str, Any]) -> None:
    """Writes the checkpoint of `step` and removes the oldest beyond `KEEP`.

    Raises:
        Diverged: such a checkpoint must not replace a good one.
        InputError: the disk is full, read-only, ...; the checkpoints already there stay.
    """
    variables = _variables(model)
    require_finite(variables, step)
    with files.replacing_folder(folder / f"step-{step:08d}", sweep=True) as temporary:
        np.savez(temporary / _VARIABLES, *map(keras.ops.convert_to_numpy, variables))
        (temporary / _STATE).write_text(json.dumps({"step": step, **state}))
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def restore(folder: Path, model: keras.Model) -> dict[str, Any] | None:
    """Puts the newest sound checkpoint into `model`; its state, with its "step", or None if there is none.

    Raises:
        InputError: there are checkpoints, but none that can be read: starting anew must be the user's choice.
    """
    found = _all(folder)
    for path in reversed(found):
        try:
            return _read(path, model)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = str(error).partition("\n")[0]
            logging.warning("Passed over the damaged checkpoint %s (%s).", path, reason)
    if found:
        raise InputError(
            f"None of the checkpoints in {str(folder)!r} can be read ({reason}). "
            "Remove that folder to start again, or work in another one."
        )
    return None


def require_finite(variables: Iterable[Any], step: int) -> None:
    """Raises `Diverged` if a variable holds NaN or infinity."""
    for variable in variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
            raise Diverged(f"The weight {variable.path} is not finite after step {step}.")


def latest_step(folder: Path) -> int:
    """The step of the newest checkpoint, 0 if there is none."""
    return max((int(path.name.removeprefix("step-")) for path in _all(folder)), default=0)


def _variables(model: keras.Model) -> list[Any]:
    """All that a step changes, in an order that depends on the recipe alone."""
    return [*model.variables, *model.optimizer.variables]


def _read(path: Path, model: keras.Model) -> dict[str, Any]:
    state = json.loads((path / _STATE).read_text())
    variables = _variables(model)
    # All of the file is read and checked first: a damaged one must not leave half of itself in the model.
    with np.load(path / _VARIABLES) as stored:
        values = [stored[f"arr_{index}"] for index in range(len(stored.files))]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise ValueError("it holds other variables than the model")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return state


def _all(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.name[5:].isdigit() and os.path.isdir(path))
