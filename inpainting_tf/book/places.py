"""Where a measurement of the book lies, and whether it is still that of its run and pictures."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from pathlib import Path

from inpainting_tf import sizes
from inpainting_tf.evaluation.comparison import TestSet
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import Run

PICTURES = "pictures.json"


def key(test_set: TestSet, recipe: Recipe | None = None) -> str:
    """The folder name of a measurement of `recipe` on the pictures and holes of `test_set`.

    It does not depend on the folder of the pictures: moved, they are the same.
    """
    pictures = dataclasses.asdict(test_set.data)
    for training in ("train", "validation", "flip"):  # no part of a test set; in the recipe
        del pictures[training]
    what = [pictures, dataclasses.asdict(test_set.mask), test_names(test_set), recipe and recipe.to_json()]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return f"{test_set.data.source}_{sizes.text(test_set.data.image_size)}_{test_set.mask.kind}-{digest[:8]}"


def test_names(test_set: TestSet) -> list[str] | None:
    """The names of the test pictures, if they are given."""
    return None if test_set.names is None else list(test_set.names["test"])


def is_of(folder: Path, pictures: str | None) -> bool:
    """Whether a measurement is of pictures with this fingerprint; true if they are not available now."""
    if pictures is None:
        return True
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return json.loads((folder / PICTURES).read_text(encoding="utf-8"))["fingerprint"] == pictures
    return False


def is_newer(measured: Path, run: Run | None) -> bool:
    """Whether a measurement exists and is not older than its run."""
    if not measured.exists():
        return False
    return run is None or measured.stat().st_mtime >= (run.folder / "history.csv").stat().st_mtime
