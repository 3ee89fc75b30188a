"""Checkpoints of a training: written atomically, the last two kept, damaged ones skipped.

A checkpoint is a folder `step-00001234` with `variables.npz` (networks, optimizers, step counter, each
variable under its name, see `named_variables`) and `state.json` (the state outside the model). It is written
under another name and renamed when complete. It continues on any machine, backend and precision.

NumPy's archive and not Keras's HDF5 file: HDF5 crashes the process when the disk is full, and has no checksum
to detect a damaged file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from inpainting_tf import files
from inpainting_tf.errors import Diverged, InputError

KEEP = 2
_VARIABLES, _STATE = "variables.npz", "state.json"
_LOSS_SCALE = "/loss_scale/"  # in the names of what only an optimizer has that scales its loss
Trained = Any  # a compiled keras.Model, or a mapping of several under names of their own


def save(folder: Path, step: int, model: Trained, state: dict[str, Any]) -> None:
    """Writes the checkpoint of `step` and removes the oldest beyond `KEEP`.

    Raises:
        Diverged: a variable is not finite: the checkpoint must not replace a good one.
        InputError: the disk is full, read-only, ...; the checkpoints already there stay.
    """
    variables = named_variables(model)
    require_finite(variables.values(), step)
    arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in variables.items()}
    with files.replacing_folder(folder / f"step-{step:08d}", sweep=True) as temporary:
        np.savez(temporary / _VARIABLES, **arrays)
        (temporary / _STATE).write_text(json.dumps({"step": step, **state}), encoding="utf-8")
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def restore(folder: Path, model: Trained) -> dict[str, Any] | None:
    """Loads the newest intact checkpoint into `model`; its state, with its "step", or None if there is none.

    The scale of the loss is float16's alone: where the checkpoint has none it stays as it is.

    Only for the process that may write there: an interrupted exchange of folders is completed.

    Raises:
        InputError: there are checkpoints, but none that can be read: starting anew must be the user's choice.
            Or the newest intact one is another model's, or an earlier version's, or may not be read.
    """
    recover(folder)
    found, variables = _all(folder), named_variables(model)
    for path in reversed(found):
        try:
            state, values = _read(path)
        except PermissionError as error:
            raise InputError(
                f"The checkpoint {str(path)!r} may not be read: change its permissions."
            ) from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = str(error).partition("\n")[0]
            logging.warning("Skipped the checkpoint %s, which cannot be read (%s).", path, reason)
            continue
        _require_same(path, variables, values)
        for name, variable in variables.items():
            if name in values:
                variable.assign(values[name])
        return state
    if found:
        raise InputError(
            f"None of the checkpoints in {str(folder)!r} can be read ({reason}). "
            "Restore them from a copy, or start again in another folder."
        )
    return None


def recover(folder: Path) -> None:
    """Completes an exchange of folders that was interrupted."""
    for aside in folder.glob(".replaced-step-*"):
        files.recover_folder(folder / aside.name.removeprefix(".replaced-"))


def require_finite(variables: Iterable[Any], step: int) -> None:
    """Raises `Diverged` if a variable holds NaN or infinity."""
    for variable in variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
            raise Diverged(f"The weight {variable.path} is not finite after step {step}.")


def latest_step(folder: Path) -> int:
    """The step of the newest checkpoint, 0 if there is none."""
    return max((int(path.name.removeprefix("step-")) for path in _all(folder)), default=0)


def named_variables(model: Trained) -> dict[str, keras.Variable]:
    """Every variable that a step updates, under names that are the same in all processes and on all backends.

    A variable of a network or an optimizer that is an attribute of the model is named after the attribute and
    its path there, e.g. "completion/conv1/kernel" or "discriminator_optimizer/iteration"; any other one by
    its path. (Keras's own paths may be equal in two networks, and number the optimizers and seed generators
    of a process.) An optimizer's variables have the same names whether its loss is scaled or not; those of
    the scale have names of their own, "optimizer/loss_scale/dynamic_scale".
    """
    if isinstance(model, Mapping):
        parts = ((part, named_variables(each)) for part, each in model.items())
        return {f"{part}/{name}": v for part, variables in parts for name, v in variables.items()}
    names: dict[int, str] = {}
    for attribute, part in vars(model).items():
        for name, variable in _of_part(part) if not attribute.startswith("_") else ():
            names.setdefault(id(variable), f"{attribute}/{name}")
    unique = {id(variable): variable for variable in [*model.variables, *model.optimizer.variables]}
    others = dict(_by_path(variable for key, variable in unique.items() if key not in names))
    named = {names[key]: variable for key, variable in unique.items() if key in names} | others
    if len(named) != len(unique):
        raise ValueError("Two variables of the model have the same name.")
    return named


def _of_part(part: Any) -> Iterator[tuple[str, keras.Variable]]:
    """Names and variables of a network or an optimizer; none of anything else."""
    if isinstance(part, keras.Optimizer):
        inner = list(_of_part(getattr(part, "inner_optimizer", None)))  # of one that scales the loss
        yield from inner
        prefix, updating = _LOSS_SCALE[1:] if inner else "", {id(variable) for _, variable in inner}
        own = (variable for variable in part.variables if id(variable) not in updating)
        yield from ((prefix + variable.path.partition("/")[2], variable) for variable in own)
    elif isinstance(part, keras.Model):
        yield from _by_path(part.variables)


def _by_path(variables: Iterable[keras.Variable]) -> Iterator[tuple[str, keras.Variable]]:
    """Paths and variables, with the seed generators numbered among these alone."""
    seeds = 0
    for variable in variables:
        path, found = re.subn(r"^seed_generator(_\d+)?/", f"seed_generator_{seeds}/", variable.path)
        seeds += found
        yield path, variable


def _require_same(path: Path, own: Mapping[str, keras.Variable], stored: Mapping[str, np.ndarray]) -> None:
    """Raises `InputError` unless the stored variables are the model's own, by name and shape."""
    if "arr_0" in stored:
        raise InputError(
            f"{str(path)!r} was written by an earlier version of inpainting_tf, which stored no names of "
            "variables: continue it with that version, or start again in another folder."
        )
    for name in (each for each in [*own, *stored] if _LOSS_SCALE not in each):
        if name not in stored or name not in own:
            fault = f"{name!r} is {'missing' if name in own else 'in it, which the model does not have'}"
        elif stored[name].shape != tuple(own[name].shape):
            fault = f"{name!r} is {list(stored[name].shape)} there and {list(own[name].shape)} here"
        else:
            continue
        raise InputError(
            f"{str(path)!r} holds other variables than the model: {fault}. "
            "Continue with the same recipe and version, or start again in another folder."
        )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """State and variables, all read before any is used: a damaged file must not be loaded in part."""
    state = json.loads((path / _STATE).read_text(encoding="utf-8"))
    with np.load(path / _VARIABLES) as stored:
        return state, {name: stored[name] for name in stored.files}


def _all(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.name[5:].isdigit() and os.path.isdir(path))
