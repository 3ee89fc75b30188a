"""Which run a folder's training is: a new one, the one that was interrupted there, or a longer one."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from inpainting_tf import files
from inpainting_tf.errors import InputError
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import checkpoints, locking, packed
from inpainting_tf.runs.run import Run, open_run

_FIRST = ("name", "preset")  # the differences that explain all others


def require_place(folder: Path) -> None:
    """Checks that `folder` is new, empty, or that of a run that may be continued.

    Raises:
        InputError: it is not.
    """
    if packed.found(folder):
        raise InputError(
            f"`workdir` must not be a packed run, which cannot be continued. Received {str(folder)!r}."
        )
    if not folder.exists() or (folder / "recipe.json").exists():
        return
    if not folder.is_dir() or any(map(_is_foreign, folder.iterdir())):
        raise InputError(
            f"`workdir` must be new, empty or a run's folder. Received {str(folder)!r}: it is not."
        )


def _is_foreign(entry: Path) -> bool:
    """Whether it is neither the lock nor what a process left that was killed at its start."""
    return entry.name != locking.FILE and not files.is_temporary(entry)


def run_in(folder: Path, recipe: Recipe, *, owned: bool = True) -> Run:
    """The run of this recipe in a folder that `require_place` took.

    - A run of the same recipe is continued, in any precision and on any backend.
    - A recipe with more epochs makes it longer: its phases stay where they were planned, and the epochs that
      are added belong to the last one. A learning rate that decays follows the longer curve from then on.
    - Its patience may be another.
    - Another run that wrote no checkpoint yet is removed, for a new one.

    Args:
        folder: of the run.
        recipe: what is to be trained there.
        owned: whether this process has the folder's lock; else it removes nothing.

    Raises:
        InputError: a run of another recipe.
    """
    if not (folder / "recipe.json").exists():
        return Run(folder, recipe)
    run = open_run(folder)
    longer = _longer(run.recipe, recipe)
    differences = longer.differences(_asked(longer, recipe))
    if not differences:
        return Run(folder, dataclasses.replace(longer, mask=recipe.mask))  # its files may be elsewhere now
    if has_results(run):
        raise InputError(_refusal(folder, differences))
    if owned:
        _remove(run)
    return Run(folder, recipe)


def _longer(there: Recipe, wanted: Recipe) -> Recipe:
    """The recipe `there`, with the epochs of `wanted` where these are more, and its patience."""
    schedule, epochs = there.schedule, wanted.schedule.epochs
    if epochs > schedule.epochs:
        schedule = dataclasses.replace(schedule, epochs=epochs, planned=schedule.planned or schedule.epochs)
    schedule = dataclasses.replace(schedule, patience=wanted.schedule.patience)
    return dataclasses.replace(there, schedule=schedule)


def _asked(longer: Recipe, wanted: Recipe) -> Recipe:
    """The recipe `wanted`: where it says nothing of what was planned, that is as it was."""
    if wanted.schedule.planned is not None:
        return wanted
    return wanted.override({"schedule.planned": longer.schedule.planned})


def _refusal(folder: Path, differences: dict[str, tuple[Any, Any]]) -> str:
    field = next((each for each in _FIRST if each in differences), next(iter(differences)))
    there, here = differences[field]
    advice = {
        "preset": f"Pass --preset={there}, or choose another --workdir.",
        "schedule.epochs": "A run can be made longer, not shorter: choose another --workdir.",
    }.get(field, "Choose another --workdir.")
    name = "model" if field == "name" else field
    return (
        f"`workdir` {str(folder)!r} holds another run: {name} is {there!r} there and {here!r} here. {advice}"
    )


def has_results(run: Run) -> bool:
    """Whether a run has written a checkpoint or a model; without one it may be replaced."""
    networks = (file for file in run.folder.rglob("*.keras") if not files.is_temporary(file))
    return checkpoints.latest_step(run.checkpoints) > 0 or any(networks)


def _remove(run: Run) -> None:
    """Removes what a run wrote but its recipe, which marks the folder as a run's until it is replaced."""
    with files.writing(run.folder):
        for folder in (run.checkpoints, run.figures, run.samples, run.board):
            shutil.rmtree(folder, ignore_errors=True)
        for name in ("history.csv", "data.json", "environment.json"):
            (run.folder / name).unlink(missing_ok=True)
