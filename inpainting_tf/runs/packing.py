"""Keeps of a finished run what is worth keeping, in files small enough for any repository."""

from __future__ import annotations

import os
from pathlib import Path

from inpainting_tf import files
from inpainting_tf.runs import packed
from inpainting_tf.runs.loading import inpainter
from inpainting_tf.runs.run import Run


def pack(run: Run, folder: str | os.PathLike) -> Run:
    """Copies what is worth keeping of a finished run: weights in half precision, recipe, history, names.

    `load` and `eval.py --workdir` take the copy as they take the run. It does not say where the pictures
    were; `data_dir` does that when they are needed. Where a recipe trains on all the pictures there are,
    their names are left out.

    Raises:
        InputError: no finished model in the run, or the folder cannot be written.
    """
    weights, copy = packed.of(inpainter(run.folder)), Run(Path(folder).expanduser(), run.recipe)
    files.write_json(copy.folder / "recipe.json", run.recipe.to_json())
    splits = ("test",) if run.recipe.data.train is None else ("train", "test")
    files.write_json(copy.folder / "data.json", {split: run.pictures()[split] for split in splits})
    for kept in ("history.csv", "environment.json"):
        if (run.folder / kept).exists():
            files.write_text(copy.folder / kept, (run.folder / kept).read_text(encoding="utf-8"))
    packed.write(weights, copy.folder)
    return copy
