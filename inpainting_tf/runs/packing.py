"""Packs a finished run into files small enough for any repository."""

from __future__ import annotations

import os
from pathlib import Path

from inpainting_tf import files
from inpainting_tf.data import SPLITS
from inpainting_tf.runs import packed
from inpainting_tf.runs.loading import inpainter
from inpainting_tf.runs.run import Run


def pack(run: Run, folder: str | os.PathLike) -> Run:
    """Copies a finished run's weights in half precision, recipe, history, environment and pictures' names.

    `load` and `eval.py --workdir` take the copy like the run. It does not hold the path of the pictures:
    `data_dir` must give it where they are needed. If the recipe trains on all pictures of its source, the
    training pictures' names are left out.

    Raises:
        InputError: no finished model in the run, or the folder cannot be written.
    """
    weights, copy = packed.of(inpainter(run.folder)), Run(Path(folder).expanduser(), run.recipe)
    files.write_json(copy.folder / "recipe.json", run.recipe.to_json())
    pictures = run.pictures()
    left_out = {"train"} if run.recipe.data.train is None else set()
    names = {split: pictures[split] for split in SPLITS if split in pictures.keys() - left_out}
    files.write_json(copy.folder / "data.json", names)
    for name in ("history.csv", "environment.json"):
        if (run.folder / name).exists():
            files.write_text(copy.folder / name, (run.folder / name).read_text(encoding="utf-8"))
    packed.write(weights, copy.folder)
    return copy
