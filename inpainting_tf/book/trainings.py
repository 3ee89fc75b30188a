"""What a page says of a training: its command, length, device; and whether it is finished."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from inpainting_tf import recipes
from inpainting_tf.book import results
from inpainting_tf.book.metrics import METRICS
from inpainting_tf.recipes import Recipe, operations
from inpainting_tf.runs import Run, checkpoints, packed
from inpainting_tf.training.best import MONITORED, Best

_COUNTED: dict[tuple[str, int, int], float] = {}


def command(run: Run) -> str:
    """The shell command that trains a run."""
    recipe = run.recipe
    options = [f"--model={recipe.name}"]
    if recipe.preset != "paper":
        options.append(f"--preset={recipe.preset}")
    changes = recipes.get(recipe.name, recipe.preset).differences(recipe)
    for field, (_, value) in changes.items():
        flag = "--seed=" if field == "seed" else f"--set={field}="
        options.append(f"{flag}{'none' if value is None else value}")
    options += [f"--keep_epochs={epoch}" for epoch in kept_epochs(recipe)]
    return shlex.join(["python", "train.py", *options])


def kept_epochs(recipe: Recipe) -> list[int]:
    """The epochs for which the paper prints numbers of a system: their models are kept."""
    return list(printed_epochs(recipe))


def printed_epochs(recipe: Recipe) -> dict[int, float]:
    """What the paper prints of a system's training, by the epoch, e.g. "epoch 12"; 0: before the training."""
    printed = (value for table in recipe.printed.values() for value in table.values())
    by_epoch = (value for value in printed if isinstance(value, dict))
    return {int(key.split()[-1]): number for each in by_epoch for key, number in each.items()}


def trained_epochs(run: Run) -> str:
    """How many epochs it was trained, after the one that counts where that is not the last."""
    rows = run.history()
    last, printed = rows[-1]["epoch"], _printed_epoch(run)
    if printed is not None:
        return f"{printed} (of {last})"
    return last if run.recipe.schedule.patience is None else f"{_best(rows).epoch} (stopped after {last})"


def measured_file(run: Run) -> Path | None:
    """The model that a run is measured by; None for its last.

    It is that of the last epoch for which the paper prints numbers, where it was kept; of a run that its
    patience ended that of the best epoch.
    """
    printed = _printed_epoch(run)
    if printed is not None:
        return run.kept_file(printed)
    ended = run.recipe.schedule.patience is not None and run.best_file.exists()
    return run.best_file if ended else None


def _printed_epoch(run: Run) -> int | None:
    """The last epoch for which the paper prints numbers, where its model was kept."""
    epoch = max(printed_epochs(run.recipe), default=0)
    there = run.kept_file(epoch).exists() or results.kept(run.folder)
    return epoch if epoch and there else None


def pictures(run: Run) -> int:
    """How many pictures it was trained on; 0 where that is not recorded."""
    names = run.pictures()
    return len(names.get("train", ())) or names.get("counts", {}).get("train", 0)


def operations_of(run: Run) -> float:
    """The multiply-adds of a training, `recipes.operations`."""
    recipe, epochs = run.recipe.override({"seed": 0}), int(run.history()[-1]["epoch"])
    counted = (json.dumps(recipe.to_json(), sort_keys=True), pictures(run), epochs)
    if counted not in _COUNTED:  # it takes building the networks
        _COUNTED[counted] = operations.of_training(recipe, pictures(run), epochs)
    return _COUNTED[counted]


def settled(run: Run) -> int:
    """The first epoch whose holes of the validation pictures are within the margin of the best epoch's; 0
    where they were not measured.
    """
    measured = {int(row["epoch"]): float(row[MONITORED]) for row in run.history() if row.get(MONITORED)}
    if not measured:
        return 0
    enough = max(measured.values()) - METRICS["hole_psnr"].margin(0.0)
    return min(epoch for epoch, value in measured.items() if value >= enough)


def duration(minutes: float) -> str:
    """As text, e.g. "3 h 20 min"."""
    whole = max(1, round(minutes))
    return f"{whole // 60} h {whole % 60:02d} min" if whole >= 60 else f"{whole} min"


def device_of(run: Run) -> str:
    """The device that a run was trained on, if recorded."""
    file = run.folder / "environment.json"
    return json.loads(file.read_text(encoding="utf-8"))["device"] if file.exists() else "not noted"


def finished(run: Run) -> bool:
    """Whether the last step has a checkpoint."""
    rows, schedule = run.history(), run.recipe.schedule
    if not rows:
        return False
    early = _best(rows).waited(schedule.patience, rows[-1]["phase"])
    if int(rows[-1]["epoch"]) < schedule.epochs and not early:
        return False
    if packed.found(run.folder) or results.kept(run.folder):
        return True
    return checkpoints.latest_step(run.checkpoints) == int(rows[-1]["step"])


def _best(rows: Sequence[dict[str, str]]) -> Best:
    """The best epoch by validation, of the rows of a history."""
    best = Best()
    for row in rows:
        value = row.get(MONITORED)
        best.update(
            {
                "epoch": int(row["epoch"]),
                "phase": row["phase"],
                MONITORED: float(value) if value else None,
            }
        )
    return best
