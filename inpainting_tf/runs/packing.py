"""Packs a finished run into files small enough for any repository."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from inpainting_tf import files, models
from inpainting_tf.data import SPLITS
from inpainting_tf.runs import own_masks, packed
from inpainting_tf.runs.loading import discriminator, inpainter
from inpainting_tf.runs.run import Run


def pack(run: Run, folder: str | os.PathLike) -> Run:
    """Copies a finished run's weights in half precision, recipe, history, environment and pictures' names.

    `load` and `eval.py --workdir` take the copy like the run. It does not hold the path of the pictures, nor
    of mask files: `data_dir` and `mask` must give them where they are needed. If the recipe trains on all
    pictures of its source, the training pictures' names are left out. A discriminator that the run kept is
    packed too, for `--init`.

    Raises:
        InputError: no finished model in the run, or the folder cannot be written.
    """
    weights, init = packed.of(inpainter(run.folder)), run.recipe.init
    # No path of this machine.
    recipe = dataclasses.replace(own_masks.unplaced(run.recipe), init=init and models.shown_name(init))
    copy = Run(Path(folder).expanduser(), recipe)
    files.write_json(copy.folder / "recipe.json", recipe.to_json())
    pictures = run.pictures()
    left_out = {"train"} if recipe.data.train is None else set()
    copied = [key for key in (*SPLITS, "fingerprint") if key in pictures.keys() - left_out]
    files.write_json(copy.folder / "data.json", {key: pictures[key] for key in copied})
    for name in ("history.csv", "environment.json"):
        if (run.folder / name).exists():
            files.write_text(copy.folder / name, (run.folder / name).read_text(encoding="utf-8"))
    if (judge := discriminator(run)) is not None:
        packed.write(judge, copy.folder, packed.DISCRIMINATOR)
    packed.write(weights, copy.folder)
    return copy
