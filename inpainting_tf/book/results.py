"""What is kept of a run beside the book, small enough for a repository, so that its numbers can be checked.

RESULTS/SCALE/NAME/recipe.json, history.csv, environment.json    as in the run's folder
RESULTS/SCALE/NAME/data.json                                     the test pictures' names, and how many others
RESULTS/SCALE/NAME/metrics.json, per_image.csv                   the evaluation, a row per picture
RESULTS/SCALE/NAME-epoch12/, NAME-trained/, METHOD-KEY/          those of an epoch, of training pictures, of
                                                                 a classical method

`runs.open_run` opens such a folder; it has no network.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from inpainting_tf import files
from inpainting_tf.book.metrics import METRICS
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import Evaluation
from inpainting_tf.runs import Run, packed

_AS_THEY_ARE = ("recipe.json", "history.csv", "environment.json")
_DIGITS = 7  # more than float32 has


def write(folder: Path, run: Run, found: Evaluation) -> None:
    """Keeps a run's recipe, history and test list, and its evaluation, in `folder`."""
    for name in _AS_THEY_ARE:
        if (run.folder / name).exists():
            files.write_text(folder / name, (run.folder / name).read_text(encoding="utf-8"))
    pictures = run.pictures()
    counts = {which: len(pictures.get(which, ())) for which in ("train", "validation")}
    files.write_json(folder / "data.json", {"counts": counts, "test": list(pictures.get("test", ()))})
    write_evaluation(folder, found)  # last: it marks a complete folder


def write_evaluation(folder: Path, found: Evaluation) -> None:
    """Keeps an evaluation's means and rows in `folder`."""
    columns = ["name", *(key for key in METRICS if found.rows[0].get(key) is not None)]
    rows = [{key: _short(row[key]) for key in columns} for row in found.rows]
    files.write_csv(folder / "per_image.csv", rows)
    files.write_json(folder / "metrics.json", found.summary)


def kept(folder: Path) -> bool:
    """Whether a complete result lies there, and not a run, which may have been measured in its own folder."""
    run = packed.found(folder) or (folder / "checkpoints").exists()
    return (folder / "metrics.json").is_file() and not run


def read(folder: Path) -> Evaluation:
    """The evaluation that was kept, without pictures.

    Raises:
        InputError: a file is missing or damaged.
    """
    try:
        summary = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        with open(folder / "per_image.csv", newline="", encoding="utf-8") as file:
            rows = [
                {key: text if key == "name" else float(text) for key, text in row.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError) as error:
        raise InputError(
            f"`results` must hold what the book kept. Received {str(folder)!r}: {error}."
        ) from error
    nothing = np.empty((0, 1, 1, 3), "float32")
    return Evaluation(summary["model"], rows, summary, nothing, nothing[..., :1], nothing)


def _short(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(f"{value:.{_DIGITS}g}")
